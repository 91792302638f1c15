"""Parse Python from several threads: CPython 3.11 sometimes fails where two parse at once."""

import ast
import threading

_one_at_a_time = threading.Lock()


def parsed(source: str) -> ast.Module:
    """`ast.parse`, under a lock; SyntaxError or ValueError where it is no Python."""
    with _one_at_a_time:
        return ast.parse(source)
