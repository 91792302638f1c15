"""Write results where nbgrader and formgrader look for them, whole or not at all.

One transaction per submission sets every row that nbgrader's autograde sets, and a record of our
own. The `autograded` folder is written aside and renamed in place just before the commit; what a
killed run leaves half done is undone by `clean_leftovers`, which asks the record who was last.
"""

import errno
import glob
import os
import re
import shutil
import sqlite3
import stat
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import nbformat
import nbformat.v4
from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Notebook,
    SourceCell,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    new_uuid,
)
from nbgrader.converters import Autograde
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import AssignLatePenalties
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    MetaData,
    String,
    Table,
    Text,
    bindparam,
    create_engine,
    delete,
    event,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.schema import CreateTable

from grader.engine.model import CellResult, NotebookResult, Result, Specification, Submission
from grader.engine.submissions import TIMESTAMP, Timestamp, folder_pattern
from grader.engine.wire import from_json, to_json
from grader.errors import CourseError

BUSY_S = 10.0  # how long to wait for another writer
LOOK_AT = frozenset({"tampered", "grader-error"})  # outcomes that a person must see
NO_RESPONSE = "No response."  # nbgrader's own words

_ASIDE = ("new", "old")  # folders on their way into place, and out of it
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

# Without foreign keys: nbgrader deletes students and assignments knowing nothing of this table.
_RESULTS = Table(
    "grader_result",
    MetaData(),
    Column("assignment_id", String(32), primary_key=True),
    Column("student_id", String(128), primary_key=True),
    Column("submission_id", String(32), nullable=False),  # a row that nbgrader may delete
    Column("folder", String(32), nullable=False),  # token of the folder that belongs to it
    Column("submission", String(64), nullable=False),
    Column("specification", String(64), nullable=False),
    Column("isolation", String(64), nullable=False),
    Column("record", Text, nullable=False),
)


@dataclass(frozen=True)
class Record:
    """What is kept of a result beside nbgrader's own rows."""

    submission: str  # digest
    specification: str  # digest
    isolation: str
    controls: str
    score: float  # with what people gave, before any penalty
    max_score: float
    penalty: float
    outcomes: dict[str, int]
    repairs: list[str]
    events: list[str]
    needs_manual_grade: bool  # an answer waits for its points
    needs_person: bool  # something went wrong that a person must look at
    problem: str
    cells_cpu_s: float  # of the notebooks' cells and controls


@dataclass(frozen=True)
class _Book:
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
    books: tuple[_Book, ...]
    late: Any  # nbgrader's plugin, or None
    permissions: int
    create_students: bool
    writer: Engine = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "writer", self.gradebook.execution_options(grader_writes=True))


def open_gradebook(coursedir: CourseDirectory, busy_s: float = BUSY_S) -> Engine:
    """The course's gradebook, opened once for a run; CourseError where there is none."""
    url = make_url(coursedir.db_url)
    sqlite = url.get_backend_name() == "sqlite"
    if sqlite and not (url.database and Path(url.database).is_file()):
        raise CourseError(f"{url.database} does not exist; release an assignment first.")
    gradebook = create_engine(url, connect_args={"timeout": busy_s} if sqlite else {})
    if sqlite:
        event.listen(gradebook, "connect", _leave_begin_to_us)
        event.listen(gradebook, "begin", _begin)
    with told(gradebook):
        if not inspect(gradebook).has_table("assignment"):
            raise CourseError(f"{url.database} is no gradebook; release an assignment first.")
        with gradebook.begin() as connection:
            connection.execute(CreateTable(_RESULTS, if_not_exists=True))
    return gradebook


def _leave_begin_to_us(connection: Any, _record: Any) -> None:
    connection.isolation_level = None


