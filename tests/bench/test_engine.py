"""What the engine costs: ratios and costs per submission, measured in one run (`make bench`)."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from grader.course import CONFIG, Course
from grader.engine.launch import running_template, start_kernel, stop_kernel
from grader.engine.limits import Limits
from grader.engine.protocol import connected, run_cell
from grader.release import release
from tests.bench.light import IMPORTS, NAME, light_course
from tests.conftest import ROOT
from tests.workflow.learners import fill, model_answers

BIN = Path(sys.executable).parent
REAL = "monitoring-data-drift"
CORES = len(os.sched_getaffinity(0))


@dataclass(frozen=True)
class Cost:
    """A grader's run: wall and CPU seconds of all its processes, and its own peak memory."""

    wall_s: float
    cpu_s: float
    cells_s: float  # of the CPU seconds, those of the notebooks' cells and controls
    memory_mb: float


def graded(course: Course, assignment: str, *more: str) -> Cost:
    """Grade a class by the command line, from nothing."""
    table = course.root / "results.json"
    command = [str(BIN / "grader"), "--course", str(course.root), "autograde", assignment]
    started = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--force", "--json", str(table), *more],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    own, memory = psutil.Process(process.pid), 0
    while (ended := os.wait4(process.pid, os.WNOHANG))[0] == 0:
        memory = max(memory, own.memory_info().rss)
        time.sleep(0.05)
    wall_s = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(ended[1])
    assert process.returncode == 0
    rows = json.loads(table.read_text())
    assert all(row["outcome"] in ("full", "partial") for row in rows)
    cpu_s = ended[2].ru_utime + ended[2].ru_stime
    return Cost(wall_s, cpu_s, sum(row["cells_cpu_s"] for row in rows), memory / 1e6)


def test_light_submissions_against_nbgrader(tmp_path: Path) -> None:
    """The same 60 submissions, with what each takes to start and to import.

    The libraries are read from disk once before, or the grader that goes first would pay for both.
    """
    course = light_course(tmp_path, 60)
    subprocess.run([sys.executable, "-c", f"import nbgrader\n{IMPORTS}"], check=True)
    engine = graded(course, NAME)
    shutil.rmtree(tmp_path / "autograded")
    started = time.perf_counter()
    subprocess.run(
        [str(BIN / "nbgrader"), "autograde", NAME, "--force"],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"},
        check=True,
        capture_output=True,
    )
    nbgrader_s = time.perf_counter() - started
    assert len(list((tmp_path / "autograded").glob(f"*/{NAME}/{NAME}.ipynb"))) == 60
    print(
        f"\n60 light submissions on {CORES} cores: nbgrader {nbgrader_s:.0f} s, engine "
        f"{engine.wall_s:.1f} s: {nbgrader_s / engine.wall_s:.1f} times the throughput"
    )


def test_own_cost_on_a_real_lab(tmp_path: Path) -> None:
    """CPU seconds beside those of cells and controls, of each submission more; and wall time."""
    shutil.copyfile(ROOT / CONFIG, tmp_path / CONFIG)
    (tmp_path / "solutions").symlink_to(ROOT / "solutions")
    course = Course(tmp_path)
    release(course, REAL)
    costs = []
    for count in (2, 12):
        for number in range(count):
            folder = course.submitted / f"s{number}" / REAL
            path = fill(course, REAL, folder, REAL, model_answers(course, REAL))
            assert path.name == f"{REAL}.ipynb"
        costs.append(graded(course, REAL))
    few, many = costs
    own = ((many.cpu_s - many.cells_s) - (few.cpu_s - few.cells_s)) / 10
    cells = (many.cells_s - few.cells_s) / 10
    wall = (many.wall_s - few.wall_s) / 10
    print(
        f"\n{REAL}: {cells:.2f} CPU s of cells and controls and {own:.3f} s of the engine's own "
        f"for each submission more; wall {wall / ((cells + 0.15) / CORES):.2f} times "
        f"(cells and controls + 0.15 s) / {CORES} cores"
    )


def test_many_submissions(tmp_path: Path) -> None:
    """From 100 to 2,000: what one more costs, and the supervisor's memory."""
    costs = {n: graded(light_course(tmp_path / str(n), n), NAME) for n in (20, 100, 2000)}
    early = (costs[100].cpu_s - costs[20].cpu_s) / 80
    late = (costs[2000].cpu_s - costs[100].cpu_s) / 1900
    print(
        f"\nof a light submission more: {1000 * early:.0f} CPU ms up to 100, {1000 * late:.0f} ms "
        f"from there to 2,000: {late / early - 1:+.0%}; supervisor's memory "
        f"{costs[100].memory_mb:.0f} MB with 100, {costs[2000].memory_mb:.0f} MB with 2,000; "
        f"2,000 took {costs[2000].wall_s:.0f} s"
    )


def test_two_workers_against_one(tmp_path: Path) -> None:
    """Notebooks with a second of work of their own, by one Dask worker and by two."""
    course = light_course(tmp_path / "course", 24, seconds=1.0)
    walls = []
    for workers in (1, 2):
        with cluster(workers, tmp_path / str(workers)) as address:
            graded(course, NAME, "--scheduler", address)  # its templates stand afterwards
            walls.append(graded(course, NAME, "--scheduler", address).wall_s)
    print(
        f"\n24 notebooks of a second's work: {walls[0]:.0f} s by one Dask worker, "
        f"{walls[1]:.0f} s by two: {walls[1] / walls[0]:.2f}"
    )


@contextmanager
def cluster(workers: int, folder: Path) -> Iterator[str]:
    """A Dask scheduler and its workers on loopback, ended with the block."""
    folder.mkdir()
    dask = [sys.executable, "-m", "dask"]
    log = folder / "scheduler.log"
    started = []
    with log.open("wb") as out:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        scheduler = [*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
        started.append(subprocess.Popen(scheduler, cwd=folder, stdout=out, stderr=out))
        try:
            address = wait_for_address(log)
            worker = [*dask, "worker", address, "--nthreads", "1", "--no-dashboard", "--no-nanny"]
            started += [subprocess.Popen(worker, cwd=folder, **quiet) for _ in range(workers)]
            time.sleep(5)
            yield address
        finally:
            for process in reversed(started):
                process.terminate()
                process.wait()


def wait_for_address(log: Path) -> str:
    for _ in range(300):
        if match := re.search(r"tcp://127\.0\.0\.1:\d+", log.read_text()):
            return match[0]
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def test_private_memory_of_a_kernel() -> None:
    """Of a kernel with the light notebook's libraries, beside what its cells then use."""
    modules = ["numpy", "pandas", "torch", "sklearn.linear_model"]
    with running_template(modules, sandboxed=True) as template:
        kernel = start_kernel(template, Limits())
        with connected(kernel, Limits(), time.monotonic() + 60, lambda: "") as client:
            run_cell(client, IMPORTS)
            rollup = Path(f"/proc/{kernel.pid}/smaps_rollup").read_text()
        stop_kernel(template, kernel)
    private = sum(int(kb) for kb in re.findall(r"^Private\w*: +(\d+) kB", rollup, re.M))
    print(f"\na kernel's private memory with its libraries imported: {private / 1024:.0f} MB")
