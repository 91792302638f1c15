"""Programs run inside the sandbox and say how far they came.

Each goes the whole way: template, monitor, kernel; once started as root, once as an ordinary user.
"""

import ctypes
import errno
import itertools
import json
import multiprocessing
import os
import platform
import select
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grader.engine import cgroup, landlock, linux, sandbox, seccomp
from grader.engine import probe as probing
from grader.engine.limits import Limits
from grader.errors import CourseError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")

ROOT = Path(__file__).parent.parent.parent
PACKAGES = [ROOT / "grader", ROOT / "lender"]
SMALL = Limits(processes=24, file_mb=4, work_mb=8)
PATIENCE_S = 60
SECRET = "top-secret-of-another-learner"
Probe = Callable[[], Any]


@dataclass
class Run:
    """A sandbox under test: the processes, and the pipes they hold."""

    template: int
    said: int  # JSON lines
    alive: int  # at its end when nothing of the kernel is left
    facts: dict[str, Any] = field(default_factory=dict)

    def until(self, name: str) -> Any:
        """Wait for a fact."""
        while name not in self.facts:
            ready, _, _ = select.select([self.said], [], [], PATIENCE_S)
            assert ready, f"no {name} in time"
            line = _read_line(self.said)
            assert line, f"all ended without {name}"
            self.facts |= json.loads(line)
            assert "error" not in self.facts, self.facts["error"]
        return self.facts[name]

    def all_end(self) -> bool:
        """Whether the last process of the kernel goes within a while."""
        ready, _, _ = select.select([self.alive], [], [], PATIENCE_S)
        return bool(ready) and os.read(self.alive, 1) == b""


def _read_line(descriptor: int) -> bytes:
    pieces = iter(lambda: os.read(descriptor, 1), b"")
    return b"".join(itertools.takewhile(lambda piece: piece != b"\n", pieces))


@dataclass
class Machine:
    """Where sandboxes are tried: an exchange on the host, and who starts them."""

    ordinary: bool
    exchange: Path
    runs: list[Run] = field(default_factory=list)

    def start(self, probe: Probe, limits: Limits = SMALL, preload: Probe = lambda: None) -> Run:
        said, say = os.pipe()
        alive, live = os.pipe()
        template = os.fork()
        if template == 0:
            with _reported(say):
                os.close(alive)
                self._template(probe, limits, preload, say, live)
        os.close(say)
        os.close(live)
        self.runs.append(Run(template, said, alive))
        return self.runs[-1]

    def run(self, probe: Probe, limits: Limits = SMALL, preload: Probe = lambda: None) -> Any:
        """What the probe answers from inside."""
        return self.start(probe, limits, preload).until("answer")

    def _template(self, probe: Probe, limits: Limits, preload: Probe, say: int, live: int) -> None:
        if self.ordinary and os.geteuid() == 0:
            _become_ordinary()
        sandbox.enter_template(self.exchange, PACKAGES)
        preload()
        monitor = os.fork()
        if monitor == 0:
            with _reported(say):
                sandbox.unshare_kernel()
                _fork_kernel(probe, limits, say, live)
        os.close(live)
        os.waitpid(monitor, 0)

    def close(self) -> None:
        for run in self.runs:
            os.kill(run.template, signal.SIGKILL)
            os.waitpid(run.template, 0)
            assert run.all_end()
            os.close(run.said)
            os.close(run.alive)


def _fork_kernel(probe: Probe, limits: Limits, say: int, live: int) -> None:
    kernel = os.fork()
    if kernel == 0:
        with _reported(say):
            sandbox.settle_kernel(sandbox.EXCHANGE / "mine", limits, keep=[say, live])
            _say(say, answer=probe())
    os.close(live)
    _say(say, monitor=os.getpid(), kernel=kernel)
    _say(say, status=os.waitstatus_to_exitcode(os.waitpid(kernel, 0)[1]))


class _reported:
    """The end of a forked process: its error is told, and it never returns into the test."""

    def __init__(self, say: int) -> None:
        self.say = say

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if error is not None:
            _say(self.say, error="".join(traceback.format_exception(error)))
        os._exit(0)


def _say(descriptor: int, **facts: Any) -> None:
    os.write(descriptor, json.dumps(facts).encode() + b"\n")


