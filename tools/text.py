"""What is wrong with the text of a page or a lab, found in its source.

Each check takes a source's text and returns problems as `line N: what, and what to do`.
"""

import ast
import re
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

WIDTH = 79
LONGEST = 12
MEDIAN = 4
SUMMARY = 5
FENCE = re.compile(r"^ *(`{3,}|:{3,}) *(?:\{([\w-]+)\})? *(.*)$")
# Blocks whose body is no prose; any other directive's body is.
CODE = {"code-cell", "code-block", "code", "math", "index", "include", "bibliography", "raw"}
INLINE = re.compile(
    r"\{[\w:-]+\}`[^`]*`|`+[^`]+`+|\$\$.*?\$\$|\$[^$\n]+\$|\]\([^)\s]*\)|https?://\S+|<!--.*?-->",
    re.S,
)
AIMS = "After this page you can"
LAST = ["In production", "Check yourself", "Summary", "What's next", "Further reading"]


@dataclass(frozen=True)
class Cell:
    """A page's code cell: its first line in the page, its options, its code."""

    line: int
    options: dict[str, Any]
    code: list[str]

    @property
    def tags(self) -> set[str]:
        return set(self.options.get("tags", []))

    @property
    def shown(self) -> bool:
        """Whether readers see the code without asking."""
        return not self.tags & {"remove-cell", "remove-input", "hide-input", "hide-cell"}


def cells(text: str) -> Iterator[Cell]:
    """The code cells of a page."""
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        if lines[at].startswith("```{code-cell}"):
            end = next(i for i in range(at + 1, len(lines)) if lines[i].startswith("```"))
            options, code = _options(lines[at + 1 : end])
            yield Cell(at + 1, options, code)
            at = end
        at += 1


def _options(body: list[str]) -> tuple[dict[str, Any], list[str]]:
    """A cell's options, in either of MyST's notations, and its code."""
    if body and body[0] == "---":
        end = body.index("---", 1)
        return yaml.safe_load("\n".join(body[1:end])) or {}, body[end + 1 :]
    given = next((i for i, line in enumerate(body) if not line.startswith(":")), len(body))
    pairs = [line[1:].split(":", 1) for line in body[:given]]
    return {name: yaml.safe_load(value) for name, value in pairs}, body[given:]


def prose(text: str) -> list[str]:
    """The lines of a page, emptied of all that is no sentence; captions and alt texts stay."""
    kept: list[str] = []
    inside: list[tuple[str, bool]] = []  # open fences: their marks, whether their bodies are code
    front = text.startswith("---\n")
    for number, line in enumerate(text.splitlines()):
        fence = FENCE.match(line)
        if front:
            front = number == 0 or line != "---"
            kept.append("")
        elif inside and line.strip() == inside[-1][0]:
            inside.pop()
            kept.append("")
        elif inside and inside[-1][1]:
            described = re.match(r" +(?:alt|caption): (.*)", line)
            kept.append(described[1] if described else "")
        elif fence:
            mark, directive, title = fence.groups()
            code = directive in CODE or (mark[0] == "`" and not directive)
            inside.append((mark, code))
            kept.append("" if code else title)
        else:
            kept.append(line)
    blank = INLINE.sub(lambda match: "\n" * match.group().count("\n"), "\n".join(kept))
    return blank.split("\n")


def lab_prose(text: str) -> list[str]:
    """The lines of a lab's master that people read: Markdown and the messages of tests."""
    lines = text.splitlines()
    kept = [""] * len(lines)
    markdown = False
    for number, line in enumerate(lines):
        if line.startswith("# %%"):
            markdown = "[markdown]" in line
        elif markdown and "### BEGIN" not in line and "### END" not in line:
            kept[number] = line.removeprefix("#").removeprefix(" ")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Assert) and node.msg:
            parts = [part for part in ast.walk(node.msg) if isinstance(part, ast.Constant)]
            said = "".join(part.value for part in parts if isinstance(part.value, str))
            kept[node.msg.lineno - 1] += said
    return INLINE.sub(lambda match: "\n" * match.group().count("\n"), "\n".join(kept)).split("\n")


def bank_prose(text: str) -> list[str]:
    """The lines of a bank that say a misconception or a hint."""
    said = re.compile(r"# (?:misconception|hint): (.*)")
    return [match[1] if (match := said.match(line)) else "" for line in text.splitlines()]


def glossary_names(text: str) -> set[str]:
    """Every name that the glossary's page defines."""
    body = text.split("```{glossary}\n", 1)[1].split("\n```", 1)[0]
    return {line for line in body.splitlines() if line and line[0] not in " :"}