def _begin(connection: Connection) -> None:
    """Take SQLite's write lock at once: a transaction that reads first could not get it later."""
    writes = connection.get_execution_options().get("grader_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def told(gradebook: Engine) -> Iterator[None]:
    """Say in one sentence what a full disk or another program does to the gradebook."""
    where = gradebook.url.database
    try:
        yield
    except IntegrityError:
        raise CourseError(
            f"{where}: another program wrote the same rows at this moment; run again."
        ) from None
    except DBAPIError as error:
        raise CourseError(f"{where}: {_database_problem(error)}.") from None
    except OSError as error:
        if error.errno in _FULL:
            raise CourseError(
                f"{error.filename or where}: the disk is full; make room and run again."
            ) from None
        raise CourseError(
            f"{error.filename or where} cannot be written: {error.strerror or error}; "
            "mend that and run again."
        ) from None


def _database_problem(error: DBAPIError) -> str:
    said = str(error.orig).splitlines()[0] if str(error.orig) else type(error.orig).__name__
    # SQLite reports some full disks as I/O errors.
    code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return "another program is writing the gradebook; wait for it and run again"
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return f"the gradebook cannot be written ({said}); make room on the disk and run again"
    if "no such" in said:
        return f"the gradebook is of another version ({said}); run 'nbgrader db upgrade'"
    return f"the gradebook refused it ({said}); mend that and run again"


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


def _book(connection: Connection, assignment_id: str, notebook: Any) -> _Book:
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
    return _Book(
        id=notebook_id,
        name=notebook.name,
        graded=kinds["GradeCell"] | kinds["TaskCell"],
        commented=kinds["SolutionCell"] | kinds["TaskCell"],
        tasks=frozenset(kinds["TaskCell"]),
        metadata={c.grade_id: _metadata(c, checksums.get(c.grade_id)) for c in notebook.cells},
        sources={cell.grade_id: cell.source for cell in notebook.cells},
    )


def _metadata(cell: Any, checksum: str | None) -> dict[str, Any]:
    """What nbgrader keeps in a cell, and reads for feedback and formgrader."""
    metadata = {
        "cell_type": cell.cell_type,
        "checksum": checksum,
        "grade": cell.grade,
        "grade_id": cell.grade_id,
        "locked": cell.locked,
        "schema_version": 3,
        "solution": cell.solution,
        "task": cell.task,
    }
    return metadata | ({"points": cell.points} if cell.grade or cell.task else {})


@contextmanager
def only_grader(coursedir: CourseDirectory) -> Iterator[None]:
    """Keep other graders from this course's files; the lock goes with the process."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    folder = Path(coursedir.format_path(coursedir.autograded_directory, ".", "."))
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CourseError(f"{folder}: another grader is at work; let it end first.") from None
        yield
    finally:
        os.close(descriptor)


def already_graded(store: Store) -> dict[str, Record]:
    """By student, what was recorded and still stands.

    A record falls where nbgrader deleted the submission, or a person the autograded folder.
    """
    submitted = SubmittedAssignment.__table__
    query = (
        select(_RESULTS.c.student_id, _RESULTS.c.record)
        .join(submitted, submitted.c.id == _RESULTS.c.submission_id)
        .where(_RESULTS.c.assignment_id == store.assignment_id)
    )
    with told(store.gradebook), store.gradebook.connect() as connection:
        rows = connection.execute(query).all()
    records = {}
    for student, text in rows:
        with suppress(CourseError):  # of another version: grade again
            record = from_json(Record, text)
            if record.problem or _folder(store, student).is_dir():
                records[student] = record
    return records


def store_result(
    store: Store, submission: Submission, result: Result, submitted: Timestamp
) -> Record:
    """Write one submission's files, scores and record; nothing of it where anything fails.

    A submission with a problem keeps its row, without scores and with every grade waiting for a
    person, and has no autograded folder: formgrader shows it as not yet graded.
    """
    token = new_uuid()
    folder = _folder(store, submission.student)
    fresh, former = (folder.with_name(f".{folder.name}.{token}.{kind}") for kind in _ASIDE)
    with told(store.gradebook):
        try:
            if not result.problem:
                _write_folder(store, fresh, submission, result, submitted)
            with store.writer.connect() as connection, _rolled_back(connection):
                record = _write_rows(connection, store, submission, result, submitted, token)
                with _swapped(folder, fresh, former):
                    connection.commit()
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(former, ignore_errors=True)
    return record


@contextmanager
def _rolled_back(connection: Connection) -> Iterator[None]:
    """Roll back where the block fails: after a failed commit, closing alone keeps the lock."""
    try:
        yield
    except BaseException:
        connection.rollback()
        raise


@contextmanager
def _swapped(folder: Path, fresh: Path, former: Path) -> Iterator[None]:
    """Put the fresh folder, or none, in the former's place, unless the block fails."""
    if folder.exists():
        folder.rename(former)
    try:
        if fresh.exists():
            fresh.rename(folder)
        yield
    except Exception:
        _put_back(folder, former)
        raise


def _put_back(folder: Path, former: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if former.exists():
        former.rename(folder)


def clean_leftovers(store: Store) -> int:
    """Undo what a killed run left half done; return how many folders that were.

    To be called inside `only_grader`, at the start of a run.
    """
    pattern = folder_pattern(
        store.coursedir, store.coursedir.autograded_directory, store.spec.assignment
    )
    # Path.glob, for which a * matches names with a dot as well, would find too much.
    paths = [Path(p) for p in glob.glob(str(pattern.with_name(f".{pattern.name}.*")))]  # noqa: PTH207
    query = select(_RESULTS.c.folder).where(_RESULTS.c.assignment_id == store.assignment_id)
    cleaned = 0
    with told(store.gradebook), store.gradebook.connect() as connection:
        committed = set(connection.execute(query).scalars())
        for path in paths:
            match = re.fullmatch(r"\.(.+)\.([0-9a-f]{32})\.(new|old)", path.name)
            if not match:
                continue
            name, token, kind = match.groups()
            if kind == "old" and token not in committed:
                _put_back(path.with_name(name), path)
            else:
                shutil.rmtree(path)
            cleaned += 1
    return cleaned


def _folder(store: Store, student: str) -> Path:
    coursedir = store.coursedir
    path = coursedir.format_path(coursedir.autograded_directory, student, store.spec.assignment)
    return Path(os.path.normpath(path))


def _write_folder(
    store: Store, fresh: Path, submission: Submission, result: Result, submitted: Timestamp
) -> None:
    """What nbgrader's autograde leaves: executed notebooks, data, the learner's other files."""
    files = submission.files | store.spec.data
    if submitted.when is not None:
        files[TIMESTAMP] = submitted.text.encode()
    executed = {notebook.name: notebook.executed for notebook in result.notebooks}
    for book in store.books:
        if executed.get(book.name):
            files[f"{book.name}.ipynb"] = _notebook_text(book, executed[book.name])
    fresh.mkdir(parents=True)
    for name, content in files.items():
        path = fresh / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(store.permissions)
    if store.coursedir.groupshared:
        for path in (fresh, *(path for path in fresh.rglob("*") if path.is_dir())):
            path.chmod(stat.S_IMODE(path.stat().st_mode) | 0o2770)


def _notebook_text(book: _Book, executed: dict[str, Any]) -> bytes:
    """The notebook as nbgrader would write it, each trusted cell with its registered metadata."""
    notebook = nbformat.from_dict(executed)
    named = {id(cell): grade_id for grade_id, cell in _named_cells(book, notebook).items()}
    for cell in notebook.cells:
        cell.metadata.pop("nbgrader", None)
        if id(cell) in named:
            cell.metadata["nbgrader"] = nbformat.from_dict(book.metadata[named[id(cell)]])
    text: str = nbformat.v4.writes(notebook) + "\n"
    return text.encode("utf-8", errors="replace")


def _named_cells(book: _Book, executed: dict[str, Any]) -> dict[str, Any]:
    """The first cell of each known grade_id."""
    named: dict[str, Any] = {}
    for cell in executed["cells"]:
        grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if isinstance(grade_id, str) and grade_id in book.metadata:
            named.setdefault(grade_id, cell)
    return named


def _write_rows(
    connection: Connection,
    store: Store,
    submission: Submission,
    result: Result,
    submitted: Timestamp,
    token: str,
) -> Record:
    student = submission.student
    _ensure_student(connection, store, student)
    submission_id, extension = _submission_row(connection, store, student, submitted.when)
    rows = _notebook_rows(connection, store, submission_id)
    results = {notebook.name: notebook for notebook in result.notebooks}
    late_s = _seconds_late(store, submitted.when, extension)
    score = penalty = 0.0
    waiting = False
    for book in store.books:
        notebook = results.get(book.name)
        grades = _write_grades(connection, book, rows[book.id], notebook)
        _write_comments(connection, book, rows[book.id], notebook)
        earned = sum(_score(grade) for grade in grades)
        lost = _penalty(store, student, earned, late_s if notebook and notebook.executed else 0.0)
        table = SubmittedNotebook.__table__
        connection.execute(
            update(table).where(table.c.id == rows[book.id]).values(late_submission_penalty=lost)
        )
        score, penalty = score + earned, penalty + (lost or 0.0)
        waiting = waiting or any(grade["needs_manual_grade"] for grade in grades)
    record = _record(store, result, submitted, score, penalty, waiting)
    _write_record(connection, store, student, submission_id, token, record)
    return record


def _ensure_student(connection: Connection, store: Store, student: str) -> None:
    table = Student.__table__
    if connection.execute(select(table.c.id).where(table.c.id == student)).first():
        return
    if not store.create_students:
        raise CourseError(
            f"{student} is not in the gradebook; add the student, or forbid it less."
        )
    connection.execute(insert(table).values(id=student))


def _submission_row(
    connection: Connection, store: Store, student: str, when: datetime | None
) -> tuple[str, timedelta | None]:
    """The id and the extension of the submission's row, which then says when it was made."""
    table = SubmittedAssignment.__table__
    row = connection.execute(
        select(table.c.id, table.c.extension).where(
            table.c.assignment_id == store.assignment_id, table.c.student_id == student
        )
    ).one_or_none()
    if row is None:
        new_id = new_uuid()
        values = {"id": new_id, "assignment_id": store.assignment_id, "student_id": student}
        connection.execute(insert(table).values(**values, timestamp=when))
        return new_id, None
    connection.execute(update(table).where(table.c.id == row.id).values(timestamp=when))
    return row.id, row.extension


def _notebook_rows(connection: Connection, store: Store, submission_id: str) -> dict[str, str]:
    """The row of each submitted notebook, by the id of the assignment's notebook."""
    table = SubmittedNotebook.__table__
    query = select(table.c.notebook_id, table.c.id).where(
        table.c.notebook_id.in_([book.id for book in store.books]),
        table.c.assignment_id == submission_id,
    )
    rows: dict[str, str] = {row.notebook_id: row.id for row in connection.execute(query)}
    new = {book.id: new_uuid() for book in store.books if book.id not in rows}
    if new:
        connection.execute(
            insert(table),
            [{"id": i, "notebook_id": n, "assignment_id": submission_id} for n, i in new.items()],
        )
    return rows | new


def _write_grades(
    connection: Connection, book: _Book, row_id: str, notebook: NotebookResult | None
) -> list[dict[str, Any]]:
    """Set every grade of a submitted notebook, manual scores apart; return the rows' values."""
    cells = {cell.grade_id: cell for cell in notebook.cells} if notebook else {}
    former = _rows_of(connection, Grade.__table__, row_id, book.graded)
    grades = []
    for grade_id, cell_id in book.graded.items():
        row = former.get(cell_id)
        manual, extra = (row.manual_score, row.extra_credit) if row else (None, None)
        if notebook is None:
            auto, waiting = None, True
        elif not notebook.executed:  # not handed in
            auto, waiting = 0.0, False
        elif grade_id in book.tasks:  # people alone grade these, and nbgrader asks them once
            auto, waiting = None, row is None or manual is None or row.needs_manual_grade
        else:
            auto, waiting = _graded(cells.get(grade_id), manual)
        grades.append(
            {"cell_id": cell_id, "notebook_id": row_id, "auto_score": auto}
            | {"manual_score": manual, "extra_credit": extra, "needs_manual_grade": waiting}
        )
    changed = ("auto_score", "needs_manual_grade")
    _write_cells(connection, Grade.__table__, former, grades, changed)
    return grades


def _graded(cell: CellResult | None, manual: float | None) -> tuple[float | None, bool]:
    """The automatic score, and whether a person must (again) decide."""
    if cell is None:
        return None, True
    return cell.score, manual is not None or cell.score is None or cell.outcome in LOOK_AT


def _score(grade: dict[str, Any]) -> float:
    """A grade's score as nbgrader sums it up."""
    given = grade["auto_score"] if grade["manual_score"] is None else grade["manual_score"]
    return 0.0 if given is None else float(given + (grade["extra_credit"] or 0.0))


def _write_comments(
    connection: Connection, book: _Book, row_id: str, notebook: NotebookResult | None
) -> None:
    former = _rows_of(connection, Comment.__table__, row_id, book.commented)
    silent = _unanswered(book, notebook) if notebook and notebook.executed else set()
    comments: list[dict[str, Any]] = [
        {"cell_id": cell_id, "notebook_id": row_id}
        | {"auto_comment": NO_RESPONSE if grade_id in silent else None}
        for grade_id, cell_id in book.commented.items()
    ]
    _write_cells(connection, Comment.__table__, former, comments, ("auto_comment",))


def _unanswered(book: _Book, notebook: NotebookResult) -> set[str]:
    """The answers that are as they were released."""
    silent = {cell.grade_id for cell in notebook.cells if cell.outcome == "unanswered"}
    for grade_id, cell in _named_cells(book, notebook.executed).items():
        if cell["source"] == book.sources[grade_id]:
            silent.add(grade_id)
    return silent - book.tasks


def _rows_of(
    connection: Connection, table: Any, row_id: str, cells: dict[str, str]
) -> dict[str, Any]:
    """A submitted notebook's rows by cell; naming the cells lets the index find them."""
    query = select(table).where(
        table.c.cell_id.in_(list(cells.values())), table.c.notebook_id == row_id
    )
    return {row.cell_id: row for row in connection.execute(query)}


def _write_cells(
    connection: Connection,
    table: Any,
    former: dict[str, Any],
    rows: list[dict[str, Any]],
    changed: Sequence[str],
) -> None:
    """Insert the rows that are new; of the others, update what changed."""
    new = [row | {"id": new_uuid()} for row in rows if row["cell_id"] not in former]
    old = [row for row in rows if row["cell_id"] in former]
    if new:
        connection.execute(insert(table), new)
    if old:
        connection.execute(
            update(table)
            .where(table.c.id == bindparam("row_id"))
            .values({name: bindparam(f"new_{name}") for name in changed}),
            [
                {"row_id": former[row["cell_id"]].id}
                | {f"new_{name}": row[name] for name in changed}
                for row in old
            ],
        )


def _seconds_late(store: Store, when: datetime | None, extension: timedelta | None) -> float:
    if when is None or store.duedate is None:
        return 0.0
    return max(0.0, (when - store.duedate - (extension or timedelta())).total_seconds())


def _penalty(store: Store, student: str, score: float, late_s: float) -> float | None:
    """What the course's plugin takes off a late notebook, held between 0 and its score."""
    if store.late is None or late_s <= 0:
        return None
    try:
        penalty = store.late.late_submission_penalty(student, score, late_s)
        return None if penalty is None else min(max(float(penalty), 0.0), score)
    except Exception as error:
        name = type(store.late).__name__
        raise CourseError(f"the late plugin {name} failed: {error}; mend it.") from error


def _record(
    store: Store,
    result: Result,
    submitted: Timestamp,
    score: float,
    penalty: float,
    waiting: bool,
) -> Record:
    notebooks = result.notebooks
    outcomes = Counter(cell.outcome for notebook in notebooks for cell in notebook.cells)
    where = {n.name: f"{n.name}: " if len(store.books) > 1 else "" for n in notebooks}
    events = [where[n.name] + event for n in notebooks for event in n.events]
    points = (cell.points for n in store.spec.notebooks for cell in n.cells)
    return Record(
        submission=result.submission,
        specification=result.specification,
        isolation=result.isolation,
        controls=result.controls,
        score=score,
        max_score=float(sum(points)),
        penalty=penalty,
        outcomes=dict(sorted(outcomes.items())),
        repairs=[where[n.name] + repair for n in notebooks for repair in n.repairs],
        events=events + ([submitted.note] if submitted.note else []),
        needs_manual_grade=waiting,
        needs_person=bool(result.problem or submitted.note or LOOK_AT & outcomes.keys()),
        problem=result.problem,
        cells_cpu_s=sum(notebook.cells_cpu_s for notebook in notebooks),
    )


def _write_record(
    connection: Connection,
    store: Store,
    student: str,
    submission_id: str,
    token: str,
    record: Record,
) -> None:
    key = {"assignment_id": store.assignment_id, "student_id": student}
    connection.execute(
        delete(_RESULTS).where(*(_RESULTS.c[name] == value for name, value in key.items()))
    )
    connection.execute(
        insert(_RESULTS).values(
            **key,
            submission_id=submission_id,
            folder=token,
            submission=record.submission,
            specification=record.specification,
            isolation=record.isolation,
            record=to_json(record),
        )
    )