def _become_ordinary() -> None:
    """Be nobody, for whom this Python is made reachable where it lies below a closed folder."""
    closed = [p for p in Path(sys.base_prefix).parents if not p.stat().st_mode & 0o001]
    if closed:
        linux.unshare(linux.CLONE_NEWNS)
        linux.mount("none", "/", flags=linux.MS_REC | linux.MS_PRIVATE)
        prefix = os.open(sys.base_prefix, os.O_PATH)
        linux.mount("tmpfs", str(closed[-1]), "tmpfs", data="mode=755")
        Path(sys.base_prefix).mkdir(parents=True)
        linux.mount(f"/proc/self/fd/{prefix}", sys.base_prefix, flags=linux.MS_BIND)
    os.setgroups([])
    os.setresgid(sandbox.NOBODY, sandbox.NOBODY, sandbox.NOBODY)
    os.setresuid(sandbox.NOBODY, sandbox.NOBODY, sandbox.NOBODY)


def anyone_reaches_this_copy() -> bool:
    return os.geteuid() != 0 or all(p.stat().st_mode & 0o001 for p in (ROOT, *ROOT.parents))


@pytest.fixture(params=["as root", "as an ordinary user"])
def machine(request: pytest.FixtureRequest) -> Iterator[Machine]:
    if request.param == "as root" and os.geteuid() != 0:
        pytest.skip("only root can test what root gets")
    if request.param != "as root" and not anyone_reaches_this_copy():
        pytest.skip("another user cannot read this copy of the course")
    exchange = Path(tempfile.mkdtemp(prefix="grader-test-"))
    for name in ("mine", "mine/files", "other"):
        (exchange / name).mkdir(mode=0o700)
    (exchange / "mine/files/data.csv").write_text("a\n1\n")
    (exchange / "other/submission").write_text(SECRET)
    for path in (exchange, *exchange.rglob("*")):
        os.chown(path, *sandbox.identity())
    machine = Machine(request.param != "as root", exchange)
    mounts = Path("/proc/self/mountinfo").read_text()
    try:
        yield machine
        machine.close()
    except BaseException:
        shutil.rmtree(exchange)
        raise
    left = sorted(str(path.relative_to(exchange)) for path in exchange.rglob("*"))
    shutil.rmtree(exchange)
    assert left == ["mine", "mine/files", "mine/files/data.csv", "other", "other/submission"]
    assert Path("/proc/self/mountinfo").read_text() == mounts


@pytest.fixture
def as_root(machine: Machine) -> Machine:
    if machine.ordinary and os.geteuid() == 0:
        pytest.skip("one of the two is enough")
    return machine


def _names(folder: str | Path) -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir())


def _error(action: Probe) -> str:
    """The errno's name of what an action raises; empty when it succeeds."""
    try:
        action()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return ""


def test_the_hosts_files_are_out_of_sight(machine: Machine) -> None:
    places = [Path("/etc/shadow"), Path("/var"), Path("/sys"), Path("/run"), Path.home() / ".ssh"]
    places += [ROOT / name for name in ("solutions", "labs", "source", "gradebook.db", ".git")]
    places += [machine.exchange, sandbox.EXCHANGE / "other", sandbox.EXCHANGE / "mine"]

    def probe() -> Any:
        seen = [str(place) for place in places if place.exists()]
        folders = {str(path): _names(path) for path in (ROOT, "/home", "/exchange")}
        return seen, folders

    seen, folders = machine.run(probe)
    assert not seen
    assert folders == {
        str(ROOT): sorted({"grader", "lender"} | _parts_below_root()),
        "/home": ["learner"],
        "/exchange": [],
    }


def _parts_below_root() -> set[str]:
    prefix = Path(sys.prefix)
    return {prefix.relative_to(ROOT).parts[0]} if prefix.is_relative_to(ROOT) else set()


def test_no_file_holds_another_learners_work(machine: Machine) -> None:
    def probe() -> Any:
        grep = ["grep", "-rlsI", "--exclude-dir=proc", SECRET]
        places = ["/exchange", "/kernel", "/home", "/tmp", "/etc", "/dev/shm"]
        found = subprocess.run([*grep, *places], capture_output=True, text=True)
        return found.stdout, found.returncode

    assert machine.run(probe) == ["", 1]


