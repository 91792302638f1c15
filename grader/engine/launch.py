"""Start a template, and kernels from it; the supervisor's side."""

import contextlib
import functools
import importlib.util
import json
import os
import secrets
import select
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from grader.engine import sandbox
from grader.engine.cgroup import Group, group_named, memory_group
from grader.engine.limits import Limits
from grader.engine.scratch import remove_abandoned, scratch_folder
from grader.engine.template import CONNECTION_FILE, IMPORTED, LOG
from grader.errors import CourseError, MachineError

# What a kernel sees of the environment; one thread per library, or a fork could hang.
SINGLE_THREADED = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",  # a thread of Arrow's allocator
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",  # a fork copies an entry per page
}
PACKAGES = ("grader", "lender")
START_S = 120  # for importing the libraries on a loaded machine
END_S = 1.0


@dataclass(eq=False)
class Template:
    """A running template; kernels come from it by `start_kernel`."""

    home: Path
    sandboxed: bool
    kernels: "set[Kernel]" = field(default_factory=set)
    process: "subprocess.Popen[bytes] | None" = None
    complete: bool = False  # it has been told all that it is to import

    @property
    def address(self) -> Path:
        """Its listening socket."""
        return self.home / "listen"

    @property
    def exchange(self) -> Path:
        """One folder per kernel, seen by both sides."""
        return self.home / "x"

    @property
    def log(self) -> Path:
        return self.home / "log"

    def import_seconds(self) -> float:
        """How long its imports took; ask after the first kernel has started."""
        return float((self.exchange / IMPORTED).read_text())


@dataclass(eq=False)
class Kernel:
    """A running kernel: hang up, and it dies with all that it started."""

    connection: socket.socket
    folder: Path
    pid: int
    info: dict[str, Any]  # jupyter_client's connection information
    group: Group | None = None
    lines: Any = None
    ended: dict[str, Any] = field(default_factory=dict)

    def signal(self, number: int) -> None:
        with contextlib.suppress(OSError):
            self.connection.sendall(json.dumps({"signal": number}).encode() + b"\n")

    def has_ended(self) -> bool:
        return bool(self.ended or select.select([self.connection], [], [], 0)[0])

    def wait(self) -> dict[str, Any]:
        """Exit status and CPU seconds, once it has ended."""
        self.ended = self.ended or _read(self.lines) or {"exit": None, "cpu_s": 0.0}
        return self.ended


def cores() -> int:
    """How many cores kernels can have: this process's, where the system tells them."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextlib.contextmanager
def running_template(
    modules: Sequence[str], *, sandboxed: bool, python: Path | None = None
) -> Iterator[Template]:
    """A template that has imported `modules`, ended with this block or this process.

    python: of another environment, in which the course's packages are installed too.
    """
    with starting_template(sandboxed=sandboxed, python=python) as template:
        complete(template, modules)
        yield template


@contextlib.contextmanager
def starting_template(*, sandboxed: bool, python: Path | None = None) -> Iterator[Template]:
    """A template that has yet to be told what to import."""
    remove_abandoned(_remove_groups)
    # Unix socket paths are short: below the system's own folder for temporary files.
    with scratch_folder() as home:
        home.chmod(0o711)
        template = Template(home, sandboxed)
        template.exchange.mkdir(mode=0o711)
        imported = template.exchange / IMPORTED  # the one file there that the template writes
        imported.touch()
        if sandboxed:
            os.chown(imported, *sandbox.identity())
        template.process = _start(template, python or Path(sys.executable))
        try:
            yield template
        finally:
            for kernel in list(template.kernels):
                kernel.signal(signal.SIGKILL)
            _end(template)


def name_modules(template: Template, modules: Sequence[str]) -> None:
    """Have a template import these; one that failed says why when a kernel is wanted."""
    _tell(template, json.dumps(modules))


def complete(template: Template, modules: Sequence[str]) -> None:
    """Have a template import these as the last, and fork kernels."""
    name_modules(template, modules)
    _tell(template, "")
    template.complete = True


def _tell(template: Template, line: str) -> None:
    assert template.process and template.process.stdin
    with contextlib.suppress(OSError):
        template.process.stdin.write(line.encode() + b"\n")
        template.process.stdin.flush()


def _end(template: Template) -> None:
    """Let the template end; one that still imports libraries would take its time."""
    process = template.process
    assert process and process.stdin
    with contextlib.suppress(OSError):
        process.stdin.close()  # its sign to end
    try:
        process.wait(END_S if template.complete else 0)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _remove_groups(home: Path) -> None:
    """Remove the control groups of a template whose supervisor was killed."""
    for folder in Template(home, sandboxed=True).exchange.glob("*"):
        if group := group_named(folder.name):
            group.remove()


def _start(template: Template, python: Path) -> "subprocess.Popen[bytes]":
    command = [str(python), "-m", "grader.engine.template"]
    with socket.socket(socket.AF_UNIX) as listener, template.log.open("wb") as log:
        listener.bind(str(template.address))
        listener.listen(64)
        listener.set_inheritable(True)
        command += [str(listener.fileno()), str(template.exchange)]
        command += ["--sandbox"] if template.sandboxed else []
        for folder in _package_folders():
            command += ["--package", str(folder)]
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env=_environment() if template.sandboxed else {**os.environ, **SINGLE_THREADED},
            cwd="/",
            pass_fds=[listener.fileno()],
        )


@functools.cache
def _package_folders() -> list[Path]:
    specs = (importlib.util.find_spec(name) for name in PACKAGES)
    return [
        Path(s.submodule_search_locations[0]) for s in specs if s and s.submodule_search_locations
    ]


@functools.cache
def _environment() -> dict[str, str]:
    """Nothing of the instructor's environment: it may hold tokens."""
    return {
        **SINGLE_THREADED,
        "HOME": str(sandbox.WORK),
        "LANG": "C.UTF-8",
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": os.pathsep.join(sorted({str(p.parent) for p in _package_folders()})),
        "MPLCONFIGDIR": "/tmp/matplotlib",
        "IPYTHONDIR": "/tmp/ipython",
    }


