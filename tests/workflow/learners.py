"""Simulated learners: what each writes into which answer cell of a released notebook."""

from pathlib import Path

import nbformat

from grader import regions
from grader.answers import read_bank
from grader.course import Course
from grader.master import read_lab


def model_answers(course: Course, lab: str) -> dict[str, str]:
    """The model answer of every question, as a learner would have typed it."""
    cells = read_lab(course.master(lab)).cells
    return {
        cell.question: regions.unmark(regions.replace(cell.source, regions.RUBRIC))
        for cell in cells
        if cell.kind in ("answer", "review", "written")
    }


def wrong_answers(course: Course, lab: str) -> dict[str, str]:
    """The first wrong answer of each question in the bank."""
    answers: dict[str, str] = {}
    for variant in read_bank(read_lab(course.master(lab))):
        if variant.wrong:
            answers.setdefault(variant.question, variant.source)
    return answers


def fill(
    course: Course,
    lab: str,
    folder: Path,
    student: str,
    answers: dict[str, str],
    without: str = "",
) -> Path:
    """Write `folder/<student>.ipynb`: the released notebook with some answers filled in.

    The cell named `without` is left out, as by a learner who deleted it.
    """
    notebook = nbformat.read(course.released(lab), as_version=4)
    kept = []
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        cell.source = answers.get(grade_id, cell.source)
        if not without or grade_id != without:
            kept.append(cell)
    notebook.cells = kept
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{student}.ipynb"
    nbformat.write(notebook, path)
    return path