def test_the_environment_is_gone(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_TOKEN", SECRET)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")

    def probe() -> Any:
        return dict(os.environ), Path("/proc/self/environ").read_bytes().strip(b"\0").decode()

    environment, shown = machine.run(probe)
    assert SECRET not in str(environment)
    assert shown == ""
    assert environment["HOME"] == str(sandbox.WORK)
    assert environment["OMP_NUM_THREADS"] == "1"


def test_the_work_folder_holds_the_data(machine: Machine) -> None:
    def probe() -> Any:
        Path("data.csv").write_text("changed")
        return str(Path.cwd()), _names("."), Path("data.csv").read_text()

    assert machine.run(probe) == [str(sandbox.WORK), ["data.csv"], "changed"]
    assert (machine.exchange / "mine/files/data.csv").read_text() == "a\n1\n"


def test_other_processes_are_out_of_sight(machine: Machine) -> None:
    host = os.getpid()

    def probe() -> Any:
        shown = [name for name in _names("/proc") if name.isdigit()]
        killed = _error(lambda: os.kill(host, 0))
        # The process group is the kernel's own, not one that it shares with the template.
        child = os.fork()
        if child == 0:
            os.kill(0, signal.SIGKILL)
        ended = os.waitpid(child, 0)[1]
        return shown, killed, os.getpgid(0), ended

    run = machine.start(probe)
    assert run.until("answer") == [["1"], "ESRCH", 1, signal.SIGKILL]
    assert run.until("status") == 0


