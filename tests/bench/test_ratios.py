"""Ratios, measured side by side in one run; nothing here is asserted (`make bench`)."""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from grader.answers import read_bank
from grader.course import CONFIG, Course
from grader.execute import execute, lab_template, replay
from grader.master import read_lab
from grader.release import write_source

ROOT = Path(__file__).parent.parent.parent
LAB = "monitoring-data-drift"


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def test_other_answers_in_forks_against_a_notebook_run_each(tmp_path: Path) -> None:
    """What `grader verify` saves by forking at each question."""
    shutil.copyfile(ROOT / CONFIG, tmp_path / CONFIG)
    (tmp_path / "solutions").symlink_to(ROOT / "solutions")
    course = Course(tmp_path)
    write_source(course, LAB)
    lab = read_lab(course.master(LAB))
    variants = len(read_bank(lab))
    folder = course.source / LAB
    trials = str(tmp_path / "trials.jsonl")
    notebook, output = folder / f"{LAB}.ipynb", tmp_path / "executed.ipynb"
    with lab_template(lab) as template:
        once = seconds(lambda: execute(template, notebook, output, lab.seed, folder))
        forked = seconds(
            lambda: replay(template, lab.path, lab.seed, folder, "--variants", trials)
        )
    print(
        f"\n{variants} other answers of {LAB}: {forked:.0f} s in forks, {variants * once:.0f} s "
        f"by {variants} notebook runs of {once:.1f} s: ratio {forked / (variants * once):.3f}"
    )


def test_a_second_build_of_the_book_against_the_first(tmp_path: Path) -> None:
    """What the cache of executed pages saves."""
    for name in (
        "_config.yml",
        "_toc.yml",
        "references.bib",
        "curriculum.yml",
        "requirements.txt",
    ):
        shutil.copyfile(ROOT / name, tmp_path / name)
    for name in ("chapters", "_static", "lender", "tools"):
        shutil.copytree(ROOT / name, tmp_path / name)
    command = [sys.executable, str(ROOT / "tools" / "book.py"), str(tmp_path)]
    cold = seconds(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))
    warm = seconds(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))
    print(f"\nthe book: {cold:.0f} s cold, {warm:.0f} s warm: ratio {warm / cold:.2f}")
