"""The template: a process that has imported the libraries and forks a kernel per connection.

    python -m grader.engine.template LISTENER EXCHANGE [--sandbox] [--package DIR ...]

LISTENER is the number of an inherited listening socket. Standard input names the modules, a JSON
list a line up to an empty one; the process ends with it.
For each connection it forks a monitor, which forks the kernel: closing the connection kills the
kernel and all that it started. In its memory lies nothing that a learner may not read.
"""

import argparse
import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

from grader import offline
from grader.engine import sandbox
from grader.engine.hugepages import use_huge_pages
from grader.engine.limits import Limits

# Threads that may be left behind by a fork (tests/unit/test_forksafe.py): Arrow's allocator
# starts its own as soon as pandas is imported.
SAFE_THREADS = {"jemalloc_bg_thd"}
# Known to start no other: the rest is tried in a fork first, at the price of a second import.
TRIED = {
    *("PIL", "grader", "lender", "matplotlib", "narwhals", "numpy", "pandas", "scipy"),
    *("sklearn", "torch"),
}
CONNECTION_FILE = "connection.json"
LOG = "log"
IMPORTED = "imported"  # says how many seconds the imports took
_MEGABYTE = 1024 if sys.platform == "linux" else 1024**2  # of ru_maxrss


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("listener", type=int)
    parser.add_argument("exchange", type=Path)
    parser.add_argument("--sandbox", action="store_true")
    parser.add_argument("--package", type=Path, action="append", default=[])
    options = parser.parse_args(arguments)
    listener = socket.socket(fileno=options.listener)
    if options.sandbox:
        sandbox.enter_template(options.exchange, options.package)
    exchange = sandbox.EXCHANGE if options.sandbox else options.exchange
    gc.disable()  # what imports make stays: to look for garbage takes a quarter of their time
    seconds = preload()
    (exchange / IMPORTED).write_text(str(seconds))
    if unsafe_threads():
        sys.exit(f"importing the libraries left threads running: {', '.join(unsafe_threads())}")
    gc.freeze()
    gc.enable()
    use_huge_pages()
    serve(listener, exchange, sandboxed=options.sandbox)
    os._exit(0)  # tearing the libraries down takes longer than it is worth


def preload() -> float:
    """Import what kernels will need, as it is named; return how many seconds that took."""
    started = time.perf_counter()
    kernel = importlib.import_module("grader.engine.kernel")
    seconds = time.perf_counter() - started
    for line in sys.stdin:
        if not line.strip():
            kernel.ready()
            return seconds
        started = time.perf_counter()
        for name in json.loads(line):
            _import(name)
        seconds += time.perf_counter() - started
    os._exit(0)


def _import(name: str) -> None:
    """Import a module; one that fails here will fail in the kernel, and be seen."""
    if name in sys.modules:
        return  # named early, and again with all
    top = name.partition(".")[0]
    if top in TRIED or top in sys.stdlib_module_names or _starts_no_thread(name):
        with contextlib.suppress(Exception):
            importlib.import_module(name)


def _starts_no_thread(name: str) -> bool:
    """Whether importing the module in a fork leaves no thread that a further fork would lose."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            importlib.import_module(name)
            status = len(unsafe_threads())
        finally:
            os._exit(min(status, 1))
    return os.waitpid(pid, 0)[1] == 0


def unsafe_threads() -> list[str]:
    """This process's threads but for the calling one and those on the list."""
    tasks = Path("/proc/self/task")
    if tasks.exists():
        mine = str(threading.get_native_id())
        others = [(t / "comm").read_text().strip() for t in tasks.iterdir() if t.name != mine]
    else:
        others = [t.name for t in threading.enumerate() if t is not threading.current_thread()]
    return [name for name in others if name not in SAFE_THREADS]


def serve(listener: socket.socket, exchange: Path, *, sandboxed: bool) -> None:
    """Fork a monitor for each connection until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the supervisor's to act on
    while True:
        ready = select.select([listener.fileno(), 0], [], [], 1.0)[0]
        _reap(0 in ready)
        if 0 in ready:
            return
        if not ready:
            continue
        connection, _ = listener.accept()
        if os.fork() == 0:
            status = 1
            try:
                listener.close()
                monitor(connection, exchange, sandboxed=sandboxed)
                status = 0
            except Exception as error:
                print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
            finally:
                os._exit(status)
        connection.close()


def _reap(all_of_them: bool) -> None:
    """Take leave of monitors that have ended, so that what their kernels used is accounted for."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, 0 if all_of_them else os.WNOHANG)[0]:
            pass


