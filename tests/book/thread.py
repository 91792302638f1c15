"""For what runs an event loop: in the tests' own thread, that of the browser may be running."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def in_thread(function: Callable[..., T], *arguments: object) -> T:
    """The function's result, or its exception, from a thread of its own."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function, *arguments).result()
