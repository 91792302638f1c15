"""The learner's progress: one file beside the labs, of the form that the book's pages keep too.

{"format": 1,
 "questions": {...},  what was answered in the book, exported there; kept as it is here
 "labs": {LAB: {QUESTION: {"outcome": "right", "points": 4, "earned": 4, "date": "..."}}}}
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from grader.atomic import replacing
from grader.check import Result
from grader.course import Course

FILE = "progress.json"
FORMAT = 1
# Folders of a course in which no learner works.
NOT_LEARNERS = ("labs", "solutions", "source", "release", "submitted", "autograded", "feedback")


def keep(course: Course, lab: str, notebook: Path, results: Sequence[Result]) -> str:
    """Write what a check found into the learner's file; a sentence where that failed, or ''."""
    path = progress_file(course, lab, notebook)
    if path is None:
        return ""
    try:
        progress = _read(path)
    except (ValueError, RecursionError):
        return (
            f"{path} is damaged or of another format and was left as it is, so this result is "
            "not in it; move the file away, and the next check starts a new one."
        )
    except OSError as error:
        return f"{path} cannot be read ({error.strerror}), so this result is not kept."
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    progress["labs"][lab] = {
        result.question: {
            "outcome": result.outcome,
            "points": result.points,
            "earned": result.earned,
            "date": now,
        }
        for result in results
    }
    try:
        with replacing(path) as scratch:
            scratch.write_text(json.dumps(progress, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        return f"{path} cannot be written ({error.strerror}), so this result is not kept."
    return ""


def progress_file(course: Course, lab: str, notebook: Path) -> Path | None:
    """Where the progress of a notebook's learner is kept; None for one that is no learner's."""
    if notebook.is_relative_to(course.root):
        top = notebook.relative_to(course.root).parts[0]
        if top in NOT_LEARNERS:
            return None
    folder = notebook.parent
    # A notebook that lies loose, as in a folder of downloads, has its file beside it.
    return (folder.parent if folder.name == lab else folder) / FILE


def _read(path: Path) -> dict[str, Any]:
    """The file's content, or a new one; ValueError where it is not as we write it."""
    try:
        progress = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {"format": FORMAT, "questions": {}, "labs": {}}
    if not isinstance(progress, dict) or progress.get("format") != FORMAT:
        raise ValueError
    if not isinstance(progress.setdefault("labs", {}), dict):
        raise ValueError
    return progress
