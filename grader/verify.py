"""Prove that a lab's tests tell right from wrong; see "How this course is checked" in the book."""

import hashlib
import json
import os
import resource
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import determine_grade, is_grade, is_solution

from grader import offline
from grader.answers import Variant, read_bank
from grader.atomic import replacing
from grader.course import CONFIG, Course, nbgrader_config
from grader.engine.grade import grade
from grader.engine.gradebook import open_gradebook
from grader.engine.launch import Template
from grader.engine.limits import Limits
from grader.engine.model import Submission
from grader.engine.specification import specification
from grader.errors import CourseError
from grader.execute import Cost, execute, lab_template, run_tool
from grader.master import Lab, read_lab
from grader.release import record_given, release
from grader.replay import Trial, Verdict, read_trials, unsafe_libraries

SEEDS = 3
MEMORY_MB = 1500
WRONG_ANSWERS = 3


@dataclass
class Report:
    """What verification found out about one lab; `problems` is empty for a verified one."""

    lab: str
    title: str
    digest: str
    questions: int
    points: float
    budget_s: int
    released: str = ""  # digest of what release makes
    seeds: list[int] = field(default_factory=list)
    wrong_answers: int = 0
    wrong_caught: int = 0
    right_answers: int = 0
    right_kept: int = 0
    varies: list[str] = field(default_factory=list)
    network_blocked: bool = True
    replayed: list[str] = field(default_factory=list)  # for these libraries; otherwise forked
    wall_s: float = 0.0
    memory_mb: float = 0.0
    cpu_s: float = 0.0
    problems: list[str] = field(default_factory=list)


def lab_digest(folder: Path) -> str:
    """A fingerprint of the master and its bank."""
    digest = hashlib.sha256()
    for name in ("lab.py", "wrong_answers.py", "right_answers.py"):
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()[:16]


