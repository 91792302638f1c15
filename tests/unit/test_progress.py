"""The learner's file: merged, atomic, and never lost to a damaged or full disk."""

import errno
import json
from pathlib import Path
from typing import Any

import pytest

from grader.check import Result
from grader.course import Course
from grader.progress import FILE, keep, progress_file

LAB = "mini-mean"
RESULTS = [
    Result("mean", "right", 4.0, 4.0),
    Result("spread", "wrong", 3.0, 0.0, "a hint"),
    Result("choice", "not attempted", 2.0),
]


@pytest.fixture
def course(tmp_path: Path) -> Course:
    for name in ("work", "labs", "submitted/alice"):
        (tmp_path / name / LAB).mkdir(parents=True)
    return Course(tmp_path)


def notebook(course: Course) -> Path:
    return course.work / LAB / f"{LAB}.ipynb"


def read(course: Course) -> Any:
    return json.loads((course.work / FILE).read_text())


def test_outcomes_are_kept_beside_the_labs(course: Course) -> None:
    assert keep(course, LAB, notebook(course), RESULTS) == ""
    kept = read(course)
    assert kept["format"] == 1
    assert kept["questions"] == {}
    mean = kept["labs"][LAB]["mean"]
    assert (mean["outcome"], mean["points"], mean["earned"]) == ("right", 4.0, 4.0)
    assert mean["date"].endswith("Z")
    assert kept["labs"][LAB]["choice"]["outcome"] == "not attempted"
    assert [path.name for path in course.work.iterdir() if path.is_file()] == [FILE]


def test_other_labs_and_the_books_questions_stay_as_they_are(course: Course) -> None:
    answer = {"right": True, "answer": [0], "date": "2026-11-01T10:00:00.000Z", "new": [1]}
    before = {"format": 1, "questions": {"q-a": answer}, "labs": {"other": {"x": {}}}, "more": 7}
    (course.work / FILE).write_text(json.dumps(before))
    assert keep(course, LAB, notebook(course), RESULTS) == ""
    kept = read(course)
    assert kept.pop("labs").keys() == {"other", LAB}
    assert kept == {"format": 1, "questions": {"q-a": answer}, "more": 7}


def test_the_latest_check_counts(course: Course) -> None:
    keep(course, LAB, notebook(course), RESULTS)
    keep(course, LAB, notebook(course), [Result("mean", "error", 4.0)])
    assert {name: one["outcome"] for name, one in read(course)["labs"][LAB].items()} == {
        "mean": "error"
    }


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"format": 2}', '{"format": 1, "labs": []}', "[" * 10**5, "\udcff"],
)
def test_a_damaged_file_is_told_and_left(course: Course, content: str) -> None:
    path = course.work / FILE
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    before = path.read_bytes()
    said = keep(course, LAB, notebook(course), RESULTS)
    assert str(path) in said
    assert "move the file away" in said
    assert path.read_bytes() == before


def test_a_failed_save_is_told_and_the_old_file_stays(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(course, LAB, notebook(course), RESULTS)
    before = (course.work / FILE).read_bytes()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    said = keep(course, LAB, notebook(course), [])
    assert "cannot be written (No space left on device)" in said
    assert (course.work / FILE).read_bytes() == before
    assert [path.name for path in course.work.iterdir() if path.is_file()] == [FILE]


def test_a_folder_in_its_place_is_told(course: Course) -> None:
    (course.work / FILE).mkdir()
    assert "cannot be read" in keep(course, LAB, notebook(course), RESULTS)


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (f"work/{LAB}", "work"),
        (f"elsewhere/{LAB}", "elsewhere"),
        ("downloads", "downloads"),
        (f"labs/{LAB}", None),
        (f"submitted/alice/{LAB}", None),
        (f"solutions/{LAB}", None),
    ],
)
def test_where_it_is_kept(course: Course, place: str, expected: str | None) -> None:
    found = progress_file(course, LAB, course.root / place / f"{LAB}.ipynb")
    assert found == (course.root / expected / FILE if expected else None)


def test_outside_the_course_it_lies_beside_the_labs(course: Course) -> None:
    found = progress_file(course, LAB, Path("/home/me/labs") / LAB / f"{LAB}.ipynb")
    assert found == Path("/home/me/labs") / FILE
