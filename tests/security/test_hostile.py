"""Every member of the corpus: its marks, its record, and that its effect did not happen."""

import contextlib
import json
import os
import re
import signal
import time
from collections import Counter
from dataclasses import replace
from typing import Any

import nbformat
import pytest
from bleach._vendor import html5lib
from nbconvert import HTMLExporter
from nbgrader.utils import determine_grade

from grader.engine.launch import Template
from grader.engine.model import CellResult, Result, Specification
from grader.engine.wire import to_json
from tests.security.conftest import TYPE_CHECK, Grade, Host, plainly
from tests.security.hostile import Hostile, Notebook, cell_of, corpus

CORPUS = corpus()
ACTIVE_TAGS = {
    "script",
    "iframe",
    "object",
    "embed",
    "form",
    "style",
    "svg",
    "link",
    "base",
    "meta",
}


def members(keep: Any = lambda member: True, known: bool = False) -> Any:
    """The members as parameters; where `known`, those that get through are expected to."""
    return pytest.mark.parametrize(
        "member",
        [
            pytest.param(
                member,
                id=member.id,
                marks=[pytest.mark.xfail(strict=True, reason=member.gets_through)]
                if member.gets_through and known
                else [],
            )
            for member in CORPUS
            if keep(member)
        ],
    )


def attacked(member: Hostile, result: Result) -> CellResult:
    return next(c for c in result.notebooks[0].cells if c.grade_id == member.attacks)


def record(result: Result) -> str:
    """All that a person is told of a submission."""
    (book,) = result.notebooks
    notes = [f"{cell.outcome}: {cell.note}" for cell in book.cells]
    return "\n".join([result.problem, *book.events, *book.repairs, *notes])


@members(known=True)
def test_marks_and_record(member: Hostile, graded: Grade) -> None:
    result = graded(member)
    cell = attacked(member, result)
    assert cell.score is not None and cell.score <= member.most, record(result)
    assert cell.outcome != "passed", record(result)
    if member.outcomes:
        assert cell.outcome in member.outcomes, record(result)
    assert member.says in record(result)
    others = {"mean-test"} if "kept" in member.absent else set()
    earned = {c.grade_id: c.score for c in result.notebooks[0].cells if c.score}
    assert set(earned) <= others | {member.attacks}, record(result)
    assert "kept" not in member.absent or earned["mean-test"] == 4.0, record(result)


@members()
def test_effect_is_absent(
    member: Hostile, graded: Grade, host: Host, target: Specification
) -> None:
    result = graded(member)
    text = to_json(result)
    assert host.canary not in text and host.canary.encode().hex() not in text
    assert b"a None must".hex() not in text or "own memory" not in member.name
    assert not host.arrived
    assert host.victim and host.victim.poll() is None
    assert [c.points for c in result.notebooks[0].cells] == [
        c.points for c in target.notebooks[0].cells if c.grade
    ]
    if "processes" in member.absent:
        assert _none_left(host)
    if "script" in member.absent:
        assert not active(rendered(result.notebooks[0].executed))
    stored = json.dumps(result.notebooks[0].executed, ensure_ascii=False)
    assert not CONTROL.search(stored)


def _none_left(host: Host) -> bool:
    until = time.monotonic() + 2
    while host.descendants() and time.monotonic() < until:
        time.sleep(0.05)
    return not host.descendants()


def rendered(notebook: Notebook) -> str:
    """As feedback and formgrader show it: every cell and output as HTML."""
    exporter = HTMLExporter(template_name="basic", exclude_input=True)
    return str(exporter.from_notebook_node(nbformat.from_dict(notebook))[0])


def active(page: str) -> list[str]:
    """What acts or loads in a page."""
    found = []
    for element in html5lib.parse(page, namespaceHTMLElements=False).iter():
        tag = str(element.tag).lower()
        found += [tag] if tag in ACTIVE_TAGS and not _of_the_template(element) else []
        for name, value in element.attrib.items():
            address = re.sub(r"[\s\x00-\x1f]", "", str(value)).lower()
            if str(name).lower().startswith("on") or address.startswith(
                ("javascript:", "vbscript")
            ):
                found.append(f"{tag} {name}={value}")
            if tag == "img" and name == "src" and re.match(r"https?:|//", address):
                found.append(f"{tag} {name}={value}")
    text = page.lower()
    found += [macro for macro in (r"\href{", r"\cssid{", r"\style{") if macro in text]
    return found


