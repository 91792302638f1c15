"""Measure a backfill in Airflow, which needs a scheduler: `python tools/measure_backfill.py`.

It needs `make kernel-airflow` and Linux, takes minutes, and writes
chapters/data/airflow-measured.json. The DAG is the one that the page on Airflow writes. In the
first night one extract fails once and the other once more than it is retried: that night fails,
is cleared and run again.
"""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import nbformat
import psutil

ROOT = Path(__file__).parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from lender import pipeline  # noqa: E402
from tools import downloads, kernels  # noqa: E402

PAGE = ROOT / "chapters" / "data" / "orchestration-airflow.md"
MEASURED = ROOT / "chapters" / "data" / "airflow-measured.json"
DAG = "training"
NIGHTS = ("2026-03-01", "2026-03-05")  # logical dates of the first and the last run
COMPONENTS = ("api-server", "dag-processor", "scheduler")
SAMPLE_S = 0.5
WAIT_S = 600


def dag_source(page: str) -> str:
    """The cell of the page that writes the DAG, without its magic line."""
    notebook = nbformat.reads(downloads.page_notebook(page), as_version=4)
    first = f"%%writefile dags/{DAG}.py\n"
    return next(
        str(cell.source).removeprefix(first)
        for cell in notebook.cells
        if cell.source.startswith(first)
    )


def environment(home: Path, port: int) -> dict[str, str]:
    """What every process of Airflow sees: all of it on loopback and below `home`."""
    address = f"http://127.0.0.1:{port}"
    settings = {
        "API__HOST": "127.0.0.1",
        "API__PORT": str(port),
        "API__WORKERS": "1",
        "CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__PARALLELISM": "2",
        # One writer at a time: the others wait, also on a busy machine.
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}?timeout={WAIT_S}",
        "DAG_PROCESSOR__REFRESH_INTERVAL": "10",
        "SCHEDULER__USE_JOB_SCHEDULE": "False",  # no runs but those of the backfill
        "USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    own = {f"AIRFLOW__{name}": value for name, value in settings.items()}
    # Its own helpers (gunicorn, uvicorn) are looked for on the path.
    path = f"{Path(airflow()[0]).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, **own, "AIRFLOW_HOME": str(home), "PATH": path}


def airflow() -> list[str]:
    """Airflow's command line."""
    python = kernels.python(ROOT, "airflow")
    if python is None:
        sys.exit("The backfill needs Airflow: run 'make kernel-airflow' first.")
    return [str(python), "-m", "airflow"]


