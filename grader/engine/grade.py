"""Grade one submission: run its notebooks in kernels of their own, believe only what is proven."""

import contextlib
import hashlib
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from grader.engine.control import NoCopy, Turned, control, in_copy, in_kernel, proven, replaced
from grader.engine.forksafe import unsafe_imports
from grader.engine.launch import Template, start_kernel, stop_kernel
from grader.engine.memory import over_memory
from grader.engine.model import (
    CellResult,
    NotebookResult,
    NotebookSpec,
    Result,
    Specification,
    Submission,
    TrustedCell,
)
from grader.engine.prepare import Prepared, prepare
from grader.engine.protocol import Client, Reply, connected, cpu_seconds, run_cell
from grader.engine.sanitize import hidden_removed, sanitize_markdown, sanitize_outputs
from grader.engine.scoring import Evidence, score_cell
from grader.errors import CourseError, MachineError
from grader.hints import told

RESTARTS = 3  # of a kernel that died; each leaves out the cell that killed it


@dataclass
class Run:
    """A notebook on its way through one kernel, or more where one died."""

    spec: Specification
    notebook: NotebookSpec
    prepared: Prepared
    files: dict[str, bytes]
    template: Template
    deadline: float
    trusted: dict[str, TrustedCell]
    evidence: dict[str, Evidence] = field(default_factory=dict)
    hung: int = 0  # kernels that no longer answered
    fatal: set[int] = field(default_factory=set)  # cells that killed a kernel
    reached: int = 0  # cells before this one have been run and judged
    events: list[str] = field(default_factory=list)
    cpu_s: float = 0.0
    unsafe: list[str] = field(default_factory=list)  # libraries that no fork of a kernel survives


def grade(spec: Specification, submission: Submission, template: Template) -> Result:
    """Grade every notebook of a submission; never raises for anything a learner did.

    MachineError where no submission could be graded.
    """
    result = Result(
        student=submission.student,
        submission=submission.digest,
        specification=spec.digest,
        isolation="sandbox" if template.sandboxed else "none",
        controls="bank" if any(n.controls for n in spec.notebooks) else "nonce only",
    )
    try:
        for notebook in spec.notebooks:
            if notebook.name not in submission.notebooks:
                result.notebooks.append(_missing(notebook))
                continue
            prepared = prepare(submission.notebooks[notebook.name], notebook)
            files = {**submission.files, **spec.data}
            result.notebooks.append(_grade_notebook(spec, notebook, prepared, files, template))
    except MachineError:
        raise
    except Exception as error:  # a fault of ours, on one submission, is no one else's
        result.problem = str(error) if isinstance(error, CourseError) else _our_fault(error)
        result.notebooks = []
    return result


def _our_fault(error: Exception) -> str:
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(place.filename).name}:{place.lineno}"
    return f"the engine failed ({type(error).__name__} at {where}: {error}); please report it."


def _missing(notebook: NotebookSpec) -> NotebookResult:
    cells = [
        CellResult(cell.grade_id, cell.points, 0.0, "unanswered", "the notebook is missing")
        for cell in notebook.cells
        if cell.grade or cell.task
    ]
    return NotebookResult(notebook.name, cells, {}, events=["the notebook is missing"])


def _grade_notebook(
    spec: Specification,
    notebook: NotebookSpec,
    prepared: Prepared,
    files: dict[str, bytes],
    template: Template,
) -> NotebookResult:
    run = Run(
        spec=spec,
        notebook=notebook,
        prepared=prepared,
        files=files,
        template=template,
        deadline=time.monotonic() + spec.limits.notebook_s,
        trusted={cell.grade_id: cell for cell in notebook.cells},
        unsafe=unsafe_imports(c.source for c in prepared.notebook.cells if c.cell_type == "code"),
    )
    for _ in range(1 + RESTARTS):
        with _kernel(run) as client:
            finished = _run_cells(run, client)
            if finished:
                with _time_of_its_own(run, client):
                    _last_control(run, client)
        if finished or run.hung > 1:  # the next one would hang at the next cell
            break
    return _result(run)


