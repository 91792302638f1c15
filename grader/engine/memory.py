"""Watch a kernel's memory where no control group does."""

from grader.engine.cgroup import tree_memory
from grader.engine.launch import Kernel
from grader.engine.limits import Limits


def over_memory(kernel: Kernel, limits: Limits) -> str:
    """What to say of a process tree that has outgrown its limit; empty otherwise."""
    if kernel.group is not None:
        return ""
    if tree_memory(kernel.pid) <= limits.memory_mb * 2**20:
        return ""
    return f"it needed more than {limits.memory_mb} MB of memory"
