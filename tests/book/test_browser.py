"""The book in a real browser, opened from disk: drawn, and without a word in the console."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tools import generated

ROOT = Path(__file__).parent.parent.parent
CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
    "--virtual-time-budget=8000",
]


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
@pytest.mark.parametrize("page", generated.built_pages(ROOT))
def test_a_page_opens_without_errors(page: str, tmp_path: Path) -> None:
    url = (ROOT / "_build" / "html" / "chapters" / f"{page}.html").as_uri()
    command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={tmp_path}", "--dump-dom", url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert "<h1" in done.stdout
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    errors = [line for line in console if "Uncaught" in line or "Failed to load" in line]
    assert errors == []
    if 'class="math' in done.stdout:
        assert "mjx-container" in done.stdout, "mathematics was not typeset"
