"""What a learner may be told of a test: its own messages, never its text or its data."""

import ast
import functools
import re
from collections.abc import Sequence
from typing import Any

from grader.syntax import parsed

# What grader.review says; no line of it can carry anything of a hidden test.
_REVIEW_HINT = re.compile(
    r"blames the innocent: \d+ of \d+ right versions fail your test;"
    r"|check only what the contract promises, within a tolerance\."
    r"|lets errors pass: \d+ of \d+ wrong versions pass"
    r"|your test; which property of the contract have you not tried yet\?"
)


def told(source: str, outputs: Sequence[Any]) -> list[str]:
    """The hints that a test cell's outputs hold, a line each."""
    hints = _messages(source)
    lines = [_sentence(output, hints) for output in outputs if output["output_type"] == "error"]
    printed = "".join(output["text"] for output in outputs if output.get("name") == "stdout")
    return lines + [line for line in printed.splitlines() if _REVIEW_HINT.fullmatch(line)]


def _sentence(error: Any, hints: frozenset[str]) -> str:
    if error["ename"] == "AssertionError" and error["evalue"] in hints:
        return f"Wrong: {error['evalue']}"
    if error["ename"] == "AssertionError":
        return "Wrong: a property that the question asks for does not hold."
    if error["ename"] in ("CellTimeoutError", "KeyboardInterrupt"):
        return "Error: this test ran out of time; look for a loop that does not end."
    return f"Error: your code raised {_name(error['ename'])} in this test."


def _name(ename: str) -> str:
    """The exception's name; a learner may have given it any text."""
    return ename if ename.isidentifier() and len(ename) <= 60 else "an exception"


@functools.lru_cache(maxsize=256)
def _messages(source: str) -> frozenset[str]:
    """The literal messages of a test cell's asserts; one made up at run time may show data."""
    try:
        tree = parsed(source)
    except (SyntaxError, ValueError):
        return frozenset()
    return frozenset(
        node.msg.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assert)
        and isinstance(node.msg, ast.Constant)
        and isinstance(node.msg.value, str)
    )
