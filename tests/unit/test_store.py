"""Stored results are what nbgrader's own autograde leaves, whole or not at all."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat
import nbgrader
import pytest
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import determine_grade, is_grade, is_locked, is_solution, is_task
from sqlalchemy import Engine, event

from grader.course import Course, nbgrader_api, nbgrader_config
from grader.engine import store as module
from grader.engine.gradebook import open_gradebook
from grader.engine.limits import Limits
from grader.engine.model import CellResult, NotebookResult, Result, Submission
from grader.engine.registered import Store, open_store
from grader.engine.specification import specification
from grader.engine.store import already_graded, clean_leftovers, only_grader, store_result
from grader.engine.submissions import Timestamp, read_submission_files, timestamp
from grader.errors import CourseError

HW = "ps1"
EXAMPLE = Path(nbgrader.__file__).parent / "docs" / "source" / "user_guide" / "source"
CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "example"
c.IncludeHeaderFooter.header = "source/header.ipynb"
c.LateSubmissionPlugin.penalty_method = "zero"
c.Exchange.root = "exchange"
"""
ANSWERS = {
    "squares": "def squares(n):\n    if n < 1:\n        raise ValueError\n"
    "    return [i**2 for i in range(1, n + 1)]",
    "sum_of_squares_equation": "A sum.",
    "part-a": "Because.",
}


@dataclass
class Desk:
    """A course with one assignment, opened as a supervisor would."""

    course: Course
    coursedir: CourseDirectory
    gradebook: Engine
    store: Store

    def grade(self, student: str, result: Result | None = None) -> Any:
        submission = read_submission_files(self.coursedir, self.store.spec, student)
        result = result or made_up(self.store, submission)
        when = timestamp(self.coursedir, HW, student)
        return store_result(self.store, submission, result, when)


def opened(course: Course) -> Desk:
    coursedir = CourseDirectory(config=nbgrader_config(course))
    gradebook = open_gradebook(coursedir, busy_s=0.2)
    spec = specification(coursedir, gradebook, HW, Limits())
    return Desk(course, coursedir, gradebook, open_store(coursedir, gradebook, spec))


def hand_in(
    course: Course, student: str, answers: dict[str, str], names: tuple[str, ...], when: str = ""
) -> None:
    folder = course.submitted / student / HW
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        notebook = nbformat.read(course.root / "release" / HW / f"{name}.ipynb", as_version=4)
        for cell in notebook.cells:
            grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
            cell.source = answers.get(grade_id, cell.source)
        nbformat.write(notebook, folder / f"{name}.ipynb")
    (folder / "notes.txt").write_text("mine")
    (folder / "jupyter.png").write_text("mine, which loses")
    if when:
        (folder / "timestamp.txt").write_text(when)


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """nbgrader's quickstart example, released: two notebooks, manual answers, a task."""
    root = tmp_path_factory.mktemp("example") / "course"
    shutil.copytree(EXAMPLE / HW, root / "source" / HW)
    shutil.copyfile(EXAMPLE / "header.ipynb", root / "source" / "header.ipynb")
    (root / "nbgrader_config.py").write_text(CONFIG)
    course = Course(root)
    api = nbgrader_api(course)
    assert api.generate_assignment(HW)["success"]
    with api.gradebook as gradebook:
        gradebook.update_or_create_assignment(HW, duedate="2026-01-02 00:00 UTC")
        gradebook.add_student("ada", first_name="Ada", last_name="L")
    hand_in(course, "ada", ANSWERS, ("problem1", "problem2"), "2026-01-05 10:00:00 UTC")
    hand_in(course, "bob", {}, ("problem1",))
    return course


@pytest.fixture
def desk(example: Course, tmp_path: Path) -> Iterator[Desk]:
    desk = opened(Course(Path(shutil.copytree(example.root, tmp_path / "course"))))
    yield desk
    desk.gradebook.dispose()


def made_up(store: Store, submission: Submission, score: float = 1.0) -> Result:
    """A result as of an engine, without a kernel."""
    notebooks = []
    for spec in store.spec.notebooks:
        cells = [
            CellResult(cell.grade_id, cell.points, None, "manual")
            if cell.solution or cell.task
            else CellResult(cell.grade_id, cell.points, score * cell.points, "passed")
            for cell in spec.cells
            if cell.grade or cell.task
        ]
        handed_in = submission.notebooks.get(spec.name)
        executed = json.loads(handed_in) if handed_in else {}
        notebooks.append(NotebookResult(spec.name, cells, executed))
    return Result(
        submission.student, submission.digest, store.spec.digest, "sandbox", "bank", notebooks
    )


