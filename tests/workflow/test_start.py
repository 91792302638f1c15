"""`make start` serves both addresses; a learner's files are never overwritten."""

import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tools import setup_venv, start

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.skipif(
    not (ROOT / "_build" / "html").exists(), reason="the book is not built (make book)"
)
def test_start_serves_the_book_and_the_labs() -> None:
    server = subprocess.Popen(
        [sys.executable, "tools/start.py"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        said = ""
        while "Ctrl-C" not in said:
            line = server.stdout.readline()
            assert line, said
            said += line
        addresses = dict(re.findall(r"^(book|labs)  (\S+)$", said, re.M))
        with urllib.request.urlopen(addresses["book"] + "chapters/index.html") as page:
            assert b"Machine-Learning Engineering" in page.read()
        with urllib.request.urlopen(addresses["labs"]) as page:
            assert b"JupyterLab" in page.read()
    finally:
        server.send_signal(signal.SIGINT)
        assert server.wait(timeout=30) == 0
    time.sleep(0.2)
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(addresses["book"])


def test_an_opened_lab_is_not_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "WORK", tmp_path)
    monkeypatch.setattr(start, "LABS", ROOT / "tests" / "courses")
    target = start.open_lab("mini")
    answer = target / "solutions" / "mini-mean" / "lab.py"
    answer.write_text("mine")
    start.open_lab("mini")
    assert answer.read_text() == "mine"


def test_an_unknown_lab(capsys: pytest.CaptureFixture[str]) -> None:
    done = subprocess.run(
        [sys.executable, "tools/start.py", "--lab", "nope"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout.startswith("There is no lab 'nope'")


def test_no_free_port(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(start, "PORTS_TRIED", 0)
    with pytest.raises(SystemExit, match="2"):
        start.free_port(8100)
    assert "is free; stop another server first" in capsys.readouterr().out


def test_python_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup_venv.sys, "version_info", (3, 9, 2, "final", 0))
    assert setup_venv.problem().startswith("This is Python 3.9.2, the course needs 3.11.5 to 3.12")


def test_no_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(setup_venv, "VENV", tmp_path / "none")
    monkeypatch.setattr(setup_venv, "NEEDED_GB", 10**6)
    assert "GB are free here" in setup_venv.problem()


def test_make_on_windows() -> None:
    done = subprocess.run(
        ["make", "OS=Windows_NT"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "open a WSL terminal" in done.stderr
