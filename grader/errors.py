"""The one error that the command line reports without a stack trace."""


class CourseError(Exception):
    """Says in one sentence what is wrong, where, and what to do next; exit code 2."""


class MachineError(CourseError):
    """What grading needs gave way: no submission's fault, and none can be graded until mended."""