def from_nbgrader(course: Course, store: Store, submission: Submission) -> Result:
    """The result of an engine that agrees with nbgrader on every outcome."""
    result = made_up(store, submission)
    result.notebooks = []
    for spec in store.spec.notebooks:
        path = course.root / "autograded" / submission.student / HW / f"{spec.name}.ipynb"
        if not path.exists():
            result.notebooks.append(NotebookResult(spec.name, [], {}))
            continue
        notebook = nbformat.read(path, as_version=4)
        cells = []
        for cell in notebook.cells:
            if is_task(cell) or is_grade(cell):
                grade_id = cell.metadata.nbgrader.grade_id
                points = cell.metadata.nbgrader.points
                score = None if is_task(cell) else determine_grade(cell)[0]
                cells.append(CellResult(grade_id, points, score, "any"))
        result.notebooks.append(NotebookResult(spec.name, cells, notebook))
    return result


ROWS = {
    "student": "SELECT * FROM student ORDER BY id",
    "assignment": "SELECT s.student_id, a.name, s.timestamp, s.extension "
    "FROM submitted_assignment s JOIN assignment a ON a.id = s.assignment_id ORDER BY 1, 2",
    "notebook": "SELECT s.student_id, n.name, o.flagged, o.late_submission_penalty "
    "FROM submitted_notebook o JOIN notebook n ON n.id = o.notebook_id "
    "JOIN submitted_assignment s ON s.id = o.assignment_id ORDER BY 1, 2",
    "grade": "SELECT s.student_id, n.name, c.name, c.type, g.auto_score, g.manual_score, "
    "g.extra_credit, g.needs_manual_grade FROM grade g JOIN base_cell c ON c.id = g.cell_id "
    "JOIN submitted_notebook o ON o.id = g.notebook_id JOIN notebook n ON n.id = o.notebook_id "
    "JOIN submitted_assignment s ON s.id = o.assignment_id ORDER BY 1, 2, 3",
    "comment": "SELECT s.student_id, n.name, c.name, c.type, g.auto_comment, g.manual_comment "
    "FROM comment g JOIN base_cell c ON c.id = g.cell_id "
    "JOIN submitted_notebook o ON o.id = g.notebook_id JOIN notebook n ON n.id = o.notebook_id "
    "JOIN submitted_assignment s ON s.id = o.assignment_id ORDER BY 1, 2, 3",
}


def rows(course: Course) -> dict[str, list[Any]]:
    """Every row that autograde writes, named instead of by random ids."""
    connection = sqlite3.connect(course.root / "gradebook.db")
    found = {name: connection.execute(query).fetchall() for name, query in ROWS.items()}
    connection.close()
    return found


def execute(course: Course, *statements: str) -> None:
    connection = sqlite3.connect(course.root / "gradebook.db")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def seen_in_formgrader(course: Course) -> Any:
    api = nbgrader_api(course)
    seen = [api.get_submissions(HW), api.get_students(), api.get_assignment(HW)]
    seen += [api.get_submission(HW, student) for student in ("ada", "bob")]
    for student in ("ada", "bob"):
        seen.append(api.get_student_notebook_submissions(student, HW))
    for notebook in ("problem1", "problem2"):
        shown = api.get_notebook_submissions(HW, notebook)
        seen.append(sorted(shown, key=lambda submission: str(submission["student"])))
    return json.loads(json.dumps(seen), object_hook=without_ids)


def without_ids(shown: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in shown.items() if name not in ("id", "index")}


