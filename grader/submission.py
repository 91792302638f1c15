"""Read a learner's notebook and say what is wrong with it as a file."""

from pathlib import Path
from typing import Any

import nbformat

from grader.errors import CourseError

UNREADABLE = (ValueError, AttributeError, TypeError, KeyError, RecursionError)


def grade_cells(notebook: Any) -> dict[str, Any]:
    """nbgrader's cells by grade_id, in notebook order."""
    return dict(_named_cells(notebook))


def _named_cells(notebook: Any) -> list[tuple[str, Any]]:
    """(grade_id, cell) of each cell that has one; other editors leave all sorts of metadata."""
    named = []
    for cell in notebook.cells:
        nbgrader = cell.metadata.get("nbgrader")
        grade_id = nbgrader.get("grade_id") if isinstance(nbgrader, dict) else None
        if isinstance(grade_id, str) and grade_id:
            named.append((grade_id, cell))
    return named


def read_notebook(path: Path) -> Any:
    """The notebook at `path`; CourseError where there is none."""
    if not path.is_file():
        raise CourseError(f"{path} does not exist; open the lab by 'make lab LAB=…' first.")
    try:
        notebook = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
        nbformat.validate(notebook)
        # Lone surrogates pass as JSON, and then cannot be sent to a kernel or written.
        nbformat.writes(notebook).encode("utf-8")
    except (*UNREADABLE, nbformat.ValidationError):
        raise CourseError(
            f"{path} is not a notebook (no valid JSON of notebook format 4); "
            "save it again in JupyterLab, or start from a fresh copy of the lab."
        ) from None
    return notebook


def lab_of(path: Path) -> str:
    """The lab to which a notebook says it belongs; its file's name where it does not say."""
    return _its_lab(read_notebook(path), path.stem)


def _its_lab(notebook: Any, otherwise: str) -> str:
    course = notebook.metadata.get("course")
    return str(course.get("lab", otherwise)) if isinstance(course, dict) else otherwise


def read_submission(path: Path, lab: str) -> Any:
    """A learner's notebook for `lab`; CourseError where it is no such notebook."""
    notebook = read_notebook(path)
    its_lab = _its_lab(notebook, lab)
    if its_lab != lab:
        raise CourseError(f"{path} belongs to lab {its_lab}, not to {lab}; name the other lab.")
    return notebook


def check_complete(path: Path, notebook: Any, released: Any) -> None:
    """CourseError where cells that the lab needs were deleted, or occur twice."""
    ids = [grade_id for grade_id, _ in _named_cells(notebook)]
    missing = next((grade_id for grade_id in grade_cells(released) if grade_id not in ids), None)
    if missing:
        raise CourseError(
            f"{path} lacks the cell '{missing}'; take your answers to a fresh copy of the lab."
        )
    doubled = next((grade_id for grade_id in ids if ids.count(grade_id) > 1), None)
    if doubled:
        raise CourseError(f"{path} holds the cell '{doubled}' twice; delete the copy.")