def released_digest(folder: Path) -> str:
    """A fingerprint of what learners get: every file's path and content."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(folder)} {content}\n".encode())
    return digest.hexdigest()[:16]


def verify(course: Course, name: str, progress: Callable[[str], None]) -> Report:
    """Run every check on one lab in a scratch course; nothing of the real one is touched."""
    started = _cpu_seconds()
    lab = read_lab(course.master(name))
    bank = read_bank(lab)
    report = Report(
        lab=name,
        title=lab.title,
        digest=lab_digest(lab.path.parent),
        questions=len(lab.points),
        points=sum(lab.points.values()),
        budget_s=lab.budget_s,
        wrong_answers=sum(variant.wrong for variant in bank),
        right_answers=sum(not variant.wrong for variant in bank),
        varies=[cell.varies for cell in lab.cells if cell.varies],
        network_blocked=offline.blocked(),
        replayed=unsafe_libraries(lab, bank),
    )
    with one_core(), lab_template(lab) as template, tempfile.TemporaryDirectory() as scratch:
        rehearsal = _scratch_course(course, Path(scratch))
        progress(f"{len(bank)} other answers")
        report.problems += _bank(rehearsal, lab, bank, report, template)
        progress("release")
        release(rehearsal, name, given=_bank_folder(rehearsal) / "given")
        report.released = released_digest(rehearsal.labs / name)
        progress("untouched version")
        report.problems += _untouched(rehearsal, lab, template)
        for seed in range(lab.seed, lab.seed + SEEDS):
            progress(f"model answers, seed {seed}")
            report.problems += _model_answers(rehearsal, lab, seed, report, template)
        progress("same outputs again")
        report.problems += _same_again(rehearsal, lab, template)
    report.cpu_s = round(_cpu_seconds() - started, 1)
    return report


@contextmanager
def one_core() -> Iterator[None]:
    """Keep this process and its children on one core, for which the budget is stated."""
    if sys.platform != "linux":
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def _cpu_seconds() -> float:
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


def _scratch_course(course: Course, folder: Path) -> Course:
    shutil.copyfile(course.root / CONFIG, folder / CONFIG)
    (folder / "solutions").symlink_to(course.solutions)
    (folder / "runs").mkdir()
    return Course(folder)


def _untouched(course: Course, lab: Lab, template: Template) -> Iterator[str]:
    """The released notebook, submitted as it is, must earn nothing."""
    coursedir = CourseDirectory(config=nbgrader_config(course))
    gradebook = open_gradebook(coursedir)
    spec = specification(coursedir, gradebook, lab.name, Limits())
    gradebook.dispose()
    released = course.released(lab.name).read_bytes()
    result = grade(spec, Submission("untouched", {lab.name: released}, {}), template)
    if result.problem:
        yield f"{lab.name}: the untouched version cannot be graded: {result.problem}"
    for cell in (cell for notebook in result.notebooks for cell in notebook.cells):
        if cell.score != 0:
            question = cell.grade_id.removesuffix("-test")
            earned = "waits for a person" if cell.score is None else f"earns {cell.score:g}"
            yield f"{lab.name}, {question}: the untouched version {earned}"


def _run_folder(course: Course, lab: Lab, seed: int) -> Path:
    return course.root / "runs" / f"{lab.name}-{seed}"


def _model_answers(
    course: Course, lab: Lab, seed: int, report: Report, template: Template
) -> Iterator[str]:
    """Under each seed the model answers must earn everything, within the budget."""
    folder = _run_folder(course, lab, seed)
    shutil.copytree(course.source / lab.name, folder)
    if seed != lab.seed and (folder / "given").exists():  # the first seed's are written
        record_given(template, lab, seed, folder)
    output = folder / "executed.ipynb"
    report.seeds.append(seed)
    try:
        cost = execute(template, folder / f"{lab.name}.ipynb", output, seed, folder)
    except CourseError as error:
        yield f"{lab.name}, {_failed_question(output)}: the model answer fails: {error}"
        return
    yield from _short_of_points(lab, seed, nbformat.read(output, as_version=4))
    yield from _over_budget(lab, seed, cost)
    report.wall_s = round(max(report.wall_s, cost.wall_s), 1)
    report.memory_mb = round(max(report.memory_mb, cost.memory_mb))


def _failed_question(executed: Path) -> str:
    """The grade_id of the cell that stopped a run, or '?' where nothing tells."""
    if not executed.exists():
        return "?"
    for cell in nbformat.read(executed, as_version=4).cells:
        if any(output.output_type == "error" for output in cell.get("outputs", [])):
            return str(cell.metadata.get("nbgrader", {}).get("grade_id", "?"))
    return "?"


def _short_of_points(lab: Lab, seed: int, notebook: Any) -> Iterator[str]:
    for cell in notebook.cells:
        if is_grade(cell) and not is_solution(cell):
            score, most = determine_grade(cell)
            if score != most:
                question = cell.metadata.nbgrader.grade_id.removesuffix("-test")
                yield f"{lab.name}, {question}: seed {seed} earns {score:g} of {most:g} points"


def _over_budget(lab: Lab, seed: int, cost: Cost) -> Iterator[str]:
    if cost.wall_s > lab.budget_s:
        yield f"{lab.name}: seed {seed} took {cost.wall_s:.0f} s of {lab.budget_s} s"
    if cost.memory_mb > MEMORY_MB:
        yield f"{lab.name}: seed {seed} took {cost.memory_mb:.0f} MB of {MEMORY_MB} MB"


def _same_again(course: Course, lab: Lab, template: Template) -> Iterator[str]:
    """nbval runs the first seed's notebook again; outputs must be the same."""
    folder = _run_folder(course, lab, lab.seed)
    executed = folder / "executed.ipynb"
    if not executed.exists():
        return
    notebook = nbformat.read(executed, as_version=4)
    for cell in notebook.cells:
        if "varies" in cell.metadata.get("tags", []):
            cell.metadata["tags"].append("nbval-ignore-output")
    nbformat.write(notebook, executed)
    # -c: no project's pytest settings; the notebook alone is under test.
    command = ["pytest", "--nbval", "-q", "-c", "/dev/null"]
    command += ["-p", "no:cacheprovider", executed.name]
    status, said = run_tool(template, command, folder)
    if status:
        failed = [line for line in said.splitlines() if line.startswith("FAILED")]
        reason = (failed or said.strip().splitlines() or ["no message"])[-1]
        yield f"{lab.name}: the same seed gave other outputs: {reason}"


