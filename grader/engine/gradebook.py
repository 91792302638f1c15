"""Open nbgrader's gradebook once, and say in a sentence what goes wrong with it."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nbgrader.coursedir import CourseDirectory
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    inspect,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.schema import CreateTable

from grader.errors import CourseError

BUSY_S = 10.0  # how long to wait for another writer


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


# Without foreign keys: nbgrader deletes students and assignments knowing nothing of this table.
RESULTS = Table(
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
            connection.execute(CreateTable(RESULTS, if_not_exists=True))
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
