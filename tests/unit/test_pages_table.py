"""The table of pages: lenient about what was not measured, exact about what was."""

import json
from pathlib import Path
from typing import Any

import pytest

from tools import pages, questions

SEEN = {"outside": 0, "axe": 2, "errors": 0, "links": 1, "kilobytes": 1234}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "chapters").mkdir()
    (tmp_path / "_build" / "tests").mkdir(parents=True)
    return tmp_path


def write(root: Path, path: Path, content: Any) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(json.dumps(content))


def test_what_nobody_measured_is_a_dash(root: Path) -> None:
    assert pages.text(root) == ""
    assert "not measured yet" in pages.markdown(root)
    write(root, pages.SEEN, {"index": SEEN})
    assert pages.measured(root) == [pages.Row("index", **SEEN)]
    pages.publish(root)
    assert "| index | 0 | 2 | 0 | 1 | 1,234 | - | - | - |" in pages.markdown(root)
    assert "slowest" not in pages.markdown(root)


def test_costs_and_questions_are_joined_by_page(root: Path) -> None:
    write(root, pages.SEEN, {"b": SEEN, "a/c": {**SEEN, "axe": 0}})
    cells = [{"seconds": 2.06, "line": "a | b"}, {"seconds": 1.0, "line": "fit()"}]
    costs = {"seconds": 13.14, "memory_mb": 410.4, "cells": cells}
    write(root, pages.EXECUTED, {"pages": {"a/c": costs}})
    write(root, pages.HTML / questions.PUBLISHED, [{"page": "chapters/a/c.md", "name": "x"}])
    pages.publish(root)
    published = pages.markdown(root)
    assert "| a/c | 0 | 0 | 0 | 1 | 1,234 | 13.1 | 410 | 1 |" in published
    assert "| b | 0 | 2 | 0 | 1 | 1,234 | - | - | 0 |" in published
    assert "| sum (kB, MB: largest) | 0 | 2 | 0 | 2 | 1,234 | 13.1 | 410 | 1 |" in published
    assert "| a/c | 2.1 | `a \\| b` |" in published
    shown = [line.split() for line in pages.text(root).splitlines()]
    assert ["a/c", "0", "0", "0", "1", "1,234", "13.1", "410", "1"] in shown
