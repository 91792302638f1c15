"""What the engine's parts hand to each other: plain data, JSON in and JSON out."""

from dataclasses import dataclass, field
from typing import Any

from grader.engine.limits import Limits


@dataclass(frozen=True)
class TrustedCell:
    """A cell as the gradebook registered it at release; nothing of it is the learner's."""

    grade_id: str
    cell_type: str  # code or markdown
    source: str  # a solution's stub; a test with its hidden part
    points: float = 0.0
    grade: bool = False
    solution: bool = False
    locked: bool = False
    task: bool = False


@dataclass(frozen=True)
class NotebookSpec:
    """One notebook of an assignment; `controls` are known wrong answers per test's grade_id."""

    name: str
    cells: tuple[TrustedCell, ...]  # in the order of the release
    kernel: str = "python3"
    controls: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Specification:
    """All that grading one assignment needs; `digest` changes whenever any of it does."""

    assignment: str
    notebooks: tuple[NotebookSpec, ...]
    data: dict[str, bytes]  # relative path in the work folder -> content
    preload: tuple[str, ...]  # modules that the release imports
    limits: Limits
    hidden: tuple[str, str]  # delimiters of hidden tests
    digest: str = ""


@dataclass(frozen=True)
class Submission:
    """What one learner handed in, unread."""

    student: str
    notebooks: dict[str, bytes]  # name -> file; a notebook that is missing is absent
    files: dict[str, bytes]  # the learner's other plain files, by relative path
    digest: str = ""


@dataclass
class CellResult:
    """The outcome of one graded cell.

    `outcome` is passed, partial, failed, error, timeout, died, limit, tampered, grader-error,
    manual (a person grades it) or unanswered. `score` is None where a person must grade.
    """

    grade_id: str
    points: float
    score: float | None
    outcome: str
    note: str = ""


@dataclass
class NotebookResult:
    """One notebook's outcome; `executed` is the notebook to store, sanitized, as JSON data."""

    name: str
    cells: list[CellResult]
    executed: dict[str, Any]
    repairs: list[str] = field(default_factory=list)  # what preparing had to mend
    events: list[str] = field(default_factory=list)  # a dead kernel, a limit, tampering
    cells_cpu_s: float = 0.0  # of the notebook's cells and controls


@dataclass
class Result:
    """One submission's outcome; `problem` says why it could not be graded at all."""

    student: str
    submission: str  # digest
    specification: str  # digest
    isolation: str
    controls: str  # "bank" or "nonce only"
    notebooks: list[NotebookResult] = field(default_factory=list)
    problem: str = ""