def files(course: Course) -> dict[str, Any]:
    """The autograded files with modes; of notebooks what nbgrader reads in them."""
    root = course.root / "autograded"
    return {
        str(path.relative_to(root)): (path.stat().st_mode, file_content(path))
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def file_content(path: Path) -> Any:
    if path.suffix != ".ipynb":
        return path.read_bytes()
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return [(cell.source, nbgrader_reads(cell)) for cell in notebook.cells]


def nbgrader_reads(cell: Any) -> Any:
    """A cell's metadata as nbgrader takes it: what is absent is False, tests are locked."""
    known = cell.metadata.get("nbgrader")
    flags = (is_grade(cell), is_solution(cell), is_locked(cell), is_task(cell))
    names = ("grade_id", "checksum", "points", "schema_version", "cell_type")
    return known and (flags, [known.get(name) for name in names])


def test_parity_with_nbgrader(example: Course, desk: Desk, tmp_path: Path) -> None:
    """Graded first, then again with people's marks, an extension and a changed submission."""
    theirs = Course(Path(shutil.copytree(example.root, tmp_path / "theirs")))
    api = nbgrader_api(theirs)

    def graded_alike(*students: str) -> None:
        for student in students:
            assert api.autograde(HW, student, force=True)["success"]
            submission = read_submission_files(desk.coursedir, desk.store.spec, student)
            desk.grade(student, from_nbgrader(theirs, desk.store, submission))
        assert rows(desk.course) == rows(theirs)
        assert seen_in_formgrader(desk.course) == seen_in_formgrader(theirs)
        assert files(desk.course) == files(theirs)

    graded_alike("ada", "bob")
    found = rows(desk.course)
    assert sum(row[-1] == 0 or row[4] is not None for row in found["grade"]) > 8
    assert {row[4] for row in found["comment"]} == {None, "No response."}
    assert [row[3] for row in found["notebook"]] == [2.0, 0.0, None, None]
    for course in (desk.course, theirs):
        execute(
            course,
            "UPDATE grade SET manual_score = 0.75, extra_credit = 0.5, needs_manual_grade = 0 "
            "WHERE cell_id IN (SELECT id FROM base_cell WHERE type = 'TaskCell' OR "
            "name IN ('part-a', 'correct_squares', 'sum_of_squares_equation'))",
            "UPDATE comment SET manual_comment = 'seen'",
            "UPDATE submitted_notebook SET flagged = 1",
        )
        with nbgrader_api(course).gradebook as gradebook:
            gradebook.grant_extension(HW, "ada", days=2)
        changed = ANSWERS | {"squares": "squares = None", "sum_of_squares_equation": "Other."}
        hand_in(course, "ada", changed, ("problem1", "problem2"), "2026-01-06 10:00:00 UTC")
    graded_alike("ada")
    export = [sys.executable, "-m", "nbgrader", "export"]
    assert subprocess.run(export, cwd=desk.course.root, check=False).returncode == 0


def test_a_record_is_kept_and_falls_with_what_it_is_of(desk: Desk) -> None:
    submission = read_submission_files(desk.coursedir, desk.store.spec, "ada")
    result = made_up(desk.store, submission)
    result.notebooks[0].cells[0].outcome = "tampered"
    result.notebooks[0].repairs.append("a cell was back")
    result.notebooks[0].events.append("the kernel died")
    assert already_graded(desk.store) == {}
    record = desk.grade("ada", result)
    assert already_graded(desk.store) == {"ada": record}
    assert (record.submission, record.specification) == (submission.digest, desk.store.spec.digest)
    assert record.outcomes == {"manual": 5, "passed": 3, "tampered": 1}
    assert (record.repairs, record.events) == (
        ["problem1: a cell was back"],
        ["problem1: the kernel died"],
    )
    assert record.needs_person
    assert (record.score, record.max_score, record.penalty) == (3.0, 13.0, 3.0)
    flagged = [row for row in rows(desk.course)["grade"] if row[4] is not None and row[7]]
    assert [row[2] for row in flagged] == [result.notebooks[0].cells[0].grade_id]
    shutil.rmtree(desk.course.root / "autograded" / "ada")
    assert already_graded(desk.store) == {}
    desk.grade("ada")
    with nbgrader_api(desk.course).gradebook as gradebook:
        gradebook.remove_student("ada")
    assert already_graded(desk.store) == {}
    desk.grade("ada")
    with nbgrader_api(desk.course).gradebook as gradebook:
        gradebook.remove_assignment(HW)
    assert already_graded(desk.store) == {}
    upgrade = [sys.executable, "-m", "nbgrader", "db", "upgrade"]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        upgrade, cwd=desk.course.root, env={**os.environ, "PATH": path}, check=False
    )
    assert done.returncode == 0


