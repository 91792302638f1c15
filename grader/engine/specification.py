"""All that grading an assignment needs, from the gradebook, the release and the bank."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import Assignment, BaseCell, GradeCell, Notebook, SourceCell, TaskCell
from nbgrader.converters import Autograde
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import ClearHiddenTests
from nbgrader.utils import find_all_files, is_grade, is_locked, is_solution, is_task
from sqlalchemy import Connection, Engine, select

from grader.answers import read_bank
from grader.course import Course
from grader.engine.gradebook import told
from grader.engine.imports import needed, preload
from grader.engine.limits import Limits
from grader.engine.model import NotebookSpec, Specification, TrustedCell
from grader.engine.sanitize import hidden_removed
from grader.engine.wire import to_json
from grader.errors import CourseError
from grader.master import read_lab

# Part of each digest: raise it when the engine would grade the same submission otherwise.
ENGINE = "2"


CONTROLS = 3  # known wrong answers per question


@dataclass(frozen=True)
class _Registered:
    """A notebook as the gradebook knows it."""

    name: str
    kernel: str
    cells: dict[str, TrustedCell]


def specification(
    coursedir: CourseDirectory, gradebook: Engine, assignment: str, limits: Limits
) -> Specification:
    """What the gradebook, the release and the bank say about an assignment.

    CourseError where it is not registered, or where the release is not what was registered.
    """
    again = _release_again(coursedir, assignment)
    with told(gradebook), gradebook.connect() as connection:
        registered = _registered(connection, assignment)
        others = connection.execute(select(Assignment.__table__.c.name)).scalars().all()
    if not registered:
        names = ", ".join(sorted(others)) or "of which there are none"
        raise CourseError(
            f"{assignment} is none of the gradebook's assignments, {names}; {again}."
        )
    folder = _release(coursedir, assignment)
    hidden = ClearHiddenTests(config=coursedir.config)
    delimiters = (hidden.begin_test_delimeter, hidden.end_test_delimeter)
    controls = _controls(Path(coursedir.root), assignment)
    notebooks, modules = [], set()
    for book in registered:
        path = folder / f"{book.name}.ipynb"
        release = _read(path, again)
        ids = _ordered_ids(path, release, book, again)
        cells = tuple(book.cells[grade_id] for grade_id in ids)
        known = {grade_id: controls[grade_id] for grade_id in ids if grade_id in controls}
        notebooks.append(NotebookSpec(book.name, cells, book.kernel or _kernel(release), known))
        modules |= needed(_visible_code(release, book, delimiters))
    data = _data(coursedir, assignment, limits)
    spec = Specification(
        assignment=assignment,
        notebooks=tuple(notebooks),
        data=data,
        preload=preload(modules, data),
        limits=limits,
        hidden=delimiters,
    )
    digest = hashlib.sha256(f"engine {ENGINE}\n{to_json(spec)}".encode()).hexdigest()
    return replace(spec, digest=digest)


def _release_again(coursedir: CourseDirectory, assignment: str) -> str:
    if Course(Path(coursedir.root)).master(assignment).exists():
        return f"run 'grader release {assignment}'"
    return f"run 'nbgrader generate_assignment {assignment}'"


def _registered(connection: Connection, assignment: str) -> list[_Registered]:
    """The assignment's notebooks in alphabetical order."""
    notebooks, assignments = Notebook.__table__, Assignment.__table__
    rows = connection.execute(
        select(notebooks)
        .join(assignments, assignments.c.id == notebooks.c.assignment_id)
        .where(assignments.c.name == assignment)
        .order_by(notebooks.c.name)
    ).all()
    return [
        _Registered(row.name, _kernel_name(row.kernelspec), _trusted_cells(connection, row.id))
        for row in rows
    ]


def _kernel_name(kernelspec: str | None) -> str:
    return str((json.loads(kernelspec or "null") or {}).get("name", ""))


def _trusted_cells(connection: Connection, notebook_id: str) -> dict[str, TrustedCell]:
    base, source = BaseCell.__table__, SourceCell.__table__
    grades, tasks = GradeCell.__table__, TaskCell.__table__
    kinds: dict[str, dict[str, float | None]] = {}
    for name, kind, of_grade, of_task in connection.execute(
        select(base.c.name, base.c.type, grades.c.max_score, tasks.c.max_score)
        .outerjoin(grades, grades.c.id == base.c.id)
        .outerjoin(tasks, tasks.c.id == base.c.id)
        .where(base.c.notebook_id == notebook_id)
    ):
        kinds.setdefault(name, {})[kind] = of_task if kind == "TaskCell" else of_grade
    rows = connection.execute(select(source).where(source.c.notebook_id == notebook_id))
    return {row.name: _trusted_cell(row, kinds.get(row.name, {})) for row in rows}


def _trusted_cell(row: Any, kinds: dict[str, float | None]) -> TrustedCell:
    return TrustedCell(
        grade_id=row.name,
        cell_type=row.cell_type,
        source=row.source or "",
        points=float(kinds.get("GradeCell") or kinds.get("TaskCell") or 0.0),
        grade="GradeCell" in kinds,
        solution="SolutionCell" in kinds,
        locked=row.locked,
        task="TaskCell" in kinds,
    )


