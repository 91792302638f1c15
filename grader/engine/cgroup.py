"""Control groups: memory and processes of one kernel, counted and limited by the system.

Groups are made only below a place that this process may write to, always with our prefix, and no
other group is touched. Without any, `tree_memory` lets the supervisor watch for itself.
"""

import contextlib
import functools
import os
import re
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grader.engine.limits import Limits

PREFIX = "grader-"
_MEGABYTE = 1 << 20
_TASKS_BESIDE = 2  # the monitor, and one that is just ending
_REMOVAL_S = 5.0


@dataclass(frozen=True)
class Place:
    """Where groups can be made: the folders to make them in, and the version of the interface."""

    version: int
    memory: Path
    pids: Path | None


@dataclass(frozen=True)
class Group:
    """One kernel's group; remove it when the kernel is gone."""

    version: int
    memory: Path
    pids: Path | None

    def add(self, pid: int) -> None:
        """Move a process in; what it forks from then on follows."""
        for folder in self._folders():
            (folder / "cgroup.procs").write_text(str(pid))

    def peak(self) -> int:
        """The most memory that it held, in bytes; 0 where an old system does not say."""
        name = "memory.max_usage_in_bytes" if self.version == 1 else "memory.peak"
        try:
            return int((self.memory / name).read_text())
        except OSError:
            return 0

    def oom_killed(self) -> bool:
        """Whether the system killed one of its processes for its memory."""
        name = "memory.oom_control" if self.version == 1 else "memory.events"
        counts = dict(line.split() for line in (self.memory / name).read_text().splitlines())
        return int(counts.get("oom_kill", 0)) > 0

    def remove(self) -> None:
        """Kill what is left in it, and remove it; one that stays is empty or about to be."""
        until = time.monotonic() + _REMOVAL_S
        for folder in self._folders():
            while not _is_removed(folder) and time.monotonic() < until:
                _kill_all(folder)
                time.sleep(0.005)

    def _folders(self) -> set[Path]:
        return {self.memory, self.pids or self.memory}


def memory_group(name: str, limits: Limits) -> Group | None:
    """A new, empty group with the limits set, or None where this process can make none."""
    group = group_named(name)
    if group is None:
        return None
    try:
        for folder in group._folders():
            folder.mkdir()
        _limit(group, limits)
    except OSError:
        group.remove()
        return None
    return group


def group_named(name: str) -> Group | None:
    """The group that `memory_group` makes, or has made, by this name."""
    place = find_place()
    if place is None:
        return None
    name = name if name.startswith(PREFIX) else PREFIX + name
    return Group(place.version, place.memory / name, place.pids and place.pids / name)


@functools.cache
def find_place() -> Place | None:
    """Where this process may make groups that count memory; None where nowhere."""
    controllers = _mounted()
    if memory := _own(controllers, "memory"):
        return Place(1, memory, _own(controllers, "pids"))
    return _delegated(controllers)


def tree_memory(pid: int) -> int:
    """Bytes that a process and all its descendants hold for themselves."""
    return sum(_own_memory(member) for member in _tree(pid))


def _limit(group: Group, limits: Limits) -> None:
    most = str(limits.memory_mb * _MEGABYTE)
    if group.version == 1:
        (group.memory / "memory.limit_in_bytes").write_text(most)
        swap, no_swap = "memory.memsw.limit_in_bytes", most
    else:
        (group.memory / "memory.max").write_text(most)
        swap, no_swap = "memory.swap.max", "0"
    # A system without accounting of swap has no such file.
    with contextlib.suppress(OSError):
        (group.memory / swap).write_text(no_swap)
    if group.pids:
        (group.pids / "pids.max").write_text(str(limits.processes + _TASKS_BESIDE))


def _mounted() -> dict[str, tuple[Path, Path]]:
    """Controller -> (where it is mounted, which part of its tree that is); v2 goes by ''."""
    found = {}
    for line in _lines("/proc/self/mountinfo"):
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        fields = before.split()
        if kind == "cgroup":
            for controller in {"memory", "pids"} & set(options.split(",")):
                found[controller] = (Path(fields[4]), Path(fields[3]))
        elif kind == "cgroup2":
            found[""] = (Path(fields[4]), Path(fields[3]))
    return found


def _own(mounted: dict[str, tuple[Path, Path]], controller: str) -> Path | None:
    """This process's own group of a controller, if groups may be made in it."""
    if controller not in mounted:
        return None
    mount, root = mounted[controller]
    folder = mount
    for line in _lines("/proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(",") and Path(path).is_relative_to(root):
            folder = mount / Path(path).relative_to(root)
    # In a container the path may be the host's, of which only the root is mounted.
    return next((f for f in (folder, mount) if _is_writable(f)), None)


def _delegated(mounted: dict[str, tuple[Path, Path]]) -> Place | None:
    """The nearest group above this process, v2, that hands memory on and may be written.

    Its own group will not do: one with processes in it cannot hand controllers on.
    """
    folder = _own(mounted, "")
    if folder is None and "" in mounted:
        folder = mounted[""][0]
    while folder is not None and folder.is_relative_to(mounted[""][0]):
        handed_on = " ".join(_lines(folder / "cgroup.subtree_control")).split()
        if "memory" in handed_on and _is_writable(folder):
            return Place(2, folder, folder if "pids" in handed_on else None)
        folder = folder.parent
    return None


def _is_writable(folder: Path) -> bool:
    """Moving a process needs the right to write to the list of the group that holds both ends."""
    return os.access(folder, os.W_OK) and os.access(folder / "cgroup.procs", os.W_OK)


def _lines(path: str | Path) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def _is_removed(folder: Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _kill_all(folder: Path) -> None:
    for pid in _lines(folder / "cgroup.procs"):
        with contextlib.suppress(OSError):
            os.kill(int(pid), signal.SIGKILL)


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*"):
        for line in _lines(task / "children"):
            for child in line.split():
                yield from _tree(int(child))


def _own_memory(pid: int) -> int:
    """A process's share of anonymous and shared memory; without the right to see it, its own."""
    sizes = dict(re.findall(r"^(Pss_(?:Anon|Shmem)): +(\d+)", _rollup(pid), re.MULTILINE))
    if sizes:
        return 1024 * sum(int(size) for size in sizes.values())
    counts = " ".join(_lines(f"/proc/{pid}/statm")).split()
    return (int(counts[1]) - int(counts[2])) * os.sysconf("SC_PAGE_SIZE") if counts else 0


def _rollup(pid: int) -> str:
    return "\n".join(_lines(f"/proc/{pid}/smaps_rollup"))
