"""Negative controls: in a copy of the kernel, what must fail has to fail.

A test that passed counts only if, right after it and in a copy of the same kernel, a failing
statement is reported as failed and a known wrong answer fails the same test.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from grader.engine.model import TrustedCell
from grader.engine.protocol import Client, Reply, read_frames, request, run_cell
from grader.engine.scoring import parse_points


@dataclass(frozen=True)
class Said:
    """What the copy said about one cell."""

    status: str
    evalue: str
    values: list[str]  # of execute_results


class NoCopy(Exception):
    """The copy answered nothing; try another way."""


Runs = Callable[[list[str]], list[Said]]  # cells in a copy; fewer answers where it hung or died


def control(run: Runs, test: TrustedCell, wrong: tuple[str, ...]) -> str:
    """What was seen that must not be; empty where the kernel is honest. NoCopy without a copy."""
    word = secrets.token_hex(8)
    failing = f"assert 1 == 2, '{word}'"
    for answer in wrong:
        said = run([failing, answer, test.source])
        _check(said)
        if not _failed(said[0], word):
            return "a failing statement was not reported as failed"
        if len(said) < 3 or not _passed(said[2], test.points):
            return ""
    if wrong:
        return f"known wrong answers passed the test ({len(wrong)} of {len(wrong)})"
    said = run([failing])
    _check(said)
    return "" if _failed(said[0], word) else "a failing statement was not reported as failed"


def in_copy(client: Client, cells: list[str]) -> list[Said]:
    """Run cells in a fork of the kernel."""
    seconds = client.limits.cell_s
    content = {"cells": cells, "seconds": seconds}
    answer = request(client, "copy_request", content, seconds + 5)
    found = []
    for frames in _list(answer.get("cells")):
        messages = [m for m in (_message(client, parts) for parts in _list(frames)) if m]
        replies = [m["content"] for m in messages if m["header"]["msg_type"] == "execute_reply"]
        results = [m["content"] for m in messages if m["header"]["msg_type"] == "execute_result"]
        # A second reply is one too many, and no evidence.
        reply = replies[0] if len(replies) == 1 else {}
        values = [str(result.get("data", {}).get("text/plain", "")) for result in results]
        found.append(Said(str(reply.get("status")), str(reply.get("evalue")), values))
    return found


def in_kernel(client: Client, cells: list[str]) -> list[Said]:
    """Run cells in the kernel itself, whose state is then spent."""
    return [_said(run_cell(client, cell)) for cell in cells]


def _said(reply: Reply) -> Said:
    results = [o for o in reply.outputs if o["output_type"] == "execute_result"]
    values = [str(output["data"].get("text/plain", "")) for output in results]
    return Said("forged" if reply.forged else reply.status, reply.evalue, values)


def _check(said: list[Said]) -> None:
    if not said or said[0].status in ("died", "limit"):
        raise NoCopy


def _failed(said: Said, word: str) -> bool:
    return said.status == "error" and word in said.evalue


def _passed(said: Said, points: float) -> bool:
    """Whether a test came out with full points."""
    if said.status != "ok":
        return False
    try:
        return all(parse_points(value, points) >= points for value in said.values)
    except ValueError:
        return False


def _message(client: Client, parts: Any) -> dict[str, Any] | None:
    try:
        return read_frames(client, [part.encode("latin-1") for part in _list(parts)])
    except (AttributeError, UnicodeEncodeError):
        return None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
