"""In JupyterLab: a failed visible test shows its hint, and nbgrader's Validate button works."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Page, sync_playwright

from grader.course import Course
from tests.book.browser import CHROMIUM
from tests.workflow.browser import answers
from tests.workflow.foreign import environment
from tests.workflow.running import wait_until
from tools.start import free_port

LAB = "mini-mean"
HINT = "by hand: the mean of 1 and 3 is not what you return"
PATIENCE_MS = 60_000


@pytest.fixture
def lab(released_mini: Course) -> Iterator[str]:
    """JupyterLab on a learner's folder, with a wrong answer in the lab; yields its address."""
    work = released_mini.work / LAB
    shutil.copytree(released_mini.labs / LAB, work)
    path = work / f"{LAB}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "mean":
            cell.source = "def mean(values):\n    return sum(values)"
    nbformat.write(notebook, path)
    yield from serve(released_mini.work)


def serve(folder: Path) -> Iterator[str]:
    port = free_port(8950)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1"]
    command += [f"--port={port}", "--ServerApp.port_retries=0", "--IdentityProvider.token="]
    command += [
        f"--ServerApp.root_dir={folder}",
        f"--LabApp.workspaces_dir={folder.parent}/spaces",
    ]
    command += ["--allow-root"] if os.geteuid() == 0 else []
    with (folder.parent / "lab.log").open("wb") as log:
        server = subprocess.Popen(
            command,
            cwd=folder,
            env=environment(folder),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        assert wait_until(lambda: answers(f"http://127.0.0.1:{port}/api"), 60)
        yield f"http://127.0.0.1:{port}/lab/tree/{LAB}/{LAB}.ipynb"
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=20)


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(PATIENCE_MS)
        yield page
        browser.close()


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_a_learner_sees_hints_and_can_validate(lab: str, page: Page) -> None:
    page.goto(lab)
    test = page.locator(".jp-CodeCell", has_text=HINT)
    test.locator(".jp-InputPrompt").click()
    page.locator(".lm-MenuBar-item", has_text="Run").click()
    page.get_by_role("menuitem", name="Run All Above Selected Cell").click()
    page.keyboard.press("Control+Enter")
    test.locator(".jp-OutputArea-output", has_text=f"AssertionError: {HINT}").wait_for()
    page.locator(".jp-Toolbar").get_by_text("Validate", exact=True).click()
    dialog = page.locator(".jp-Dialog", has_text="Validation Results")
    dialog.wait_for()
    said = dialog.inner_text()
    assert f"AssertionError: {HINT}" in said
    assert "The following cell failed" in said