def monitor(connection: socket.socket, exchange: Path, *, sandboxed: bool) -> None:
    """Fork one kernel, say how it fares, and end it with the connection.

    Messages are JSON lines. In: the request, then "go" once the kernel's process has been put
    where it is accounted for, then signals. Out: pid, bound or error, at last the exit status.
    """
    lines = connection.makefile("rb", buffering=0)  # select() must see what is unread
    request = json.loads(lines.readline())
    child_ended = _child_ends()
    if sandboxed:
        sandbox.unshare_kernel()
    go_read, go_write = os.pipe()
    bound_read, bound_write = os.pipe()
    monitor_pid = os.getpid()
    pid = os.fork()
    if pid == 0:
        connection.close()
        os.close(go_write)
        os.close(bound_read)
        if not sandboxed:
            sandbox.die_with_parent(monitor_pid)
        _become_kernel(request, exchange, go_read, bound_write, sandboxed=sandboxed)
    os.close(go_read)
    os.close(bound_write)
    try:
        _say(connection, pid=pid)
        if lines.readline():
            os.write(go_write, b"go")
            said = os.read(bound_read, 4096).decode(errors="replace")
            _say(connection, **({"bound": True} if said == "bound" else {"error": said}))
            _relay(connection, lines, pid, child_ended)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        _, status, used = os.wait4(pid, 0)
        with contextlib.suppress(OSError):
            code = os.waitstatus_to_exitcode(status)
            cpu_s = used.ru_utime + used.ru_stime
            _say(connection, exit=code, cpu_s=cpu_s, memory_mb=used.ru_maxrss / _MEGABYTE)


def _child_ends() -> int:
    """A descriptor that can be read once a child of this process has ended."""
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(write_end)
    return read_end


def _relay(connection: socket.socket, lines: Any, pid: int, ended: int) -> None:
    """Pass signals on until the kernel ends or the connection does."""
    while True:
        ready = select.select([connection.fileno(), ended], [], [])[0]
        if ended in ready:
            return
        line = lines.readline()
        if not line:
            return
        os.kill(pid, json.loads(line)["signal"])


def _say(connection: socket.socket, **message: Any) -> None:
    connection.sendall(json.dumps(message).encode() + b"\n")


def _become_kernel(
    request: dict[str, Any], exchange: Path, go: int, bound: int, *, sandboxed: bool
) -> None:
    """Wait for "go", lock this process in, and serve the kernel; never returns."""
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGINT, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        if os.read(go, 2) != b"go":
            return
        silence()
        folder = exchange / request["folder"]
        if sandboxed:
            limits = Limits(**request["limits"])
            sandbox.settle_kernel(folder, limits, keep=[bound], grouped=request["grouped"])
            folder = sandbox.KERNEL
        else:
            os.environ.clear()
            os.environ.update(request["env"])
            os.chdir(request["cwd"])
            if request["offline"]:
                offline.leave_network()
        if request["module"]:
            status = _run_module(request, folder, bound)
            return
        kernel = importlib.import_module("grader.engine.kernel")

        def on_bound() -> None:
            os.write(bound, b"bound")
            os.close(bound)

        kernel.run_kernel(str(folder / CONNECTION_FILE), on_bound, copying=request["copying"])
        status = 0
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.write(bound, f"{type(error).__name__}: {error}".encode()[:4000])
    finally:
        os._exit(status)


def _run_module(request: dict[str, Any], folder: Path, bound: int) -> int:
    """Run a module's `main` instead of a kernel; what it prints goes to a log in its folder."""
    log = os.open(folder / LOG, os.O_WRONLY | os.O_CREAT)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.write(bound, b"bound")
    try:
        return int(importlib.import_module(request["module"]).main(request["arguments"]))
    except Exception as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def silence() -> None:
    """Point the three standard streams at /dev/null."""
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    os.close(null)


if __name__ == "__main__":
    main()
