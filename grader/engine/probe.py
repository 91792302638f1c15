"""What this machine offers for the sandbox, tried part by part in forked children."""

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from grader.engine import cgroup, landlock, linux, sandbox, seccomp
from grader.engine.limits import Limits
from grader.engine.root import INSIDE
from grader.engine.scratch import scratch_folder
from grader.errors import CourseError


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
        os.chown(folder, *sandbox.identity())
        exchange.chmod(0o711)
        found.append(_try("a root of its own", lambda: sandbox.enter_template(exchange)))
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
    uid, gid = sandbox.identity()
    if uid != os.geteuid():
        sandbox.become(uid, gid)
    linux.unshare(linux.CLONE_NEWUSER | kind)
    sandbox.map_identity((INSIDE, uid), (INSIDE, gid))


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
    sandbox.enter_template(exchange)
    _require_ok(_try("", _try_kernel))


def _try_kernel() -> None:
    sandbox.unshare_kernel()
    read, write = os.pipe()
    if os.fork() == 0:
        try:
            sandbox.settle_kernel(sandbox.EXCHANGE / "kernel", Limits(work_mb=1), keep=[write])
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
