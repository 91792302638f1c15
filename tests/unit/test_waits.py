"""A cell's time counts what it had a core for; a busy machine takes no learner's points."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from grader.engine.launch import running_template, start_kernel, stop_kernel
from grader.engine.limits import Limits
from grader.engine.protocol import Client, connected, run_cell

LIMITS = Limits(cell_s=2.0)
WORK = "import time\nwhile time.process_time() < {until}: pass"

pytestmark = pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="only Linux tells how long a process waited"
)


@contextmanager
def crowded(deadline_s: float) -> Iterator[Client]:
    """A kernel on one core, which it shares with three endless loops."""
    with running_template([], sandboxed=False) as template:
        kernel = start_kernel(template, LIMITS)
        loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(3)]
        try:
            core = {min(os.sched_getaffinity(0))}
            for pid in (kernel.pid, *(loop.pid for loop in loops)):
                os.sched_setaffinity(pid, core)
            deadline = time.monotonic() + deadline_s
            with connected(kernel, LIMITS, deadline, lambda: "") as client:
                yield client
        finally:
            for loop in loops:
                loop.kill()
                loop.wait()
            stop_kernel(template, kernel)


def test_waiting_for_a_core_takes_no_time_of_a_cell() -> None:
    with crowded(deadline_s=120) as client:
        began = "import time\nbegan = time.process_time()"
        assert run_cell(client, began).status == "ok"
        assert run_cell(client, WORK.format(until="began + 1")).status == "ok"


def test_an_endless_loop_ends_on_a_crowded_machine_too() -> None:
    with crowded(deadline_s=120) as client:
        assert run_cell(client, WORK.format(until="1e9")).status == "timeout"


def test_the_deadline_of_the_notebook_stands() -> None:
    with crowded(deadline_s=1) as client:
        assert run_cell(client, WORK.format(until="1e9")).status == "timeout"
