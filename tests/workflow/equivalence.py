"""Execute a notebook in a plain kernel and in a forked one, and compare what they print."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import jupytext
import nbformat
from nbclient import NotebookClient

from grader.course import Course
from grader.engine.imports import needed, preload
from grader.engine.launch import running_template
from grader.engine.provisioner import forked_kernels
from grader.release import write_source
from tests.conftest import ROOT


def pages() -> Iterator[Path]:
    """Every page of the book that executes."""
    for path in sorted((ROOT / "chapters").rglob("*.md")):
        if "```{code-cell}" in path.read_text(encoding="utf-8"):
            yield path


def page_notebook(path: Path) -> Any:
    return jupytext.read(path, fmt="md:myst")


def lab_notebook(course: Course, lab: str) -> tuple[Any, Path]:
    """A lab with its model answers, and the folder that holds its data."""
    write_source(course, lab)
    folder = course.source / lab
    return nbformat.read(folder / f"{lab}.ipynb", as_version=4), folder


def differences(notebook: Any, folder: Path) -> list[str]:
    """Where the two kernels print something else; cells tagged `varies` apart."""
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    modules = preload(needed(code), data=())
    plain = _executed(notebook, folder, {})
    with running_template(modules, sandboxed=False) as template:
        forked = _executed(notebook, folder, forked_kernels(template))
    return [
        f"cell {number}: {before} != {after}"
        for number, (cell, before, after) in enumerate(
            zip(notebook.cells, plain, forked, strict=True), 1
        )
        if before != after and "varies" not in cell.metadata.get("tags", [])
    ]


def _executed(notebook: Any, folder: Path, environment: dict[str, str]) -> list[Any]:
    copy = nbformat.from_dict(notebook)
    single = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with patch.dict(os.environ, {**single, **environment}):
        resources = {"metadata": {"path": str(folder)}}
        NotebookClient(copy, kernel_name="python3", timeout=300, resources=resources).execute()
    return [_shown(cell) for cell in copy.cells]


def _shown(cell: Any) -> list[Any]:
    """Outputs as a reader sees them: pandas wraps a table's plain text by the console's width."""
    shown = []
    for output in cell.get("outputs", []):
        data = dict(output.get("data", {}))
        if "text/html" in data:
            data.pop("text/plain", None)
        shown.append((output.output_type, output.get("text"), data))
    return shown
