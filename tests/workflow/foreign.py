"""Courses of nbgrader's own kind: assignments in ipynb form, commands run in their folder."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_notebook

from grader.course import Course
from tests.workflow.running import BIN


def cell(make: Callable[[str], Any], source: str, grade_id: str, **flags: Any) -> Any:
    """A cell as an instructor makes it with nbgrader's own toolbar."""
    made = make(source)
    named = {
        "grade": False,
        "solution": False,
        "locked": False,
        "schema_version": 3,
        "task": False,
    }
    made.metadata["nbgrader"] = {"grade_id": grade_id, **named, **flags}
    return made


def notebook_of(*cells: Any) -> Any:
    kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(cells=list(cells), metadata={"kernelspec": kernelspec})


def environment(folder: Path) -> dict[str, str]:
    """A person's, with a home of its own, so that no other configuration is read."""
    return {
        **os.environ,
        "PATH": os.pathsep.join([str(BIN), os.environ["PATH"]]),
        "HOME": str(folder.parent),
        "JUPYTER_CONFIG_DIR": str(folder.parent / "jupyter"),
    }


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


def hand_in_file(
    course: Course, assignment: str, name: str, student: str, answers: dict[str, str]
) -> Path:
    """The released notebook with some answers filled in, where nbgrader looks for it."""
    notebook = nbformat.read(course.root / f"release/{assignment}/{name}.ipynb", as_version=4)
    for each in notebook.cells:
        grade_id = each.metadata.get("nbgrader", {}).get("grade_id", "")
        each.source = answers.get(grade_id, each.source)
    path = course.submitted / student / assignment / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path