def test_there_is_no_network_but_loopback(machine: Machine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as host, socket.socket(socket.AF_UNIX) as named:
        named.bind(f"\0{machine.exchange}")
        named.listen()
        port, name = host.getsockname()[1], named.getsockname()

        def probe() -> Any:
            return {
                "host": _error(lambda: socket.create_connection(("127.0.0.1", port))),
                "outside": _error(lambda: socket.create_connection(("192.0.2.1", 80))),
                "abstract": _error(lambda: socket.socket(socket.AF_UNIX).connect(name)),
                "interfaces": [name for _, name in socket.if_nameindex()],
                "loopback": _through_loopback(),
            }

        found = machine.run(probe)
    assert found == {
        "host": "ECONNREFUSED",
        "outside": "ENETUNREACH",
        "abstract": "ECONNREFUSED",
        "interfaces": ["lo"],
        "loopback": "hello",
    }


def _through_loopback() -> str:
    """Serve in one thread, ask in the other, as labs do."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"hello")

        thread = threading.Thread(target=serve)
        thread.start()
        with socket.create_connection(server.getsockname()) as client:
            said = client.recv(10)
        thread.join()
    return said.decode()


def test_unusual_kinds_of_socket_do_not_exist(machine: Machine) -> None:
    """A VM's vsock reaches its host through every namespace."""
    kinds = [(socket.AF_PACKET, 3), (socket.AF_VSOCK, 1), (socket.AF_ALG, 5), (socket.AF_CAN, 3)]
    kinds += [(socket.AF_NETLINK, 3)]

    def probe() -> Any:
        answers = [_error(lambda k=kind: socket.socket(*k)) for kind in kinds]
        uevents = _error(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 15))
        raw = _error(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
        return answers, uevents, raw

    no = "EAFNOSUPPORT"
    assert machine.run(probe) == [[no, no, no, no, ""], no, "EPERM"]


def test_only_the_work_folders_can_be_written(machine: Machine) -> None:
    closed = ["/", "/usr", "/etc", "/home", "/exchange", "/proc", "/dev", sys.prefix + "/bin"]
    closed += [sys.base_prefix, str(ROOT / "grader")]
    closed += [] if ROOT.is_relative_to("/tmp") else [str(ROOT)]
    open_ = [str(sandbox.WORK), "/tmp", "/dev/shm"]

    def probe() -> Any:
        answers = {place: _error(Path(place, "new").touch) for place in [*closed, *open_]}
        code = ROOT / "grader/engine/limits.py"
        changed = [_error(lambda: code.write_text("")), _error(code.unlink)]
        return answers, changed, _error(lambda: code.chmod(0o777))

    answers, changed, mode = machine.run(probe)
    assert {place for place, error in answers.items() if not error} == set(open_)
    assert all(changed)
    assert mode


def test_the_socket_folder_takes_sockets_only(machine: Machine) -> None:
    if landlock.abi() < 2:
        pytest.skip("it is Landlock that refuses the rest")

    def probe() -> Any:
        folder = sandbox.KERNEL
        with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
            server.bind(str(folder / "socket"))
            server.listen()
            client.connect(str(folder / "socket"))
        actions = [(folder / "file").touch, (folder / "folder").mkdir]
        actions += [lambda: (folder / "link").symlink_to("/"), lambda: os.mkfifo(folder / "fifo")]
        return [_error(action) for action in actions]

    assert machine.run(probe) == ["EACCES"] * 4
    (machine.exchange / "mine/socket").unlink()


def test_a_full_work_folder_is_an_error(machine: Machine) -> None:
    def probe() -> Any:
        megabytes = bytes(3 << 20)
        answers = [_error(lambda n=n: Path(f"f{n}").write_bytes(megabytes)) for n in range(3)]
        elsewhere = _error(lambda: Path("/tmp/f").write_bytes(megabytes))
        return answers, elsewhere

    assert machine.run(probe) == [["", "", "ENOSPC"], ""]


def test_a_flood_of_empty_files_ends(as_root: Machine) -> None:
    def probe() -> Any:
        for number in range(100_000):
            if answer := _error(Path(f"/tmp/{number}").touch):
                return answer, number < 20_000
        return "none", False

    assert as_root.run(probe) == ["ENOSPC", True]


def test_a_large_file_is_an_error(machine: Machine) -> None:
    assert machine.run(lambda: _error(lambda: Path("f").write_bytes(bytes(5 << 20)))) == "EFBIG"


def test_a_fork_bomb_meets_the_limit(machine: Machine) -> None:
    def probe() -> Any:
        for forked in range(1000):
            try:
                child = os.fork()
            except BlockingIOError:
                return forked
            if child == 0:
                time.sleep(PATIENCE_S)
                os._exit(0)
        return "no limit"

    run = machine.start(probe)
    assert run.until("answer") == SMALL.processes - 1
    assert run.all_end()


def test_cpu_seconds_end(as_root: Machine) -> None:
    def probe() -> Any:
        while True:
            pass

    run = as_root.start(probe, Limits(cpu_s=1, work_mb=1))
    assert run.until("status") == -signal.SIGKILL


_FORBIDDEN = {
    "x86_64": {
        "mount": 165,
        "umount2": 166,
        "unshare": 272,
        "setns": 308,
        "chroot": 161,
        "ptrace": 101,
        "process_vm_writev": 311,
        "pidfd_getfd": 438,
        "keyctl": 250,
        "bpf": 321,
        "io_uring_setup": 425,
        "userfaultfd": 323,
        "perf_event_open": 298,
        "memfd_create": 319,
        "shmget": 29,
        "open_by_handle_at": 304,
        "x32 getpid": 0x40000000 + 39,
    },
    "aarch64": {"mount": 40, "unshare": 97, "ptrace": 117, "bpf": 280, "keyctl": 219},
}
_CLONE = {"x86_64": 56, "aarch64": 220}


def _call(number: int, *arguments: int) -> str:
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) for a in arguments])
    return errno.errorcode[ctypes.get_errno()] if result < 0 else str(result)


def test_forbidden_calls_are_refused(machine: Machine) -> None:
    calls = _FORBIDDEN[linux.machine()]
    clone = _CLONE[linux.machine()]

    def probe() -> Any:
        answers = {name: _call(number, 0, 0, 0, 0) for name, number in calls.items()}
        answers["clone"] = _call(clone, linux.CLONE_NEWUSER | signal.SIGCHLD, 0, 0, 0, 0)
        unknown = [_call(435, 0, 0), _call(500)]
        return answers, unknown

    answers, unknown = machine.run(probe)
    assert set(answers.values()) == {"EPERM"}, answers
    assert unknown == ["ENOSYS", "ENOSYS"]


@pytest.mark.skipif(platform.machine() != "x86_64", reason="calls by int 0x80 are x86's")
def test_a_call_of_another_architecture_kills(as_root: Machine) -> None:
    code = b"\xb8\x14\x00\x00\x00\xcd\x80\xc3"  # mov eax, 20; int 0x80; ret

    def probe() -> Any:
        child = os.fork()
        if child == 0:
            import mmap

            page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
            page.write(code)
            address = ctypes.addressof(ctypes.c_char.from_buffer(page))
            ctypes.CFUNCTYPE(ctypes.c_int)(address)()
            os._exit(0)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    assert as_root.run(probe) in (-signal.SIGSYS, -signal.SIGSEGV)


