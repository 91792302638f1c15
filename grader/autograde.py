"""Grade every submission of an assignment that is new or changed; one alone writes the marks."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import Execute

from grader.course import Course, nbgrader_config
from grader.engine.gradebook import open_gradebook
from grader.engine.launch import Template
from grader.engine.limits import Limits
from grader.engine.model import Result, Submission
from grader.engine.registered import Store, open_store
from grader.engine.schedule import Pool, dask_pool, local_pool, run_all
from grader.engine.specification import specification
from grader.engine.store import (
    Record,
    already_graded,
    clean_leftovers,
    only_grader,
    store_result,
)
from grader.engine.submissions import Timestamp, read_submission_files, students, timestamp
from grader.errors import CourseError


@dataclass(frozen=True)
class Graded:
    """One submission's record, and whether this run made it."""

    student: str
    record: Record
    fresh: bool

    @property
    def outcome(self) -> str:
        """Refused, suspect, full, partial or none: what a person wants counted."""
        if self.record.problem:
            return "refused"
        if self.record.needs_person:
            return "suspect"
        if self.record.score >= self.record.max_score:
            return "full"
        return "partial" if self.record.score else "none"


def autograde(
    course: Course,
    assignment: str,
    *,
    force: bool = False,
    isolation: str = "sandbox",
    scheduler: str = "",
    early: Template | None = None,
    announce: Callable[[int], None] = lambda total: None,
) -> Iterator[Graded]:
    """Yield every submission's record: those that still stand first, then each as it is graded.

    `announce` is told how many are to be graded; `early` is a template that may be used. A record
    stands while submission, tests and engine are the same, unless `force`.
    """
    config = nbgrader_config(course)
    coursedir = CourseDirectory(config=config)
    with only_grader(coursedir):
        gradebook = open_gradebook(coursedir)
        spec = specification(coursedir, gradebook, assignment, limits(config))
        names = students(coursedir, assignment)
        if not names:
            raise CourseError(
                f"{course.root}: no submission of {assignment} yet; run "
                f"'grader collect {assignment}' first."
            )
        store = open_store(coursedir, gradebook, spec)
        clean_leftovers(store)
        todo = _sort(store, names, {} if force else already_graded(store))
        yield from todo.standing
        announce(len(todo.wanted) + len(todo.refused))
        for name, problem in todo.refused:
            refusal = Result(name, "", spec.digest, isolation, "", problem=problem)
            yield _store(store, Submission(name, {}, {}), refusal)
        if todo.wanted:
            with (
                dask_pool(spec, isolation, scheduler)
                if scheduler
                else local_pool(spec, isolation, early)
            ) as pool:
                yield from _grade(store, pool, todo.wanted)


@dataclass
class _Todo:
    """What there is to do: nothing, to grade, or to say why not."""

    standing: list[Graded]
    wanted: list[str]
    refused: list[tuple[str, str]]


def _sort(store: Store, names: list[str], known: dict[str, Record]) -> _Todo:
    todo = _Todo([], [], [])
    for name in names:
        try:
            digest = read_submission_files(store.coursedir, store.spec, name).digest
        except CourseError as error:
            todo.refused.append((name, str(error)))
            continue
        record = known.get(name)
        if (
            record
            and not record.problem
            and (record.submission, record.specification) == (digest, store.spec.digest)
        ):
            todo.standing.append(Graded(name, record, fresh=False))
        else:
            todo.wanted.append(name)
    return todo


def limits(config: Any) -> Limits:
    """The engine's own limits, with nbgrader's setting for a cell's time where it is set."""
    seconds = Execute(config=config).timeout
    return Limits(cell_s=seconds) if seconds else Limits()


def _grade(store: Store, pool: Pool, names: list[str]) -> Iterator[Graded]:
    reading: dict[str, Submission] = {}

    def submissions() -> Iterator[Submission]:
        for name in names:
            reading[name] = read_submission_files(store.coursedir, store.spec, name)
            yield reading[name]

    for result in run_all(pool, submissions()):
        yield _store(store, reading.pop(result.student), result)


def _store(store: Store, submission: Submission, result: Result) -> Graded:
    try:
        submitted = timestamp(store.coursedir, store.spec.assignment, submission.student)
    except (CourseError, OSError):
        submitted = Timestamp()
    return Graded(
        submission.student, store_result(store, submission, result, submitted), fresh=True
    )