def _bank_folder(course: Course) -> Path:
    return course.root / "runs" / "bank"


def _bank(
    course: Course, lab: Lab, bank: tuple[Variant, ...], report: Report, template: Template
) -> Iterator[str]:
    """Every wrong answer must lose its question with its hint, every right one keep it.

    The first seed's values for `given:` cells come of the same replay.
    """
    folder = _bank_folder(course)
    folder.mkdir()
    out = folder / "trials.jsonl"
    try:
        record_given(template, lab, lab.seed, folder, "--variants", str(out))
    except CourseError as error:
        yield f"{lab.name}: the bank could not be tried: {error}"
        return
    trials = {(trial.question, trial.title): trial for trial in read_trials(out)}
    for variant in bank:
        trial = trials[variant.question, variant.title]
        missed = list(_variant_problems(lab, variant, trial))
        report.wrong_caught += variant.wrong and not missed
        report.right_kept += not variant.wrong and not missed
        yield from missed
    for question in (cell.question for cell in lab.cells if cell.kind in ("test", "review")):
        yield from _question_problems(lab, question, bank, trials)


def _variant_problems(lab: Lab, variant: Variant, trial: Trial) -> Iterator[str]:
    where = f"{lab.name}, {variant.question}: '{variant.title}'"
    own = trial.verdicts[0]
    full = lab.points[variant.question]
    if not variant.wrong:
        for verdict in trial.verdicts:
            if verdict.earned < lab.points[verdict.question]:
                yield f"{where} is right but loses {verdict.question}: {_first(verdict)}"
        return
    if own.earned >= full:
        yield f"{where} is wrong but earns all {full:g} points"
    elif variant.hint not in _first(own):
        yield f"{where} shows '{_first(own)}', not the hint '{variant.hint}'"


def _first(verdict: Verdict) -> str:
    return " ".join(verdict.failures[0][1].split()) if verdict.failures else "nothing"


def _question_problems(
    lab: Lab, question: str, bank: tuple[Variant, ...], trials: dict[tuple[str, str], Trial]
) -> Iterator[str]:
    where = f"{lab.name}, {question}"
    wrong = [v for v in bank if v.question == question and v.wrong]
    own = {v.title: trials[question, v.title].verdicts[0] for v in wrong}
    if not any(v.question == question and not v.wrong for v in bank):
        yield f"{where}: no right answer of another make in the bank"
    if not any(verdict.visible_passes for verdict in own.values()):
        yield f"{where}: no wrong answer passes the visible tests and fails a hidden one"
    # A review's verdict is a count, by which different weak tests may agree.
    signatures = Counter(
        v.title if question.endswith("-review") else str(sorted(own[v.title].failures))
        for v in wrong
    )
    if len(signatures) < WRONG_ANSWERS:
        yield f"{where}: only {len(signatures)} different wrong answers of {WRONG_ANSWERS}"
    for title, verdict in own.items():
        if signatures.get(str(sorted(verdict.failures)), 0) > 1:
            yield f"{where}: '{title}' fails exactly as another wrong answer does"


def table(reports: list[Report]) -> str:
    """The reports as one plain-text table, problems below it."""
    header = ("lab", "questions", "points", "seeds", "wrong caught", "right kept", "others by")
    rows = [(*header, "varies", "wall s", "MB", "CPU s", "verified")]
    for r in reports:
        wrong = f"{r.wrong_caught}/{r.wrong_answers}"
        right = f"{r.right_kept}/{r.right_answers}"
        others = "replay" if r.replayed else "fork"
        counts = (str(r.questions), f"{r.points:g}", str(len(r.seeds)), wrong, right, others)
        cost = (f"{r.wall_s:.1f}/{r.budget_s}", f"{r.memory_mb:.0f}", f"{r.cpu_s:.0f}")
        rows.append((r.lab, *counts, str(len(r.varies)), *cost, "no" if r.problems else "yes"))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(text.ljust(w) for text, w in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def write_json(reports: list[Report], target: Path) -> None:
    """Write the reports to `target` at once."""
    target.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps([asdict(report) for report in reports], indent=1, ensure_ascii=False)
    with replacing(target) as scratch:
        scratch.write_text(text + "\n", encoding="utf-8")