def test_no_right_is_left(machine: Machine) -> None:
    def probe() -> Any:
        status = dict(
            line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines()
        )
        rights = [status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")]
        become = [_error(lambda: os.setuid(0)), _error(lambda: os.setgid(0))]
        become += [_error(lambda: os.setgroups([0])), _error(lambda: os.setuid(sandbox.NOBODY))]
        shell = subprocess.run(["mount", "-t", "tmpfs", "x", "/tmp"], capture_output=True)
        flags = [status["NoNewPrivs"], status["Seccomp"], os.getuid(), os.getgroups()]
        return rights, become, shell.returncode != 0, flags, socket.gethostname()

    rights, become, no_setuid, flags, name = machine.run(probe)
    assert {int(right, 16) for right in rights} == {0}
    assert all(become)
    assert no_setuid
    assert flags[:3] == ["1", "2", 1000]
    assert name == "sandbox"


def test_limits_cannot_be_raised_nor_the_leash_cut(machine: Machine) -> None:
    def probe() -> Any:
        import resource

        refused = 0
        for which, bound in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_NPROC, 10_000)):
            try:
                resource.setrlimit(which, (bound, bound))
            except ValueError:  # Python's word for EPERM here
                refused += 1
        libc = ctypes.CDLL(None)
        answer, kept = libc.prctl(linux.PR_SET_PDEATHSIG, 0), ctypes.c_int()
        libc.prctl(2, ctypes.byref(kept))
        return refused, answer, kept.value

    assert machine.run(probe) == [2, 0, signal.SIGKILL]


def _linger() -> Any:
    """Cut the leash, and leave a grandchild in a session of its own, its parent gone."""
    ctypes.CDLL(None).prctl(linux.PR_SET_PDEATHSIG, 0)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for number in range(1, 65):
                if number not in (signal.SIGKILL, signal.SIGSTOP, 32, 33):
                    signal.signal(number, signal.SIG_IGN)
            time.sleep(10 * PATIENCE_S)
        os._exit(0)
    os.wait()
    return "lingers"


def _linger_and_wait() -> Any:
    _linger()
    time.sleep(10 * PATIENCE_S)


@pytest.mark.parametrize("victim", ["kernel", "monitor", "template"])
def test_no_descendant_survives(machine: Machine, victim: str) -> None:
    run = machine.start(_linger_and_wait)
    pid = run.template if victim == "template" else run.until(victim)
    run.until("kernel")
    _wait_for(lambda: len(list(cgroup._tree(run.facts["kernel"]))) == 2)
    os.kill(pid, signal.SIGKILL)
    assert run.all_end()


def _wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_when_the_kernel_ends_all_end(machine: Machine) -> None:
    run = machine.start(_linger)
    assert run.until("answer") == "lingers"
    assert run.all_end()


def test_nothing_is_inherited_open(machine: Machine) -> None:
    with Path(__file__).open() as file, tempfile.TemporaryFile() as other:
        numbers = file.fileno(), other.fileno()
        for number in numbers:
            os.set_inheritable(number, True)

        def probe() -> Any:
            shown = _names("/proc/self/fd")
            return len(shown), [str(Path(f"/proc/self/fd/{n}").readlink()) for n in (0, 1, 2)]

        # Three standard ones, two pipes to the test, and the listing itself.
        assert machine.run(probe) == [6, ["/dev/null"] * 3]


def test_honest_programs_work(machine: Machine) -> None:
    def probe() -> Any:
        sqlite3.connect("a.db").execute("create table t (x)").connection.close()
        with tempfile.NamedTemporaryFile() as file:
            place = Path(file.name).parent
        command = [sys.executable, "-c", "import os, json, ssl, grader, lender; print(1)"]
        printed = subprocess.run(command, capture_output=True, text=True)
        shell = subprocess.run("python -c 'print(2)' > /dev/stdout | cat", shell=True)
        with multiprocessing.get_context("fork").Pool(2) as pool:
            squares = pool.map(abs, [-1, -2])
        moved = shutil.move("data.csv", "/tmp/data.csv")
        Path("folder").mkdir()
        Path("a.db").replace("folder/a.db")
        array = float((np.ones((50, 50)) @ np.ones((50, 50))).sum())
        return {
            "place": str(place),
            "printed": printed.stdout + printed.stderr,
            "shell": shell.returncode,
            "squares": squares,
            "moved": moved,
            "array": array,
            "user": Path.home().name,
        }

    assert machine.run(probe, Limits()) == {
        "place": "/tmp",
        "printed": "1\n",
        "shell": 0,
        "squares": [1, 2],
        "moved": "/tmp/data.csv",
        "array": 125000.0,
        "user": "learner",
    }


