"""Grades as CSV: one row per student and lab, quoted, and harmless in a spreadsheet."""

import csv
from pathlib import Path
from typing import Any

from nbgrader.api import MissingEntry
from nbgrader.plugins import ExportPlugin

from grader.atomic import replacing

COLUMNS = (
    "assignment",
    "student_id",
    "last_name",
    "first_name",
    "email",
    "timestamp",
    "raw_score",
    "late_submission_penalty",
    "score",
    "max_score",
    "needs_manual_grade",
)


def export_rows(gradebook: Any, labs: list[str]) -> list[dict[str, Any]]:
    """A row for each lab in `labs` (all, where empty) and each student, submitted or not."""
    rows = []
    for assignment in gradebook.assignments:
        if labs and assignment.name not in labs:
            continue
        for student in gradebook.students:
            row: dict[str, Any] = dict.fromkeys(COLUMNS, "")
            row |= {"assignment": assignment.name, "max_score": assignment.max_score}
            row |= {"student_id": student.id, "email": student.email or ""}
            row |= {"last_name": student.last_name or "", "first_name": student.first_name or ""}
            rows.append(row | _scores(gradebook, assignment.name, student.id))
    return rows


def _scores(gradebook: Any, lab: str, student: str) -> dict[str, Any]:
    try:
        submission = gradebook.find_submission(lab, student)
    except MissingEntry:
        return {"raw_score": 0.0, "late_submission_penalty": 0.0, "score": 0.0}
    penalty = submission.late_submission_penalty or 0.0
    return {
        "timestamp": submission.timestamp or "",
        "raw_score": submission.score,
        "late_submission_penalty": penalty,
        "score": max(0.0, submission.score - penalty),
        "needs_manual_grade": bool(submission.needs_manual_grade),
    }


def safe(value: Any) -> Any:
    """A value that no spreadsheet takes for a formula (OWASP: CSV injection)."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value


def write_csv(rows: list[dict[str, Any]], target: Path) -> None:
    """Write the rows to `target` at once: a reader sees the old file or the new one."""
    with replacing(target) as scratch, scratch.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, quoting=csv.QUOTE_NONNUMERIC)
        writer.writeheader()
        writer.writerows({name: safe(value) for name, value in row.items()} for row in rows)


class QuotedCsvExporter(ExportPlugin):
    """Plain `nbgrader export` writes the same file as `grader export`."""

    def export(self, gradebook: Any) -> None:
        write_csv(export_rows(gradebook, list(self.assignment)), Path(self.to or "grades.csv"))
