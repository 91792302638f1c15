"""Questions of the book: how they are written in a page, and what makes one sound.

A question is a text, then options in the notation of a task list, each with its explanation:

    Which of these is even?

    - [x] 2

      It is 2 times 1.
    - [ ] 3

      Half of it is no whole number.
"""

import ast
import json
import math
import re
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

KINDS = ("choice", "several", "number")
PUBLISHED = Path("_static") / "questions.json"

_NAME = re.compile(r"q(-[a-z0-9]+)+")
_MARK = re.compile(r"- \[([ xX])\](?:\s+(.*))?$")
_GLUED = re.compile(r"\{glue:text\}`([^`:]+)(?::([^`]+))?`")


@dataclass
class Option:
    """One option: its lines of Markdown, and for a number the value that the page computed."""

    right: bool
    line: int  # within the question's content
    label: list[str]
    explanation: list[str] = field(default_factory=list)
    value: float = math.nan
    shown: str = ""


def split(lines: list[str]) -> tuple[list[str], list[Option], list[str]]:
    """A question's content as text, options, and lines that belong to neither."""
    text: list[str] = []
    options: list[Option] = []
    stray: list[str] = []
    for number, line in enumerate(lines):
        mark = _MARK.match(line)
        if mark:
            options.append(Option(mark[1] != " ", number, [mark[2] or ""]))
        elif not options:
            text.append(line)
        elif line.strip() and not line.startswith("  "):
            stray.append(line)
        else:
            options[-1].explanation.append(line[2:])
    for option in options:
        _part(option)
    return text, options, stray


def _part(option: Option) -> None:
    """Give the lines before the first empty one to the label."""
    lines = option.explanation
    end = next((i for i, line in enumerate(lines) if not line.strip()), len(lines))
    option.label += lines[:end]
    option.explanation = lines[end:] if any(line.strip() for line in lines[end:]) else []


def letter(index: int) -> str:
    """The name of an option in what readers see: A, B, ..."""
    return chr(ord("A") + index)


def structure_problems(
    kind: str, name: str, text: list[str], options: list[Option], stray: list[str]
) -> list[str]:
    """What is wrong with a question as it is written, each in a sentence that says what to do."""
    found = []
    if kind not in KINDS:
        found.append(f"its kind is '{kind}'; write one of {', '.join(KINDS)}")
    if not _NAME.fullmatch(name):
        found.append("it has no proper name; give it ':name: q-some-words' (small letters)")
    if not any(line.strip() for line in text):
        found.append("it asks nothing; write the question before the options")
    if stray:
        found.append(f"'{stray[0]}' belongs to no option; indent it by two spaces")
    rights = sum(option.right for option in options)
    if kind != "several" and rights != 1:
        found.append(f"{rights} options are marked right; mark exactly one '- [x]'")
    if kind == "several" and not 0 < rights < len(options):
        found.append("mark at least one option right '- [x]' and at least one wrong '- [ ]'")
    if kind == "choice" and len(options) < 2:
        found.append("a choice needs two options or more")
    for index, option in enumerate(options):
        if not option.label[0].strip():
            found.append(f"option {letter(index)} is empty; write it after the brackets")
        if not option.explanation:
            found.append(
                f"option {letter(index)} has no explanation; write one under it, "
                "after an empty line and indented by two spaces"
            )
    labels = [" ".join(option.label).strip() for option in options]
    if len(set(labels)) < len(labels):
        found.append("two options are the same; take one out")
    return found


def read_value(option: Option, glued: dict[str, str], unit: str) -> str:
    """Fill in an option's value as the page's code computed it; return what is wrong, or ''."""
    label = " ".join(option.label).strip()
    match = _GLUED.fullmatch(label)
    if not match:
        return f"'{label}' is typed; glue the number in a cell and write {{glue:text}}`key:.1f`"
    key, form = match[1], match[2] or ""
    if key not in glued:
        return f"no cell of this page glues '{key}'"
    try:
        option.value = float(glued[key])
        option.shown = format(option.value, form)
    except ValueError:
        return f"'{key}' is no plain number ({glued[key]}); glue float(...) and show it by :.1f"
    if not math.isfinite(option.value):
        return f"'{key}' is {option.value}, which nobody can type; mend the cell that computes it"
    if form.endswith("%"):
        option.value *= 100
        option.shown = option.shown.removesuffix("%")
        if unit != "%":
            return f"'{key}' is shown in percent; write ':unit: %'"
    return ""


def read_tolerance(text: str, right: float) -> float:
    """The tolerance in the answer's own unit, from '0.5' or '2 %'; 0 where it is neither."""
    match = re.fullmatch(r"([0-9.]+)\s*(%?)", text.strip())
    try:
        number = float(match[1]) if match else 0.0
    except ValueError:
        return 0.0
    return abs(right) * number / 100 if match and match[2] else number


def number_problems(options: list[Option], tolerance: float) -> list[str]:
    """What is wrong with the values of a number's options and with its tolerance."""
    if not tolerance > 0:
        return ["its tolerance is not above 0; write ':tolerance: 0.5' or ':tolerance: 2 %'"]
    found = []
    for option in options:
        if abs(float(option.shown.replace(",", "")) - option.value) > tolerance:
            found.append(
                f"{option.shown}, as shown, is further from {option.value:.6g} than the "
                f"tolerance of {tolerance:.3g}; show more digits"
            )
    for one, other in combinations(options, 2):
        if abs(one.value - other.value) <= 2 * tolerance:
            found.append(
                f"within the tolerance of {tolerance:.3g} an answer can be both {one.shown} and "
                f"{other.shown}; make the tolerance smaller"
            )
    return found


def key_problem(options: list[Option], glued: dict[str, str], key: str) -> str:
    """What is wrong where a cell computes the right options, by their numbers from 1; or ''."""
    if key not in glued:
        return f"no cell of this page glues '{key}'"
    try:
        computed = _numbers(glued[key])
    except (ValueError, SyntaxError):
        return f"'{key}' is {glued[key]}; glue the numbers of the right options, such as '1, 3'"
    marked = [number for number, option in enumerate(options, 1) if option.right]
    if computed == marked:
        return ""
    return (
        f"the page computes {_options(computed)} as right ('{key}'), marked is "
        f"{_options(marked)}; mend the marks or the cell"
    )


def _numbers(text: str) -> list[int]:
    value = ast.literal_eval(text)
    parts = value.split(",") if isinstance(value, str) else value
    return sorted(int(part) for part in (parts if isinstance(parts, list | tuple) else [parts]))


def _options(numbers: list[int]) -> str:
    return ", ".join(letter(number - 1) for number in numbers) or "nothing"


def read_published(html: Path) -> list[dict[str, Any]] | None:
    """Every question of a built book: page, name, kind, aim, and whether code checked its key.

    None where the book was not built.
    """
    path = html / PUBLISHED
    if not path.exists():
        return None
    questions: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return questions
