"""Hostile submissions: small programs that try for marks or for more, and what must come of each.

A member names its class, says in a sentence what it tries, and holds the answers that it writes
(the other answers stay the release's stubs) or changes the whole notebook. README.md describes
the format and the target that the members attack.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Notebook = dict[str, Any]
Change = Callable[[Notebook], None]

WRONG = "\ndef mean(values):\n    return -1.0\n"
RIGHT = """
def mean(values):
    kept = [value for value in values if value is not None]
    return sum(kept) / len(kept) if kept else None
"""
# How a member finds the line that the engine adds to a test as proof of its end.
PROOF = r"(_[0-9a-f]{16}) = '([0-9a-f]{16})'"


@dataclass(frozen=True)
class Hostile:
    """One hostile submission.

    `most` is what the attacked test may earn at most; `outcomes` are those that may be recorded
    for it (none named: any but passed) and `says` stands in the record of the submission.
    `absent` names what must not happen (README.md). `potency` says how it is shown that the attack
    is real: "nbgrader" (under nbgrader's rules the attacked test has more than `most`),
    "unsandboxed" (without a sandbox the effect happens), "rendered" (the page acts that nobody
    sanitized), or a sentence why it is not run.
    """

    kind: str
    name: str
    tries: str
    answers: dict[str, str] = field(default_factory=dict)
    change: Change | None = None
    files: dict[str, bytes] = field(default_factory=dict)
    attacks: str = "mean-test"
    most: float = 0.0
    outcomes: tuple[str, ...] = ()
    says: str = ""
    absent: tuple[str, ...] = ()
    potency: str = "nbgrader"
    gets_through: str = ""  # why the engine does not stop this one

    @property
    def id(self) -> str:
        return f"{self.kind}: {self.name}"


def cheat(code: str) -> dict[str, str]:
    """The attack in the first answer, with a function that earns nothing."""
    return {"mean": code.strip("\n") + "\n" + WRONG}


def cell_of(notebook: Notebook, grade_id: str) -> Notebook:
    """The cell that claims this grade_id."""
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == grade_id:
            return cell  # type: ignore[no-any-return]
    raise LookupError(grade_id)


def own_cell(source: str, kind: str = "code") -> Notebook:
    """A cell that the learner added."""
    cell = {"cell_type": kind, "id": "own", "metadata": {}, "source": source}
    return cell | {"execution_count": None, "outputs": []} if kind == "code" else cell


def corpus() -> list[Hostile]:
    """Every member, in the order of the classes."""
    from tests.security import attacks_machine, attacks_marks, attacks_readers

    members = [*attacks_marks.MEMBERS, *attacks_machine.MEMBERS, *attacks_readers.MEMBERS]
    assert len({member.id for member in members}) == len(members)
    odd = [member.name for member in members if not re.fullmatch(r"[\w ,.-]+", member.name)]
    assert not odd, odd
    return members
