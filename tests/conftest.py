"""A small course of its own for tests that write."""

import os
import shutil
from pathlib import Path

import pytest

from grader.course import Course
from grader.engine.launch import SINGLE_THREADED
from grader.release import release

ROOT = Path(__file__).parent.parent
MINI = ROOT / "tests" / "courses" / "mini"

# A kernel of a test takes one core and forks without threads, as in grading.
for name in ("OMP_NUM_THREADS", "JE_ARROW_MALLOC_CONF"):
    os.environ.setdefault(name, SINGLE_THREADED[name])


@pytest.fixture
def mini(tmp_path: Path) -> Course:
    """A course with the lab mini-mean, nothing released yet."""
    folder = tmp_path / "course"
    shutil.copytree(MINI, folder)
    shutil.copyfile(ROOT / "nbgrader_config.py", folder / "nbgrader_config.py")
    return Course(folder)


@pytest.fixture(scope="session")
def released_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The mini course after `grader release`, to be copied by each test that needs one."""
    folder = tmp_path_factory.mktemp("released") / "course"
    shutil.copytree(MINI, folder)
    shutil.copyfile(ROOT / "nbgrader_config.py", folder / "nbgrader_config.py")
    release(Course(folder), "mini-mean")
    return folder


@pytest.fixture
def released_mini(released_once: Path, tmp_path: Path) -> Course:
    """A released mini course of the test's own."""
    return Course(Path(shutil.copytree(released_once, tmp_path / "course")))


@pytest.fixture(scope="session")
def real() -> Course:
    """The repository itself; tests must not write to it."""
    return Course(ROOT)
