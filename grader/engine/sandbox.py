"""The sandbox: a minimal read-only root for the template, then namespaces and limits per kernel.

    supervisor -> template (enter_template) -> A (unshare_kernel) -> B (settle_kernel) = kernel

Root and capabilities are gone before a learner's code runs. Every mount is made in a mount
namespace of the sandbox's own; when its last process ends, nothing is left.
"""

import ctypes
import os
import select
import shutil
import signal
import socket
import struct
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

from grader.engine import cgroup, landlock, linux, seccomp
from grader.engine.limits import Limits
from grader.engine.scratch import scratch_folder
from grader.errors import CourseError

if sys.platform == "linux":
    import fcntl
    import resource

EXCHANGE = Path("/exchange")  # the template's: one folder per kernel
KERNEL = Path("/kernel")  # a kernel's own folder of the exchange
# Not /work: a course may lie there, and its packages would show in the learner's folder.
WORK = Path("/home/learner")
TMP = Path("/tmp")
SHARED_MEMORY = Path("/dev/shm")

NOBODY = 65534
_INSIDE = 1000  # the one user and group that a kernel knows
_ROOT_MB = 16
_TEMPLATE_SCRATCH_MB = 64
_FILES_PER_SCRATCH = 20_000
_OPEN_FILES = 1024
_PER_USER_PROCESSES = 4096
_KILLED_FIRST = 500  # of 1000: when memory runs out, the kernel goes before the supervisor

_TOP = ("bin", "lib", "lib32", "lib64", "libx32", "sbin", "usr")
_ETC_FOLDERS = ("alternatives", "fonts", "ld.so.conf.d")
_ETC_FILES = (
    *("ld.so.cache", "ld.so.conf", "localtime", "mime.types"),
    *("os-release", "protocols", "services"),
)
_ETC_WRITTEN = {
    "passwd": f"root:x:0:0::/:/bin/false\nlearner:x:{_INSIDE}:{_INSIDE}::{WORK}:/bin/sh\n",
    "group": f"root:x:0:\nlearner:x:{_INSIDE}:\n",
    "hosts": "127.0.0.1 localhost sandbox\n::1 localhost sandbox\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    "resolv.conf": "",
}
_DEVICES = ("full", "null", "random", "tty", "urandom", "zero")
_DEVICE_LINKS = {
    "fd": "/proc/self/fd",
    "ptmx": "pts/ptmx",
    "stderr": "/proc/self/fd/2",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
}
_VENV_PARTS = ("bin", "etc", "include", "lib", "lib64", "pyvenv.cfg", "share")
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
    # What the template bound: a kernel's own /tmp or work folder must not hide it.
    bound: list[Path] = field(default_factory=list)


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
    sources = _sources(packages)
    exchange = exchange.resolve(strict=True)
    _scrub_environment()
    linux.unshare(linux.CLONE_NEWNS | (0 if privileged else linux.CLONE_NEWUSER))
    if not privileged:
        _map_identity((uid, uid), (gid, gid))
    os.umask(0o022)
    _build_root(sources, exchange)
    _become(uid, gid)
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
    _map_identity((_INSIDE, uid), (_INSIDE, gid))
    die_with_parent(_family.template)
    _family.monitor = os.pidfd_open(os.getpid())


def settle_kernel(folder: Path, limits: Limits, *, keep: Collection[int] = ()) -> None:
    """Furnish the sandbox from inside, as PID 1, and give up every right.

    `folder` is the kernel's, below EXCHANGE; what lies in its `files` goes to the work folder.
    `keep` are the descriptors to leave open; of 0, 1 and 2 those not named lead nowhere.
    """
    _die_with_monitor()
    os.setsid()  # kill(0) would otherwise reach the template, whose process group this is
    _mount_kernel(folder, limits)
    _loopback_up()
    socket.sethostname("sandbox")
    _close_descriptors(keep)
    _raise_oom_score()
    _set_limits(limits)
    _lock_down()


class Finding(NamedTuple):
    """Something that the sandbox is made of: whether this machine has it, and what of it."""

    what: str
    ok: bool
    note: str
    needed: bool = True


