"""Whatever stops a grader, the next run completes: nothing is lost, and nothing graded twice."""

import os
import random
import re
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree
from typing import Any

import pytest

from grader import autograde as module
from grader.cli import Progress, main
from grader.course import Course
from grader.engine.cgroup import group_named
from grader.engine.gradebook import open_gradebook
from grader.engine.scratch import PREFIX
from tests.workflow.learners import model_answers, wrong_answers
from tests.workflow.running import (
    GRADER,
    copied,
    hand_in,
    left_over,
    query,
    recorded,
    results,
    scores,
    start,
    wait_until,
)

LAB = "mini-mean"
KILLS = int(os.environ.get("GRADER_KILLS", "5"))
CLASS = int(os.environ.get("GRADER_CLASS", "24"))
LOOP = {"mean": "def mean(values):\n    while True:\n        pass\n"}


def whole_class(course: Course, size: int) -> Course:
    """Learners whose answers differ, and so their scores."""
    model, wrong = model_answers(course, LAB), wrong_answers(course, LAB)
    draw = random.Random(size)
    for number in range(size):
        kinds = [{name: draw.choice((model, wrong))[name]} for name in ("mean", "spread")]
        blank = {
            name: text for kind in kinds for name, text in kind.items() if draw.random() < 0.8
        }
        hand_in(course, LAB, f"student-{number:03}", {"choice": "The median.", **blank})
    return course


