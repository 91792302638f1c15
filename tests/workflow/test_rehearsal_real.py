"""The published lab, from release to export, with seven learners and every score asserted."""

import csv
import shutil
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from grader.cli import main
from grader.course import CONFIG, Course, nbgrader_api
from tests.conftest import ROOT
from tests.workflow.learners import fill, model_answers, wrong_answers

LAB = "monitoring-data-drift"
POINTS = {
    "ks-statistic": 3,
    "psi": 4,
    "psi-review": 3,
    "window-scores": 4,
    "calibrate": 5,
    "page-report": 4,
    "policy": 4,
}
HALF_WRONG = ("psi", "calibrate", "policy")
LOOP = "def ks_statistic(reference, current):\n    while True:\n        pass\n"
NOTHING = {**dict.fromkeys(POINTS, 0), "defense": 0}
# The answer in words waits for a person: None.
ALL = {**POINTS, "defense": None}
SCORES = {
    "perfect": ALL,
    "blank": NOTHING,
    "half-right": {**ALL, **dict.fromkeys(HALF_WRONG, 0)},
    "endless-loop": {**ALL, "ks-statistic": 0},
    "syntax-error": {**ALL, "window-scores": 0},
    "edited-tests": NOTHING,
    "deleted-test": {**ALL, "page-report": 0},
}


def answers(course: Course) -> dict[str, dict[str, str]]:
    model, wrong = model_answers(course, LAB), wrong_answers(course, LAB)
    return {
        "perfect": model,
        "blank": {},
        "half-right": {**model, **{name: wrong[name] for name in HALF_WRONG}},
        "endless-loop": {**model, "ks-statistic": LOOP},
        "syntax-error": {**model, "window-scores": "def window_scores(values, day\n    pass"},
        "edited-tests": {f"{name}-test": "assert True" for name in POINTS},
        "deleted-test": {**model, "page-report": wrong["page-report"]},
    }


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """The class after release, collect, autograde, feedback and export, by the command line."""
    course = Course(tmp_path_factory.mktemp("class"))
    config = (ROOT / CONFIG).read_text().replace("timeout = 60", "timeout = 15")
    (course.root / CONFIG).write_text(config)
    (course.root / "solutions").symlink_to(ROOT / "solutions")

    def run(*arguments: str) -> int:
        return main(["--course", str(course.root), *arguments])

    assert run("release", LAB) == 0
    inbox = course.root / "inbox"
    for student, cells in answers(course).items():
        fill(
            course, LAB, inbox, student, cells, without="page-report-test" * ("deleted" in student)
        )
    archive = shutil.make_archive(str(course.root / "submissions"), "zip", inbox)
    assert run("collect", LAB, "--from", archive) == 0
    assert run("autograde", LAB) == 0
    assert run("feedback", LAB) == 0
    assert run("export", "--to", str(course.root / "grades.csv")) == 0
    return course


@pytest.mark.parametrize("student", SCORES)
def test_scores(graded: Course, student: str) -> None:
    with Gradebook(nbgrader_api(graded).coursedir.db_url) as gradebook:
        submission = gradebook.find_submission_notebook(LAB, LAB, student)
        scores = {
            grade.name.removesuffix("-test"): None if grade.needs_manual_grade else grade.score
            for grade in submission.grades
        }
    assert scores == SCORES[student]


def test_export(graded: Course) -> None:
    with (graded.root / "grades.csv").open(newline="") as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    assert rows.keys() == SCORES.keys()
    for student, scores in SCORES.items():
        assert float(rows[student]["score"]) == sum(score or 0 for score in scores.values())
        assert float(rows[student]["max_score"]) == 30


def test_feedback_gives_the_hint_and_not_the_test(graded: Course) -> None:
    page = (graded.root / "feedback" / "half-right" / LAB / f"{LAB}.html").read_text()
    assert "Wrong: " in page
    assert "_oracle" not in page
    assert "Four elements" not in page


def test_graded_notebooks_are_there_for_formgrader(graded: Course) -> None:
    for student in SCORES:
        assert Path(graded.root / "autograded" / student / LAB / f"{LAB}.ipynb").exists()
