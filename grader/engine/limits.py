"""How much one submission may use."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Limits of one notebook's run; what goes beyond is stopped and named in the result."""

    memory_mb: int = 2048
    processes: int = 64  # and threads, over the whole sandbox
    cpu_s: int = 600  # of any one process
    cell_s: float = 60.0
    notebook_s: float = 600.0
    file_mb: int = 256  # largest single file
    work_mb: int = 512  # of the work folder, and as much again of /tmp
    output_bytes: int = 2_000_000  # of one cell
    messages: int = 5_000  # of one cell