@pytest.fixture(scope="module")
def school(released_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A class that nobody has graded yet."""
    return whole_class(
        copied(Course(released_once), tmp_path_factory.mktemp("school") / "course"), CLASS
    )


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A folder for a grader's temporary files, with a short path for its sockets."""
    with tempfile.TemporaryDirectory(prefix="crash-") as folder:
        yield Path(folder)
        assert wait_until(lambda: not left_over(Path(folder)))


def kill_and_rerun(
    school: Course, folder: Path, temporary: Path, kills: int, seed: int
) -> list[int]:
    """Kill a run at random moments, rerun each time, compare with an undisturbed run.

    Returns how many results were recorded at each kill.
    """
    course = copied(school, folder / "undisturbed")
    started = time.monotonic()
    assert start(course, temporary, LAB).finished()[0] == 0
    seconds, expected = time.monotonic() - started, scores(course)
    draw, found = random.Random(seed), []
    while len(found) < kills:
        rmtree(folder / "killed", ignore_errors=True)
        course = copied(school, folder / "killed")
        running = start(course, temporary, LAB)
        time.sleep(draw.uniform(0, seconds))
        if running.process.poll() is not None:
            running.finished()
            continue  # it was done before its moment came
        running.kill()
        before = recorded(course)
        found.append(len(before))
        assert wait_until(lambda: not left_over(temporary))
        complete(course, temporary, before, expected)
    return found


def complete(course: Course, temporary: Path, before: dict[str, str], expected: Any) -> None:
    """Rerun and check that it did all that was left, and only that."""
    report = course.root / "report.json"
    groups = [group_named(folder.name) for folder in temporary.glob(f"{PREFIX}*/x/*")]
    status, _, said = start(course, temporary, LAB, "--json", str(report)).finished()
    assert status == 0, said
    assert not any(group.memory.exists() for group in groups if group)
    rows, after = results(report), recorded(course)
    assert {student for student, row in rows.items() if not row["fresh"]} == before.keys()
    assert {student: after[student] for student in before} == before
    assert scores(course) == expected
    assert query(course, "PRAGMA integrity_check") == [("ok",)]
    assert len(rows) == len(after) == len(list(course.submitted.iterdir()))
    names = {path.name for path in (course.root / "autograded").glob("*/*")}
    assert names == {LAB}, "a half-written folder was left"
    assert list(temporary.glob(f"{PREFIX}*")) == []
    assert left_over(temporary) == []


def test_killed_at_random_moments(school: Course, tmp_path: Path, temporary: Path) -> None:
    found = kill_and_rerun(school, tmp_path, temporary, KILLS, seed=3)
    assert len(set(found)) > 1, "every kill fell on the same moment"


@pytest.mark.parametrize("whole_group", [False, True], ids=["process", "terminal"])
def test_ctrl_c_stops_cleanly_and_a_rerun_goes_on(
    school: Course, tmp_path: Path, temporary: Path, whole_group: bool
) -> None:
    """Also while learners' code is in an endless loop; a terminal signals the whole group."""
    course = copied(school, tmp_path / "course")
    for number in range(2):
        hand_in(course, LAB, f"student-{number + 3:03}", LOOP)
    running = start(course, temporary, LAB)
    assert wait_until(lambda: len(recorded(course)) >= 3)
    pressed = time.monotonic()
    if whole_group:
        os.killpg(running.process.pid, signal.SIGINT)
    else:
        os.kill(running.process.pid, signal.SIGINT)
    status, _, said = running.finished()
    assert status == 130
    assert time.monotonic() - pressed < 10
    assert said.splitlines()[-1] == "grader: interrupted; what was finished is kept."
    assert "Traceback" not in said
    assert left_over(temporary) == []
    assert list(temporary.iterdir()) == []
    for number in range(2):
        rmtree(course.submitted / f"student-{number + 3:03}")
    before = recorded(course)
    report = course.root / "report.json"
    assert start(course, temporary, LAB, "--json", str(report)).finished()[0] == 0
    rows = results(report)
    assert {student for student, row in rows.items() if not row["fresh"]} == before.keys()
    assert len(rows) == CLASS - 2


def test_two_graders_at_once_grade_each_submission_once(
    school: Course, tmp_path: Path, temporary: Path
) -> None:
    course = copied(school, tmp_path / "course")
    both = [start(course, temporary, LAB) for _ in range(2)]
    ended = [running.finished() for running in both]
    assert sorted(status for status, _, _ in ended) == [0, 2]
    said = next(said for status, _, said in ended if status == 2)
    assert "another grader is at work" in said
    assert len(said.strip().splitlines()) == 1
    summary = next(out for status, out, _ in ended if status == 0)
    assert f"{CLASS} submissions: {CLASS} graded now, 0 unchanged" in summary
    assert len(query(course, "SELECT id FROM submitted_assignment")) == CLASS


def test_a_gradebook_that_another_program_locks(
    school: Course,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Locked before or in the middle of a run: what was graded stays, the rest is done later."""
    course = copied(school, tmp_path / "course")
    run = ["--course", str(course.root), "autograde", LAB]
    monkeypatch.setattr(module, "open_gradebook", lambda where: open_gradebook(where, 0.3))
    other = sqlite3.connect(course.root / "gradebook.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    assert main(run) == 2
    assert "another program is writing the gradebook" in capsys.readouterr().err
    other.execute("ROLLBACK")
    assert recorded(course) == {}
    step = Progress.step

    def lock_at_the_third(progress: Progress, outcome: str) -> None:
        step(progress, outcome)
        if progress.outcomes.total() == 3:
            other.execute("BEGIN IMMEDIATE")

    monkeypatch.setattr(Progress, "step", lock_at_the_third)
    assert main(run) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("grader: ")
    assert "another program is writing the gradebook; wait for it and run again." in said
    other.execute("ROLLBACK")
    assert len(recorded(course)) == 3
    folders = {path.parent.name for path in (course.root / "autograded").glob(f"*/{LAB}")}
    assert folders == recorded(course).keys()
    monkeypatch.setattr(Progress, "step", step)
    assert main(run) == 0
    assert f"{CLASS - 3} graded now, 3 unchanged" in capsys.readouterr().out


# $1 a folder for what is to be looked at, $2 the small disk, $3 the course, then the command.
ON_A_SMALL_DISK = """
out=$1; cd "$2"
mount -t tmpfs -o size=30m none "$2" && cd "$2" && cp -r "$3" course || exit 3
shift 3
head -c 64m /dev/zero > filler 2> /dev/null
truncate -s -100k filler
"$@"; echo "status $?"
ls -A course/autograded/*/ > "$out/folders"
cp course/gradebook.db "$out/gradebook.db"
rm filler
"$@" --json "$out/report.json"; echo "status $?"
cp course/gradebook.db "$out/done.db"
"""


def test_a_full_disk(school: Course, tmp_path: Path) -> None:
    """On a small file system of its own: nothing is half written, the rest is done later."""
    disk, out = tmp_path / "disk", tmp_path / "out"
    disk.mkdir()
    out.mkdir()
    own = [] if os.geteuid() == 0 else ["--map-root-user"]
    command = ["unshare", "--mount", *own, "sh", "-c", ON_A_SMALL_DISK, "sh"]
    command += [str(out), str(disk), str(school.root), *GRADER, "course", "autograde", LAB]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert re.findall(r"^status .*", done.stdout, re.M) == ["status 2", "status 0"], done.stderr
    sentences = [line for line in done.stderr.splitlines() if line.startswith("grader: ")]
    assert len(sentences) == 1
    assert "make room" in sentences[0]
    assert "Traceback" not in done.stderr
    before = recorded(Course(out))
    listing = (out / "folders").read_text().split()
    assert listing.count(LAB) == len(before) < CLASS
    assert [name for name in listing if name.startswith(".")] == []
    (out / "done.db").replace(out / "gradebook.db")
    rows, after = results(out / "report.json"), recorded(Course(out))
    assert {student for student, row in rows.items() if not row["fresh"]} == before.keys()
    assert before.items() <= after.items()
    assert len(after) == CLASS
