"""The grader as a process of its own: started, watched, and ended by its number."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from grader.course import Course
from tests.workflow.learners import fill

BIN = Path(sys.executable).parent
GRADER = [str(BIN / "grader"), "--course"]
RUN_S = 120.0
PATIENCE_S = 20.0  # for processes to end on a loaded machine


@dataclass
class Running:
    """A grader at work, with a folder for temporary files of its own, by which all is found."""

    process: "subprocess.Popen[str]"
    temporary: Path

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.communicate(timeout=PATIENCE_S)

    def finished(self) -> tuple[int, str, str]:
        """Exit status, what it printed, and what it said on stderr, once it has ended."""
        try:
            out, said = self.process.communicate(timeout=RUN_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        return self.process.returncode, out, said


def start(course: Course, temporary: Path, *arguments: str) -> Running:
    """Start `grader autograde ...` as a process and leader of its own group."""
    temporary.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(
        [*GRADER, str(course.root), "autograde", *arguments],
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Where a shell has put the tests in the background, Ctrl-C is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    return Running(process, temporary)


def left_over(temporary: Path) -> list[int]:
    """Processes that name the folder: template, monitors and kernels share one command line."""
    found = []
    for process in psutil.process_iter():
        try:
            if any(str(temporary) in word for word in process.cmdline()):
                found.append(process.pid)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return found


def wait_until(holds: Callable[[], object], seconds: float = PATIENCE_S) -> bool:
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def query(course: Course, statement: str) -> list[Any]:
    """Rows of the gradebook; it may be written to, as a reader undoes what a kill cut short."""
    connection = sqlite3.connect(f"file:{course.root / 'gradebook.db'}?mode=rw", uri=True)
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


def recorded(course: Course) -> dict[str, str]:
    """Whose result is recorded, and the token of the folder that came with it."""
    if not query(course, "SELECT 1 FROM sqlite_master WHERE name = 'grader_result'"):
        return {}
    return dict(query(course, "SELECT student_id, folder FROM grader_result"))


def scores(course: Course) -> list[Any]:
    """Every grade in the gradebook, by student and cell."""
    return query(
        course,
        "SELECT s.student_id, c.name, g.auto_score, g.manual_score, g.needs_manual_grade "
        "FROM grade g JOIN base_cell c ON c.id = g.cell_id "
        "JOIN submitted_notebook n ON n.id = g.notebook_id "
        "JOIN submitted_assignment s ON s.id = n.assignment_id ORDER BY 1, 2",
    )


def hand_in(course: Course, lab: str, student: str, answers: dict[str, str]) -> Path:
    return fill(course, lab, course.submitted / student / lab, lab, answers)


def copied(course: Course, target: Path) -> Course:
    return Course(Path(shutil.copytree(course.root, target)))


def results(path: Path) -> dict[str, Any]:
    """What `--json` wrote, by student."""
    return {row["student"]: row for row in json.loads(path.read_text())}
