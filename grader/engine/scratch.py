"""Temporary folders that a killed process cannot remove: the next one to start does.

The owner holds a lock on the folder, which goes with the process however that ends.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

PREFIX = "grader-engine-"


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """A new temporary folder of this process's own, removed with the block."""
    folder, lock = _locked_folder()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def remove_abandoned(first: Callable[[Path], None] = lambda folder: None) -> None:
    """Remove this user's folders whose owner is dead; `first` is told of each before it goes."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError), _lock_of(folder) as lock:
            if os.fstat(lock).st_uid != os.geteuid():
                continue
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            first(folder)
            shutil.rmtree(folder, ignore_errors=True)


def _locked_folder() -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        with contextlib.suppress(FileNotFoundError):
            lock = os.open(folder, os.O_RDONLY)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if folder.exists():
                return folder, lock
            os.close(lock)  # another process took it for abandoned before it was locked


@contextlib.contextmanager
def _lock_of(folder: Path) -> Iterator[int]:
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        yield lock
    finally:
        os.close(lock)
