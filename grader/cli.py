"""The command line: `grader VERB ...`, the same as `python -m grader VERB ...`."""

import argparse
import contextlib
import fcntl
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from grader import quick  # noqa: F401
from grader.course import CONFIG, Course, choose_labs, find_course, require_released
from grader.errors import CourseError

if TYPE_CHECKING:
    from grader.engine.launch import Template


def run() -> NoReturn:
    """Run the command line, and leave at once: Python takes a while to take its modules down."""
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def main(arguments: list[str] | None = None) -> int:
    """Run one verb; 0 done, 1 done but something is not as it should be, 2 bad input."""
    options = _parser().parse_args(arguments)
    work: Callable[[Course, argparse.Namespace], int] = options.work
    try:
        course = find_course(options.course)
        with only_one(course) if options.writes else contextlib.nullcontext():
            return work(course, options)
    except CourseError as error:
        print(f"grader: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"grader: {error.filename}: {error.strerror}; name another place.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("grader: interrupted; what was finished is kept.", file=sys.stderr)
        return 130


@contextlib.contextmanager
def only_one(course: Course) -> Iterator[None]:
    """Let one grader at a time write to a course; CourseError for the second."""
    with (course.root / CONFIG).open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CourseError(
                f"another grader is at work in {course.root}; wait until it is done."
            ) from None
        yield


class Progress:
    """A bar with rate, time left and a running count by outcome."""

    def __init__(self) -> None:
        self.bar: Any = None
        self.outcomes: Counter[str] = Counter()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def start(self, total: int) -> None:
        from tqdm import tqdm

        if total:
            self.bar = tqdm(total=total, unit=" submissions", mininterval=0.5)

    def step(self, outcome: str) -> None:
        self.outcomes[outcome] += 1
        self.bar.set_postfix(self.outcomes, refresh=False)
        self.bar.update()


def _release(course: Course, options: argparse.Namespace) -> int:
    from grader.release import release

    for name in choose_labs(course, options.labs):
        print(f"released {release(course, name).relative_to(course.root)}")
    return 0


def _check(course: Course, options: argparse.Namespace) -> int:
    from grader.engine.early import early_template

    target: Path = options.lab
    opened = target.suffix == ".ipynb"
    path = (target if opened else course.work / target / f"{target}.ipynb").resolve()
    with early_template(path.parent, sandboxed=False) as early:
        from grader.check import check
        from grader.progress import keep
        from grader.submission import lab_of

        lab = lab_of(target) if opened else str(target)
        results = check(course, lab, path, full=options.full, early=early)
    width = max(len(result.question) for result in results)
    for result in results:
        print(f"{result.question:{width}}  {result.outcome:13}  {result.hint}".rstrip())
    right = sum(result.earned for result in results)
    most = sum(result.points for result in results)
    tests = "all" if options.full else "the visible"
    print(f"{right:g} of {most:g} points by {tests} tests; answers in words count after grading.")
    trouble = keep(course, lab, path, results)
    if trouble:
        print(f"grader: {trouble}", file=sys.stderr)
    return 0 if all(result.outcome in ("right", "answered") for result in results) else 1


def _collect(course: Course, options: argparse.Namespace) -> int:
    from grader.collect import collect_exchange, collect_files

    require_released(course, options.lab)
    if options.origin is None:
        collect_exchange(course, options.lab)
        return 0
    taken, refused = collect_files(course, options.lab, options.origin)
    print(f"collected {len(taken)} submissions of {options.lab}, refused {len(refused)}")
    for sentence in refused:
        print(f"grader: {sentence}", file=sys.stderr)
    return 2 if refused else 0


def _autograde(course: Course, options: argparse.Namespace) -> int:
    with _early_template(course, options) as early:
        return _grade(course, options, early)


def _early_template(
    course: Course, options: argparse.Namespace
) -> AbstractContextManager["Template | None"]:
    if options.scheduler:
        return contextlib.nullcontext()
    from grader.engine.early import early_template

    release = course.root / "release" / options.lab
    return early_template(release, sandboxed=options.isolation == "sandbox")


def _grade(course: Course, options: argparse.Namespace, early: "Template | None") -> int:
    from grader.autograde import Graded, autograde
    from grader.summary import needs_person, summary, write_json

    with Progress() as progress:
        graded: list[Graded] = []
        for one in autograde(
            course,
            options.lab,
            force=options.force,
            isolation=options.isolation,
            scheduler=options.scheduler,
            early=early,
            announce=progress.start,
        ):
            graded.append(one)
            if one.fresh:
                progress.step(one.outcome)
    if options.json:
        write_json(graded, options.json)
    print(summary(graded))
    return 1 if needs_person(graded) else 0


def _doctor(course: Course, options: argparse.Namespace) -> int:
    from grader.engine.doctor import doctor

    return doctor()


def _feedback(course: Course, options: argparse.Namespace) -> int:
    from grader.feedback import write_feedback

    require_released(course, options.lab)
    print(f"wrote feedback for {write_feedback(course, options.lab)} submissions")
    return 0


def _export(course: Course, options: argparse.Namespace) -> int:
    from grader.course import nbgrader_api
    from grader.export import export_rows, write_csv

    for lab in options.labs:
        require_released(course, lab)
    with nbgrader_api(course).gradebook as gradebook:
        rows = export_rows(gradebook, options.labs)
    write_csv(rows, options.to)
    print(f"wrote {len(rows)} rows to {options.to}")
    return 0


def _verify(course: Course, options: argparse.Namespace) -> int:
    from grader.verify import table, verify, write_json

    reports = []
    names = choose_labs(course, options.labs)
    for number, name in enumerate(names, 1):
        prefix = f"{number}/{len(names)} {name}:"
        reports.append(verify(course, name, partial(print, prefix, flush=True)))
    write_json(reports, options.json)
    print(table(reports))
    problems = [problem for report in reports for problem in report.problems]
    for problem in problems:
        print(f"grader: {problem}", file=sys.stderr)
    return 1 if problems else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="grader", description="Release, grade and verify labs.")
    parser.add_argument(
        "--course", type=Path, default=Path(), help="a folder in the course (default: this one)"
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    def verb(
        name: str, work: object, about: str, example: str, *, writes: bool = False
    ) -> argparse.ArgumentParser:
        added = verbs.add_parser(
            name,
            help=about,
            description=about,
            epilog=f"example: grader {name} {example}".rstrip(),
        )
        added.set_defaults(work=work, writes=writes)
        return added

    lab = "monitoring-data-drift"
    release = verb("release", _release, "Make labs/ from solutions/.", lab, writes=True)
    release.add_argument("labs", nargs="*", metavar="LAB", help="default: every lab")
    check = verb("check", _check, "Check a learner's notebook, question by question.", lab)
    check.add_argument(
        "lab", type=Path, metavar="LAB", help="a lab in work/, or a notebook's path"
    )
    check.add_argument("--full", action="store_true", help="run the hidden tests too")
    collect = verb(
        "collect",
        _collect,
        "Take submissions in.",
        f"{lab} --from downloads/submissions.zip",
        writes=True,
    )
    collect.add_argument("lab", metavar="LAB")
    collect.add_argument(
        "--from",
        dest="origin",
        type=Path,
        metavar="PATH",
        help="folder or zip with STUDENT.ipynb, STUDENT/LAB.ipynb (default: the exchange)",
    )
    autograde = verb("autograde", _autograde, "Grade what is new in submitted/.", lab, writes=True)
    autograde.add_argument("lab", metavar="LAB")
    autograde.add_argument("--force", action="store_true", help="grade again what was graded")
    autograde.add_argument("--json", type=Path, metavar="FILE", help="write every result there")
    autograde.add_argument(
        "--isolation",
        choices=("sandbox", "none"),
        default="sandbox",
        help="none: learners' code runs with your own rights",
    )
    autograde.add_argument(
        "--scheduler", default="", metavar="ADDRESS", help="grade on this Dask cluster"
    )
    verb("doctor", _doctor, "Say what this machine offers for grading strangers' code.", "")
    feedback = verb(
        "feedback", _feedback, "Write feedback/ for graded submissions.", lab, writes=True
    )
    feedback.add_argument("lab", metavar="LAB")
    export = verb("export", _export, "Write grades as CSV.", "--to grades.csv")
    export.add_argument("labs", nargs="*", metavar="LAB", help="default: every lab")
    export.add_argument("--to", type=Path, default=Path("grades.csv"), metavar="FILE")
    proof = verb("verify", _verify, "Prove that the tests tell right from wrong.", lab)
    proof.add_argument("labs", nargs="*", metavar="LAB", help="default: every lab")
    proof.add_argument("--json", type=Path, default=Path("_build/verify.json"), metavar="FILE")
    return parser
