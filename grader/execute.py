"""Run a lab's notebook, or its replay, in forks of a template: one core, no network, measured."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from grader.engine import provisioner
from grader.engine.imports import needed, preload
from grader.engine.launch import Template, run_module, running_template
from grader.errors import CourseError
from grader.master import Lab

RUN_LIMIT_S = 600


@dataclass(frozen=True)
class Cost:
    """Wall time with the imports, CPU time and peak resident memory of a notebook's kernel."""

    wall_s: float
    cpu_s: float
    memory_mb: float


@contextmanager
def lab_template(lab: Lab) -> Iterator[Template]:
    """A template that has imported what the lab's cells import."""
    code = [cell.source for cell in lab.cells if cell.kind not in ("markdown", "written")]
    modules = preload(needed(code), data=())
    with running_template(modules, sandboxed=False) as template:
        yield template


def replay(template: Template, master: Path, seed: int, folder: Path, *more: str) -> None:
    """Run `grader.replay` in `folder`; CourseError with its last line where it fails."""
    arguments = [str(master), str(seed), str(folder), *more]
    try:
        status, said = run_module(template, "grader.replay", arguments, folder, RUN_LIMIT_S)
    except TimeoutError:
        raise CourseError(
            f"{master}, seed {seed}: the answers ran for {RUN_LIMIT_S} s; "
            "look for an endless loop."
        ) from None
    if status:
        last = (said.strip().splitlines() or ["no message"])[-1]
        raise CourseError(f"{master}, seed {seed}: running the answers failed: {last}; mend it.")


def execute(template: Template, notebook: Path, output: Path, seed: int, folder: Path) -> Cost:
    """Execute a notebook by papermill in `folder`; CourseError where a cell fails."""
    import papermill

    started = time.perf_counter()
    with patch.dict(os.environ, environment(template)):
        try:
            papermill.execute_notebook(
                notebook,
                output,
                parameters={"seed": seed},
                kernel_name="python3",
                progress_bar=False,
                cwd=folder,
                execution_timeout=RUN_LIMIT_S,
            )
        except papermill.PapermillExecutionError as error:
            raise CourseError(
                f"{notebook.name}, seed {seed}: cell {error.cell_index + 1} failed with "
                f"{error.ename}: {error.evalue}"
            ) from None
    wall_s = time.perf_counter() - started + template.import_seconds()
    kernel = provisioner.ended[-1]
    return Cost(wall_s, kernel["cpu_s"], kernel["memory_mb"])


def environment(template: Template) -> dict[str, str]:
    """For tools that execute a lab's notebook: forked kernels, and figures that stay undrawn."""
    return {**provisioner.forked_kernels(template), "MPLBACKEND": "Agg"}


def run_tool(template: Template, command: list[str], folder: Path) -> tuple[int, str]:
    """Run a tool that executes notebooks in `folder`; its status and output."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=folder,
            env=environment(template),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=RUN_LIMIT_S,
        )
    except subprocess.TimeoutExpired:
        raise CourseError(
            f"'{' '.join(command[:3])}' ran for {RUN_LIMIT_S} s; look for an endless loop."
        ) from None
    return done.returncode, done.stdout
