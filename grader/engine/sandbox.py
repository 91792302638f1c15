"""The sandbox: a minimal read-only root for the template, then namespaces and limits per kernel.

    supervisor -> template (enter_template) -> A (unshare_kernel) -> B (settle_kernel) = kernel

Root and capabilities are gone before a learner's code runs. Every mount is made in a mount
namespace of the sandbox's own; when its last process ends, nothing is left.
"""

import ctypes
import os
import select
import signal
import socket
import struct
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.engine import landlock, linux, root, seccomp
from grader.engine.limits import Limits
from grader.engine.root import EXCHANGE as EXCHANGE
from grader.engine.root import INSIDE, SHARED_MEMORY, TMP
from grader.engine.root import KERNEL as KERNEL
from grader.engine.root import WORK as WORK
from grader.errors import CourseError

if sys.platform == "linux":
    import fcntl
    import resource

NOBODY = 65534
_OPEN_FILES = 1024
_PER_USER_PROCESSES = 4096
_KILLED_FIRST = 500  # of 1000: when memory runs out, the kernel goes before the supervisor

# The launcher chooses them; what else is in its environment may be a secret.
_KEPT_VARIABLES = (
    *("LANG", "LANGUAGE", "TZ", "PYTHONHASHSEED", "PYTHONDONTWRITEBYTECODE"),
    *("PYTHONPATH", "IPYTHONDIR", "MPLCONFIGDIR", "TOKENIZERS_PARALLELISM"),
)
_SET_FLAGS, _GET_FLAGS, _UP = 0x8914, 0x8913, 0x1


@dataclass
class _Family:
    """What the forks have from those before them."""

    template: int | None = None  # its number
    monitor: int = -1  # a descriptor that is readable once A has ended


_family = _Family()


def identity() -> tuple[int, int]:
    """The user and group, as the host sees them, that kernels' folders must belong to."""
    if os.geteuid() == 0 and _is_mapped(NOBODY):
        return NOBODY, NOBODY
    return os.geteuid(), os.getegid()


def die_with_parent(parent: int | None = None) -> None:
    """Have the kernel kill this process when the thread that forked it ends.

    Given the parent's number, a parent that is already gone is noticed. Changing user clears the
    signal: the template calls this after `enter_template`.
    """
    if sys.platform != "linux":
        return  # it is of use without a sandbox too, where the system has it
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
    if parent is not None and os.getppid() != parent:
        os._exit(1)


def _die_with_monitor() -> None:
    """The same for B, in whose PID namespace `getppid` is 0 whether A lives or not."""
    die_with_parent()
    if _family.monitor < 0:
        raise CourseError("settle_kernel belongs into a fork of a process after unshare_kernel.")
    ended = select.poll()
    ended.register(_family.monitor, select.POLLIN)
    if ended.poll(0):
        os._exit(1)


def enter_template(exchange: Path, packages: Sequence[Path] = ()) -> None:
    """Move this single-threaded process into a read-only root and an unprivileged user, for good.

    Of the host it sees the system's programs, this Python and the package folders given;
    `exchange` is writable at EXCHANGE.
    """
    linux.machine()
    uid, gid = identity()
    privileged = os.geteuid() == 0
    sources = root.sources(packages)
    exchange = exchange.resolve(strict=True)
    _scrub_environment()
    linux.unshare(linux.CLONE_NEWNS | (0 if privileged else linux.CLONE_NEWUSER))
    if not privileged:
        map_identity((uid, uid), (gid, gid))
    os.umask(0o022)
    root.build_root(sources, exchange)
    become(uid, gid)
    _family.template = os.getpid()
    seccomp.program(linux.machine())  # assembled once for all kernels


def unshare_kernel() -> None:
    """Give this fork of the template its own namespaces; its next child is PID 1 of a new one.

    It dies with the template; the child, once settled, dies with it. Mounts stay the template's:
    a kernel makes its own in `settle_kernel`, so that this process keeps a /proc that shows it.
    """
    uid, gid = os.geteuid(), os.getegid()
    kinds = linux.CLONE_NEWUSER | linux.CLONE_NEWPID | linux.CLONE_NEWNET
    kinds |= linux.CLONE_NEWIPC | linux.CLONE_NEWUTS | linux.CLONE_NEWCGROUP
    linux.unshare(kinds)
    map_identity((INSIDE, uid), (INSIDE, gid))
    die_with_parent(_family.template)
    _family.monitor = os.pidfd_open(os.getpid())


def settle_kernel(
    folder: Path, limits: Limits, *, keep: Collection[int] = (), grouped: bool = False
) -> None:
    """Furnish the sandbox from inside, as PID 1, and give up every right.

    `folder` is the kernel's, below EXCHANGE; what lies in its `files` goes to the work folder.
    `grouped` says that a control group watches the memory, or is about to.
    `keep` are the descriptors to leave open; of 0, 1 and 2 those not named lead nowhere.
    """
    _die_with_monitor()
    os.setsid()  # kill(0) would otherwise reach the template, whose process group this is
    root.mount_kernel(folder, limits)
    _loopback_up()
    socket.sethostname("sandbox")
    _close_descriptors(keep)
    _raise_oom_score()
    _set_limits(limits, grouped=grouped)
    _lock_down()


