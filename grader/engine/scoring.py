"""Points, from what the kernel confirmed and from nothing else."""

import re
from dataclasses import dataclass, field

from grader.engine.model import CellResult, TrustedCell

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:nan|inf)"
_KIND = r"(?:np\.|numpy\.|torch\.)?(?:float|int|uint|bfloat)\d*"
_SCALAR = re.compile(
    rf"(?:np|numpy)\.(?:float|int|uint)\d+\((?P<numpy>{_NUMBER})\)"
    rf"|(?:array|tensor)\((?P<array>{_NUMBER})(?:, dtype={_KIND}|, device='[\w:]+'"
    r"|, requires_grad=True|, grad_fn=<\w+>)*\)"
    rf"|(?P<plain>{_NUMBER})",
    re.ASCII,
)
_LONGEST = 200  # characters of a number and what is around it
_MARGIN = 1e-9  # by which a float may miss the maximum

# A cell that never ran shares the fate of the kernel that it lacked.
_FAILURES = {"timeout": "timeout", "died": "died", "limit": "limit", "not-run": "died"}
_REASONS = {
    "timeout": "the time for this cell was used up",
    "died": "the kernel died in this cell",
    "limit": "this cell went beyond a limit",
    "not-run": "the cell was not run, the notebook had ended before",
}


@dataclass
class Evidence:
    """What the supervisor saw of one graded cell's run."""

    status: str = "not-run"  # ok, error, timeout, died, limit or not-run
    reached_end: bool = False  # the kernel confirmed that exactly this cell ran to its end
    values: list[str] = field(default_factory=list)  # text/plain of its execute_results
    ename: str = ""
    evalue: str = ""
    tampered: str = ""  # what was seen of tampering
    note: str = ""


def parse_points(text: str, most: float) -> float:
    """The points that a test returned; ValueError says why they are none."""
    match = _SCALAR.fullmatch(text.strip()) if len(text) <= _LONGEST else None
    if not match:
        raise ValueError(f"the test returned {_cut(text)}, which is no number")
    value = float(match["numpy"] or match["array"] or match["plain"])
    if not 0 <= value < float("inf"):  # nan fails both
        raise ValueError(f"the test returned {_cut(text)}, which no score can be")
    if value > most * (1 + _MARGIN):
        raise ValueError(f"the test returned {_cut(text)}, more than its {most:g} points")
    return min(value, most) + 0.0  # no minus zero


def score_cell(cell: TrustedCell, evidence: Evidence, unchanged: bool) -> CellResult:
    """The result of a graded cell; `unchanged` says that an answer is still the stub."""
    if cell.task or cell.solution or cell.cell_type != "code":
        return _by_a_person(cell, unchanged)
    score, outcome, note = _autograded(cell, evidence)
    notes = [_line(part) for part in (note, evidence.note) if part]
    return CellResult(cell.grade_id, cell.points, score, outcome, "; ".join(notes))


def _by_a_person(cell: TrustedCell, unchanged: bool) -> CellResult:
    """As nbgrader has it: an answer left as it was scores 0; a task's text never changes."""
    if cell.solution and unchanged and not cell.task:
        return CellResult(cell.grade_id, cell.points, 0.0, "unanswered")
    return CellResult(cell.grade_id, cell.points, None, "manual")


def _autograded(cell: TrustedCell, evidence: Evidence) -> tuple[float, str, str]:
    if evidence.tampered:
        return 0.0, "tampered", evidence.tampered
    if evidence.status in _FAILURES:
        return 0.0, _FAILURES[evidence.status], _REASONS[evidence.status]
    if evidence.status == "error":
        outcome = "failed" if evidence.ename == "AssertionError" else "error"
        return 0.0, outcome, f"{evidence.ename}: {evidence.evalue}".rstrip(": ")
    if evidence.status != "ok":
        raise ValueError(f"{evidence.status!r} is no status of a cell's run")
    if not evidence.reached_end:
        note = "the test did not run to its end though the kernel said ok"
        return 0.0, "tampered", note
    if len(evidence.values) > 1:
        return 0.0, "tampered", f"the test returned {len(evidence.values)} values"
    try:
        score = parse_points(evidence.values[0], cell.points) if evidence.values else cell.points
    except ValueError as error:
        return 0.0, "grader-error", str(error)
    if score == cell.points:
        return score, "passed", ""
    return score, "partial" if score else "failed", ""


def _cut(text: str) -> str:
    return text[:57] + "..." if len(text) > 60 else text or "nothing"


def _line(text: str) -> str:
    """One printable line of what may be a learner's text."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[:400]).split())
    return line if len(line) <= 200 else line[:197] + "..."
