"""Score a learner's test by the wrong answers it catches and the right ones it spares."""

import contextlib
import io
from collections.abc import Callable
from typing import Any


def review_score(
    test: Callable[[Any], object],
    function: str,
    wrong: list[str],
    right: list[str],
    points: float,
    names: dict[str, Any],
) -> float:
    """Run `test(function)` on every implementation and return the points it earns.

    Each source in `wrong` and `right` defines `function`, in a copy of `names`. The score is
    points x share of the wrong ones caught x share of the right ones spared; with no right
    ones given, the learner's own `function` stands in. Prints a hint unless the score is full.
    """
    implementations = [_define(code, function, names) for code in right]
    implementations = implementations or [names[function]]
    caught = [_raises(test, _define(code, function, names)) for code in wrong]
    spared = [not _raises(test, implementation) for implementation in implementations]
    share = sum(caught) / len(caught) * sum(spared) / len(spared)
    if not all(spared):
        print(f"blames the innocent: {len(spared) - sum(spared)} of {len(spared)} right versions")
        print("fail your test; check only what the contract promises, within a tolerance.")
    if not all(caught):
        print(f"lets errors pass: {len(caught) - sum(caught)} of {len(caught)} wrong versions")
        print("pass your test; which property of the contract have you not tried yet?")
    return round(float(points) * share, 2)


def _define(code: str, function: str, names: dict[str, Any]) -> Any:
    namespace = dict(names)
    exec(code, namespace)
    return namespace[function]


def _raises(test: Callable[[Any], object], implementation: Any) -> bool:
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            test(implementation)
        except Exception:
            return True
    return False
