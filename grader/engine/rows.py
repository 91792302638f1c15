"""The gradebook rows of one submission, as nbgrader's own autograde leaves them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from nbgrader.api import (
    Comment,
    Grade,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    new_uuid,
)
from sqlalchemy import (
    Connection,
    bindparam,
    insert,
    select,
    update,
)

from grader.engine.model import CellResult, NotebookResult
from grader.engine.registered import Book, Store
from grader.errors import CourseError

LOOK_AT = frozenset({"tampered", "grader-error"})  # outcomes that a person must see


NO_RESPONSE = "No response."  # nbgrader's own words


def named_cells(book: Book, executed: dict[str, Any]) -> dict[str, Any]:
    """The first cell of each known grade_id."""
    named: dict[str, Any] = {}
    for cell in executed["cells"]:
        grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if isinstance(grade_id, str) and grade_id in book.metadata:
            named.setdefault(grade_id, cell)
    return named


def ensure_student(connection: Connection, store: Store, student: str) -> None:
    table = Student.__table__
    if connection.execute(select(table.c.id).where(table.c.id == student)).first():
        return
    if not store.create_students:
        raise CourseError(
            f"{student} is not in the gradebook; add the student, or forbid it less."
        )
    connection.execute(insert(table).values(id=student))


def submission_row(
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


def notebook_rows(connection: Connection, store: Store, submission_id: str) -> dict[str, str]:
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


def write_grades(
    connection: Connection, book: Book, row_id: str, notebook: NotebookResult | None
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


def score_of(grade: dict[str, Any]) -> float:
    """A grade's score as nbgrader sums it up."""
    given = grade["auto_score"] if grade["manual_score"] is None else grade["manual_score"]
    return 0.0 if given is None else float(given + (grade["extra_credit"] or 0.0))


def write_comments(
    connection: Connection, book: Book, row_id: str, notebook: NotebookResult | None
) -> None:
    former = _rows_of(connection, Comment.__table__, row_id, book.commented)
    silent = _unanswered(book, notebook) if notebook and notebook.executed else set()
    comments: list[dict[str, Any]] = [
        {"cell_id": cell_id, "notebook_id": row_id}
        | {"auto_comment": NO_RESPONSE if grade_id in silent else None}
        for grade_id, cell_id in book.commented.items()
    ]
    _write_cells(connection, Comment.__table__, former, comments, ("auto_comment",))


def _unanswered(book: Book, notebook: NotebookResult) -> set[str]:
    """The answers that are as they were released."""
    silent = {cell.grade_id for cell in notebook.cells if cell.outcome == "unanswered"}
    for grade_id, cell in named_cells(book, notebook.executed).items():
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


def seconds_late(store: Store, when: datetime | None, extension: timedelta | None) -> float:
    if when is None or store.duedate is None:
        return 0.0
    return max(0.0, (when - store.duedate - (extension or timedelta())).total_seconds())


def late_penalty(store: Store, student: str, score: float, late_s: float) -> float | None:
    """What the course's plugin takes off a late notebook, held between 0 and its score."""
    if store.late is None or late_s <= 0:
        return None
    try:
        penalty = store.late.late_submission_penalty(student, score, late_s)
        return None if penalty is None else min(max(float(penalty), 0.0), score)
    except Exception as error:
        name = type(store.late).__name__
        raise CourseError(f"the late plugin {name} failed: {error}; mend it.") from error
