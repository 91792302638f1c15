"""Execute a notebook by papermill on one core without a network, and measure it.

    python -m grader.execute IN.ipynb OUT.ipynb --seed 20260101

writes OUT.ipynb, and as its last line of output what the run cost, as JSON.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import papermill

from grader import offline
from grader.errors import CourseError

# One thread per library: the budget is stated for one core.
SINGLE_THREADED = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MPLBACKEND": "Agg",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}


RUN_LIMIT_S = 600


@dataclass(frozen=True)
class Cost:
    """Wall time and peak resident memory of the kernel, CPU time of all processes."""

    wall_s: float
    cpu_s: float
    memory_mb: float


def run_offline(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command without a network, single-threaded, in `folder`."""
    environment = {**os.environ, **SINGLE_THREADED}
    try:
        return subprocess.run(
            [*offline.prefix(), *command],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=RUN_LIMIT_S,
        )
    except subprocess.TimeoutExpired:
        raise CourseError(
            f"'{' '.join(command[1:5])}' ran for {RUN_LIMIT_S} s; look for an endless loop."
        ) from None


def replay_offline(master: Path, seed: int, folder: Path, *more: str) -> None:
    """Run `python -m grader.replay` in `folder`; CourseError with its last line where it fails."""
    command = [sys.executable, "-m", "grader.replay", str(master), str(seed), str(folder)]
    done = run_offline([*command, *more], folder)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise CourseError(f"{master}, seed {seed}: running the answers failed: {last}; mend it.")


def execute_offline(notebook: Path, output: Path, seed: int, folder: Path) -> Cost:
    """Execute `notebook` in `folder` in a process of its own; CourseError where a cell fails."""
    command = [sys.executable, "-m", "grader.execute", str(notebook), str(output)]
    done = run_offline([*command, "--seed", str(seed)], folder)
    if done.returncode:
        raise CourseError(f"{notebook.name}, seed {seed}: {done.stdout.strip() or done.stderr}")
    return Cost(**json.loads(done.stdout.splitlines()[-1]))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebook", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--seed", type=int, required=True)
    options = parser.parse_args(arguments)
    if sys.platform == "linux":
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    started = time.perf_counter()
    try:
        papermill.execute_notebook(
            options.notebook,
            options.output,
            parameters={"seed": options.seed},
            kernel_name="python3",
            progress_bar=False,
        )
    except papermill.PapermillExecutionError as error:
        print(f"cell {error.cell_index + 1} failed with {error.ename}: {error.evalue}")
        return 2
    kernel = resource.getrusage(resource.RUSAGE_CHILDREN)
    ours = resource.getrusage(resource.RUSAGE_SELF)
    megabyte = 1024 if sys.platform == "linux" else 1024**2
    cost = Cost(
        wall_s=time.perf_counter() - started,
        cpu_s=kernel.ru_utime + kernel.ru_stime + ours.ru_utime + ours.ru_stime,
        memory_mb=kernel.ru_maxrss / megabyte,
    )
    print(json.dumps(asdict(cost)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
