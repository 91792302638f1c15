"""A broken master or bank gets one sentence with file, cell and remedy."""

from pathlib import Path

import pytest

from grader.answers import read_bank
from grader.cli import main
from grader.course import Course
from grader.errors import CourseError
from grader.master import read_lab

LAB = "mini-mean"


def edit(course: Course, name: str, old: str, new: str) -> Path:
    path = course.solutions / LAB / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return path


BROKEN_MASTERS = {
    "duplicated question": (
        "# %% answer: spread",
        "# %% answer: mean",
        "the name is used already",
    ),
    "answer without a test": (
        "# %% test: spread, 3 points",
        "# %%",
        "it has no test",
    ),
    "test without points": ("# %% test: mean, 4 points", "# %% test: mean", "no points"),
    "nought points": ("# %% test: mean, 4 points", "# %% test: mean, 0 points", "no points"),
    "missing END SOLUTION": (
        "if kept else None\n    ### END SOLUTION",
        "if kept else None",
        "BEGIN SOLUTION inside BEGIN SOLUTION",
    ),
    "missing END HIDDEN TESTS": (
        'not the mean"\n### END HIDDEN TESTS',
        'not the mean"',
        "BEGIN HIDDEN TESTS without its END",
    ),
    "missing BEGIN": (
        "    ### BEGIN SOLUTION\n    kept",
        "    kept",
        "END SOLUTION without its BEGIN",
    ),
    "text outside markers": (
        "    ### BEGIN SOLUTION\n    kept",
        "    offset = 0\n    ### BEGIN SOLUTION\n    kept",
        "text outside the markers ('offset = 0')",
    ),
    "misspelt marker": ("### BEGIN RUBRIC", "### BEGIN RUBRICK", "'BEGIN RUBRICK' is not one of"),
    "misspelt heading": ("# %% answer: spread", "# %% anwser: spread", "the heading is none of"),
    "no rubric": (
        "1 point: names a property of the data. 0 points: a preference.",
        "",
        "no rubric",
    ),
    "no parameters cell": ('# %% tags=["parameters"]', "# %%", "no parameters cell"),
    "no seed": ("seed = 7", "size = 7", "sets no seed"),
    "test before its answer": (
        "# %% answer: mean\ndef",
        "# %% test: spread, 1 points\nassert True\n\n# %% answer: mean\ndef",
        "no answer before it",
    ),
    "review of nothing": ("# %% review: mean, 2", "# %% review: median, 2", "no earlier answer"),
    "varies without a reason": (
        "# %% test: spread, 3 points",
        '# %% test: spread, 3 points tags=["varies"]',
        "tagged 'varies' without a reason",
    ),
    "solution in a given cell": (
        "# %%\nimport random",
        "# %%\n### BEGIN SOLUTION\nimport random\n### END SOLUTION",
        "BEGIN SOLUTION belongs into answer or review or written cells",
    ),
    "tags that are no list": (
        'tags=["parameters"]',
        'tags="parameters"',
        "a heading's metadata is off",
    ),
    "no title": ("# # The mean of a column", "# The mean of a column", "no '# Title'"),
}


@pytest.mark.parametrize("case", BROKEN_MASTERS)
def test_a_broken_master_is_named_and_changes_nothing(
    mini: Course, case: str, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new, said = BROKEN_MASTERS[case]
    path = edit(mini, "lab.py", old, new)
    before = sorted(p.relative_to(mini.root) for p in mini.root.rglob("*"))
    assert main(["--course", str(mini.root), "release", LAB]) == 2
    printed = capsys.readouterr().err
    assert said in printed
    assert str(path) in printed
    assert len(printed.strip().splitlines()) == 1
    assert printed.strip().endswith(".")
    assert sorted(p.relative_to(mini.root) for p in mini.root.rglob("*")) == before


def test_a_master_that_is_not_utf8(mini: Course) -> None:
    path = mini.master(LAB)
    path.write_bytes(path.read_bytes() + b"\xff")
    with pytest.raises(CourseError, match="is not UTF-8"):
        read_lab(path)


@pytest.mark.parametrize("end", ["raise SystemExit", "import os; os._exit(0)", "1 / 0"])
def test_a_model_answer_that_stops_is_not_released(
    mini: Course, end: str, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(mini, "lab.py", "center = mean(values)\n", f"center = mean(values)\n{end}\n")
    assert main(["--course", str(mini.root), "release", LAB]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert not mini.labs.exists()


def test_a_failed_release_leaves_the_former_one(
    released_mini: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = released_mini.labs / LAB
    before = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    monkeypatch.setattr("grader.release.find_leaks", lambda lab, path: ["an answer"])
    assert main(["--course", str(released_mini.root), "release", LAB]) == 2
    after = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert after == before
    assert [path.name for path in released_mini.labs.iterdir()] == [LAB]


def test_a_sound_master_is_read(mini: Course) -> None:
    lab = read_lab(mini.master(LAB))
    assert lab.points == {"mean": 4, "spread": 3, "mean-review": 2, "choice": 1}
    assert lab.seed == 7
    assert lab.budget_s == 30
    assert lab.title == "The mean of a column"


def test_a_longer_budget_is_read_with_its_reason(mini: Course) -> None:
    edit(mini, "lab.py", "seed = 7", "seed = 7\n# budget: 60 s, because it trains a network")
    lab = read_lab(mini.master(LAB))
    assert (lab.budget_s, lab.budget_reason) == (60, "it trains a network")


def test_code_before_the_first_cell_is_refused(mini: Course) -> None:
    path = mini.master(LAB)
    path.write_text("x = 1\n" + path.read_text())
    with pytest.raises(CourseError, match="before the first '# %%'"):
        read_lab(path)


BROKEN_BANKS = {
    "no such question": ("# %% mean: missing", "# %% median: missing", "has no such question"),
    "no hint": ("# hint: missing: a None must not count", "#", "no hint"),
    "no misconception": (
        "# misconception: A missing value is taken for the number 0.",
        "#",
        "no misconception",
    ),
    "same heading twice": (
        "# %% mean: nought for the empty list",
        "# %% mean: missing counts as nought",
        "a heading above is the same",
    ),
}


@pytest.mark.parametrize("case", BROKEN_BANKS)
def test_a_broken_bank_is_named(mini: Course, case: str) -> None:
    old, new, said = BROKEN_BANKS[case]
    path = edit(mini, "wrong_answers.py", old, new)
    with pytest.raises(CourseError, match=said) as caught:
        read_bank(read_lab(mini.master(LAB)))
    assert str(path) in str(caught.value)


def test_an_unknown_lab_is_named(mini: Course, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--course", str(mini.root), "release", "no-such-lab"]) == 2
    assert "the labs are mini-mean" in capsys.readouterr().err


def test_outside_a_course(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--course", str(tmp_path), "release"]) == 2
    assert "lies in no course" in capsys.readouterr().err
