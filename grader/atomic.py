"""Write a file at once: who reads sees the old one or the new one, never a half."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A scratch file to fill, which takes the place of `path`; after a failure it is gone."""
    scratch = path.with_name(f".{path.name}.new")
    try:
        yield scratch
        scratch.replace(path)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise
