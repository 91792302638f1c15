"""A learner's file merged with the release: only the answers' source is the learner's."""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.utils import compute_checksum

from grader.engine.likeness import visible
from grader.engine.matching import Match, match
from grader.engine.model import NotebookSpec, TrustedCell
from grader.engine.reading import Found, Reading, read, shown
from grader.errors import CourseError

MOST_REPAIRS = 40


@dataclass
class Prepared:
    """A notebook that can be run and graded, and what had to be mended in the learner's."""

    notebook: NotebookNode
    repairs: list[str]


def prepare(raw: bytes, spec: NotebookSpec) -> Prepared:
    """The notebook to grade; CourseError says what is wrong with one that cannot be."""
    name = f"{spec.name}.ipynb"
    reading = read(raw, name)
    found = match(reading.cells, spec)
    if spec.cells and not found.places:
        raise CourseError(
            f"{name} holds none of the release's cells, perhaps it is another notebook; "
            "hand in the one that was released under this name."
        )
    repairs = reading.repairs + _kernel_repairs(reading, spec)
    for cell in spec.cells:
        repairs += _cell_repairs(cell, reading.cells, found)
    repairs += _order_repairs(spec, found)
    return Prepared(_notebook(reading.cells, spec, found), _bounded(repairs))


def _bounded(repairs: list[str]) -> list[str]:
    more = len(repairs) - MOST_REPAIRS
    return [*repairs[:MOST_REPAIRS], f"{more} more repairs"] if more > 0 else repairs


def _notebook(cells: list[Found], spec: NotebookSpec, found: Match) -> NotebookNode:
    ids = _cell_ids(spec)
    trusted_at = {place: grade_id for grade_id, place in found.places.items()}
    extra: dict[str, list[Found]] = {}  # the learner's own cells, by the cell they follow
    after = ""
    for place, cell in enumerate(cells):
        if place in trusted_at:
            after = trusted_at[place]
        elif place not in found.dropped:
            extra.setdefault(after, []).append(cell)
    new, count = [], 0
    for trusted in (None, *spec.cells):
        if trusted:
            new.append(_trusted(trusted, cells, found, ids[trusted.grade_id]))
        for cell in extra.get(trusted.grade_id if trusted else "", []):
            count += 1
            new.append(_cell(cell.cell_type, f"learner-{count}", cell.source, {}))
    kernelspec = {"display_name": spec.kernel, "language": "python", "name": spec.kernel}
    notebook: NotebookNode = nbformat.from_dict(
        {
            "cells": new,
            "metadata": {"kernelspec": kernelspec, "language_info": {"name": "python"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
    )
    return notebook


def _cell_ids(spec: NotebookSpec) -> dict[str, str]:
    """A valid and unique nbformat id for each trusted cell, the same at every run."""
    ids: dict[str, str] = {}
    for number, cell in enumerate(spec.cells):
        plain = re.sub(r"[^a-zA-Z0-9_-]", "-", f"{spec.name}-{cell.grade_id}")[:64]
        clash = plain in ids.values() or plain.startswith("learner-")
        ids[cell.grade_id] = f"trusted-{number}" if clash else plain
    return ids


def _trusted(trusted: TrustedCell, cells: list[Found], found: Match, cell_id: str) -> Any:
    place = found.places.get(trusted.grade_id)
    learners = trusted.solution and place is not None
    source = cells[place].source if learners and place is not None else trusted.source
    metadata = {"nbgrader": nbgrader_metadata(trusted) | {"checksum": _checksum(trusted)}}
    return _cell(trusted.cell_type, cell_id, source, metadata)


def _cell(cell_type: str, cell_id: str, source: str, metadata: dict[str, Any]) -> Any:
    cell = {"cell_type": cell_type, "id": cell_id, "metadata": metadata, "source": source}
    return cell | {"execution_count": None, "outputs": []} if cell_type == "code" else cell


def nbgrader_metadata(cell: TrustedCell) -> dict[str, Any]:
    """What nbgrader keeps in a cell, but for the checksum."""
    metadata = {
        "cell_type": cell.cell_type,
        "grade": cell.grade,
        "grade_id": cell.grade_id,
        "locked": cell.locked,
        "schema_version": 3,
        "solution": cell.solution,
        "task": cell.task,
    }
    return metadata | {"points": cell.points} if cell.grade or cell.task else metadata


@lru_cache(maxsize=4096)
def _checksum(cell: TrustedCell) -> str:
    """Of the released cell: nbgrader compares it to tell an unchanged answer."""
    metadata = {"nbgrader": nbgrader_metadata(cell)}
    return str(
        compute_checksum(nbformat.from_dict(_cell(cell.cell_type, "", cell.source, metadata)))
    )


def _kernel_repairs(reading: Reading, spec: NotebookSpec) -> list[str]:
    repairs = []
    if reading.kernel not in ("", spec.kernel):
        repairs.append(f"kernel {shown(reading.kernel)} replaced by {spec.kernel!r}")
    if reading.language.lower() not in ("", "python"):
        repairs.append(f"language {shown(reading.language)} replaced by 'python'")
    return repairs


def _cell_repairs(trusted: TrustedCell, cells: list[Found], found: Match) -> list[str]:
    name = f"'{trusted.grade_id}'"
    place = found.places.get(trusted.grade_id)
    if place is None:
        return [f"{name} was missing, {'its stub' if trusted.solution else 'it was'} put back"]
    cell = cells[place]
    repairs = []
    if trusted.grade_id in found.how:
        repairs.append(f"{name} {found.how[trusted.grade_id]}")
    if cell.cell_type != trusted.cell_type:
        repairs.append(f"{name} was {cell.cell_type}, made {trusted.cell_type} again")
    if not trusted.solution and visible(cell.source) != visible(trusted.source):
        repairs.append(f"{name} was edited, the release's text put back")
    if cell.claim == trusted.grade_id and not _flags_agree(cell.metadata, trusted):
        repairs.append(f"{name} had other points or flags, the release's put back")
    return repairs


def _flags_agree(claimed: dict[str, Any], cell: TrustedCell) -> bool:
    """Whether those flags that the learner's metadata gives are the release's."""
    wanted = {"grade": cell.grade, "solution": cell.solution, "task": cell.task}
    if not cell.grade and not cell.solution:  # nbgrader derives it for these
        wanted["locked"] = cell.locked
    if any(claimed.get(key, value) is not value for key, value in wanted.items()):
        return False
    points = claimed.get("points", cell.points)
    return not cell.grade or (isinstance(points, int | float) and points == cell.points)


def _order_repairs(spec: NotebookSpec, found: Match) -> list[str]:
    places = [found.places[c.grade_id] for c in spec.cells if c.grade_id in found.places]
    moved = sum(after < before for before, after in pairwise(places))
    return ["cells stood in another order, the release's restored"] if moved else []
