"""Read a learner's notebook and say what is wrong with it as a file."""

from pathlib import Path
from typing import Any

import nbformat

from grader.errors import CourseError


def grade_cells(notebook: Any) -> dict[str, Any]:
    """nbgrader's cells by grade_id, in notebook order."""
    return {
        cell.metadata.nbgrader.grade_id: cell
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("grade_id")
    }


def read_notebook(path: Path) -> Any:
    """The notebook at `path`; CourseError where there is none."""
    if not path.exists():
        raise CourseError(f"{path} does not exist; open the lab by 'make lab LAB=…' first.")
    try:
        notebook = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
        nbformat.validate(notebook)
    except (ValueError, AttributeError, TypeError, KeyError, nbformat.ValidationError):
        raise CourseError(
            f"{path} is not a notebook (no valid JSON of notebook format 4); "
            "save it again in JupyterLab, or start from a fresh copy of the lab."
        ) from None
    return notebook


def lab_of(path: Path) -> str:
    """The lab to which a notebook says it belongs; its file's name where it does not say."""
    return str(read_notebook(path).metadata.get("course", {}).get("lab", path.stem))


def read_submission(path: Path, lab: str) -> Any:
    """A learner's notebook for `lab`; CourseError where it is no such notebook."""
    notebook = read_notebook(path)
    its_lab = notebook.metadata.get("course", {}).get("lab", lab)
    if its_lab != lab:
        raise CourseError(f"{path} belongs to lab {its_lab}, not to {lab}; name the other lab.")
    return notebook


def find_missing(notebook: Any, released: Any) -> list[str]:
    """grade_ids of the released notebook that the learner's lacks."""
    mine = grade_cells(notebook)
    return [grade_id for grade_id in grade_cells(released) if grade_id not in mine]


def check_complete(path: Path, notebook: Any, released: Any) -> None:
    """CourseError where cells that the lab needs were deleted, or occur twice."""
    missing = find_missing(notebook, released)
    if missing:
        raise CourseError(
            f"{path} lacks the cell '{missing[0]}'; take your answers to a fresh copy of the lab."
        )
    ids = [
        cell.metadata.nbgrader.grade_id for cell in notebook.cells if "nbgrader" in cell.metadata
    ]
    doubled = next((grade_id for grade_id in ids if ids.count(grade_id) > 1), None)
    if doubled:
        raise CourseError(f"{path} holds the cell '{doubled}' twice; delete the copy.")
