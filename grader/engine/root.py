"""What template and kernel see of the file system: a minimal read-only root, and scratch.

Every mount is made in a mount namespace of the sandbox's own and goes with its last process.
"""

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from grader.engine import linux
from grader.engine.limits import Limits

EXCHANGE = Path("/exchange")  # the template's: one folder per kernel
KERNEL = Path("/kernel")  # a kernel's own folder of the exchange
# Not /work: a course may lie there, and its packages would show in the learner's folder.
WORK = Path("/home/learner")
TMP = Path("/tmp")
SHARED_MEMORY = Path("/dev/shm")

INSIDE = 1000  # the one user and group that a kernel knows
_ROOT_MB = 16
_TEMPLATE_SCRATCH_MB = 64
_FILES_PER_SCRATCH = 20_000

_TOP = ("bin", "lib", "lib32", "lib64", "libx32", "sbin", "usr")
_ETC_FOLDERS = ("alternatives", "fonts", "ld.so.conf.d")
_ETC_FILES = (
    *("ld.so.cache", "ld.so.conf", "localtime", "mime.types"),
    *("os-release", "protocols", "services"),
)
_ETC_WRITTEN = {
    "passwd": f"root:x:0:0::/:/bin/false\nlearner:x:{INSIDE}:{INSIDE}::{WORK}:/bin/sh\n",
    "group": f"root:x:0:\nlearner:x:{INSIDE}:\n",
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

# What the template bound; a kernel's own /tmp or work folder must not hide it.
_bound: list[Path] = []


def sources(packages: Sequence[Path]) -> list[tuple[Path, Path]]:
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


def build_root(sources: list[tuple[Path, Path]], exchange: Path) -> None:
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
        _bound.append(place)


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


def mount_kernel(folder: Path, limits: Limits) -> None:
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
    below = [path for path in _bound if path.is_relative_to(place)]
    handles = [(path, os.open(path, os.O_PATH)) for path in below]
    _mount_tmpfs(place, megabytes, mode)
    for path, handle in handles:
        source = Path(f"/proc/self/fd/{handle}")
        _make_place(path, source.is_dir())
        _bind(source, path)
        os.close(handle)
