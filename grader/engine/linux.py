"""Thin wrappers of Linux calls that Python lacks; each raises OSError that says what was tried."""

import ctypes
import os
import platform
import sys
from functools import cache
from pathlib import Path
from typing import Any

from grader.errors import CourseError

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_REMOUNT = 0x20
MS_NOATIME = 0x400
MS_NODIRATIME = 0x800
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
MS_RELATIME = 0x200000
MNT_DETACH = 0x2

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4

# Calls that libc has no function for, by machine.
_NUMBERS = {
    "x86_64": {"pivot_root": 155, "capset": 126, "seccomp": 317},
    "aarch64": {"pivot_root": 41, "capset": 91, "seccomp": 277},
}
_SAME_EVERYWHERE = {
    "landlock_create_ruleset": 444,
    "landlock_add_rule": 445,
    "landlock_restrict_self": 446,
}
_CAPABILITY_VERSION_3 = 0x20080522


@cache
def machine() -> str:
    """x86_64 or aarch64; the sandbox knows no other."""
    name = platform.machine()
    if sys.platform != "linux" or name not in _NUMBERS:
        raise CourseError(
            f"The sandbox needs Linux on x86_64 or aarch64 and this is {sys.platform} on {name}: "
            "grade on such a machine, or say --isolation none, which runs learners' code "
            "with your own rights."
        )
    return name


@cache
def _libc() -> Any:
    machine()
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def syscall(name: str, *arguments: Any) -> int:
    """Call the kernel by number; integers are passed as long, the rest as ctypes has it."""
    numbers = _NUMBERS[machine()] | _SAME_EVERYWHERE
    passed = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return _checked(_libc().syscall(ctypes.c_long(numbers[name]), *passed), name)


def unshare(flags: int) -> None:
    """Move into new namespaces."""
    _checked(_libc().unshare(flags), f"unshare({flags:#x})")


def madvise(start: int, size: int, advice: int) -> None:
    """Advise the kernel on this process's own memory."""
    arguments = (ctypes.c_void_p(start), ctypes.c_size_t(size), ctypes.c_int(advice))
    _checked(_libc().madvise(*arguments), "madvise")


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """mount(2)."""
    result = _libc().mount(
        source.encode(),
        os.fsencode(target),
        kind.encode(),
        ctypes.c_ulong(flags),
        data.encode(),
    )
    _checked(result, f"mount {kind or source} on {target}")


def unmount(target: str) -> None:
    """Detach a mount and all below it."""
    _checked(_libc().umount2(os.fsencode(target), MNT_DETACH), f"unmount {target}")


def pivot_root(new: str, old: str) -> None:
    """Make `new` the root and put the old one at `old`."""
    syscall("pivot_root", os.fsencode(new), os.fsencode(old))


def prctl(option: int, *arguments: int) -> int:
    """prctl(2), arguments that are not given being 0."""
    padded = [ctypes.c_ulong(a) for a in (*arguments, 0, 0, 0, 0)[:4]]
    return _checked(_libc().prctl(option, *padded), f"prctl({option})")


def drop_capabilities() -> None:
    """Give up every capability, for this process and all that it will ever execute."""
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    for number in range(_last_capability() + 1):
        prctl(PR_CAPBSET_DROP, number)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    none = (ctypes.c_uint32 * 6)()
    syscall("capset", ctypes.byref(header), ctypes.byref(none))


@cache
def _last_capability() -> int:
    return int(Path("/proc/sys/kernel/cap_last_cap").read_text())
