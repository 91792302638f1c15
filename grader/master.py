"""Read a lab's master, `solutions/<lab>/lab.py`, and say what is wrong with it."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import jupytext
from nbformat import ValidationError

from grader import regions
from grader.errors import CourseError

STUB = "# YOUR CODE HERE\nraise NotImplementedError()"

_HEADING = re.compile(r"^(answer|test|written|review|given|make): *([a-z][a-z0-9-]*)(?:, *(.*))?$")
_POINTS = re.compile(r"^(\d+(?:\.\d+)?) points?$")
_VARIES = re.compile(r"^# varies: (.+)$", re.MULTILINE)
_BUDGET = re.compile(r"^# budget: (\d+) s, because (.+)$", re.MULTILINE)
_SEED = re.compile(r"^seed = (\d+)$", re.MULTILINE)


@dataclass(frozen=True)
class Cell:
    """One cell of the master; `line` is its heading's, counted from 1."""

    kind: str  # markdown, code, parameters, answer, test, written, review, given, make
    source: str
    line: int
    name: str = ""
    points: float = 0.0
    varies: str = ""

    @property
    def question(self) -> str:
        """The name under which the gradebook and the reports know this question."""
        return f"{self.name}-review" if self.kind == "review" else self.name


@dataclass(frozen=True)
class Lab:
    """A master that has passed every check."""

    name: str
    path: Path
    cells: tuple[Cell, ...]
    seed: int
    budget_s: int = 30
    budget_reason: str = ""
    points: dict[str, float] = field(default_factory=dict)  # question -> points, in lab order

    @property
    def title(self) -> str:
        return self.cells[0].source.splitlines()[0].removeprefix("# ")

    def cell(self, kind: str, name: str) -> Cell:
        """The cell of this kind and name; KeyError where there is none."""
        for cell in self.cells:
            if (cell.kind, cell.name) == (kind, name):
                return cell
        raise KeyError(f"{kind}: {name}")


def percent_cells(path: Path) -> Iterator[tuple[int, str, str, list[str], str]]:
    """Yield (line, type, heading, tags, source) of each cell of a percent-format file."""
    if not path.exists():
        raise CourseError(f"{path} is missing; write it or name another lab.")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise CourseError(f"{path} is not UTF-8 text; save it as UTF-8.") from None
    lines = [number for number, line in enumerate(text.split("\n"), 1) if line.startswith("# %%")]
    try:
        cells = jupytext.reads(text, fmt="py:percent").cells
    except ValidationError as error:
        problem = str(error).splitlines()[0]
        raise CourseError(f"{path}: a heading's metadata is off: {problem}; mend it.") from None
    if len(cells) != len(lines):
        raise CourseError(f"{path} line 1: text stands before the first '# %%'; give it a cell.")
    for line, cell in zip(lines, cells, strict=True):
        tags = list(cell.metadata.get("tags", []))
        yield line, cell.cell_type, cell.metadata.get("title", ""), tags, cell.source


def read_lab(path: Path) -> Lab:
    """Parse and check a master.

    Raises CourseError with file, line, cell and remedy for the first thing that is wrong.
    """
    cells = tuple(_cell(path, *parts) for parts in percent_cells(path))
    _check_order(path, cells)
    _check_regions(path, cells)
    parameters = next((cell for cell in cells if cell.kind == "parameters"), None)
    if parameters is None:
        raise CourseError(
            f"{path}: no parameters cell; add '# %% tags=[\"parameters\"]' with 'seed = 1'."
        )
    seed = _SEED.search(parameters.source)
    if seed is None:
        raise CourseError(
            f"{path} line {parameters.line}: the parameters cell sets no seed; add 'seed = 1'."
        )
    budget = _BUDGET.search(parameters.source)
    return Lab(
        name=path.parent.name,
        path=path,
        cells=cells,
        seed=int(seed.group(1)),
        budget_s=int(budget.group(1)) if budget else 30,
        budget_reason=budget.group(2) if budget else "",
        points={cell.question: cell.points for cell in cells if cell.points},
    )