@contextlib.contextmanager
def _kernel(run: Run) -> Iterator[Client]:
    """A fresh kernel for this notebook, and an account of what cells and controls use."""
    limits = run.spec.limits
    kernel = start_kernel(run.template, limits, files=run.files)
    started = cpu_seconds(kernel.pid)
    try:
        watch = partial(over_memory, kernel, limits)
        with connected(kernel, limits, run.deadline, watch) as client:
            yield client
    finally:
        ended = cpu_seconds(kernel.pid)
        used = stop_kernel(run.template, kernel)
        run.cpu_s += (ended or used) - started


def _run_cells(run: Run, client: Client) -> bool:
    """Run what is left in a fresh kernel; False where it died at a cell, which is noted."""
    for index, cell in enumerate(run.prepared.notebook.cells):
        if cell.cell_type != "code" or index in run.fatal:
            continue
        test = _test(run, cell)
        if test and index < run.reached:
            continue  # judged in a kernel that died later
        if time.monotonic() > run.deadline:
            _note(run, index, Reply("limit", note="the notebook ran out of time"))
            return True
        reply = _run_test(run, client, index, test) if test else run_cell(client, cell.source)
        if index >= run.reached:
            cell.outputs = reply.outputs
            cell.execution_count = reply.execution_count
            run.reached = index + 1
        if reply.ended:
            run.fatal.add(index)
            run.hung += reply.hung
            _note(run, index, reply)
            return False
        if reply.status == "timeout" or reply.forged:
            _note(run, index, reply)
    return True


def _note(run: Run, index: int, reply: Reply) -> None:
    run.events.append(f"cell {index + 1}: {reply.forged or reply.note}")


def _test(run: Run, cell: Any) -> TrustedCell | None:
    """The trusted cell, where this one is a test."""
    trusted = run.trusted.get(cell.metadata.get("nbgrader", {}).get("grade_id", ""))
    return trusted if trusted and trusted.grade and not trusted.solution else None


def _run_test(run: Run, client: Client, index: int, test: TrustedCell) -> Reply:
    """Run a test; it counts only with proof of its end, and with controls that fail."""
    cell = proven(test.source)
    reply = run_cell(client, cell.code, cell.expressions)
    evidence = _evidence(reply, cell.value, test)
    run.evidence[test.grade_id] = evidence
    if reply.status == "ok" and not evidence.tampered:
        with _time_of_its_own(run, client):
            try:
                evidence.tampered = _control(run, client, index, test)
            except Turned as turned:
                evidence.tampered = str(turned)
    if evidence.tampered:
        run.events.append(f"{test.grade_id}: {evidence.tampered}")
    return reply


def _given(run: Run) -> list[str]:
    """The source of all tests, and of what they are given to work with."""
    return [c.source for c in run.notebook.cells if c.cell_type == "code" and not c.solution]


@contextlib.contextmanager
def _time_of_its_own(run: Run, client: Client) -> Iterator[None]:
    """Controls take nothing of the notebook's time, and are not cut short by its end."""
    deadline, started = run.deadline, time.monotonic()
    run.deadline = client.deadline = started + run.spec.limits.notebook_s
    try:
        yield
    finally:
        run.deadline = client.deadline = deadline + time.monotonic() - started


def _control(run: Run, client: Client, index: int, test: TrustedCell) -> str:
    """Negative controls in a fork of the kernel, or in a fresh one brought to the same place."""
    wrong = run.notebook.controls.get(test.grade_id, ())
    given = _given(run)
    if not run.unsafe:
        with contextlib.suppress(NoCopy):
            return control(partial(in_copy, client, sources=given), test, wrong)
    replaced(client, given)
    with _kernel(run) as fresh:
        for cell in run.prepared.notebook.cells[:index]:
            if cell.cell_type == "code" and not _test(run, cell):
                run_cell(fresh, cell.source)
        again = proven(test.source)
        run_cell(fresh, again.code, again.expressions)
        try:
            return control(partial(in_kernel, fresh), test, wrong)
        except NoCopy:
            return "a copy of the kernel answered nothing"