def probe() -> list[Finding]:
    """Try in forked children what this machine offers; last comes the sandbox as a whole."""
    linux.machine()
    kinds = {
        "mounts": linux.CLONE_NEWNS,
        "processes": linux.CLONE_NEWPID,
        "network": linux.CLONE_NEWNET,
        "shared memory": linux.CLONE_NEWIPC,
        "host name": linux.CLONE_NEWUTS,
        "control groups": linux.CLONE_NEWCGROUP,
    }
    found = [_try("user namespace", lambda: _try_namespace(0))]
    for name, kind in kinds.items():
        found.append(_try(f"namespace for {name}", partial(_try_namespace, kind)))
    with scratch_folder() as exchange:
        folder = exchange / "kernel"
        folder.mkdir(mode=0o700)
        os.chown(folder, *identity())
        exchange.chmod(0o711)
        found.append(_try("a root of its own", lambda: enter_template(exchange)))
        found.append(_try("a /proc of its own", _try_proc))
        found.append(_try("system call filter", _try_filter))
        found += [_landlock_finding(), _memory_finding()]
        found.append(_try("the sandbox as a whole", lambda: _try_whole(exchange)))
    return found


def require(found: Sequence[Finding] | None = None) -> None:
    """CourseError where the sandbox cannot be had; `found` saves a second probe."""
    lacking = [finding for finding in found or probe() if finding.needed and not finding.ok]
    if not lacking:
        return
    what = lacking[0]
    hint = ""
    if Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").exists():
        hint = " (AppArmor may forbid it: sysctl kernel.apparmor_restrict_unprivileged_userns=0)"
    raise CourseError(
        f"This machine lacks a part of the sandbox, {what.what}: {what.note}{hint}; grade on "
        "another Linux machine, start the container with --privileged or the options that "
        "'grader doctor' names, or say --isolation none, which runs learners' code with your "
        "own rights."
    )


def _try(what: str, trial: Callable[[], None]) -> Finding:
    """Run a trial in a child, so that this process stays as it is."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            trial()
        except BaseException as error:
            os.write(write, (str(error) or repr(error)).encode()[:4000])
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as answer:
        problem = answer.read().decode(errors="replace")
    status = os.waitpid(pid, 0)[1]
    if status and not problem:
        problem = f"the trial ended with status {status}"
    return Finding(what, not problem, problem)


def _try_namespace(kind: int) -> None:
    uid, gid = identity()
    if uid != os.geteuid():
        _become(uid, gid)
    linux.unshare(linux.CLONE_NEWUSER | kind)
    _map_identity((_INSIDE, uid), (_INSIDE, gid))


def _try_proc() -> None:
    _try_namespace(linux.CLONE_NEWNS | linux.CLONE_NEWPID)

    def mount() -> None:
        linux.mount("none", "/", flags=linux.MS_REC | linux.MS_PRIVATE)
        linux.mount("proc", "/proc", "proc")

    _require_ok(_try("", mount))


def _try_filter() -> None:
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    seccomp.install()


def _try_whole(exchange: Path) -> None:
    enter_template(exchange)
    _require_ok(_try("", _try_kernel))


def _try_kernel() -> None:
    unshare_kernel()
    read, write = os.pipe()
    if os.fork() == 0:
        try:
            settle_kernel(EXCHANGE / "kernel", Limits(work_mb=1), keep=[write])
            os.write(write, b"settled")
        except BaseException as error:
            os.write(write, str(error).encode()[:4000])
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as answer:
        said = answer.read().decode(errors="replace")
    if said != "settled":
        raise CourseError(said or "the kernel's process ended")


def _require_ok(finding: Finding) -> None:
    if not finding.ok:
        raise CourseError(finding.note)


def _landlock_finding() -> Finding:
    version = landlock.abi()
    note = f"version {version}" if version else "the kernel has none, or has it switched off"
    return Finding("Landlock", version >= 2, note, needed=False)


def _memory_finding() -> Finding:
    place = cgroup.find_place()
    if place is None:
        return Finding("memory control group", False, "none that we may write to", needed=False)
    beside = "" if place.pids else ", without a limit of processes"
    note = f"version {place.version}, below {place.memory}{beside}"
    return Finding("memory control group", True, note, needed=False)


def _is_mapped(uid: int) -> bool:
    """Whether this user namespace knows the user at all."""
    ranges = [line.split() for line in Path("/proc/self/uid_map").read_text().splitlines()]
    return any(int(first) <= uid < int(first) + int(count) for first, _, count in ranges)


def _map_identity(uid: tuple[int, int], gid: tuple[int, int]) -> None:
    """Map one user and one group, (inside, outside), in the user namespace just made."""
    # After a change of user, /proc/self belongs to root until the process is dumpable again.
    linux.prctl(linux.PR_SET_DUMPABLE, 1)
    own = Path("/proc/self")
    (own / "setgroups").write_text("deny")
    (own / "uid_map").write_text(f"{uid[0]} {uid[1]} 1")
    (own / "gid_map").write_text(f"{gid[0]} {gid[1]} 1")


def _become(uid: int, gid: int) -> None:
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


def _sources(packages: Sequence[Path]) -> list[tuple[Path, Path]]:
    """What to bind read-only: (path inside, real path outside), parents first."""
    wanted = [Path("/", name) for name in _TOP if not Path("/", name).is_symlink()]
    wanted += [Path("/etc", name) for name in _ETC_FOLDERS]
    wanted += [part for prefix in _python_folders() for part in _parts(prefix)]
    wanted += [package.absolute() for package in packages]
    found: dict[Path, Path] = {}
    for path in sorted(wanted, key=lambda path: len(path.parts)):
        real = path.resolve()
        for place in (path, real):
            if real.exists() and not any(place.is_relative_to(done) for done in found):
                found[place] = real
    return list(found.items())


def _python_folders() -> set[Path]:
    """Where this Python and its libraries lie."""
    folders = {sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix}
    actual = Path(sys.executable).resolve().parent.parent
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    if (actual / "lib" / version).is_dir():
        folders.add(str(actual))
    return {Path(folder).absolute() for folder in folders} - {Path("/")}


def _parts(prefix: Path) -> list[Path]:
    """Of a virtual environment only its own parts: some make theirs in the course's folder."""
    if (prefix / "pyvenv.cfg").exists():
        return [prefix / part for part in _VENV_PARTS]
    return [prefix]