def test_no_old_score_survives_a_regrade(desk: Desk) -> None:
    desk.grade("ada")
    submission = read_submission_files(desk.coursedir, desk.store.spec, "ada")
    fewer = made_up(desk.store, submission, score=0.0)
    lost = fewer.notebooks[0].cells.pop(0)
    record = desk.grade("ada", fewer)
    assert record.score == 0.0
    row = next(row for row in rows(desk.course)["grade"] if row[2] == lost.grade_id)
    assert (row[4], row[7]) == (None, 1)
    (desk.course.submitted / "ada" / HW / "problem2.ipynb").unlink()
    (desk.course.submitted / "ada" / HW / "timestamp.txt").write_text("soon")
    record = desk.grade("ada")
    assert record.needs_person
    assert record.events == ["timestamp.txt holds no time, so lateness is unknown"]
    missing = [row for row in rows(desk.course)["grade"] if row[:2] == ("ada", "problem2")]
    assert {(row[4], row[7]) for row in missing} == {(0.0, 0)}
    assert rows(desk.course)["assignment"] == [("ada", HW, None, None)]
    folder = desk.course.root / "autograded" / "ada" / HW
    assert sorted(path.name for path in folder.iterdir()) == [
        *("jupyter.png", "notes.txt", "problem1.ipynb"),
    ]


def test_what_cannot_be_graded_has_no_score_and_waits_for_a_person(desk: Desk) -> None:
    desk.grade("ada")
    execute(
        desk.course,
        "UPDATE grade SET manual_score = 1 WHERE cell_id IN "
        "(SELECT id FROM base_cell WHERE name = 'part-a')",
    )
    result = Result("ada", "s", "t", "sandbox", "bank", problem="this is no notebook")
    record = desk.grade("ada", result)
    assert record.problem == "this is no notebook"
    assert record.needs_person
    assert already_graded(desk.store)["ada"] == record
    grades = rows(desk.course)["grade"]
    assert {(row[4], row[7]) for row in grades} == {(None, 1)}
    assert [row[5] for row in grades if row[2] == "part-a"] == [1.0]  # a person's, kept
    assert {row[3] for row in rows(desk.course)["notebook"]} == {None}
    shown = nbgrader_api(desk.course).get_submission(HW, "ada")
    assert (shown["autograded"], shown["score"]) == (False, 0.0)
    assert not (desk.course.root / "autograded" / "ada" / HW).exists()
    desk.grade("ada")
    assert nbgrader_api(desk.course).get_submission(HW, "ada")["autograded"]


def state(desk: Desk) -> Any:
    return rows(desk.course), files(desk.course), already_graded(desk.store)


def folders(desk: Desk) -> list[str]:
    return sorted(path.name for path in (desk.course.root / "autograded").glob("*/*"))


