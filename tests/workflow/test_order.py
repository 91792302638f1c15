"""A step taken too early, or for a lab that is not there, says what to do first."""

import pytest

from grader.cli import main, only_one
from grader.course import Course

EARLY = [
    (["autograde", "mini-mean"], "run 'grader collect mini-mean' first"),
    (["feedback", "mini-mean"], "run 'grader autograde mini-mean' first"),
    (["autograde", "no-lab"], "the gradebook's assignments, mini-mean"),
    (["collect", "no-lab", "--from", "."], "the labs here are mini-mean"),
    (["feedback", "no-lab"], "the labs here are mini-mean"),
    (["export", "no-lab"], "the labs here are mini-mean"),
    (["check", "no-lab"], "the labs here are mini-mean"),
    (["verify", "no-lab"], "the labs are mini-mean"),
]


@pytest.mark.parametrize(("arguments", "said"), EARLY, ids=lambda part: " ".join(part)[:30])
def test_one_sentence(
    released_mini: Course, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--course", str(released_mini.root), *arguments]) == 2
    printed = capsys.readouterr().err
    assert said in printed
    assert len(printed.strip().splitlines()) == 1


def test_one_grader_at_a_time(released_mini: Course, capsys: pytest.CaptureFixture[str]) -> None:
    with only_one(released_mini):
        assert main(["--course", str(released_mini.root), "autograde", "mini-mean"]) == 2
    assert "another grader is at work" in capsys.readouterr().err


def test_export_to_a_place_that_is_not_there(
    released_mini: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    target = released_mini.root / "nowhere" / "grades.csv"
    assert main(["--course", str(released_mini.root), "export", "--to", str(target)]) == 2
    assert "nowhere" in capsys.readouterr().err


@pytest.mark.parametrize(
    "verb",
    ["release", "check", "collect", "autograde", "doctor", "feedback", "export", "verify"],
)
def test_help_shows_an_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([verb, "--help"])
    assert f"example: grader {verb}" in capsys.readouterr().out
