"""A whole class, from release to export, with every score asserted."""

import csv
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from grader.autograde import autograde
from grader.cli import main
from grader.course import Course, nbgrader_api
from grader.export import export_rows
from tests.workflow.learners import fill, model_answers, wrong_answers

LAB = "mini-mean"
LOOP = "def mean(values):\n    while True:\n        pass\n"


def students(course: Course) -> dict[str, dict[str, str]]:
    """Eight learners and what each wrote."""
    model, wrong = model_answers(course, LAB), wrong_answers(course, LAB)
    return {
        "perfect": model,
        "blank": {},
        "half-right": {**model, "spread": wrong["spread"], "mean-review": wrong["mean-review"]},
        "visible-only": {**model, "mean": wrong["mean"]},
        "endless-loop": {**model, "mean": LOOP},
        "syntax-error": {**model, "spread": "def spread(values, center)\n    return 0"},
        "curious": {
            **model,
            "mean": wrong["mean"],
            "spread": "print(In)\n\ndef spread(values, center):\n    raise AssertionError(In[-1])",
        },
        "edited-tests": {"mean-test": "assert True", "spread-test": "pass"},
    }


# What a person would expect: the written point is given by a person later.
SCORES = {
    "perfect": {"mean": 4, "spread": 3, "mean-review": 2, "choice": None},
    "blank": {"mean": 0, "spread": 0, "mean-review": 0, "choice": 0},
    "half-right": {"mean": 4, "spread": 0, "mean-review": 0.67, "choice": None},
    "visible-only": {"mean": 0, "spread": 3, "mean-review": 2, "choice": None},
    "endless-loop": {"mean": 0, "spread": 3, "mean-review": 2, "choice": None},
    "syntax-error": {"mean": 4, "spread": 0, "mean-review": 2, "choice": None},
    "curious": {"mean": 0, "spread": 0, "mean-review": 2, "choice": None},
    "edited-tests": {"mean": 0, "spread": 0, "mean-review": 0, "choice": 0},
}


@pytest.fixture(scope="module")
def graded(
    released_once: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Course, Callable[..., int]]:
    """The class after collect and autograde; a truncated file came with it."""
    course = Course(
        Path(shutil.copytree(released_once, tmp_path_factory.mktemp("class") / "course"))
    )
    config = course.root / "nbgrader_config.py"
    config.write_text(config.read_text().replace("timeout = 60", "timeout = 4"))
    inbox = course.root / "inbox"
    for student, answers in students(course).items():
        fill(course, LAB, inbox, student, answers)
    whole = (inbox / "perfect.ipynb").read_text()
    (inbox / "truncated.ipynb").write_text(whole[: len(whole) // 2])

    def run(*arguments: str) -> int:
        return main(["--course", str(course.root), *arguments])

    assert run("collect", LAB, "--from", str(inbox)) == 2
    assert run("autograde", LAB) == 0
    return course, run


@pytest.mark.parametrize("student", SCORES)
def test_scores(graded: tuple[Course, Callable[..., int]], student: str) -> None:
    course, _ = graded
    with Gradebook(nbgrader_api(course).coursedir.db_url) as gradebook:
        submission = gradebook.find_submission_notebook(LAB, LAB, student)
        scores = {
            grade.name.removesuffix("-test"): None if grade.needs_manual_grade else grade.score
            for grade in submission.grades
        }
    assert scores == SCORES[student]


def test_the_truncated_file_is_no_submission(graded: tuple[Course, Callable[..., int]]) -> None:
    course, _ = graded
    assert not (course.submitted / "truncated").exists()


def test_a_submission_that_cannot_be_graded_does_not_stop_the_rest(
    graded: tuple[Course, Callable[..., int]],
) -> None:
    course, _ = graded
    broken = course.submitted / "aaron" / LAB
    broken.mkdir(parents=True)
    (broken / f"{LAB}.ipynb").write_text("{")
    results = {one.student: one for one in autograde(course, LAB)}
    assert "is not valid JSON" in results["aaron"].record.problem
    assert results["aaron"].outcome == "refused"
    assert (results["perfect"].record.score, results["perfect"].fresh) == (9, False)
    assert results.keys() == {*SCORES, "aaron"}


def test_feedback_shows_properties_not_hidden_tests(
    graded: tuple[Course, Callable[..., int]],
) -> None:
    course, run = graded
    assert run("feedback", LAB) == 0
    pages = {
        student: (course.root / "feedback" / student / LAB / f"{LAB}.html").read_text()
        for student in SCORES
    }
    assert "Wrong: missing: a None must not count, nor raise" in pages["visible-only"]
    assert "ran out of time" in pages["endless-loop"]
    for page in pages.values():
        text = re.sub(r"<[^>]+>", "", page)
        assert "HIDDEN TESTS" not in text
        assert "fresh data" not in text
        assert "names a property of the data" not in text


def test_export(graded: tuple[Course, Callable[..., int]]) -> None:
    course, run = graded
    target = course.root / "grades.csv"
    assert run("export", "--to", str(target)) == 0
    with target.open(newline="") as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    for student, scores in SCORES.items():
        total = sum(score or 0 for score in scores.values())
        assert float(rows[student]["score"]) == pytest.approx(total)
        assert float(rows[student]["max_score"]) == 10
        waiting = str(None in scores.values())
        assert rows[student]["needs_manual_grade"] == waiting


def test_a_grade_given_by_a_person_is_exported(
    graded: tuple[Course, Callable[..., int]],
) -> None:
    course, _ = graded
    api = nbgrader_api(course)
    with api.gradebook as gradebook:
        grade = gradebook.find_grade("choice", LAB, LAB, "perfect")
        grade.manual_score, grade.needs_manual_grade = 1.0, False
        gradebook.db.commit()
        rows = {row["student_id"]: row for row in export_rows(gradebook, [LAB])}
    assert rows["perfect"]["score"] == 10
    assert rows["perfect"]["needs_manual_grade"] is False