@contextmanager
def running(home: Path, env: dict[str, str]) -> Iterator[list[psutil.Process]]:
    """Airflow's processes, each the head of a session of its own, all ended with this block."""
    started = []
    try:
        for name in COMPONENTS:
            with (home / f"{name}.log").open("wb") as log:
                process = subprocess.Popen(
                    [*airflow(), name],
                    cwd=home,
                    env=env,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            started.append(psutil.Process(process.pid))
        yield started
    finally:
        families = [family(process) for process in started]
        for process in started:
            process.send_signal(signal.SIGTERM)
        _, alive = psutil.wait_procs([p for members in families for p in members], timeout=20)
        for process in alive:
            process.kill()
        psutil.wait_procs(alive, timeout=5)


def family(process: psutil.Process) -> list[psutil.Process]:
    """A process and all that it started."""
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


class Watch(threading.Thread):
    """The largest number of processes and megabytes (shared pages divided among sharers)."""

    def __init__(self, heads: list[psutil.Process]) -> None:
        super().__init__(daemon=True)
        self.heads, self.processes, self.memory_mb = heads, 0, 0.0
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.wait(SAMPLE_S):
            alive = [process for head in self.heads for process in family(head)]
            self.processes = max(self.processes, len(alive))
            self.memory_mb = max(self.memory_mb, sum(map(proportional_mb, alive)))


def proportional_mb(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().pss) / 1e6
    except psutil.Error:
        return 0.0


def cpu_s(heads: list[psutil.Process]) -> float:
    """Processor seconds so far of processes and all that they started, ended ones included."""
    alive = [process for head in heads for process in family(head)]
    return sum(sum(times_of(process)[:4]) for process in alive)


def times_of(process: psutil.Process) -> tuple[float, ...]:
    """Seconds of user and system, then those of ended children."""
    try:
        return tuple(process.cpu_times())
    except psutil.Error:
        return ()


def wait_until(what: str, holds: Callable[[], bool], home: Path) -> float:
    """Seconds until a condition holds; ends the program where it takes too long."""
    started = time.perf_counter()
    while not holds():
        if time.perf_counter() - started > WAIT_S:
            logs = [(home / f"{name}.log").read_text()[-1500:] for name in COMPONENTS]
            failure = f"Airflow showed no {what} within {WAIT_S} s; its logs are above."
            sys.exit("\n".join([*logs, failure]))
        time.sleep(SAMPLE_S)
    return time.perf_counter() - started


def query(home: Path, sql: str) -> list[tuple[Any, ...]]:
    """Rows from the metadata database."""
    with sqlite3.connect(f"file:{home / 'airflow.db'}?mode=ro", uri=True, timeout=30) as db:
        return db.execute(sql).fetchall()


def states(home: Path) -> set[str]:
    """The states in which runs are."""
    return {state for (state,) in query(home, "select distinct state from dag_run")}


def measure(home: Path) -> dict[str, Any]:
    """Run the backfill in an empty folder, and say what it took."""
    env = environment(home, free_port())
    (home / "dags").mkdir()
    source = dag_source(PAGE.read_text(encoding="utf-8"))
    (home / "dags" / f"{DAG}.py").write_text(source, encoding="utf-8")
    pipeline.write_source(home / "source.parquet")

    def run(*arguments: str) -> None:
        command = [*airflow(), *arguments]
        done = subprocess.run(command, cwd=home, env=env, capture_output=True, text=True)
        if "database is locked" in done.stderr:  # by the scheduler, for a moment
            done = subprocess.run(command, cwd=home, env=env, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"airflow {' '.join(arguments)} failed: {done.stderr[-1500:]}")

    def finished() -> bool:
        return states(home) <= {"success", "failed"}

    started = time.perf_counter()
    run("db", "migrate")
    migrate_s = time.perf_counter() - started
    pipeline.watch(home / "watched")
    env[pipeline.WATCHED] = os.environ[pipeline.WATCHED]
    pipeline.break_step("applications", times=1)
    pipeline.break_step("repayments", times=3)
    # SQLite lets one process write at a time: the runs are created before the scheduler starts.
    run("dags", "reserialize")
    run("dags", "unpause", DAG)
    backfill = ["backfill", "create", "--dag-id", DAG, "--max-active-runs", "1"]
    backfill += ["--from-date", NIGHTS[0], "--to-date", NIGHTS[1]]
    run(*backfill)
    with running(home, env) as heads:
        watch = Watch(heads)
        watch.start()
        start_s = wait_until("run", lambda: "running" in states(home), home)
        idle_s = cpu_s(heads)
        backfill_s = wait_until("end of the backfill", finished, home)
        backfill_cpu_s = cpu_s(heads) - idle_s
        first = summary(home)
        calls = pipeline.calls()
        (failed,) = query(home, "select logical_date from dag_run where state = 'failed'")
        day = str(failed[0])[:10]
        run("tasks", "clear", DAG, "--only-failed", "--yes", "-s", day, "-e", day)
        clear_s = wait_until("end of the cleared run", finished, home)
        second = summary(home)
        watch.stopped.set()
        watch.join()
    run(*backfill)
    again = len(query(home, "select 1 from dag_run")) - second["runs"]
    return {
        "date": date.today().isoformat(),
        "machine": machine(),
        "python": sys.version.split()[0],
        "airflow": installed("apache-airflow"),
        "nights": NIGHTS,
        "dag_lines": sum(
            bool(line.strip()) and not line.lstrip().startswith("#")
            for line in source.splitlines()
        ),
        "processes": watch.processes,
        "memory_mb": round(watch.memory_mb),
        "migrate_s": round(migrate_s, 1),
        "start_s": round(start_s, 1),
        "backfill_s": round(backfill_s, 1),
        "clear_s": round(clear_s, 1),
        "backfill_cpu_s": round(backfill_cpu_s, 1),
        "load": round(os.getloadavg()[1], 1),
        "backfill": first | {"calls": len(calls)},
        "cleared": second | {"night": day, "calls": len(pipeline.calls()) - len(calls)},
        "new_runs_of_a_second_backfill": again,
        "by_hand_cpu_s": by_hand(home),
    }


def summary(home: Path) -> dict[str, Any]:
    """What the metadata database says of all runs."""
    runs = Counter(state for (state,) in query(home, "select state from dag_run"))
    tasks = query(home, "select state, try_number, duration from task_instance")
    return {
        "runs": runs.total(),
        "run_states": dict(runs),
        "task_states": dict(Counter(state for state, *_ in tasks)),
        "tries": sum(tries for _, tries, _ in tasks),
        "task_s": round(sum(seconds or 0 for *_, seconds in tasks), 1),
    }


def by_hand(home: Path) -> float:
    """Processor seconds for the same nights in one process, without an orchestrator."""
    started = time.process_time()
    for day in range(int(NIGHTS[0][-2:]), int(NIGHTS[1][-2:]) + 1):
        folder = home / "by-hand" / str(day)
        folder.mkdir(parents=True)
        night = f"{NIGHTS[0][:-2]}{day:02}"
        for name in pipeline.STEPS:
            pipeline.run_step(name, folder, home / "source.parquet", date=night)
    return round(time.process_time() - started, 1)


def installed(package: str) -> str:
    """The version of a package in Airflow's environment."""
    code = f"from importlib.metadata import version; print(version({package!r}))"
    done = subprocess.run(
        [airflow()[0], "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip()


def machine() -> str:
    """Cores and memory of this machine."""
    memory = psutil.virtual_memory().total / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {sys.platform}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        measured = measure(Path(folder))
    MEASURED.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {MEASURED.relative_to(ROOT)}: commit it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
