"""Feedback that shows a failed property and its hint, never a hidden test or a rubric."""

from typing import Any

from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade

from grader import regions
from grader.course import Course, nbgrader_api
from grader.errors import CourseError
from grader.release import last_line


class HideHiddenTests(NbGraderPreprocessor):
    """Strip hidden regions from an autograded notebook, and traces from its test cells."""

    def preprocess_cell(self, cell: Any, resources: Any, index: int) -> tuple[Any, Any]:
        for name in (regions.HIDDEN_TESTS, regions.RUBRIC):
            cell.source = regions.replace(cell.source, name)
        if is_grade(cell) and cell.cell_type == "code":
            review = cell.metadata.nbgrader.grade_id.endswith("-review-test")
            cell.outputs = [_told(output) for output in cell.outputs if review or _is_told(output)]
        return cell, resources


def _is_told(output: Any) -> bool:
    # What a learner's function prints may be a hidden test's data.
    return bool(output.output_type == "error")


def _told(output: Any) -> Any:
    if output.output_type != "error":
        return output
    if output.ename == "AssertionError":
        told = f"Wrong: {output.evalue}"
    elif output.ename == "CellTimeoutError":
        told = "Error: this test ran out of time; look for a loop that does not end."
    else:
        told = f"Error: your code raised {output.ename} in this test."
    output.update(ename="", evalue=told, traceback=[told])
    return output


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