def words(lines: list[str], rules: dict[str, Any]) -> list[str]:
    """Words that the rules forbid."""
    instead = {bad: good for good, bads in rules["instead"].items() for bad in bads}
    instead |= {bad: good for good, bads in rules["spelling"].items() for bad in bads}
    advice = {bad: f"the course says '{good}'" for bad, good in instead.items()}
    advice |= dict.fromkeys(rules["never"], "leave it out")
    text, found = "\n".join(lines), []
    for bad, what in advice.items():
        pattern = r"(?<![\w-])" + r"\s+".join(map(re.escape, bad.split())) + r"s?(?![\w-])"
        # What is written in capitals is a name, and another word in small letters.
        for match in re.finditer(pattern, text, 0 if bad.isupper() else re.I):
            line = text.count("\n", 0, match.start()) + 1
            found.append(f"line {line}: '{match.group()}'; {what}")
    return sorted(found)


def headings(lines: list[str]) -> list[str]:
    """One heading of the first level, at the top, and no level skipped below it."""
    found, before = [], 0
    for number, line in enumerate(lines, 1):
        match = re.match(r"(#{1,6}) +(.+)", line)
        if not match:
            continue
        level = len(match[1])
        if (level == 1) != (before == 0):
            found.append(f"line {number}: '{match[2]}'; a page has one title, and it comes first")
        elif level > before + 1:
            found.append(f"line {number}: '{match[2]}' skips a level; use {'#' * (before + 1)}")
        before = level
    return found if before else ["line 1: there is no title; begin with '# '"]


def shape(text: str) -> list[str]:
    """Cells that are too long or too wide, and a page whose cells are too long on the whole."""
    found, lengths = [], []
    for cell in cells(text):
        if not cell.shown:
            continue
        length = sum(bool(line.strip()) for line in cell.code)
        lengths.append(length)
        if length > LONGEST and "program" not in cell.tags:
            found.append(
                f"line {cell.line}: a cell of {length} lines; split it, move it into a module, "
                "or tag it 'program' if it is worth reading as a whole"
            )
        wide = max(map(len, cell.code), default=0)
        if wide > WIDTH:
            found.append(f"line {cell.line}: {wide} columns; break the line at {WIDTH}")
    if lengths and statistics.median(lengths) > MEDIAN:
        found.append(
            f"line 1: the median cell has {statistics.median(lengths):g} lines; "
            f"split cells until it has {MEDIAN}"
        )
    return found


def figures(text: str, least: int = 0) -> list[str]:
    """Figures without alt text or caption, and too few figures."""
    found, count = [], 0
    for cell in cells(text):
        if cell.tags & {"remove-cell", "remove-output"}:
            continue
        if not re.search(r"\.(?:subplots|figure|plot)\(", "\n".join(cell.code)):
            continue
        count += 1
        drawn = cell.options.get("mystnb", {})
        if len(drawn.get("image", {}).get("alt", "")) < 40:
            found.append(f"line {cell.line}: a figure without alt text; say what it shows")
        if len(drawn.get("figure", {}).get("caption", "")) < 40:
            found.append(f"line {cell.line}: a figure without caption; say what to see")
    if count < least:
        found.append(f"line 1: {count} figures; a page needs {least} that carry its argument")
    return found


def skeleton(text: str) -> list[str]:
    """Parts that every content page has, and does not have."""
    found = []
    box = re.search(rf"^(:::+|```+)\{{admonition\}} {AIMS}\n(.*?)^\1$", text, re.M | re.S)
    if not box:
        found.append(f"line 1: no box '{AIMS}'; put one under the title")
    else:
        if len(re.findall(r"^- .*\*\*\w+\*\*", box[2], re.M)) < 3:
            found.append("line 1: fewer than three aims; each begins with a bold verb")
        for part in ("*Prerequisites*: ", "*Time*: ", "*Lab*: "):
            if part not in box[2]:
                found.append(f"line 1: the box of aims lacks '{part}'")
    titles = re.findall(r"^## (.+)$", "\n".join(prose(text)), re.M)
    if titles[-len(LAST) :] != LAST:
        found.append(f"line 1: the page ends with {titles[-len(LAST) :]}; end it with {LAST}")
        return found
    last = {part: _section(text, part) for part in LAST}
    if not 1 <= len(last["Summary"]) <= SUMMARY:
        found.append(f"line 1: the summary has {len(last['Summary'])} lines; write 1 to {SUMMARY}")
    reading = "\n".join(last["Further reading"]).split("\n- ")
    for entry in reading:
        if not re.match(r"(?:- )?.+?: \S", entry, re.S):
            found.append(
                f"line 1: further reading '{entry[:40]}' does not say what it is good for"
            )
    return found


def _section(text: str, title: str) -> list[str]:
    """The lines of a section that are not empty."""
    body = re.split(r"^## .*$", text.split(f"\n## {title}\n", 1)[1], maxsplit=1, flags=re.M)[0]
    return [line for line in body.splitlines() if line.strip()]


def stored_output(notebook: dict[str, Any]) -> list[str]:
    """Cells of a notebook that hold an output or an execution count."""
    return [
        f"cell {number}: it holds an output or a count; clear all outputs"
        for number, cell in enumerate(notebook["cells"], 1)
        if cell.get("outputs") or cell.get("execution_count")
    ]
