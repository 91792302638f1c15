"""Which libraries a running kernel may have in use when it is forked.

A fork carries only the calling thread over. Each name here is forked in the middle of its work by
tests/unit/test_forksafe.py, with one thread per numerical library; the rest is replayed instead.
"""

import sys
from collections.abc import Iterable

from grader.engine.imports import imported

FORK_SAFE = frozenset(
    {
        *("cryptography", "evidently", "fairlearn", "joblib", "kfp", "lender", "matplotlib"),
        *("numpy", "pandas", "pyarrow", "scipy", "shap", "sklearn", "statsmodels", "torch"),
        *("yaml", "IPython", "grader", "nbgrader"),  # no threads
    }
)


def unsafe_imports(sources: Iterable[str]) -> list[str]:
    """The libraries imported in these cells that are not on the list."""
    tops = {name.partition(".")[0] for source in sources for name in imported(source)}
    return sorted(tops - FORK_SAFE - sys.stdlib_module_names)
