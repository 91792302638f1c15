"""Grade every submission of a lab by nbgrader; one that fails never stops the run."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nbgrader.api import MissingEntry

from grader.course import Course, nbgrader_api
from grader.errors import CourseError
from grader.release import last_line
from grader.submission import read_submission


@dataclass(frozen=True)
class Graded:
    """One submission's score so far (answers in words come later), or why there is none."""

    student: str
    score: float = 0.0
    max_score: float = 0.0
    problem: str = ""


def autograde(course: Course, lab: str, *, force: bool) -> Iterator[Graded]:
    """Grade each submission that is new since its last grading, or all with `force`."""
    api = nbgrader_api(course)
    students = sorted(api.get_submitted_students(lab))
    if not students:
        raise CourseError(
            f"{course.submitted}: no submission of {lab} yet; run 'grader collect {lab}' first."
        )
    if not (course.source / lab).exists():
        raise CourseError(f"{lab} is not registered here; run 'grader release {lab}' first.")
    for student in students:
        yield _grade(course, lab, student, api, force)


def _grade(course: Course, lab: str, student: str, api: Any, force: bool) -> Graded:
    try:
        read_submission(course.submitted / student / lab / f"{lab}.ipynb", lab)
    except CourseError as error:
        return Graded(student, problem=str(error))
    result = api.autograde(lab, student, force=force)
    if "KeyboardInterrupt" in result.get("error", "") + result.get("log", ""):
        raise KeyboardInterrupt  # nbgrader catches it and would go on
    if not result["success"]:
        return Graded(student, problem=f"not graded: {last_line(result)}")
    try:
        with api.gradebook as gradebook:
            submission = gradebook.find_submission(lab, student)
            return Graded(student, submission.score, submission.max_score)
    except MissingEntry:
        return Graded(student, problem="nbgrader left no score")