def _is_mapped(uid: int) -> bool:
    """Whether this user namespace knows the user at all."""
    ranges = [line.split() for line in Path("/proc/self/uid_map").read_text().splitlines()]
    return any(int(first) <= uid < int(first) + int(count) for first, _, count in ranges)


def map_identity(uid: tuple[int, int], gid: tuple[int, int]) -> None:
    """Map one user and one group, (inside, outside), in the user namespace just made."""
    # After a change of user, /proc/self belongs to root until the process is dumpable again.
    linux.prctl(linux.PR_SET_DUMPABLE, 1)
    own = Path("/proc/self")
    (own / "setgroups").write_text("deny")
    (own / "uid_map").write_text(f"{uid[0]} {uid[1]} 1")
    (own / "gid_map").write_text(f"{gid[0]} {gid[1]} 1")


def become(uid: int, gid: int) -> None:
    if uid != os.geteuid():
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    else:
        linux.drop_capabilities()
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)


def _scrub_environment() -> None:
    """Keep only harmless variables, and wipe the copy that /proc/self/environ shows."""
    kept = {name: value for name, value in os.environ.items() if _is_kept(name)}
    programs = f"{sys.prefix}/bin:/usr/local/bin:/usr/bin:/bin"
    kept |= {"HOME": str(WORK), "PATH": programs, "TMPDIR": str(TMP), "USER": "learner"}
    os.environ.clear()
    # Counted from behind the program's name, which may hold spaces: fields 50 and 51.
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    start, end = int(fields[47]), int(fields[48])
    ctypes.memset(start, 0, end - start)
    os.environ.update(kept)


def _is_kept(name: str) -> bool:
    return name in _KEPT_VARIABLES or name.startswith("LC_") or name.endswith("_NUM_THREADS")


def _loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as request:
        answer = fcntl.ioctl(request, _GET_FLAGS, struct.pack("16sH14x", b"lo", 0))
        (flags,) = struct.unpack("16xH14x", answer)
        fcntl.ioctl(request, _SET_FLAGS, struct.pack("16sH14x", b"lo", flags | _UP))


def _close_descriptors(keep: Collection[int]) -> None:
    """Close what was inherited; of 0, 1 and 2 those not kept lead nowhere."""
    kept = sorted({0, 1, 2, *keep})
    for low, high in zip(kept, [*kept[1:], os.sysconf("SC_OPEN_MAX")], strict=True):
        os.closerange(low + 1, high)
    nowhere = os.open("/dev/null", os.O_RDWR)
    for number in {0, 1, 2} - set(keep):
        os.dup2(nowhere, number)
    if nowhere > 2:
        os.close(nowhere)


def _raise_oom_score() -> None:
    Path("/proc/self/oom_score_adj").write_text(str(_KILLED_FIRST))


def _set_limits(limits: Limits, *, grouped: bool) -> None:
    megabyte = 1 << 20
    bounds = {
        resource.RLIMIT_NPROC: _process_limit(limits),
        resource.RLIMIT_FSIZE: limits.file_mb * megabyte,
        resource.RLIMIT_NOFILE: _OPEN_FILES,
        resource.RLIMIT_MSGQUEUE: 0,
        # 1 and not 0: programs that the host pipes core dumps to are then not started either.
        resource.RLIMIT_CORE: 1,
    }
    if not grouped:
        # The supervisor alone then watches the memory; this stops a single large request.
        pages = int(Path("/proc/self/statm").read_text().split()[5])
        bounds[resource.RLIMIT_DATA] = pages * resource.getpagesize() + limits.memory_mb * megabyte
    for which, bound in bounds.items():
        highest = resource.getrlimit(which)[1]
        most = bound if highest == resource.RLIM_INFINITY else min(bound, highest)
        resource.setrlimit(which, (most, most))
    # PID 1 ignores the signal of the soft limit; the hard one, a second later, kills.
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_s, limits.cpu_s + 1))


def _process_limit(limits: Limits) -> int:
    """Before Linux 5.14 processes are counted per user over the whole machine."""
    version = tuple(int(part) for part in os.uname().release.split(".")[:2])
    if version < (5, 14):
        return _PER_USER_PROCESSES
    return limits.processes + 1  # A counts as well


def _lock_down() -> None:
    linux.drop_capabilities()
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    writable = landlock.EVERYTHING
    device = landlock.READ | landlock.CHANGE | landlock.USE_DEVICE
    landlock.restrict(
        {
            Path("/"): landlock.READ,
            Path("/dev"): device,
            Path("/proc"): landlock.READ | landlock.CHANGE,
            # The kernel makes its sockets here; on the host's disk it can make nothing else.
            KERNEL: landlock.READ | landlock.MAKE_SOCK,
            WORK: writable,
            TMP: writable,
            SHARED_MEMORY: writable,
        }
    )
    seccomp.install()
