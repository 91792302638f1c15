"""The learner's view: four outcomes with hints, and one sentence for a broken notebook."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from grader.check import check, outcome_of
from grader.cli import main
from grader.course import Course

LAB = "mini-mean"


@pytest.fixture
def work(released_mini: Course) -> Path:
    """The lab as first opened by a learner."""
    shutil.copytree(released_mini.labs / LAB, released_mini.work / LAB)
    return released_mini.work / LAB / f"{LAB}.ipynb"


def write_answers(path: Path, answers: dict[str, str]) -> None:
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        cell.source = answers.get(grade_id, cell.source)
    nbformat.write(notebook, path)


def test_four_outcomes(released_mini: Course, work: Path) -> None:
    write_answers(
        work,
        {
            "mean": "def mean(values):\n    return sum(values)",
            "spread": "def spread(values, center):\n    return vlaues",
            "choice": "The median.",
        },
    )
    before = work.read_bytes()
    results = {result.question: result for result in check(released_mini, LAB, work, full=False)}
    assert results["mean"].outcome == "wrong"
    assert results["mean"].hint == "by hand: the mean of 1 and 3 is not what you return"
    assert results["spread"].outcome == "error"
    assert results["spread"].hint == "NameError: name 'vlaues' is not defined"
    assert results["mean-review"].outcome == "not attempted"
    assert results["choice"].outcome == "answered"
    assert work.read_bytes() == before


def test_a_warning_is_no_part_of_a_hint() -> None:
    outputs = [
        nbformat.v4.new_output("stream", name="stderr", text="RuntimeWarning: divide by zero\n"),
        nbformat.v4.new_output("stream", name="stdout", text="lets errors pass\n"),
        nbformat.v4.new_output("execute_result", data={"text/plain": "1.0"}),
    ]
    cell = nbformat.v4.new_code_cell(outputs=outputs, execution_count=1)
    assert outcome_of(cell, 3) == ("wrong", 1.0, "1 of 3 points: lets errors pass")


def test_the_outcomes_are_kept_beside_the_labs(
    released_mini: Course, work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_answers(work, {"mean": "def mean(values):\n    return sum(values)"})
    kept = released_mini.work / "progress.json"
    assert main(["--course", str(released_mini.root), "check", LAB]) == 1
    assert json.loads(kept.read_text())["labs"][LAB]["mean"]["outcome"] == "wrong"
    kept.write_text("damaged")
    assert main(["--course", str(released_mini.root), "check", LAB]) == 1
    printed = capsys.readouterr().err
    assert str(kept) in printed
    assert len(printed.strip().splitlines()) == 1
    assert kept.read_text() == "damaged"


def test_checking_what_is_no_learners_keeps_nothing(released_mini: Course) -> None:
    released = released_mini.labs / LAB / f"{LAB}.ipynb"
    main(["--course", str(released_mini.root), "check", str(released)])
    assert not list(released_mini.root.rglob("progress.json"))


def test_full_finds_what_the_visible_tests_do_not(
    released_mini: Course, work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_answers(
        work,
        {"mean": "def mean(values):\n    return sum(v or 0 for v in values) / len(values)"},
    )
    assert check(released_mini, LAB, work, full=False)[0].outcome == "right"
    assert main(["--course", str(released_mini.root), "check", LAB, "--full"]) == 1
    printed = capsys.readouterr().out
    assert "missing: a None must not count, nor raise" in printed
    assert "assert" not in printed


def test_a_weak_review_is_told_so(released_mini: Course, work: Path) -> None:
    model = "def mean(values):\n    return sum(values) / len(values)"
    weak = "def test_mean(mean):\n    mean([1.0])"
    write_answers(work, {"mean": model, "mean-review": weak})
    result = next(
        r for r in check(released_mini, LAB, work, full=False) if r.question == "mean-review"
    )
    assert result.outcome == "wrong"
    assert result.hint.startswith("0 of 2 points: lets errors pass: 1 of 1")


def test_a_review_names_the_own_function_that_fails_it(released_mini: Course, work: Path) -> None:
    wrong = "def mean(values):\n    return max(values)"
    strict = "def test_mean(mean):\n    assert mean([1.0, 3.0]) == 2.0, 'not 2'"
    write_answers(work, {"mean": wrong, "mean-review": strict})
    results = check(released_mini, LAB, work, full=False)
    hint = next(result.hint for result in results if result.question == "mean-review")
    assert "your own mean fails your test, with AssertionError: not 2" in hint
    write_answers(work, {"mean": "def mean(values):\n    raise NotImplementedError()"})
    results = check(released_mini, LAB, work, full=False)
    assert [result.outcome for result in results[:1]] == ["not attempted"]
    assert next(r.outcome for r in results if r.question == "mean-review") == "right"


def test_edited_tests_do_not_help(released_mini: Course, work: Path) -> None:
    write_answers(work, {"mean": "def mean(values):\n    return 0", "mean-test": "assert True"})
    assert check(released_mini, LAB, work, full=False)[0].outcome == "wrong"


def test_odd_metadata_counts_as_a_deleted_cell(
    released_mini: Course, work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = json.loads(work.read_text())
    data["metadata"]["course"] = None
    odd = [None, "mean", ["mean"], {"grade_id": ["mean"]}]
    for cell, nbgrader in zip(data["cells"][2:], odd, strict=False):
        cell["metadata"]["nbgrader"] = nbgrader
    work.write_text(json.dumps(data))
    assert main(["--course", str(released_mini.root), "check", LAB]) == 2
    assert "lacks the cell" in capsys.readouterr().err


def test_code_that_takes_the_streams_away_is_no_pass(
    released_mini: Course, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.check.CELL_LIMIT_S", 5)
    silent = "import sys\nsys.stdout = sys.stderr = None\ndef mean(values):\n    return 1"
    write_answers(work, {"mean": silent})
    assert check(released_mini, LAB, work, full=False)[0].outcome != "right"


def _delete_cell(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [
        cell
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("grade_id") != "spread-test"
    ]
    nbformat.write(notebook, path)


def _double_cell(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.from_dict({**notebook.cells[3], "id": "copy"}))
    nbformat.write(notebook, path)


def _from_another_lab(path: Path) -> None:
    data = json.loads(path.read_text())
    data["metadata"]["course"]["lab"] = "other-lab"
    path.write_text(json.dumps(data))


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "not JSON": (lambda path: path.write_text("{ this is no notebook"), "is not a notebook"),
    "empty": (lambda path: path.write_text(""), "is not a notebook"),
    "JSON of something else": (lambda path: path.write_text("[1, 2]"), "is not a notebook"),
    "another lab": (_from_another_lab, "belongs to lab other-lab"),
    "cell deleted": (_delete_cell, "lacks the cell 'spread-test'"),
    "cell doubled": (_double_cell, "holds the cell 'mean' twice"),
    "deeply nested": (lambda path: path.write_text("[" * 10**5), "is not a notebook"),
    "lone surrogate": (
        lambda path: path.write_text(path.read_text().replace("small", "\\ud800")),
        "is not a notebook",
    ),
    "ends its process": (
        lambda path: write_answers(path, {"mean": "import os\nos._exit(1)"}),
        "ended its own process",
    ),
    "no file": (lambda path: path.unlink(), "does not exist"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_notebook_is_named_and_left_alone(
    released_mini: Course, work: Path, case: str, capsys: pytest.CaptureFixture[str]
) -> None:
    damage, said = BROKEN[case]
    damage(work)
    before = work.read_bytes() if work.exists() else None
    assert main(["--course", str(released_mini.root), "check", LAB]) == 2
    printed = capsys.readouterr().err
    assert said in printed
    assert str(work.parent) in printed
    assert len(printed.strip().splitlines()) == 1
    assert (work.read_bytes() if work.exists() else None) == before


def test_full_without_the_solutions_says_so(
    released_mini: Course, work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As on Binder, where solutions/ is removed."""
    shutil.rmtree(released_mini.solutions)
    assert main(["--course", str(released_mini.root), "check", LAB, "--full"]) == 2
    assert "run without --full" in capsys.readouterr().err
