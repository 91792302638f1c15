"""The replay collects each failing assert and keeps variants apart."""

import inspect
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from grader import replay as replaying
from grader.answers import read_bank
from grader.course import Course
from grader.errors import CourseError
from grader.execute import lab_template, replay
from grader.master import read_lab
from grader.replay import (
    _compiled,
    names_defined,
    names_read,
    read_trials,
    run_test,
    save_given,
    users,
)


def test_every_failing_assert_is_collected() -> None:
    source = "assert x == 1, 'first'\nfor n in range(2):\n    assert n == 5, f'loop {n}'\nx / 0\n"
    failures, _ = run_test(source, {"x": 2})
    assert failures[:3] == [(1, "first"), (3, "loop 0"), (3, "loop 1")]
    assert failures[3][1].startswith("ZeroDivisionError")


def test_the_last_expression_is_the_score() -> None:
    assert run_test("x = 1\nx + 1.5", {}) == ([], 2.5)


def test_given_values_round_to_ten_digits(tmp_path: Path) -> None:
    names = {"frame": pd.DataFrame({"a": [1 / 3]}), "cut-off": None, "cut_off": {"p": 2 / 3}}
    save_given("frame", 7, names, tmp_path)
    save_given("cut-off", 7, names, tmp_path)
    assert (tmp_path / "frame-7.csv").read_text() == "a\n0.3333333333\n"
    assert json.loads((tmp_path / "cut-off-7.json").read_text()) == {"p": 0.6666666667}
    with pytest.raises(CourseError, match="needs a variable other"):
        save_given("other", 7, names, tmp_path)


def test_the_text_of_a_cell_can_be_read() -> None:
    """Kubeflow's components, for one, take their function's text along."""
    names: dict[str, Any] = {}
    exec(_compiled("x = 1\ndef f(a):\n    return a\n", "<lab.py line 7>"), names)
    assert inspect.getsource(names["f"]) == "def f(a):\n    return a\n"


def test_names() -> None:
    assert names_defined("import os\ndef f(a):\n    b = a\nc, d = 1, 2\n") == {"f", "c", "d"}
    assert {"f", "x"} <= names_read("assert f(x) == 1")


def test_users_are_the_later_tests_that_read_the_name(mini: Course) -> None:
    lab = read_lab(mini.master("mini-mean"))
    bank = read_bank(lab)
    assert users(lab, bank, "mean", "def mean(values): ...") == []
    assert users(lab, bank, "mean", "values = []") == []
    assert users(lab, bank, "mean", "def spread(values, center): ...") == ["spread"]


def test_a_variant_cannot_reach_the_next(mini: Course) -> None:
    """The first wrong answer breaks a module; the second must find it whole."""
    bank = mini.solutions / "mini-mean" / "wrong_answers.py"
    text = bank.read_text().replace(
        "def mean(values):\n    filled",
        "import random\nrandom.Random = None\ndef mean(values):\n    filled",
        1,
    )
    bank.write_text(text)
    folder = mini.root / "run"
    folder.mkdir()
    out = folder / "trials.jsonl"
    lab = read_lab(mini.master("mini-mean"))
    with lab_template(lab) as template:
        replay(template, lab.path, 7, folder, "--variants", str(out))
    trials = read_trials(out)
    assert len(trials) == 12
    by_title = {trial.title: trial.verdicts[0] for trial in trials}
    assert by_title["a loop"].earned == 4
    assert by_title["missing counts as nought"].visible_passes
    assert by_title["missing counts as nought"].earned == 0
    assert by_title["one case only"].earned == 0.67  # 1 of 3 wrong versions caught


def test_a_library_that_no_fork_survives_is_replayed_with_the_same_verdicts(
    mini: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = read_lab(mini.master("mini-mean"))
    bank = read_bank(lab)
    monkeypatch.chdir(tmp_path)  # the replay changes the folder
    forked = list(replaying.replay(lab, 7, tmp_path, bank))
    monkeypatch.setattr(replaying, "unsafe_imports", lambda sources: ["polars"])
    assert replaying.unsafe_libraries(lab, bank) == ["polars"]
    replayed = list(replaying.replay(lab, 7, tmp_path, bank))
    assert {(t.question, t.title): t for t in replayed} == {
        (t.question, t.title): t for t in forked
    }
