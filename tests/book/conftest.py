"""One browser and one server for all tests of the book, and what they measured, kept."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.book.browser import CHROMIUM, chromium
from tools.pages import SEEN
from tools.serve import serving

ROOT = Path(__file__).parent.parent.parent
HTML = ROOT / "_build" / "html"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def book_address() -> Iterator[str]:
    """Where the built book is served."""
    with serving(HTML) as address:
        yield address


@pytest.fixture(scope="session")
def measured() -> Iterator[dict[str, dict[str, int]]]:
    """By page, what the table of pages shows; written when the session ends."""
    pages: dict[str, dict[str, int]] = {}
    yield pages
    (ROOT / SEEN).parent.mkdir(parents=True, exist_ok=True)
    (ROOT / SEEN).write_text(json.dumps(pages, indent=1, sort_keys=True) + "\n", encoding="utf-8")
