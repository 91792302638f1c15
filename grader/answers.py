"""Read a lab's bank: `wrong_answers.py` and `right_answers.py` beside the master."""

import re
from dataclasses import dataclass
from pathlib import Path

from grader.errors import CourseError
from grader.master import Lab, percent_cells

_TITLE = re.compile(r"^([a-z][a-z0-9-]*): *(.+)$")
_NOTE = re.compile(r"^# (misconception|hint): (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Variant:
    """Another answer to one question, and what is known of it.

    `hint` is text that the learner must see when this answer fails; empty for right answers.
    """

    question: str
    title: str
    source: str
    line: int
    wrong: bool
    misconception: str = ""
    hint: str = ""
    shown: bool = False


def read_bank(lab: Lab) -> tuple[Variant, ...]:
    """Every wrong and right answer of a lab; CourseError where one does not fit the master."""
    folder = lab.path.parent
    bank = _read(lab, folder / "wrong_answers.py", wrong=True)
    bank += _read(lab, folder / "right_answers.py", wrong=False)
    return tuple(bank)


def _read(lab: Lab, path: Path, *, wrong: bool) -> list[Variant]:
    answers = [cell.question for cell in lab.cells if cell.kind in ("answer", "review")]
    variants: list[Variant] = []
    for line, _type, heading, tags, source in percent_cells(path):
        if not heading:
            continue
        where = f"{path} line {line}, cell '{heading}'"
        match = _TITLE.match(heading)
        if not match or match.group(1) not in answers:
            raise CourseError(
                f"{where}: {lab.name} has no such question; begin the heading with one of "
                f"{', '.join(answers)}."
            )
        notes: dict[str, str] = dict(_NOTE.findall(source))
        missing = [name for name in ("misconception", "hint") if wrong and name not in notes]
        if missing:
            raise CourseError(f"{where}: no {missing[0]}; add a line '# {missing[0]}: …'.")
        question, title = match.groups()
        if any((old.question, old.title) == (question, title) for old in variants):
            raise CourseError(f"{where}: a heading above is the same; give it its own words.")
        code = _NOTE.sub("", source).strip("\n")
        shown = "shown" in tags
        variants.append(Variant(question, title, code, line, wrong, **notes, shown=shown))
    return variants