def test_a_terminal_can_be_had(machine: Machine) -> None:
    """IPython's `!command` needs one."""

    def probe() -> Any:
        import pty

        pid, terminal = pty.fork()
        if pid == 0:
            os.execvp("echo", ["echo", "hello"])
        said = os.read(terminal, 100).decode().strip()
        inject = _call({"x86_64": 16, "aarch64": 29}[linux.machine()], terminal, 0x5412, 0)
        return said, inject

    assert machine.run(probe) == ["hello", "EPERM"]


def test_preloaded_libraries_work(as_root: Machine) -> None:
    """The template imports; the kernel computes."""
    names = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"]

    def preload() -> None:
        os.environ.update(dict.fromkeys(names, "1"))
        __import__("sklearn.linear_model")
        __import__("torch")

    def probe() -> Any:
        torch, linear = sys.modules["torch"], sys.modules["sklearn.linear_model"]
        line = linear.LinearRegression().fit([[0.0], [1.0]], [1.0, 3.0])
        total = float((torch.ones(100, 100) @ torch.ones(100, 100)).sum())
        return round(float(line.coef_[0]), 6), total

    assert as_root.run(probe, Limits(), preload) == [2.0, 1e6]


def test_a_prefix_below_tmp_stays(as_root: Machine) -> None:
    """What the template needs of /tmp is not hidden by the kernel's own."""
    package = Path(tempfile.mkdtemp(prefix="grader-test-")) / "package"
    package.mkdir()
    (package / "__init__.py").write_text("x = 1\n")
    package.parent.chmod(0o755)
    PACKAGES.append(package)
    try:
        found = as_root.run(lambda: [(package / "__init__.py").read_text(), _names("/tmp")])
    finally:
        PACKAGES.remove(package)
        shutil.rmtree(package.parent)
    ours = {ROOT.parts[2]} if ROOT.is_relative_to("/tmp") else set()  # a clone made there
    assert found == ["x = 1\n", sorted({package.parent.name, *ours})]


def test_the_group_kills_what_grows(as_root: Machine) -> None:
    group = cgroup.memory_group(f"test-{os.getpid()}", Limits(memory_mb=64))
    if group is None:
        pytest.skip("no memory cgroup here")
    go, start = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.read(go, 1)
        ballast = b"x" * (200 << 20)
        os._exit(len(ballast) % 2)
    group.add(pid)
    os.write(start, b"x")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    assert group.oom_killed()
    assert 50 << 20 < group.peak() <= 64 << 20
    group.remove()
    assert not group.memory.exists()
    os.close(go)
    os.close(start)


def test_the_tree_is_weighed(machine: Machine) -> None:
    def probe() -> Any:
        if os.fork() == 0:
            ballast = b"x" * (50 << 20)
            time.sleep(10 * PATIENCE_S)
            os._exit(len(ballast))
        time.sleep(10 * PATIENCE_S)

    run = machine.start(probe)
    kernel = run.until("kernel")
    _wait_for(lambda: cgroup.tree_memory(kernel) > 50 << 20)
    mine = cgroup.tree_memory(os.getpid())  # of which the forks hold a copy each
    assert cgroup.tree_memory(kernel) < (100 << 20) + 2 * mine


def _judge(machine_name: str, architecture: int, number: int, *arguments: int) -> int:
    """Run the filter as the kernel would."""
    padded = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("<IIQ6Q", number, architecture, 0, *padded)
    steps = list(struct.iter_unpack("<HBBI", seccomp.program(machine_name)))
    accumulator = place = 0
    while True:
        code, yes, no, operand = steps[place]
        place += 1
        if code == 0x06:
            return int(operand)
        if code == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, operand)
            continue
        held = {
            0x15: accumulator == operand,
            0x35: accumulator >= operand,
            0x45: bool(accumulator & operand),
        }[code]
        place += yes if held else no


