"""Run a command without a network: `python -m grader.offline COMMAND ...`.

On Linux the command gets a network namespace of its own in which only loopback is up, so kernels
and servers started by a lab still work. Elsewhere there is no such wall: `blocked()` says so.
"""

import ctypes
import fcntl
import functools
import os
import socket
import struct
import subprocess
import sys
from pathlib import Path

_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_SIOCSIFFLAGS = 0x8914
_IFF_UP_RUNNING = 0x41


def prefix() -> list[str]:
    """What to put in front of a command so that it runs without a network."""
    return [sys.executable, "-m", "grader.offline"]


@functools.cache
def blocked() -> bool:
    """Whether this machine lets us take the network away."""
    probe = [*prefix(), sys.executable, "-c", "import grader.offline as o; exit(o.sees_network())"]
    return subprocess.run(probe, check=False, capture_output=True).returncode == 0


def sees_network() -> bool:
    """Whether any interface but loopback exists here."""
    return any(name != "lo" for _, name in socket.if_nameindex())


def leave_network() -> None:
    """Move this process into a network namespace with loopback only, where the system can."""
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if libc.unshare(_CLONE_NEWNET) != 0:
        if libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) != 0:
            return
        _map_ids(user, group)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sh14x", b"lo", _IFF_UP_RUNNING)
        fcntl.ioctl(control.fileno(), _SIOCSIFFLAGS, request)


def _map_ids(user: int, group: int) -> None:
    """Keep our own uid and gid inside the new user namespace."""
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        Path(f"/proc/self/{name}").write_text(text, encoding="ascii")


if __name__ == "__main__":
    leave_network()
    os.execvp(sys.argv[1], sys.argv[1:])
