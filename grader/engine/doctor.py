"""Say what this machine offers for running strangers' code, and what a lack of it means."""

from collections.abc import Sequence

from grader.engine import probe
from grader.errors import CourseError

_CONSEQUENCES = {
    "user namespace": "no sandbox: in a container, allow unshare and mount (--privileged, or "
    "--security-opt seccomp=unconfined --cap-add SYS_ADMIN); on Ubuntu, "
    "sysctl kernel.apparmor_restrict_unprivileged_userns=0",
    "a /proc of its own": "no sandbox: in a container, --security-opt systempaths=unconfined",
    "a root of its own": "no sandbox: in a container, --cap-add SYS_ADMIN "
    "--security-opt apparmor=unconfined",
    "system call filter": "no sandbox: needs a kernel with CONFIG_SECCOMP_FILTER",
    "Landlock": "files are guarded by mounts and permissions alone, and a kernel that floods its "
    "socket folder is stopped late",
    "memory control group": "memory is watched by the supervisor a few times a second, which a "
    "determined program can outrun",
}
_OTHERWISE = "no sandbox"


def lines(found: Sequence[probe.Finding] | None = None) -> list[str]:
    """A table of what is there: what, yes or no, what that means."""
    found = found or probe.probe()
    width = max(len(finding.what) for finding in found)
    return [_line(finding, width) for finding in found]


def doctor() -> int:
    """Print the table; 0 where the sandbox works, 1 otherwise."""
    try:
        found = probe.probe()
        print("\n".join(lines(found)))
        probe.require(found)
    except CourseError as error:
        print(f"\n{error}")
        return 1
    print("\nLearners' code can be graded here, isolated.")
    return 0


def _line(finding: probe.Finding, width: int) -> str:
    answer = "yes" if finding.ok else "no "
    note = finding.note
    if not finding.ok:
        note = f"{note}: {_CONSEQUENCES.get(finding.what, _OTHERWISE)}"
    return f"{finding.what:{width}}  {answer}  {note}".rstrip()