def _cell(
    path: Path, line: int, cell_type: str, heading: str, tags: list[str], source: str
) -> Cell:
    where = f"{path} line {line}, cell '{heading or cell_type}'"
    try:
        regions.check(source)
    except regions.MarkerError as error:
        raise CourseError(
            f"{where}: {error} (line {line + 1 + error.line}); add or remove a marker."
        ) from None
    if not heading:
        kind = "parameters" if "parameters" in tags else cell_type
        return Cell(kind, source, line, varies=_varies(where, tags, source))
    match = _HEADING.match(heading)
    if not match:
        raise CourseError(
            f"{where}: the heading is none of answer:, test:, written:, review:, given:, make:; "
            "correct it, or put the text into the cell."
        )
    kind, name, rest = match.groups()
    if kind in ("answer", "review"):
        _check_stub(where, source)
    if kind == "written" and not regions.inside(source, regions.RUBRIC).strip():
        raise CourseError(f"{where}: no rubric; add one between BEGIN RUBRIC and END RUBRIC.")
    if kind in ("written", "answer", "review") and not regions.inside(source, "SOLUTION").strip():
        raise CourseError(
            f"{where}: no model answer; add one between BEGIN SOLUTION and END SOLUTION."
        )
    return Cell(kind, source, line, name, _points(where, kind, rest), _varies(where, tags, source))


# Where each kind of marked region may stand.
_HOMES = {
    regions.SOLUTION: ("answer", "review", "written"),
    regions.HIDDEN_TESTS: ("test",),
    regions.RUBRIC: ("written",),
}


def _check_regions(path: Path, cells: tuple[Cell, ...]) -> None:
    for cell in cells:
        for name, homes in _HOMES.items():
            if f"### BEGIN {name}" in cell.source and cell.kind not in homes:
                raise CourseError(
                    f"{path} line {cell.line}, cell '{cell.name or cell.kind}': BEGIN {name} "
                    f"belongs into {' or '.join(homes)} cells; move it there."
                )


def _points(where: str, kind: str, rest: str | None) -> float:
    if kind in ("answer", "given", "make"):
        return 0.0
    match = _POINTS.match(rest or "")
    if not match or float(match.group(1)) == 0:
        raise CourseError(f"{where}: no points; end the heading with ', 4 points'.")
    return float(match.group(1))


def _varies(where: str, tags: list[str], source: str) -> str:
    if "varies" not in tags:
        return ""
    reason = _VARIES.search(source)
    if not reason:
        raise CourseError(f"{where}: tagged 'varies' without a reason; add '# varies: …' to it.")
    return reason.group(1)


def _check_stub(where: str, source: str) -> None:
    """Outside the markers a stub may hold imports, definitions and docstrings, nothing else."""
    stub = regions.replace(source, regions.SOLUTION, STUB)
    try:
        body = ast.parse(stub).body
    except SyntaxError as error:
        raise CourseError(
            f"{where}: what is left for the learner is no Python ({error.msg}); move the markers."
        ) from None
    for statement in body:
        outside = _beyond_stub(statement)
        if outside is not None:
            raise CourseError(
                f"{where}: text outside the markers ('{ast.unparse(outside).splitlines()[0]}') "
                "would reach the learner; move it between BEGIN SOLUTION and END SOLUTION."
            )


def _beyond_stub(statement: ast.stmt) -> ast.stmt | None:
    """The first statement that is no part of a contract, or None."""
    match statement:
        case ast.Import() | ast.ImportFrom() | ast.Raise():
            return None
        case ast.Expr(value=ast.Constant(value=str())):
            return None
        case ast.FunctionDef() | ast.ClassDef():
            return next((bad for part in statement.body if (bad := _beyond_stub(part))), None)
        case ast.AnnAssign(value=None):
            return None
    return statement


def _check_order(path: Path, cells: tuple[Cell, ...]) -> None:
    first = cells[0] if cells else None
    if first is None or first.kind != "markdown" or not first.source.startswith("# "):
        raise CourseError(f"{path} line 1: the first cell is no '# Title'; begin with a title.")
    seen: dict[tuple[str, str], Cell] = {}
    for cell in cells:
        if not cell.name:
            continue
        where = f"{path} line {cell.line}, cell '{cell.kind}: {cell.name}'"
        role = cell.kind if cell.kind in ("test", "given", "make") else "answer"
        key = (role, cell.question)
        if key in seen:
            raise CourseError(
                f"{where}: the name is used already in line {seen[key].line}; rename one of them."
            )
        seen[key] = cell
        if cell.kind == "test" and ("answer", cell.name) not in seen:
            raise CourseError(f"{where}: no answer before it; add '# %% answer: {cell.name}'.")
        if cell.kind == "review" and ("answer", cell.name) not in seen:
            raise CourseError(f"{where}: it reviews no earlier answer; name one that exists.")
    for (_role, name), cell in seen.items():
        if cell.kind == "answer" and ("test", name) not in seen:
            raise CourseError(
                f"{path} line {cell.line}, cell 'answer: {name}': it has no test; "
                f"add '# %% test: {name}, 4 points'."
            )