def start_kernel(
    template: Template,
    limits: Limits,
    *,
    files: Mapping[str, bytes] | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    copying: bool = True,
    offline: bool = True,
    module: str = "",
    arguments: Sequence[str] = (),
) -> Kernel:
    """Fork a kernel; return once clients may connect.

    It begins in a work folder of its own that holds `files`, or in `cwd` with `env` if no sandbox
    stands around it. With `copying` it answers copy requests; `offline` it has no network but
    loopback where the system lets us take it away (in a sandbox always). CourseError where the
    kernel ended, MachineError where the template did.
    """
    folder = template.exchange / secrets.token_hex(4)
    connection = socket.socket(socket.AF_UNIX)
    kernel = Kernel(connection, folder, 0, _connection_info(folder))
    template.kernels.add(kernel)
    try:
        _fill(template, kernel, files or {})
        if template.sandboxed:
            kernel.group = memory_group(folder.name, limits)
        connection.settimeout(START_S)
        connection.connect(str(template.address))
        kernel.lines = connection.makefile("rb")
        request = {
            "folder": folder.name,
            "limits": asdict(limits),
            "grouped": kernel.group is not None,
            "cwd": str(cwd or folder / "files"),
            "env": dict(env or _environment()),
            "copying": copying,
            "offline": offline,
            "module": module,
            "arguments": list(arguments),
        }
        connection.sendall(json.dumps(request).encode() + b"\n")
        kernel.pid = (_read(kernel.lines) or {}).get("pid", 0)
        connection.sendall(b"go\n")
        if kernel.group and kernel.pid:
            kernel.group.add(kernel.pid)  # takes its time, in which the kernel gets ready
        answer = _read(kernel.lines) or {"error": _tail(template.log)}
        if "error" in answer:
            raise CourseError(f"a kernel did not start: {answer['error']}; run 'grader doctor'.")
        connection.settimeout(None)
        if template.sandboxed and os.getuid() == 0:
            os.chown(folder, 0, 0)  # its sockets stand; no more files for it on our disk
            folder.chmod(0o711)
    except OSError as error:
        stop_kernel(template, kernel)
        raise MachineError(_what_gave_way(template, error)) from None
    except BaseException:
        stop_kernel(template, kernel)
        raise
    return kernel


def run_module(
    template: Template, module: str, arguments: Sequence[str], cwd: Path, seconds: float
) -> tuple[int, str]:
    """Run a module's `main` in a fork, in `cwd` without a network; its status and what it said.

    TimeoutError after `seconds`.
    """
    environment = {**os.environ, **SINGLE_THREADED}
    process = start_kernel(
        template, Limits(), cwd=cwd, env=environment, module=module, arguments=arguments
    )
    try:
        if not select.select([process.connection], [], [], seconds)[0]:
            raise TimeoutError
        status = process.wait()["exit"]
        return (
            1 if status is None else int(status),
            (process.folder / LOG).read_text(errors="replace"),
        )
    finally:
        stop_kernel(template, process)


def _what_gave_way(template: Template, error: OSError) -> str:
    if error.filename is not None:  # of the kernel's folder
        return f"{error.filename} cannot be written: {error.strerror}; mend that and run again."
    return f"the template ended ({error}): {_tail(template.log)}; run 'grader doctor'."


def stop_kernel(template: Template, kernel: Kernel) -> float:
    """End the kernel and all that it started; return the CPU seconds that it used itself."""
    used = 0.0
    with contextlib.suppress(OSError):
        kernel.connection.shutdown(socket.SHUT_WR)
        if kernel.lines:
            used = kernel.wait()["cpu_s"]
    kernel.connection.close()
    if kernel.group:
        kernel.group.remove()
    shutil.rmtree(kernel.folder, ignore_errors=True)
    template.kernels.discard(kernel)
    return used


def _connection_info(folder: Path) -> dict[str, Any]:
    names = ("shell", "iopub", "stdin", "hb", "control")
    ports = {f"{name}_port": number for number, name in enumerate(names, 1)}
    return {
        "transport": "ipc",
        "ip": str(folder / "s"),
        "key": secrets.token_hex(32),
        "signature_scheme": "hmac-sha256",
        **ports,
    }


def _fill(template: Template, kernel: Kernel, files: Mapping[str, bytes]) -> None:
    """Write the kernel's folder: its connection file, and the files of its work folder."""
    kernel.folder.mkdir(mode=0o700)
    (kernel.folder / "files").mkdir()
    inside = {**kernel.info}
    if template.sandboxed:
        inside["ip"] = str(sandbox.KERNEL / Path(inside["ip"]).name)
    contents = {CONNECTION_FILE: json.dumps(inside).encode()}
    contents |= {f"files/{name}": data for name, data in files.items()}
    for name, data in contents.items():
        path = kernel.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    if template.sandboxed:
        for path in [kernel.folder, *kernel.folder.rglob("*")]:
            os.chown(path, *sandbox.identity())


def _read(lines: Any) -> dict[str, Any] | None:
    line = lines.readline()
    return json.loads(line) if line.endswith(b"\n") else None


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    return lines[-1] if lines else "it left no message"