def _release(coursedir: CourseDirectory, assignment: str) -> Path:
    """The folder that learners got, or the source where nothing was generated to keep."""
    release = Path(coursedir.format_path(coursedir.release_directory, ".", assignment))
    return release if release.is_dir() else _source(coursedir, assignment)


def _source(coursedir: CourseDirectory, assignment: str) -> Path:
    return Path(coursedir.format_path(coursedir.source_directory, ".", assignment))


def _read(path: Path, again: str) -> Any:
    try:
        return nbformat.read(path, as_version=4)
    except FileNotFoundError:
        raise CourseError(f"{path} does not exist, but is registered; {again}.") from None
    except (OSError, ValueError, AttributeError, KeyError, TypeError):
        raise CourseError(f"{path} cannot be read as a notebook; {again}.") from None


def _ordered_ids(path: Path, release: Any, book: _Registered, again: str) -> list[str]:
    """The grade_ids in the release's order; CourseError unless it is what was registered."""
    ids = []
    for cell in release.cells:
        if not (is_grade(cell) or is_solution(cell) or is_locked(cell) or is_task(cell)):
            continue
        meta = cell.metadata["nbgrader"]
        grade_id = str(meta.get("grade_id", ""))
        trusted = book.cells.get(grade_id)
        if trusted is None:
            raise CourseError(f"{path}: cell '{grade_id}' is not in the gradebook; {again}.")
        if _flags(cell, meta) != _trusted_flags(trusted):
            raise CourseError(
                f"{path}: cell '{grade_id}' has another type or other points than in the "
                f"gradebook; {again}."
            )
        ids.append(grade_id)
    doubled = next((grade_id for grade_id in ids if ids.count(grade_id) > 1), None)
    if doubled is not None:
        raise CourseError(f"{path} holds the cell '{doubled}' twice; give it another id, {again}.")
    missing = next((grade_id for grade_id in book.cells if grade_id not in ids), None)
    if missing is not None:
        raise CourseError(f"{path} lacks the cell '{missing}' of the gradebook; {again}.")
    return ids


def _flags(cell: Any, meta: Any) -> tuple[object, ...]:
    points = float(meta.get("points", 0)) if is_grade(cell) or is_task(cell) else 0.0
    flags = (is_grade(cell), is_solution(cell), is_task(cell), is_locked(cell))
    return (cell.cell_type, points, *(bool(flag) for flag in flags))


def _trusted_flags(cell: TrustedCell) -> tuple[object, ...]:
    return (cell.cell_type, cell.points, cell.grade, cell.solution, cell.task, cell.locked)


def _kernel(release: Any) -> str:
    return str(release.metadata.get("kernelspec", {}).get("name", "") or "python3")


def _data(coursedir: CourseDirectory, assignment: str, limits: Limits) -> dict[str, bytes]:
    """The files that nbgrader, too, puts over the learner's before it grades."""
    folder = _source(coursedir, assignment)
    if not folder.is_dir():
        folder = _release(coursedir, assignment)
    kept = Autograde(coursedir=coursedir, config=coursedir.config).exclude_overwriting
    learners = {str(Path(name)) for name in kept.get(assignment, [])}
    paths = [Path(path) for path in find_all_files(str(folder), [*coursedir.ignore, "*.ipynb"])]
    wanted = {path.relative_to(folder).as_posix(): path for path in sorted(paths)}
    size_mb = sum(path.stat().st_size for path in wanted.values()) / 1e6
    if size_mb > limits.work_mb:
        raise CourseError(
            f"{folder} holds {size_mb:.0f} MB of data, more than the {limits.work_mb} MB of a "
            "submission's work folder; raise that limit or shrink the data."
        )
    return {name: path.read_bytes() for name, path in wanted.items() if name not in learners}


def _controls(root: Path, assignment: str) -> dict[str, tuple[str, ...]]:
    """For each test of a lab with a bank, by grade_id, its first known wrong answers."""
    master = Course(root).master(assignment)
    bank = [master, *(master.with_name(f"{make}_answers.py") for make in ("wrong", "right"))]
    if not all(path.exists() for path in bank):
        return {}
    wrong: dict[str, list[str]] = {}
    for variant in read_bank(read_lab(master)):
        if variant.wrong:
            wrong.setdefault(f"{variant.question}-test", []).append(variant.source)
    return {grade_id: tuple(islice(sources, CONTROLS)) for grade_id, sources in wrong.items()}


def _visible_code(release: Any, book: _Registered, hidden: tuple[str, str]) -> Iterator[str]:
    """The code that a learner sees: the template's memory is open to every learner's code."""
    for cell in release.cells:
        if cell.cell_type != "code":
            continue
        trusted = book.cells.get(cell.metadata.get("nbgrader", {}).get("grade_id"))
        yield hidden_removed(trusted.source if trusted else cell.source, hidden)
