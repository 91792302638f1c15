"""Negative controls: in a copy of the kernel, what must fail has to fail.

A test that passed counts only if, right after it and in a copy of the same kernel, a failing
statement and the test's own asserts, made false, are reported as failed, and a known wrong answer
fails the same test. Tests and controls look alike: both end with a proof, and ask for it.
"""

import ast
import builtins
import functools
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from grader.engine.model import TrustedCell
from grader.engine.protocol import Client, Reply, read_frames, request, run_cell
from grader.engine.scoring import parse_points
from grader.syntax import parsed

_NAME = re.compile(r"[^\W\d]\w*")
_OTHER = "_a_number_that_it_is_not"
TWINS = 4  # asserts of a test that are made false; the last ones, mostly hidden


@dataclass(frozen=True)
class Cell:
    """Code to run, and the expressions whose values the reply has to give."""

    code: str
    expressions: dict[str, str] = field(default_factory=dict)
    value: str = ""  # of the expression `end`, where the code ran to its end


@dataclass(frozen=True)
class Said:
    """What the copy said about one cell."""

    status: str
    evalue: str
    values: list[str]  # of execute_results


class NoCopy(Exception):
    """The copy answered nothing; try another way."""


class Turned(Exception):
    """What a test judges by is not as it was."""


Runs = Callable[[list[Cell]], list[Said]]  # cells in a copy; fewer answers where it hung or died


def control(
    run: Runs, test: TrustedCell, wrong: tuple[str, ...], also: Sequence[TrustedCell] = ()
) -> str:
    """What was seen that must not be; empty where the kernel is honest. NoCopy without a copy.

    `also` are tests whose asserts, too, are made false.
    """
    word = secrets.token_hex(8)
    asserts = [each for cell in (*also, test) for each in made_false(cell.source)]
    false = [proven(f"assert 1 == 2, '{word}'"), *map(proven, asserts)]
    for answer in wrong or ("",):
        said = run([*false, Cell(answer), proven(test.source)] if answer else false)
        if not said or said[0].status in ("died", "limit"):
            raise NoCopy
        if said[0].status != "error" or word not in said[0].evalue:
            return "a failing statement was not reported as failed"
        if any(each.status == "ok" for each in said[1 : len(false)]):
            return "an assert of the test was made false, and did not fail"
        if len(said) < len(false) + 2 or not _passed(said[-1], test.points):
            return ""
    return f"known wrong answers passed the test ({len(wrong)} of {len(wrong)})"


def proven(source: str) -> Cell:
    """A test cell that says by a name and a value, which nobody can know before, that it ended."""
    name, value = f"_{secrets.token_hex(8)}", secrets.token_hex(8)
    return Cell(_with_proof(source, f"{name} = '{value}'"), {"end": name}, value)


def made_false(source: str) -> list[str]:
    """Asserts of the test that compare with a number, each with another number.

    No value equals both. Only those at the top are taken, which are sure to run.
    """
    others = (number + 1_000 + secrets.randbelow(1_000_000) / 8 for _, number in _asserts(source))
    return [
        text.replace(_OTHER, repr(other))
        for (text, _), other in zip(_asserts(source), others, strict=True)
    ]


@functools.lru_cache(maxsize=256)
def _asserts(source: str) -> list[tuple[str, float]]:
    """Such asserts with a placeholder for the number, and the number."""
    try:
        body = parsed(source).body
    except (SyntaxError, ValueError):
        return []
    found = []
    for node in body:
        if not isinstance(node, ast.Assert) or not isinstance(node.test, ast.Compare):
            continue
        match node.test.ops, node.test.left, node.test.comparators:
            case [ast.Eq()], left, [ast.Constant(value=int() | float() as number)]:
                if not isinstance(left, ast.Constant) and not isinstance(number, bool):
                    node.test.comparators = [ast.Name(_OTHER)]
                    found.append((ast.unparse(node), number))
    return found[-TWINS:]


def _with_proof(source: str, proof: str) -> str:
    """The source with one statement more, which runs last but for a closing expression."""
    lines = source.split("\n")
    lines.insert(_place_of_proof(source), proof)
    return "\n".join(lines)


@functools.lru_cache(maxsize=256)
def _place_of_proof(source: str) -> int:
    end = source.count("\n") + 1
    try:
        last = parsed(source).body[-1]
    except (SyntaxError, ValueError, IndexError):
        return end
    return last.lineno - 1 if isinstance(last, ast.Expr) else end


def replaced(client: Client, sources: Sequence[str] = ()) -> None:
    """Raise Turned where a function is not the library's own.

    Looks at Python's own and at those that have a name used in `sources`, or else at all.
    """
    in_copy(client, [], sources)


def in_copy(client: Client, cells: list[Cell], sources: Sequence[str]) -> list[Said]:
    """Run cells in a fork of the kernel, unless it is turned as by `replaced`."""
    seconds = client.limits.cell_s
    content = {
        "cells": [{"code": cell.code, "expressions": cell.expressions} for cell in cells],
        "seconds": seconds,
        "names": _names(tuple(sources)),
    }
    reply = request(client, "copy_request", content, seconds + 5)
    if reply.forged:
        raise Turned(reply.forged)
    answer = reply.expressions if reply.status == "ok" else {}
    for name in _list(answer.get("replaced")):
        raise Turned(f"{str(name)[:60]} was replaced, by which a test may judge")
    return [_said_in_copy(client, frames) for frames in _list(answer.get("cells"))]


@functools.lru_cache(maxsize=16)
def _names(sources: tuple[str, ...]) -> list[str] | None:
    used = {name for source in sources for name in _NAME.findall(source)}
    return sorted(used.union(dir(builtins))) if used else None


def _said_in_copy(client: Client, frames: Any) -> Said:
    read = (_message(client, parts) for parts in _list(frames) if _is_answer(parts))
    messages = [message for message in read if message]
    replies = [m["content"] for m in messages if m["header"]["msg_type"] == "execute_reply"]
    results = [m["content"] for m in messages if m["header"]["msg_type"] == "execute_result"]
    # A second reply is one too many, and no evidence.
    said = replies[0] if len(replies) == 1 else {}
    values = [str(result.get("data", {}).get("text/plain", "")) for result in results]
    return Said(str(said.get("status")), str(said.get("evalue")), values)


def _is_answer(parts: Any) -> bool:
    """Whether a message can be a reply or a result; there are many more of other kinds."""
    return any(isinstance(part, str) and '"execute_re' in part for part in _list(parts))


def in_kernel(client: Client, cells: list[Cell]) -> list[Said]:
    """Run cells in the kernel itself, whose state is then spent."""
    return [_said(run_cell(client, cell.code, cell.expressions)) for cell in cells]


def _said(reply: Reply) -> Said:
    results = [o for o in reply.outputs if o["output_type"] == "execute_result"]
    values = [str(output["data"].get("text/plain", "")) for output in results]
    return Said("forged" if reply.forged else reply.status, reply.evalue, values)


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
