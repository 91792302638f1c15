"""Landlock: a second wall around the files, which holds even where a mount or a mode is wrong."""

import os
import struct
from collections.abc import Mapping
from pathlib import Path

from grader.engine import linux

EXECUTE = 1 << 0
WRITE_FILE = 1 << 1
READ_FILE = 1 << 2
READ_DIR = 1 << 3
MAKE_SOCK = 1 << 9
MOVE = 1 << 13  # REFER; ABI 2
TRUNCATE = 1 << 14  # ABI 3
USE_DEVICE = 1 << 15  # IOCTL_DEV; ABI 5

READ = EXECUTE | READ_FILE | READ_DIR
CHANGE = WRITE_FILE | TRUNCATE
EVERYTHING = (1 << 16) - 1

_SCOPE_ABSTRACT_SOCKETS, _SCOPE_SIGNALS = 1, 2  # ABI 6
_VERSION_ONLY = 1
_PATH_BENEATH = 1


def abi() -> int:
    """The kernel's Landlock version, 0 where it has none."""
    try:
        return linux.syscall("landlock_create_ruleset", None, 0, _VERSION_ONLY)
    except OSError:
        return 0


def _known(version: int) -> int:
    """The file rights that this version can restrict."""
    later = {MOVE: 2, TRUNCATE: 3, USE_DEVICE: 5}
    return EVERYTHING & ~sum(right for right, since in later.items() if version < since)


def restrict(rules: Mapping[Path, int]) -> bool:
    """Allow only these rights below these paths, for good; False where Landlock is of no use.

    Version 1 forbids every rename from one folder to another, which would break honest code.
    """
    version = abi()
    if version < 2:
        return False
    known = _known(version)
    scopes = _SCOPE_ABSTRACT_SOCKETS | _SCOPE_SIGNALS if version >= 6 else 0
    attributes = struct.pack("=QQQ", known, 0, scopes)[: 24 if version >= 6 else 8]
    ruleset = linux.syscall("landlock_create_ruleset", attributes, len(attributes), 0)
    try:
        for path, rights in rules.items():
            _allow(ruleset, path, rights & known)
        linux.syscall("landlock_restrict_self", ruleset, 0)
    finally:
        os.close(ruleset)
    return True


def _allow(ruleset: int, path: Path, rights: int) -> None:
    folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = struct.pack("=Qi", rights, folder)
        linux.syscall("landlock_add_rule", ruleset, _PATH_BENEATH, rule, 0)
    finally:
        os.close(folder)
