"""The build is strict: a warning or a failing cell fails it, naming page and cell."""

import shutil
from pathlib import Path

import pytest

from tools import book

ROOT = Path(__file__).parent.parent.parent
HEAD = """---
jupytext:
  text_representation: {extension: .md, format_name: myst}
kernelspec: {display_name: Python 3, language: python, name: python3}
---

# A page

"""
GOOD = HEAD + "```{code-cell} ipython3\nprint(6 * 7)\n```\n"


@pytest.fixture
def small_book(tmp_path: Path) -> Path:
    for name in ("_config.yml", "references.bib"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    for name in ("_static", "tools"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "curriculum.yml").write_text("subjects: {}\n")
    (tmp_path / "chapters").mkdir()
    (tmp_path / "chapters" / "verified.json").write_text("[]")
    (tmp_path / "chapters" / "index.md").write_text(GOOD)
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: chapters/index\n")
    return tmp_path


def test_a_sound_book_is_built_and_then_not_executed_again(
    small_book: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert book.build(small_book) == 0
    assert "executed chapters/index" in capsys.readouterr().out
    html = (small_book / "_build" / "html" / "chapters" / "index.html").read_text()
    assert "42" in html
    assert book.build(small_book) == 0
    assert "executed chapters/index" not in capsys.readouterr().out


def test_a_failing_cell_is_named(small_book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = small_book / "chapters" / "index.md"
    page.write_text(GOOD + "\n```{code-cell} ipython3\nrate = 1 / 0\n```\n")
    assert book.build(small_book) == 1
    said = capsys.readouterr().out
    assert "rate = 1 / 0" in said
    assert "ZeroDivisionError: division by zero" in said
    assert "chapters/index" in said
    assert len(said.splitlines()) < 40


def test_a_warning_fails_the_build(small_book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = small_book / "chapters" / "index.md"
    page.write_text(GOOD + "\nSee {doc}`no-such-page`.\n")
    assert book.build(small_book) == 1
    said = capsys.readouterr().out
    assert "index.md" in said
    assert "no-such-page" in said


def test_a_page_is_executed_again_when_what_it_imports_changes(
    small_book: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (small_book / "lender").mkdir()
    (small_book / "lender" / "model.py").write_text("x = 1")
    assert book.build(small_book) == 0
    (small_book / "lender" / "model.py").write_text("x = 2")
    capsys.readouterr()
    assert book.build(small_book) == 0
    assert "executed chapters/index" in capsys.readouterr().out
