"""Submissions come in from folders and zips; a bad one is named and harms nothing."""

import zipfile
from pathlib import Path

import pytest

from grader.cli import main
from grader.course import Course
from tests.workflow.learners import fill

LAB = "mini-mean"


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def inbox(released_mini: Course) -> Path:
    folder = released_mini.root / "inbox"
    fill(released_mini, LAB, folder, "ada", {"mean": "def mean(values): ..."})
    (folder / "bob").mkdir()
    fill(released_mini, LAB, folder, "x", {}).rename(folder / "bob" / f"{LAB}.ipynb")
    return folder


def collect(released_mini: Course, origin: Path) -> int:
    return main(["--course", str(released_mini.root), "collect", LAB, "--from", str(origin)])


def test_folder_and_zip_give_the_same(released_mini: Course, inbox: Path) -> None:
    assert collect(released_mini, inbox) == 0
    from_folder = files(released_mini.submitted)
    assert {"ada/mini-mean/mini-mean.ipynb", "bob/mini-mean/mini-mean.ipynb"} < set(from_folder)
    archive = released_mini.root / "inbox.zip"
    with zipfile.ZipFile(archive, "w") as out:
        for path in inbox.rglob("*.ipynb"):
            out.write(path, path.relative_to(inbox))
    assert collect(released_mini, archive) == 0
    after = files(released_mini.submitted)
    assert after.keys() == from_folder.keys()
    for name in after:
        assert name.endswith("timestamp.txt") or after[name] == from_folder[name]


def test_a_refused_file_leaves_the_former_submission(
    released_mini: Course, inbox: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert collect(released_mini, inbox) == 0
    before = files(released_mini.submitted)
    (inbox / "ada.ipynb").write_text("{ no notebook")
    assert collect(released_mini, inbox) == 2
    printed = capsys.readouterr().err
    assert "ada.ipynb is not a notebook" in printed
    assert len(printed.strip().splitlines()) == 1
    after = files(released_mini.submitted)
    assert after["ada/mini-mean/mini-mean.ipynb"] == before["ada/mini-mean/mini-mean.ipynb"]


@pytest.mark.parametrize("name", ["../evil.ipynb", "/evil.ipynb"])
def test_a_zip_that_points_outside_is_refused(
    released_mini: Course, inbox: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = released_mini.root / "evil.zip"
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr(name, (inbox / "ada.ipynb").read_text())
    assert collect(released_mini, archive) == 2
    assert "points outside the archive" in capsys.readouterr().err
    assert not released_mini.submitted.exists()


def test_a_broken_zip_is_named(
    released_mini: Course, inbox: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = released_mini.root / "broken.zip"
    with zipfile.ZipFile(archive, "w") as out:
        out.write(inbox / "ada.ipynb", "ada.ipynb")
    data = bytearray(archive.read_bytes())
    data[200] ^= 0xFF
    archive.write_bytes(data)
    assert collect(released_mini, archive) == 2
    assert "cannot be unpacked" in capsys.readouterr().err
    assert not released_mini.submitted.exists()


def test_two_notebooks_of_one_student(
    released_mini: Course, inbox: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (inbox / "bob.ipynb").write_bytes((inbox / "ada.ipynb").read_bytes())
    assert collect(released_mini, inbox) == 2
    assert "is a second notebook of bob" in capsys.readouterr().err


def test_links_are_refused(
    released_mini: Course, inbox: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (inbox / "eve.ipynb").symlink_to(inbox / "ada.ipynb")
    assert collect(released_mini, inbox) == 2
    assert "is no plain file" in capsys.readouterr().err
    assert not (released_mini.submitted / "eve").exists()


@pytest.mark.parametrize(
    ("origin", "said"), [("nowhere", "does not exist"), ("nbgrader_config.py", "neither a folder")]
)
def test_no_such_origin(
    released_mini: Course, origin: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert collect(released_mini, released_mini.root / origin) == 2
    assert said in capsys.readouterr().err
