"""An assignment as the gradebook has it registered, looked up once for all its submissions."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from nbgrader.api import (
    Assignment,
    BaseCell,
    Notebook,
    SourceCell,
)
from nbgrader.converters import Autograde
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import AssignLatePenalties
from sqlalchemy import (
    Connection,
    Engine,
    select,
)

from grader.engine.gradebook import told
from grader.engine.model import Specification
from grader.engine.prepare import nbgrader_metadata
from grader.errors import CourseError


@dataclass(frozen=True)
class Book:
    """A notebook's rows in the gradebook."""

    id: str
    name: str
    graded: dict[str, str]  # grade_id -> id of the cell that grades belong to
    commented: dict[str, str]
    tasks: frozenset[str]
    metadata: dict[str, dict[str, Any]]
    sources: dict[str, str]


@dataclass(frozen=True)
class Store:
    """An assignment's place in the gradebook and on disk, looked up once for all submissions."""

    coursedir: CourseDirectory
    gradebook: Engine
    spec: Specification
    assignment_id: str
    duedate: datetime | None
    books: tuple[Book, ...]
    late: Any  # nbgrader's plugin, or None
    permissions: int
    create_students: bool
    writer: Engine = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "writer", self.gradebook.execution_options(grader_writes=True))


def open_store(coursedir: CourseDirectory, gradebook: Engine, spec: Specification) -> Store:
    """Look up once what storing each of an assignment's submissions needs."""
    table = Assignment.__table__
    with told(gradebook), gradebook.connect() as connection:
        row = connection.execute(
            select(table).where(table.c.name == spec.assignment)
        ).one_or_none()
        if row is None:
            raise CourseError(f"{spec.assignment} is not registered; release it again.")
        books = tuple(_book(connection, row.id, notebook) for notebook in spec.notebooks)
    config = Autograde(coursedir=coursedir, config=coursedir.config)
    return Store(
        coursedir=coursedir,
        gradebook=gradebook,
        spec=spec,
        assignment_id=row.id,
        duedate=row.duedate,
        books=books,
        late=_late_plugin(config),
        permissions=int(str(config.permissions), 8),
        create_students=config.create_student,
    )


def _late_plugin(config: Any) -> Any:
    late = AssignLatePenalties(parent=config, config=config.config)
    if not late.enabled or AssignLatePenalties not in config.autograde_preprocessors:
        return None
    late.init_plugin()
    return late.plugin_inst


def _book(connection: Connection, assignment_id: str, notebook: Any) -> Book:
    table, base, source = Notebook.__table__, BaseCell.__table__, SourceCell.__table__
    notebook_id = connection.execute(
        select(table.c.id).where(
            table.c.assignment_id == assignment_id, table.c.name == notebook.name
        )
    ).scalar_one()
    kinds: dict[str, dict[str, str]] = {"GradeCell": {}, "SolutionCell": {}, "TaskCell": {}}
    for cell in connection.execute(select(base).where(base.c.notebook_id == notebook_id)):
        kinds.setdefault(cell.type, {})[cell.name] = cell.id
    checksums: dict[str, str] = {
        cell.name: cell.checksum
        for cell in connection.execute(select(source).where(source.c.notebook_id == notebook_id))
    }
    return Book(
        id=notebook_id,
        name=notebook.name,
        graded=kinds["GradeCell"] | kinds["TaskCell"],
        commented=kinds["SolutionCell"] | kinds["TaskCell"],
        tasks=frozenset(kinds["TaskCell"]),
        metadata={
            c.grade_id: nbgrader_metadata(c) | {"checksum": checksums.get(c.grade_id)}
            for c in notebook.cells
        },
        sources={cell.grade_id: cell.source for cell in notebook.cells},
    )
