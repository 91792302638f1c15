"""`grader verify` finds what is wrong with a lab and names lab, question and reason."""

import json
from pathlib import Path

import nbformat
import pytest

from grader.cli import main
from grader.course import Course
from grader.master import read_lab
from grader.release import find_leaks

LAB = "mini-mean"


def spoil(course: Course, name: str, old: str, new: str) -> None:
    path = course.solutions / LAB / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def verify(course: Course, target: Path) -> int:
    return main(["--course", str(course.root), "verify", "--json", str(target)])


def test_a_sound_lab_is_verified(mini: Course, tmp_path: Path) -> None:
    """Also with a cell whose output differs between runs, where it is tagged and says why."""
    clock = (
        '# %% tags=["varies"]\n# varies: shows the time\n'
        "import time\n\nprint(time.time_ns())\n\n# %%\n"
    )
    spoil(mini, "lab.py", "# %%\n", clock)
    assert verify(mini, tmp_path / "verify.json") == 0
    (report,) = json.loads((tmp_path / "verify.json").read_text())
    assert report["problems"] == []
    assert report["varies"] == ["shows the time"]
    assert (report["wrong_caught"], report["wrong_answers"]) == (9, 9)
    assert (report["right_kept"], report["right_answers"]) == (3, 3)
    assert report["seeds"] == [7, 8, 9]


def test_every_miss_is_named(
    mini: Course, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One lab with many faults, each of which must be reported."""
    # A hidden test that sees nothing: a wrong answer now passes.
    spoil(mini, "lab.py", "assert mean([1.0, None, 3.0]) == 2.0,", "assert True,")
    # A model answer that holds for the committed seed alone.
    spoil(
        mini,
        "lab.py",
        "    return sum(abs(value - center) for value in values) / len(values)\n",
        "    return sum(abs(v - center) for v in values) / len(values) + (seed - 7)\n",
    )
    # A hint that the learner never sees.
    spoil(mini, "wrong_answers.py", "# hint: empty: with no value", "# hint: no such words")
    # A right answer that is not.
    spoil(mini, "right_answers.py", "return total / count if count else None", "return 0.0")
    # An output that differs from run to run, untagged.
    spoil(mini, "lab.py", "import random\n", "import random, time\n\nprint(time.time_ns())\n")
    # Two wrong answers that fail alike.
    spoil(mini, "wrong_answers.py", "len(values) + 1e-3", "len(values) + 2e-3")
    spoil(
        mini,
        "wrong_answers.py",
        "value - center for value",
        "1e-3 + abs(value - center) for value",
    )
    assert verify(mini, tmp_path / "verify.json") == 1
    said = capsys.readouterr().err
    assert "mini-mean, mean: 'missing counts as nought' is wrong but earns all 4 points" in said
    assert "mini-mean, spread-test: the model answer fails" in said
    assert "seed 8" in said
    assert "not the hint 'no such words" in said
    assert "mini-mean, mean: 'a loop' is right but loses mean" in said
    assert "the same seed gave other outputs" in said
    assert "mini-mean, spread: 'never nought' fails exactly as another" in said
    assert "mini-mean, spread: only 2 different wrong answers of 3" in said


def test_a_line_of_an_answer_in_the_released_notebook_is_a_leak(released_mini: Course) -> None:
    lab = read_lab(released_mini.master(LAB))
    path = released_mini.released(LAB)
    assert find_leaks(lab, path) == []
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[3].source += "\n    return sum(kept) / len(kept) if kept else None"
    nbformat.write(notebook, path)
    assert find_leaks(lab, path) == ["return sum(kept) / len(kept) if kept else None"]
