"""The build is strict: a warning, a failing cell, a slow or large page fails it, named."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from grader import offline
from tests.book.small import configure
from tests.book.thread import in_thread
from tools import book, execute

HEAD = """---
jupytext:
  text_representation: {extension: .md, format_name: myst}
kernelspec: {display_name: Python 3, language: python, name: python3}
---

# A page

"""
GOOD = HEAD + "```{code-cell} ipython3\nprint(6 * 7)\n```\n"


def build(root: Path) -> int:
    return in_thread(book.build, root)


def run(root: Path) -> int:
    return in_thread(execute.execute, root)


@pytest.fixture
def small_book(tmp_path: Path) -> Path:
    configure(tmp_path)
    (tmp_path / "chapters" / "index.md").write_text(GOOD)
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: chapters/index\n")
    return tmp_path


def test_a_sound_book_is_built_and_then_not_executed_again(
    small_book: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build(small_book) == 0
    assert "executed chapters/index" in capsys.readouterr().out
    html = (small_book / "_build" / "html" / "chapters" / "index.html").read_text()
    assert "42" in html
    assert build(small_book) == 0
    assert "executed chapters/index" not in capsys.readouterr().out


def test_a_failing_cell_is_named(small_book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = small_book / "chapters" / "index.md"
    page.write_text(GOOD + "\n```{code-cell} ipython3\nrate = 1 / 0\n```\n")
    assert build(small_book) == 1
    said = capsys.readouterr().out
    assert "rate = 1 / 0" in said
    assert "ZeroDivisionError: division by zero" in said
    assert "chapters/index.md, the cell at line 14" in said
    assert len(said.splitlines()) < 25
    assert not (small_book / "_build" / "html").exists()


def test_a_slow_page_is_named_with_its_slowest_cell(
    small_book: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execute, "PAGE_LIMIT_S", 2.5)
    page = small_book / "chapters" / "index.md"
    page.write_text(GOOD + "\n```{code-cell} ipython3\nimport time\ntime.sleep(3)\n```\n")
    assert build(small_book) == 1
    said = capsys.readouterr().out
    assert "it runs again, alone" in said
    assert "chapters/index.md took" in said
    assert "begins with 'import time'" in said


def test_a_wait_for_a_busy_core_does_not_count(small_book: Path) -> None:
    page = small_book / "chapters" / "index.md"
    work = "import time\nuntil = time.process_time() + 2\nwhile time.process_time() < until: pass"
    page.write_text(HEAD + f"```{{code-cell}} ipython3\n{work}\n```\n")
    idle = [sys.executable, "-c", "import time; t = time.time()\nwhile time.time() < t + 60: pass"]
    others = [subprocess.Popen(idle) for _ in range(4 * execute.CORES)]
    try:
        run(small_book)
    finally:
        for other in others:
            other.kill()
            other.wait()
    took = execute.costs(small_book)["index"]["seconds"]
    assert 1.5 < took < 6, "two seconds of work took ten or more by the clock"


def test_a_page_that_needs_too_much_memory_is_named(
    small_book: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = small_book / "chapters" / "index.md"
    page.write_text(GOOD + "\n```{code-cell} ipython3\nx = len(bytearray(b'x' * 10**9))\n```\n")
    assert build(small_book) == 1
    assert "chapters/index.md needed" in capsys.readouterr().out


def test_a_page_sees_no_network(small_book: Path) -> None:
    page = small_book / "chapters" / "index.md"
    names = "import socket\nprint([name for _, name in socket.if_nameindex()])"
    page.write_text(HEAD + f"```{{code-cell}} ipython3\n{names}\n```\n")
    run(small_book)
    (cached,) = (small_book / execute.CACHE).rglob("base.ipynb")
    assert "['lo']" in cached.read_text() or not offline.blocked()


@pytest.mark.skipif(execute.CORES < 2, reason="pages need two cores to run beside each other")
def test_pages_run_beside_each_other_but_for_those_that_time_things(small_book: Path) -> None:
    """Two wait for each other; one tagged `varies` finds that both have ended."""
    meeting = small_book / "meeting"
    meeting.mkdir()
    meet = """import pathlib, time
meeting = pathlib.Path("{meeting}")
(meeting / "{name}").touch()
while not (meeting / "{other}").exists(): time.sleep(0.1)
(meeting / "{name}-ended").touch()"""
    cells = {
        "index": meet.format(meeting=meeting, name="index", other="two"),
        "two": meet.format(meeting=meeting, name="two", other="index"),
        "timed": ":tags: [varies]\n"
        f"import pathlib\nassert len(list(pathlib.Path('{meeting}').glob('*-ended'))) == 2",
    }
    for name, cell in cells.items():
        page = small_book / "chapters" / f"{name}.md"
        page.write_text(HEAD + f"```{{code-cell}} ipython3\n{cell}\n```\n")
    (small_book / "_toc.yml").write_text(
        "format: jb-book\nroot: chapters/index\nchapters:\n"
        "  - file: chapters/timed\n  - file: chapters/two\n"
    )
    assert run(small_book) == 3


def test_a_build_resumes_after_the_pages_that_were_executed(
    small_book: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (small_book / "chapters" / "two.md").write_text(HEAD + "```{code-cell} ipython3\n1 / 0\n```\n")
    (small_book / "_toc.yml").write_text(
        "format: jb-book\nroot: chapters/index\nchapters:\n  - file: chapters/two\n"
    )
    assert build(small_book) == 1
    assert "executed chapters/index" in capsys.readouterr().out
    (small_book / "chapters" / "two.md").write_text(GOOD)
    assert build(small_book) == 0
    assert "executed chapters/index" not in capsys.readouterr().out
    pages = json.loads((small_book / execute.COSTS).read_text())["pages"]
    assert set(pages) == {"index", "two"}
    assert all(page["memory_mb"] > 10 for page in pages.values())


def test_a_warning_fails_the_build(small_book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = small_book / "chapters" / "index.md"
    page.write_text(GOOD + "\nSee {doc}`no-such-page`.\n")
    assert build(small_book) == 1
    said = capsys.readouterr().out
    assert "index.md" in said
    assert "no-such-page" in said
    assert build(small_book) == 1, "the second build forgot the warning"


def test_a_page_is_executed_again_when_what_it_imports_changes(
    small_book: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (small_book / "lender").mkdir()
    (small_book / "lender" / "model.py").write_text("x = 1")
    assert build(small_book) == 0
    (small_book / "lender" / "model.py").write_text("x = 2")
    capsys.readouterr()
    assert build(small_book) == 0
    assert "executed chapters/index" in capsys.readouterr().out
