"""Which modules a notebook needs, and which of them a template may import ahead of it."""

import ast
import functools
import importlib.util
import re
from collections.abc import Iterable
from importlib.machinery import PathFinder
from pathlib import Path

from grader.syntax import parsed

# Never imported before a kernel is forked, with all that they contain:
NOT_PRELOADED = frozenset(
    {
        # They start threads or runtimes at import, which do not survive a fork.
        *("confluent_kafka", "cudf", "cupy", "grpc", "jax", "keras", "lightgbm", "polars"),
        *("pyspark", "ray", "tensorflow"),
    }
)

# What a library imports only when it is used for the first time, by what such code says.
LATE = {
    r"\bsklearn\b": (
        "narwhals._interchange.dataframe",
        "narwhals._pandas_like.namespace",
        "narwhals.stable.v2._namespace",
    ),
    r"\bglue\b": ("myst_nb.ext.glue",),  # nearly two seconds
    r"\boptim\b": ("torch._dynamo", "torch.profiler._cupti_monitor"),  # nearly a second
    r"\b(matplotlib|plt|plot)\b": (
        "matplotlib.backends.backend_agg",
        "PIL.BmpImagePlugin",
        "PIL.GifImagePlugin",
        "PIL.JpegImagePlugin",
        "PIL.PpmImagePlugin",
        "PIL.features",
    ),
}

# Cell magics whose body is Python.
_PYTHON_MAGICS = ("%%time", "%%timeit", "%%capture", "%%prun")


def needed(sources: Iterable[str]) -> set[str]:
    """The modules that cells may import, and those that these import late."""
    names: set[str] = set()
    for source in sources:
        names |= imported(source)
        names |= {n for said, late in LATE.items() if re.search(said, source) for n in late}
    return names


@functools.lru_cache(maxsize=512)
def imported(source: str) -> frozenset[str]:
    """The modules that a cell may import, dotted; magics and broken code are no obstacle."""
    if "import" not in source:
        return frozenset()
    if source.startswith("%%"):
        magic, _, source = source.partition("\n")
        if magic.split()[0] not in _PYTHON_MAGICS:
            return frozenset()
    python = re.sub(r"^([ \t]*)[%!].*$", r"\1pass", source, flags=re.MULTILINE)
    try:
        return _imports(parsed(python))
    except (SyntaxError, ValueError):
        lines = (line.strip() for line in python.split("\n"))
        return frozenset(name for line in lines for name in _line_imports(line))


def _line_imports(line: str) -> frozenset[str]:
    try:
        return _imports(parsed(line)) if line.startswith(("import ", "from ")) else frozenset()
    except (SyntaxError, ValueError):
        return frozenset()


def _imports(tree: ast.Module) -> frozenset[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            # Each name may be a submodule.
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names - {"__future__"})


def preload(imports: Iterable[str], data: Iterable[str]) -> tuple[str, ...]:
    """Those modules that exist here, may be imported before a fork, and no data file hides."""
    hidden = {Path(name).parts[0].removesuffix(".py") for name in data}
    tops = {name: name.partition(".")[0] for name in imports}
    wanted = {_existing(n) for n, top in tops.items() if top not in NOT_PRELOADED | hidden}
    return tuple(sorted(wanted - {""}))


def _existing(dotted: str) -> str:
    """The longest part of a dotted name that is a module, found without importing any."""
    top, *parts = dotted.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        spec = None
    found = ""
    while spec is not None:
        found = spec.name
        if not parts or spec.submodule_search_locations is None:
            break
        try:
            spec = PathFinder.find_spec(f"{found}.{parts.pop(0)}", spec.submodule_search_locations)
        except KeyError:  # a namespace package in another is found only when that is imported
            break
    return found
