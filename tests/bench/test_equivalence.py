"""Every page and every lab prints the same in a forked kernel as in a plain one."""

import shutil
from pathlib import Path

import pytest

from grader.course import CONFIG, Course
from tests.conftest import ROOT
from tests.workflow.equivalence import differences, lab_notebook, page_notebook, pages

LABS = sorted(path.parent.name for path in (ROOT / "solutions").glob("*/lab.py"))


@pytest.mark.parametrize("page", list(pages()), ids=lambda page: page.stem)
def test_page(page: Path) -> None:
    assert differences(page_notebook(page), page.parent) == []


@pytest.mark.parametrize("lab", LABS)
def test_lab(tmp_path: Path, lab: str) -> None:
    shutil.copyfile(ROOT / CONFIG, tmp_path / CONFIG)
    (tmp_path / "solutions").symlink_to(ROOT / "solutions")
    assert differences(*lab_notebook(Course(tmp_path), lab)) == []
