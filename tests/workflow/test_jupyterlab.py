"""In JupyterLab: a failed visible test shows its hint, and nbgrader's Validate button works."""

import shutil
from collections.abc import Iterator

import nbformat
import pytest
from playwright.sync_api import Page, sync_playwright

from grader.course import Course
from tests.book.browser import CHROMIUM
from tests.workflow.browser import jupyter

LAB = "mini-mean"
HINT = "by hand: the mean of 1 and 3 is not what you return"
PATIENCE_MS = 180_000


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
    spaces = f"--LabApp.workspaces_dir={released_mini.root}/spaces"
    with jupyter("jupyterlab", released_mini.work, "api", spaces) as address:
        yield f"{address}lab/tree/{LAB}/{LAB}.ipynb"


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
