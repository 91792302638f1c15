"""What `grader doctor` says."""

import errno

import pytest

from grader.engine import doctor, linux, probe
from grader.errors import CourseError


def test_each_finding_is_a_line() -> None:
    found = [
        probe.Finding("Landlock", True, "version 7"),
        probe.Finding("a /proc of its own", False, "mount proc: Operation not permitted"),
    ]
    yes, no = doctor.lines(found)
    assert yes == "Landlock            yes  version 7"
    assert no.startswith(
        "a /proc of its own  no   mount proc: Operation not permitted: no sandbox"
    )
    assert "systempaths=unconfined" in no


def test_the_answer_agrees_with_require(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        probe.require()
        works = True
    except CourseError:
        works = False
    assert doctor.doctor() == (0 if works else 1)
    assert "the sandbox as a whole" in capsys.readouterr().out


def test_a_lack_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(flags: int) -> None:
        raise OSError(errno.EPERM, "unshare: Operation not permitted")

    monkeypatch.setattr(linux, "unshare", refuse)
    assert doctor.doctor() == 1
    printed = capsys.readouterr().out
    assert "user namespace                no   " in printed
    assert "--isolation none" in printed


def test_another_system_is_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> str:
        raise CourseError("The sandbox needs Linux.")

    monkeypatch.setattr(linux, "machine", refuse)
    assert doctor.doctor() == 1
    assert capsys.readouterr().out.strip() == "The sandbox needs Linux."