def _of_the_template(element: Any) -> bool:
    return element.tag in ("style", "meta") and not (element.text or "").count("score")


def _full_marks_under_nbgrader(member: Hostile, notebook: Notebook) -> bool:
    """Whether nbgrader's rule, which believes the file, gives the test more than its due."""
    cell = nbformat.from_dict(_last_claim(notebook, member.attacks))
    if cell.cell_type != "code":  # never run, never failed
        return True
    if cell.metadata.nbgrader.solution:
        return True  # the learner wrote the test
    score, _ = determine_grade(cell)
    return score is not None and score > member.most


def untyped(spec: Specification) -> Specification:
    """The target without its check of the exact type."""
    (book,) = spec.notebooks
    cells = tuple(replace(c, source=c.source.removeprefix(TYPE_CHECK)) for c in book.cells)
    return replace(spec, notebooks=(replace(book, cells=cells),))


def _last_claim(notebook: Notebook, grade_id: str) -> Notebook:
    try:
        return cell_of({"cells": notebook["cells"][::-1]}, grade_id)
    except LookupError:
        return cell_of(notebook, grade_id + "-old")


@members(lambda member: member.potency == "nbgrader" and not member.gets_through)
def test_gets_marks_from_nbgrader(
    member: Hostile, target: Specification, template: Template, host: Host
) -> None:
    spec = untyped(target) if member.kind == "equal to everything" else target
    ran = plainly(spec, template, member, host)
    assert _full_marks_under_nbgrader(member, ran), cell_of(ran, member.attacks).get("outputs")


@members(lambda member: member.potency == "rendered")
def test_acts_when_not_sanitized(
    member: Hostile, target: Specification, template: Template, host: Host
) -> None:
    ran = plainly(target, template, member, host)
    page = rendered(ran) if "script" in member.absent else json.dumps(ran, ensure_ascii=False)
    if "script" in member.absent:
        assert active(page)
    else:
        assert CONTROL.search(page)


@members(lambda member: member.potency == "unsandboxed")
def test_happens_without_a_sandbox(
    member: Hostile, target: Specification, open_template: Template, host: Host
) -> None:
    before = host.state()
    other = open_template.exchange / "other"
    other.mkdir(exist_ok=True)
    (other / "connection.json").write_text(host.canary)
    try:
        ran = plainly(target, open_template, member, host, network=True)
        assert _happened(member, host, ran, before)
    finally:
        _mend(host)


def _happened(member: Hostile, host: Host, ran: Notebook, before: str) -> bool:
    until = time.monotonic() + 1
    while time.monotonic() < until:
        effects = {
            "secret": host.canary.encode().hex() in json.dumps(ran),
            "folder": host.state() != before,
            "network": bool(host.arrived),
            "victim": host.victim is not None and host.victim.poll() is not None,
            "processes": bool(host.descendants()),
        }
        if effects[member.absent[0]]:
            return True
        time.sleep(0.05)
    return False


def _mend(host: Host) -> None:
    host.furnish()
    host.arrived.clear()
    for pid in host.descendants():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if host.victim and host.victim.poll() is not None:
        host.start_victim()


def test_corpus_is_large_enough() -> None:
    count = Counter(member.kind for member in CORPUS)
    assert len(CORPUS) >= 60
    assert min(count.values()) >= 3, count
    programs = [json.dumps([m.answers, str(m.change), list(m.files)]) for m in CORPUS]
    assert len(set(programs)) == len(programs)
    assert all(len(m.potency.split()) > 3 or m.potency in POTENCIES for m in CORPUS)


# An escape other than a color, as JSON writes it, and the one-byte forms.
CONTROL = re.compile(r"\\u001b[^\[]|\\u001b\[[^m]*[A-Ln-z]|[\x7f-\x9f]")
POTENCIES = ("nbgrader", "unsandboxed", "rendered")