def _build_root(sources: list[tuple[Path, Path]], exchange: Path) -> None:
    """Assemble the new root on a tmpfs over /tmp, which exists everywhere, and detach the old."""
    files = {name: Path("/etc", name) for name in _ETC_FILES}
    etc = {name: path.read_bytes() for name, path in files.items() if path.is_file()}
    etc |= {name: text.encode() for name, text in _ETC_WRITTEN.items()}
    links = {
        name: str(Path("/", name).readlink()) for name in _TOP if Path("/", name).is_symlink()
    }
    linux.mount("none", "/", flags=linux.MS_REC | linux.MS_PRIVATE)
    _mount_tmpfs(TMP, _ROOT_MB, "mode=755")
    (TMP / "old").mkdir()
    linux.pivot_root(str(TMP), str(TMP / "old"))
    os.chdir("/")
    old = Path("/old")
    for name, target in links.items():
        Path("/", name).symlink_to(target)
    for scratch in (TMP, WORK, SHARED_MEMORY):  # joblib asks for the last when it is imported
        scratch.mkdir(parents=True)
        _mount_tmpfs(scratch, _TEMPLATE_SCRATCH_MB, "mode=1777")
    _bind_sources(old, sources)
    for name, content in etc.items():
        Path("/etc", name).write_bytes(content)
    _make_devices(old)
    for place in (KERNEL, EXCHANGE, Path("/proc")):
        place.mkdir()
    _bind(old / "proc", Path("/proc"))
    _bind(old / exchange.relative_to("/"), EXCHANGE)
    linux.unmount(str(old))
    old.rmdir()
    _protect([place for place, _ in sources])


