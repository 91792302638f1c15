"""Feedback that shows a failed property and its hint, never a hidden test or a rubric."""

from typing import Any

from nbformat.v4 import new_output
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade

from grader import regions
from grader.course import Course, nbgrader_api
from grader.errors import CourseError
from grader.hints import told
from grader.release import last_line


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
    """A test cell's hints, as its outputs."""
    graded_here = cell.metadata.get("grader")  # by our engine, which kept hidden tests out
    lines = graded_here["told"] if graded_here else told(cell.source, cell.outputs)
    return [new_output("stream", name="stdout", text="\n".join(lines) + "\n")] if lines else []


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
