"""The learner's own view: each question right, wrong, error or not attempted, with its hint."""

import os
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_output

from grader.answers import read_bank
from grader.course import Course, require_released
from grader.engine.launch import Template, complete, starting_template
from grader.engine.provisioner import forked_kernels
from grader.errors import CourseError
from grader.master import read_lab
from grader.notebook import source_notebook
from grader.submission import check_complete, grade_cells, read_submission

CELL_LIMIT_S = 30
LATE_CELLS = 2


@dataclass(frozen=True)
class Result:
    """One question's outcome: right, wrong, error, not attempted, or answered (in words)."""

    question: str
    outcome: str
    points: float
    earned: float = 0.0
    hint: str = ""


def check(
    course: Course, lab: str, path: Path, *, full: bool, early: Template | None = None
) -> list[Result]:
    """Run a learner's notebook against the visible tests, or with `full` the hidden ones too.

    The notebook itself is left as it is; its locked cells run as released. `early`: a template
    that was started while this module was still being imported.
    """
    released = nbformat.read(require_released(course, lab), as_version=4)
    notebook = read_submission(path, lab)
    check_complete(path, notebook, released)
    reference = _with_hidden_tests(course, lab) if full else released
    asked = grade_cells(reference)
    for grade_id, cell in grade_cells(notebook).items():
        if grade_id in asked and asked[grade_id].metadata.nbgrader.locked:
            cell.update(cell_type=asked[grade_id].cell_type, source=asked[grade_id].source)
    with nullcontext(early) if early else starting_template(sandboxed=False) as template:
        complete(template, ())
        _execute(notebook, path.parent, template)
    return _results(notebook, grade_cells(released))


def _with_hidden_tests(course: Course, lab: str) -> Any:
    if not course.master(lab).exists():
        raise CourseError(
            f"{course.master(lab)} is not in this copy of the course; run without --full."
        )
    master = read_lab(course.master(lab))
    return source_notebook(master, read_bank(master))


def _execute(notebook: Any, folder: Path, template: Template) -> None:
    client = NotebookClient(
        notebook,
        timeout=CELL_LIMIT_S,
        kernel_name="python3",
        allow_errors=True,
        interrupt_on_timeout=True,
        error_on_timeout={
            "ename": "CellTimeoutError",
            "evalue": f"still running after {CELL_LIMIT_S} s; look for a loop that does not end",
            "traceback": [],
        },
        on_cell_executed=_note_error,
        resources={"metadata": {"path": str(folder)}},
    )
    try:
        with (
            patch.dict(os.environ, forked_kernels(template)),
            client.setup_kernel(env=dict(os.environ)),
        ):
            late = 0  # cells in a row that ran out of time: a kernel may no longer answer at all
            for index, cell in enumerate(notebook.cells):
                if cell.cell_type == "code" and late < LATE_CELLS:
                    client.execute_cell(cell, index)
                    late = late + 1 if _ran_out_of_time(cell) else 0
    except DeadKernelError:
        raise CourseError(
            f"{folder}: the code of cell {index + 1} ended its own process; take out what exits."
        ) from None


def _ran_out_of_time(cell: Any) -> bool:
    return any(output.get("ename") == "CellTimeoutError" for output in cell.outputs)


def _note_error(cell: Any, cell_index: int, execute_reply: dict[str, Any]) -> None:
    """Record an error that left no output, as where the code took the streams away."""
    content = execute_reply["content"]
    seen = any(output.output_type == "error" for output in cell.outputs)
    if content["status"] != "ok" and not seen:
        name, value = content.get("ename", "Error"), content.get("evalue", "")
        cell.outputs.append(new_output("error", ename=name, evalue=value, traceback=[]))


def _results(notebook: Any, released: dict[str, Any]) -> list[Result]:
    mine = grade_cells(notebook)
    results = []
    for grade_id, cell in released.items():
        nbgrader = cell.metadata.nbgrader
        if not nbgrader.grade:
            continue
        if nbgrader.solution:
            same = mine[grade_id].source.strip() == cell.source.strip()
            outcome = "not attempted" if same else "answered"
            results.append(Result(grade_id, outcome, nbgrader.points))
            continue
        question = grade_id.removesuffix("-test")
        untouched = mine[question].source.strip() == released[question].source.strip()
        outcome, earned, hint = outcome_of(mine[grade_id], nbgrader.points)
        if outcome != "right" and (untouched or hint.startswith("NotImplementedError")):
            outcome, earned, hint = "not attempted", 0.0, ""
        results.append(Result(question, outcome, nbgrader.points, earned, hint))
    return results


def outcome_of(cell: NotebookNode, points: float) -> tuple[str, float, str]:
    """Right, wrong or error, the points, and the hint, from an executed test cell's outputs."""
    for output in cell.outputs:
        if output.output_type == "error":
            if output.ename == "AssertionError":
                return "wrong", 0.0, output.evalue
            return "error", 0.0, f"{output.ename}: {output.evalue}".split("\n")[0]
    for output in cell.outputs:
        if output.output_type == "execute_result":
            earned = float(output.data["text/plain"])
            # What is said of the answer is printed; warnings of the answer itself go to stderr.
            said = " ".join(o.text for o in cell.outputs if o.get("name") == "stdout")
            if earned < points:
                return (
                    "wrong",
                    earned,
                    f"{earned:g} of {points:g} points: {' '.join(said.split())}",
                )
    if not cell.execution_count:
        return "error", 0.0, "the test did not run"
    return "right", points, ""
