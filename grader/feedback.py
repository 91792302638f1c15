"""Feedback that shows a failed property and its hint, never a hidden test or a rubric."""

import ast
import re
from typing import Any

from nbformat.v4 import new_output
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade

from grader import regions
from grader.course import Course, nbgrader_api
from grader.errors import CourseError
from grader.release import last_line

# What grader.review says; no line of it can carry anything of a hidden test.
_REVIEW_HINT = re.compile(
    r"blames the innocent: \d+ of \d+ right versions fail your test;"
    r"|check only what the contract promises, within a tolerance\."
    r"|lets errors pass: \d+ of \d+ wrong versions pass"
    r"|your test; which property of the contract have you not tried yet\?"
)


class HideHiddenTests(NbGraderPreprocessor):
    """Keep of an autograded notebook what a learner may see: answers, hints and points.

    The kernel holds hidden tests in its history, so a learner's own output may show one: only
    what the tests themselves said is kept.
    """

    def preprocess_cell(self, cell: Any, resources: Any, index: int) -> tuple[Any, Any]:
        if cell.cell_type == "code":
            cell.outputs = _told(cell) if is_grade(cell) else []
        for name in (regions.HIDDEN_TESTS, regions.RUBRIC):
            cell.source = regions.replace(cell.source, name)
        return cell, resources


def _told(cell: Any) -> list[Any]:
    """A test cell's hint, as its outputs."""
    hints = _messages(cell.source)
    told = [_sentence(output, hints) for output in cell.outputs if output.output_type == "error"]
    printed = "".join(o.text for o in cell.outputs if o.get("name") == "stdout")
    told += [line for line in printed.splitlines() if _REVIEW_HINT.fullmatch(line)]
    return [new_output("stream", name="stdout", text="\n".join(told) + "\n")] if told else []


def _sentence(output: Any, hints: set[str]) -> str:
    if output.ename == "AssertionError" and output.evalue in hints:
        return f"Wrong: {output.evalue}"
    if output.ename == "AssertionError":
        return "Wrong: a property that the question asks for does not hold."
    if output.ename == "CellTimeoutError":
        return "Error: this test ran out of time; look for a loop that does not end."
    return f"Error: your code raised {output.ename} in this test."


def _messages(source: str) -> set[str]:
    """The literal messages of a test cell's asserts; one made up at run time may show data."""
    return {
        node.msg.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Assert)
        and isinstance(node.msg, ast.Constant)
        and isinstance(node.msg.value, str)
    }


def write_feedback(course: Course, lab: str) -> int:
    """Write `feedback/<student>/<lab>/` for every graded submission; return how many."""
    api = nbgrader_api(course)
    students = sorted(api.get_autograded_students(lab))
    if not students:
        raise CourseError(f"no submission of {lab} is graded; run 'grader autograde {lab}' first.")
    for student in students:
        result = api.generate_feedback(lab, student, force=True)
        if not result["success"]:
            raise CourseError(f"feedback for {student}, {lab} failed: {last_line(result)}")
    return len(students)