def _last_control(run: Run, client: Client) -> None:
    """Once more in the kernel itself, when it has no more to do: code may know a copy from it.

    Known wrong answers are put in at one of the tests that passed, chosen in a way that the
    learner cannot foresee; last, since they spend the state.
    """
    passed = [
        run.trusted[i] for i, e in run.evidence.items() if e.status == "ok" and not e.tampered
    ]
    if not passed:
        return
    key = f"{run.spec.digest} {run.prepared.notebook}".encode()
    test = passed[int(hashlib.sha256(key).hexdigest(), 16) % len(passed)]
    wrong = run.notebook.controls.get(test.grade_id, ())
    others = [each for each in passed if each is not test]
    try:
        replaced(client)
        said = control(partial(in_kernel, client), test, wrong, also=others)
    except Turned as turned:
        said = str(turned)
    except NoCopy:
        said = "after its last cell the kernel answered nothing"
    if said:
        run.events.append(f"after the last cell: {said}")
        for each in passed:
            run.evidence[each.grade_id].tampered = said


def _evidence(reply: Reply, value: str, test: TrustedCell) -> Evidence:
    end = reply.expressions.get("end")
    shown = end.get("data", {}).get("text/plain") if isinstance(end, dict) else None
    results = [o for o in reply.outputs if o["output_type"] == "execute_result"]
    reached_end = shown == repr(value)
    if reply.status == "ok" and not reached_end and test.source.startswith("%%"):
        return _hidden_error(reply)
    return Evidence(
        status=reply.status,
        reached_end=reached_end,
        values=[str(o["data"].get("text/plain", "")) for o in results],
        ename=reply.ename,
        evalue=reply.evalue,
        tampered=reply.forged,
        note=reply.note,
    )


def _hidden_error(reply: Reply) -> Evidence:
    """A cell magic catches what its cell raises, and the kernel says ok."""
    error = next((o for o in reply.outputs if o["output_type"] == "error"), {})
    return Evidence(
        status="error",
        ename=error.get("ename", "AssertionError"),
        evalue=error.get("evalue", "the test did not run to its end"),
        tampered=reply.forged,
        note=reply.note,
    )


def _result(run: Run) -> NotebookResult:
    stubs = {cell.grade_id: cell.source for cell in run.notebook.cells}
    results = []
    for cell in run.prepared.notebook.cells:
        trusted = run.trusted.get(cell.metadata.get("nbgrader", {}).get("grade_id", ""))
        if trusted is None or not (trusted.grade or trusted.task):
            continue
        unchanged = cell.source.strip() == stubs[trusted.grade_id].strip()
        evidence = run.evidence.get(trusted.grade_id, _not_run(run))
        results.append(score_cell(trusted, evidence, unchanged))
    return NotebookResult(
        name=run.notebook.name,
        cells=results,
        executed=_executed(run),
        repairs=run.prepared.repairs,
        events=run.events,
        cells_cpu_s=run.cpu_s,
    )


def _not_run(run: Run) -> Evidence:
    note = run.events[-1] if run.events else "the test did not run"
    return Evidence(status="not-run", reached_end=False, values=[], note=note)


def _executed(run: Run) -> dict[str, Any]:
    """The notebook to store: outputs sanitized, hidden tests taken out."""
    secret_lines = _hidden_lines(run)
    for cell in run.prepared.notebook.cells:
        test = _test(run, cell)
        if test:
            cell.metadata["grader"] = {"told": told(test.source, cell.outputs)}
            cell.source = hidden_removed(test.source, run.spec.hidden)
            cell.outputs = [_without_traceback(output) for output in cell.outputs]
        if cell.cell_type == "code":
            cell.outputs = sanitize_outputs(cell.outputs, secret_lines)
        elif cell.metadata.get("nbgrader", {"solution": True})["solution"]:
            cell.source = sanitize_markdown(cell.source)
    executed: dict[str, Any] = run.prepared.notebook
    return executed


def _without_traceback(output: dict[str, Any]) -> dict[str, Any]:
    """A traceback shows lines of the test."""
    if output["output_type"] != "error":
        return output
    return {**output, "traceback": [f"{output['ename']}: {output['evalue']}"]}


def _hidden_lines(run: Run) -> list[str]:
    begin, end = run.spec.hidden
    lines = []
    for cell in run.notebook.cells:
        inside = False
        for line in cell.source.splitlines():
            inside = (inside or begin in line) and end not in line
            if inside and len(line.strip()) > 12 and begin not in line:
                lines.append(line.strip())
    return lines