def _mount_tmpfs(place: Path, megabytes: int, mode: str) -> None:
    data = f"size={megabytes}m,nr_inodes={_FILES_PER_SCRATCH},{mode}"
    linux.mount("tmpfs", str(place), "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, data)


def _bind(source: Path, place: Path) -> None:
    """Bind with all that is mounted below: an ordinary user cannot part inherited mounts."""
    linux.mount(str(source), str(place), flags=linux.MS_BIND | linux.MS_REC)


def _bind_sources(old: Path, sources: list[tuple[Path, Path]]) -> None:
    for place, real in sources:
        source = old / real.relative_to("/")
        _make_place(place, source.is_dir())
        _bind(source, place)
        _family.bound.append(place)


def _make_place(place: Path, is_folder: bool) -> None:
    """An empty folder or file to mount over; the folders above it are open to everybody."""
    (place if is_folder else place.parent).mkdir(mode=0o755, parents=True, exist_ok=True)
    if not is_folder:
        place.touch()


def _make_devices(old: Path) -> None:
    Path("/dev/pts").mkdir()
    for name in filter(lambda name: (old / "dev" / name).exists(), _DEVICES):
        device = Path("/dev", name)
        device.touch()
        _bind(old / "dev" / name, device)
    for name, target in _DEVICE_LINKS.items():
        Path("/dev", name).symlink_to(target)


def _protect(places: list[Path]) -> None:
    """Make the root and what is bound read-only, with everything mounted below."""
    read_only = linux.MS_RDONLY | linux.MS_NOSUID | linux.MS_NODEV
    for mount, options in _mounts():
        if mount == EXCHANGE:
            _remount(mount, options, linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC)
        elif mount == Path("/") or any(mount.is_relative_to(place) for place in places):
            _remount(mount, options, read_only)


def _mounts() -> Iterator[tuple[Path, set[str]]]:
    """Every mount point of this namespace with its options."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split()
        # Spaces and their like are written as octal escapes.
        path = os.fsdecode(os.fsencode(fields[4]).decode("unicode_escape").encode("latin-1"))
        yield Path(path), set(fields[5].split(","))


def _remount(mount: Path, options: set[str], flags: int) -> None:
    """Add flags to a mount; those that it has are named again, as an ordinary user must."""
    known = {"ro": linux.MS_RDONLY, "nosuid": linux.MS_NOSUID, "nodev": linux.MS_NODEV}
    known["noexec"] = linux.MS_NOEXEC
    flags |= sum(flag for name, flag in known.items() if name in options and not flags & flag)
    linux.mount("none", str(mount), flags=linux.MS_REMOUNT | linux.MS_BIND | flags)


def _mount_kernel(folder: Path, limits: Limits) -> None:
    linux.unshare(linux.CLONE_NEWNS)
    safe = linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC
    linux.mount("proc", "/proc", "proc", safe)
    linux.mount("devpts", "/dev/pts", "devpts", safe & ~linux.MS_NODEV, "newinstance,ptmxmode=666")
    _cover(WORK, limits.work_mb, "mode=700")
    for place in (TMP, SHARED_MEMORY):
        _cover(place, limits.work_mb, "mode=1777")
    linux.mount(str(folder), str(KERNEL), flags=linux.MS_BIND)
    files = folder / "files"
    if files.is_dir():
        shutil.copytree(
            files, WORK, symlinks=True, copy_function=shutil.copyfile, dirs_exist_ok=True
        )
        WORK.chmod(0o700)
    linux.mount("tmpfs", str(EXCHANGE), "tmpfs", safe | linux.MS_RDONLY, "size=4k,nr_inodes=1")
    os.chdir(WORK)


def _cover(place: Path, megabytes: int, mode: str) -> None:
    """Mount an empty tmpfs, but keep what of Python lies below."""
    below = [path for path in _family.bound if path.is_relative_to(place)]
    handles = [(path, os.open(path, os.O_PATH)) for path in below]
    _mount_tmpfs(place, megabytes, mode)
    for path, handle in handles:
        source = Path(f"/proc/self/fd/{handle}")
        _make_place(path, source.is_dir())
        _bind(source, path)
        os.close(handle)


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


def _set_limits(limits: Limits) -> None:
    megabyte = 1 << 20
    bounds = {
        resource.RLIMIT_NPROC: _process_limit(limits),
        resource.RLIMIT_FSIZE: limits.file_mb * megabyte,
        resource.RLIMIT_NOFILE: _OPEN_FILES,
        resource.RLIMIT_MSGQUEUE: 0,
        # 1 and not 0: programs that the host pipes core dumps to are then not started either.
        resource.RLIMIT_CORE: 1,
    }
    if cgroup.PREFIX not in Path("/proc/self/cgroup").read_text():
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
