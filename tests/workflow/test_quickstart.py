"""The engine in a course directory that knows nothing of this repository."""

from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from grader.course import Course
from tests.workflow.foreign import cell, hand_in_file, notebook_of, run
from tests.workflow.running import GRADER, query, results, scores

HIDDEN = "### BEGIN HIDDEN TESTS\nassert double(0.5) == 1.0\n### END HIDDEN TESTS"
ANSWERS = {
    "ada": {"double": "def double(x):\n    return 2 * x", "why": "Since it is asked for."},
    "bob": {"double": "def double(x):\n    return int(2 * x) if x > 1 else 2"},
    "eve": {},
}


def assignment() -> Any:
    stub = "### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"
    return notebook_of(
        new_markdown_cell("# Doubling"),
        cell(new_code_cell, f"def double(x):\n    {stub}", solution=True, grade_id="double"),
        cell(
            new_code_cell,
            f"assert double(1) == 2\n{HIDDEN}",
            grade=True,
            locked=True,
            points=3,
            grade_id="double-test",
        ),
        cell(new_markdown_cell, "Because.", grade=True, solution=True, points=2, grade_id="why"),
    )


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Made by nbgrader alone: quickstart, an assignment of one's own, three submissions."""
    parent = tmp_path_factory.mktemp("any")
    run(parent, "nbgrader", "quickstart", "course101")
    made = Course(parent / "course101")
    source = made.source / "week1"
    source.mkdir()
    nbformat.write(assignment(), source / "doubling.ipynb")
    run(made.root, "nbgrader", "generate_assignment", "week1")
    for student, answers in ANSWERS.items():
        hand_in_file(made, "week1", "doubling", student, answers)
    return made


def test_grade_feedback_and_export(course: Course) -> None:
    report = course.root / "report.json"
    run(course.root, *GRADER, ".", "autograde", "week1", "--json", str(report))
    rows = results(report)
    assert {student: row["score"] for student, row in rows.items()} == {
        "ada": 3,
        "bob": 0,
        "eve": 0,
    }
    assert {row["controls"] for row in rows.values()} == {"nonce only"}, "there is no bank here"
    waiting = {(student, name) for student, name, *_, waits in scores(course) if waits}
    assert waiting == {("ada", "why")}
    assert query(course, "SELECT auto_comment FROM comment WHERE auto_comment > ''")
    run(course.root, "nbgrader", "generate_feedback", "week1")
    pages = {
        student: (course.root / "feedback" / student / "week1" / "doubling.html").read_text()
        for student in ANSWERS
    }
    assert "AssertionError" in pages["bob"]
    assert "HIDDEN TESTS" not in pages["bob"]
    run(course.root, "nbgrader", "export")
    assert "bob" in (course.root / "grades.csv").read_text()
    again = run(course.root, *GRADER, ".", "autograde", "week1")
    assert "0 graded now, 3 unchanged" in again.stdout