def in_a_child(work: Callable[[], object]) -> None:
    """Run it in a fork that ends, as by SIGKILL, inside it."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


class Died:
    """Ends the process at the n-th call of a function."""

    def __init__(self, real: Callable[..., Any], at: int) -> None:
        self.real, self.left = real, at

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        self.left -= 1
        if self.left == 0:
            os._exit(9)
        return self.real(*arguments, **options)


@pytest.mark.parametrize("graded_before", [False, True])
@pytest.mark.parametrize(
    ("name", "at"),
    [
        ("_write_rows", 1),
        ("Path.write_bytes", 3),
        ("Path.rename", 1),
        ("Path.rename", 2),
        ("Connection.commit", 1),
        ("shutil.rmtree", 1),
        ("shutil.rmtree", 2),
    ],
)
def test_killed_at_any_moment(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, graded_before: bool, name: str, at: int
) -> None:
    if graded_before:
        desk.grade("ada")
    elif (name, at) == ("Path.rename", 2):
        pytest.skip("there is one rename only")
    before = state(desk)
    desk.gradebook.dispose()  # no connection crosses the fork

    def killed() -> None:
        target: Any = module
        *parents, attribute = name.split(".")
        for parent in parents:
            target = getattr(target, parent)
        real = getattr(target, attribute)
        died = Died(real, at)
        monkeypatch.setattr(target, attribute, lambda *a, **k: died(*a, **k))
        submission = read_submission_files(desk.coursedir, desk.store.spec, "ada")
        desk.grade("ada", made_up(desk.store, submission, score=0.5))

    in_a_child(killed)
    committed = name == "shutil.rmtree"
    clean_leftovers(desk.store)
    if committed:
        assert already_graded(desk.store)["ada"].score == 1.5
    else:
        assert rows(desk.course) == before[0]
        assert already_graded(desk.store) == before[2]
        if graded_before:
            assert files(desk.course) == before[1]
    assert folders(desk) in ([HW], [])
    desk.grade("ada")
    assert already_graded(desk.store)["ada"].score == 3.0
    assert folders(desk) == [HW]


@pytest.mark.parametrize("name", ["_write_rows", "_write_record", "_write_folder"])
def test_an_error_leaves_all_as_it_was(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    desk.grade("ada")
    before = state(desk)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, name, full)
    for student in ("ada", "bob"):
        with pytest.raises(CourseError, match="the disk is full; make room and run again"):
            desk.grade(student)
    assert state(desk) == before
    assert folders(desk) == [HW]


def test_a_locked_gradebook_is_said_to_be_one(desk: Desk) -> None:
    desk.grade("ada")
    before = state(desk)
    other = sqlite3.connect(desk.course.root / "gradebook.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(CourseError, match="another program is writing the gradebook"):
        desk.grade("ada")
    other.execute("ROLLBACK")
    # A reader at the moment of the commit, after the folders have been renamed.
    other.execute("BEGIN")
    other.execute("SELECT * FROM grade").fetchall()
    with pytest.raises(CourseError, match="another program is writing the gradebook"):
        desk.grade("bob")
    other.execute("ROLLBACK")
    other.close()
    assert state(desk) == before
    assert folders(desk) == [HW]
    desk.grade("bob")


def test_a_full_disk_under_the_gradebook(desk: Desk) -> None:
    desk.grade("ada")
    before = state(desk)
    desk.gradebook.dispose()

    def full(connection: Any, _record: Any) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")

    event.listen(desk.gradebook, "connect", full)
    submission = read_submission_files(desk.coursedir, desk.store.spec, "ada")
    result = made_up(desk.store, submission)
    result.notebooks[0].events = ["x" * 100_000]
    with pytest.raises(CourseError, match="make room on the disk"):
        desk.grade("ada", result)
    event.remove(desk.gradebook, "connect", full)
    desk.gradebook.dispose()
    assert state(desk) == before
    assert folders(desk) == [HW]


def test_one_grader_at_a_time(desk: Desk) -> None:
    with only_grader(desk.coursedir):
        refused = pytest.raises(CourseError, match="another grader is at work")
        with refused, only_grader(desk.coursedir):
            pass
        with pytest.raises(BlockingIOError), only_grader(replace_root(desk.coursedir)):
            raise BlockingIOError
    with only_grader(desk.coursedir):
        pass


def replace_root(coursedir: CourseDirectory) -> CourseDirectory:
    other = deepcopy(coursedir)
    other.root = str(Path(coursedir.root) / "other")
    return other


def test_no_gradebook_is_made_by_looking(tmp_path: Path) -> None:
    coursedir = CourseDirectory()
    coursedir.root = str(tmp_path)
    with pytest.raises(CourseError, match="does not exist; release an assignment first"):
        open_gradebook(coursedir)
    assert not list(tmp_path.iterdir())
    (tmp_path / "gradebook.db").write_text("not a database, but long enough to be looked at")
    with pytest.raises(CourseError, match="the gradebook refused it"):
        open_gradebook(coursedir)


def test_names_from_a_worker_reach_no_other_file(desk: Desk) -> None:
    submission = read_submission_files(desk.coursedir, desk.store.spec, "ada")
    result = made_up(desk.store, submission)
    result.notebooks[0] = replace(result.notebooks[0], name="../../../problem1")
    desk.grade("ada", result)
    found = {path.name for path in desk.course.root.rglob("problem1.ipynb")}
    assert found == {"problem1.ipynb"}
    assert not (desk.course.root / "autograded" / "ada" / HW / "problem1.ipynb").exists()


def test_cost_and_memory_stay_flat(desk: Desk) -> None:
    """Printed, not timed: see `make bench`."""
    submission = read_submission_files(desk.coursedir, desk.store.spec, "ada")
    result = made_up(desk.store, submission)
    milliseconds, memory = [], []
    hundreds = int(os.environ.get("STORED_HUNDREDS", "2"))
    for hundred in [*range(hundreds), 0]:  # the last ones are graded again
        began = time.perf_counter()
        for number in range(100):
            own = replace(submission, student=f"s{hundred}-{number}")
            store_result(desk.store, own, result, Timestamp(datetime(2026, 1, 1)))
        milliseconds.append(round((time.perf_counter() - began) * 10, 1))
        memory.append(resident_mb())
    print(f"\nms per submission, by hundred: {milliseconds}; MB resident: {memory}")
    assert memory[-1] - memory[0] < 20
    assert len(already_graded(desk.store)) == 100 * hundreds


def resident_mb() -> int:
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * 4096 // 10**6 if statm.exists() else 0
