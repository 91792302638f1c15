"""Spread submissions over an executor: this machine's cores, or a Dask cluster."""

import atexit
import contextlib
import functools
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from grader.engine import probe
from grader.engine.grade import grade
from grader.engine.launch import Template, complete, cores, running_template, starting_template
from grader.engine.model import Result, Specification, Submission
from grader.engine.wire import (
    result_from_json,
    result_to_json,
    spec_from_json,
    submission_from_json,
    submission_to_json,
    to_json,
)
from grader.errors import CourseError, MachineError

CONNECT_S = 10


@dataclass(frozen=True)
class Pool:
    """Where submissions are graded: `submit` one, `width` of them at a time."""

    submit: Callable[[Submission], "Future[Result]"]
    width: int


@contextlib.contextmanager
def local_pool(
    spec: Specification, isolation: str, early: Template | None = None
) -> Iterator[Pool]:
    """One template, and a thread per core and one more; the work itself is done by the kernels.

    `early` is a template that has been started, and not yet been completed.
    """
    sandboxed = _sandboxed(isolation)
    width = cores() + 1  # a kernel waits at times, for the disk and for its control group
    with (
        (
            contextlib.nullcontext(early) if early else starting_template(sandboxed=sandboxed)
        ) as template,
        _stopping(ThreadPoolExecutor(width), cancel_futures=True) as threads,
    ):
        complete(template, spec.preload)
        yield Pool(lambda submission: threads.submit(grade, spec, submission, template), width)


@contextlib.contextmanager
def dask_pool(spec: Specification, isolation: str, address: str) -> Iterator[Pool]:
    """A running Dask cluster; its workers need this course's environment, not its files."""
    from distributed import Client

    text = to_json(spec)
    try:
        client = Client(address, timeout=CONNECT_S)
    except (OSError, ValueError) as error:
        raise CourseError(
            f"no Dask scheduler answers at {address} ({error}); start one by 'dask scheduler'."
        ) from None
    with client, _stopping(client.get_executor(pure=False)) as executor:

        def submit(submission: Submission) -> "Future[Result]":
            task = executor.submit(graded_text, text, submission_to_json(submission), isolation)
            return _then(task, result_from_json)

        yield Pool(submit, 2 * max(sum(client.ncores().values()), 1))


def graded_text(spec: str, submission: str, isolation: str) -> str:
    """A worker's task, text in and text out; its template stays for the next one."""
    wanted = _specification(spec)
    template = _worker_template(wanted.preload, _sandboxed(isolation))
    return result_to_json(grade(wanted, submission_from_json(submission), template))


def run_all(pool: Pool, submissions: Iterable[Submission]) -> Iterator[Result]:
    """Results as they come, holding no more submissions in memory than the pool can work on."""
    waiting: set[Future[Result]] = set()
    for submission in submissions:
        waiting.add(pool.submit(submission))
        if len(waiting) >= 2 * pool.width:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
    while waiting:
        done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
        yield from (future.result() for future in done)


def _sandboxed(isolation: str) -> bool:
    if isolation == "sandbox":
        probe.require()
    return isolation == "sandbox"


@contextlib.contextmanager
def _stopping(executor: Executor, **options: bool) -> Iterator[Executor]:
    """Drop what waits when the block is left early; what runs ends with its kernel.

    Dask's executor cancels without being told, and does not know the option.
    """
    try:
        yield executor
    except BaseException:
        executor.shutdown(wait=False, **options)
        raise
    executor.shutdown()


def _then(task: "Future[str]", convert: Callable[[str], Result]) -> "Future[Result]":
    """A future for what `convert` makes of another's result."""
    converted: Future[Result] = Future()

    def pass_on(done: "Future[str]") -> None:
        try:
            converted.set_result(convert(done.result()))
        except CourseError as error:
            converted.set_exception(error)
        except BaseException as error:
            converted.set_exception(
                MachineError(
                    f"the Dask cluster gave way ({type(error).__name__}: {error}); look at its "
                    "workers and run again."
                )
            )

    task.add_done_callback(pass_on)
    return converted


_specification = functools.lru_cache(maxsize=2)(spec_from_json)
_starting = threading.Lock()
_templates: dict[tuple[tuple[str, ...], bool], Template] = {}


def _worker_template(modules: tuple[str, ...], sandboxed: bool) -> Template:
    """This process's template with these modules, started once and ended with the process."""
    with _starting:
        key = (modules, sandboxed)
        if key not in _templates:
            stack = contextlib.ExitStack()
            atexit.register(stack.close)
            _templates[key] = stack.enter_context(running_template(modules, sandboxed=sandboxed))
        return _templates[key]
