"""Write results where nbgrader and formgrader look for them, whole or not at all.

One transaction per submission sets every row that nbgrader's autograde sets, and a record of our
own. The `autograded` folder is written aside and renamed in place just before the commit; what a
killed run leaves half done is undone by `clean_leftovers`, which asks the record who was last.
"""

import glob
import os
import re
import shutil
import stat
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import nbformat.v4
from nbgrader.api import (
    SubmittedAssignment,
    SubmittedNotebook,
    new_uuid,
)
from nbgrader.coursedir import CourseDirectory
from sqlalchemy import (
    Connection,
    delete,
    insert,
    select,
    update,
)

from grader.engine.gradebook import RESULTS, told
from grader.engine.model import Result, Submission
from grader.engine.registered import Book, Store
from grader.engine.rows import (
    LOOK_AT,
    ensure_student,
    late_penalty,
    named_cells,
    notebook_rows,
    score_of,
    seconds_late,
    submission_row,
    write_comments,
    write_grades,
)
from grader.engine.submissions import TIMESTAMP, Timestamp, folder_pattern
from grader.engine.wire import from_json, to_json
from grader.errors import CourseError

_ASIDE = ("new", "old")  # folders on their way into place, and out of it


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
        select(RESULTS.c.student_id, RESULTS.c.record)
        .join(submitted, submitted.c.id == RESULTS.c.submission_id)
        .where(RESULTS.c.assignment_id == store.assignment_id)
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
    query = select(RESULTS.c.folder).where(RESULTS.c.assignment_id == store.assignment_id)
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


def _notebook_text(book: Book, executed: dict[str, Any]) -> bytes:
    """The notebook as nbgrader would write it, each trusted cell with its registered metadata."""
    notebook = nbformat.from_dict(executed)
    named = {id(cell): grade_id for grade_id, cell in named_cells(book, notebook).items()}
    for cell in notebook.cells:
        cell.metadata.pop("nbgrader", None)
        if id(cell) in named:
            cell.metadata["nbgrader"] = nbformat.from_dict(book.metadata[named[id(cell)]])
    text: str = nbformat.v4.writes(notebook) + "\n"
    return text.encode("utf-8", errors="replace")


def _write_rows(
    connection: Connection,
    store: Store,
    submission: Submission,
    result: Result,
    submitted: Timestamp,
    token: str,
) -> Record:
    student = submission.student
    ensure_student(connection, store, student)
    submission_id, extension = submission_row(connection, store, student, submitted.when)
    rows = notebook_rows(connection, store, submission_id)
    results = {notebook.name: notebook for notebook in result.notebooks}
    late_s = seconds_late(store, submitted.when, extension)
    score = penalty = 0.0
    waiting = False
    for book in store.books:
        notebook = results.get(book.name)
        grades = write_grades(connection, book, rows[book.id], notebook)
        write_comments(connection, book, rows[book.id], notebook)
        earned = sum(score_of(grade) for grade in grades)
        lost = late_penalty(
            store, student, earned, late_s if notebook and notebook.executed else 0.0
        )
        table = SubmittedNotebook.__table__
        connection.execute(
            update(table).where(table.c.id == rows[book.id]).values(late_submission_penalty=lost)
        )
        score, penalty = score + earned, penalty + (lost or 0.0)
        waiting = waiting or any(grade["needs_manual_grade"] for grade in grades)
    record = _record(store, result, submitted, score, penalty, waiting)
    _write_record(connection, store, student, submission_id, token, record)
    return record


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
        delete(RESULTS).where(*(RESULTS.c[name] == value for name, value in key.items()))
    )
    connection.execute(
        insert(RESULTS).values(
            **key,
            submission_id=submission_id,
            folder=token,
            submission=record.submission,
            specification=record.specification,
            isolation=record.isolation,
            record=to_json(record),
        )
    )