@pytest.mark.parametrize(
    ("call", "x86", "arm", "action"),
    [
        ("read", (0,), (63,), 0x7FFF0000),
        ("mount", (165,), (40,), 0x50001),
        ("clone", (56, 0x10000011), (220, 0x10000011), 0x50001),
        ("clone, a thread", (56, 0x3D0F00), (220, 0x3D0F00), 0x7FFF0000),
        ("clone3", (435,), (435,), 0x50026),
        ("socket, unix", (41, 1), (198, 1), 0x7FFF0000),
        ("socket, vsock", (41, 40), (198, 40), 0x50061),
        ("socket, routing", (41, 16, 3, 0), (198, 16, 3, 0), 0x7FFF0000),
        ("socket, uevents", (41, 16, 3, 15), (198, 16, 3, 15), 0x50061),
        ("ioctl, input", (16, 0, 0x5412), (29, 0, 0x5412), 0x50001),
        ("ioctl, with high bits", (16, 0, (1 << 32) + 0x5412), (29, 0, 0x5412), 0x50001),
        ("prlimit, read core", (302, 0, 4, 0, 9), (261, 0, 4, 0, 9), 0x7FFF0000),
        ("prlimit, set core", (302, 0, 4, 1 << 40), (261, 0, 4, 1 << 40), 0x50001),
        ("prlimit, set another", (302, 0, 7, 1 << 40), (261, 0, 7, 1 << 40), 0x7FFF0000),
        ("a call of the future", (600,), (600,), 0x50026),
    ],
)
def test_the_filter_on_both_machines(
    call: str, x86: tuple[int, ...], arm: tuple[int, ...], action: int
) -> None:
    assert _judge("x86_64", 0xC000003E, *x86) == action, call
    assert _judge("aarch64", 0xC00000B7, *arm) == action, call
    assert _judge("x86_64", 0x40000003, *x86) == 0x80000000
    assert _judge("aarch64", 0x40000028, *arm) == 0x80000000


def test_an_ordinary_user_has_the_sandbox() -> None:
    """Root's own answer is `grader doctor`'s test."""
    if not anyone_reaches_this_copy():
        pytest.skip("another user cannot read this copy of the course")
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        with _reported(write):
            if os.geteuid() == 0:
                _become_ordinary()
            _say(write, answer=[[f.what, f.ok, f.note] for f in probing.probe() if f.needed])
    os.close(write)
    told = json.loads(_read_line(read))
    os.waitpid(pid, 0)
    os.close(read)
    assert [finding for finding in told["answer"] if not finding[1]] == []


def test_what_a_machine_lacks_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(flags: int) -> None:
        raise OSError(errno.EPERM, "unshare: Operation not permitted")

    monkeypatch.setattr(linux, "unshare", refuse)
    with pytest.raises(CourseError, match=r"user namespace.*--isolation none"):
        probing.require()


def test_a_delegated_group_of_version_2_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """As systemd hands them to a user: the process sits in a scope below what it may divide."""
    slice_ = tmp_path / "user.slice/app.slice"
    (slice_ / "shell.scope").mkdir(parents=True)
    for folder, handed_on in ((slice_, "memory pids"), (slice_ / "shell.scope", "")):
        (folder / "cgroup.procs").touch()
        (folder / "cgroup.subtree_control").write_text(handed_on)
    told = {
        "/proc/self/mountinfo": [f"30 1 0:26 / {tmp_path} rw,nosuid - cgroup2 cgroup2 rw"],
        "/proc/self/cgroup": ["0::/user.slice/app.slice/shell.scope"],
    }
    read = cgroup._lines
    monkeypatch.setattr(cgroup, "_lines", lambda path: told.get(str(path)) or read(path))
    cgroup.find_place.cache_clear()
    request.addfinalizer(cgroup.find_place.cache_clear)
    assert cgroup.find_place() == cgroup.Place(2, slice_, slice_)
    group = cgroup.memory_group("one", Limits(memory_mb=3, processes=5))
    assert group
    written = {path.name: path.read_text() for path in (slice_ / "grader-one").iterdir()}
    assert written == {"memory.max": "3145728", "memory.swap.max": "0", "pids.max": "7"}
