"""Score a learner's test by the wrong answers it catches and the right ones it spares."""

import contextlib
import io
from collections.abc import Callable
from typing import Any

Test = Callable[[Any], object]


def review_score(
    test: Test,
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
    on_wrong = [_complaint(test, _define(code, function, names)) for code in wrong]
    on_right = [_complaint(test, _define(code, function, names)) for code in right]
    on_own = [] if right else [_complaint(test, names[function])]
    if all(_unwritten(complaint) for complaint in on_wrong + on_right + on_own):
        raise NotImplementedError(f"the test of {function} is not written yet")
    # An own function that is not written yet is no evidence against the test.
    on_own = [None if _unwritten(complaint) else complaint for complaint in on_own]
    _say(function, on_wrong, on_right, on_own)
    spared = (on_right + on_own).count(None) / len(on_right + on_own)
    caught = 1 - on_wrong.count(None) / len(on_wrong)
    return round(float(points) * caught * spared, 2)


def _say(
    function: str,
    on_wrong: list[str | None],
    on_right: list[str | None],
    on_own: list[str | None],
) -> None:
    blamed = len(on_right) - on_right.count(None)
    if blamed:
        print(f"blames the innocent: {blamed} of {len(on_right)} right versions fail your test;")
        print("check only what the contract promises, within a tolerance.")
    for complaint in filter(None, on_own):
        print(f"your own {function} fails your test, with {complaint}; one of the two is wrong.")
    if None in on_wrong:
        print(f"lets errors pass: {on_wrong.count(None)} of {len(on_wrong)} wrong versions pass")
        print("your test; which property of the contract have you not tried yet?")


def _unwritten(complaint: str | None) -> bool:
    return complaint is not None and complaint.startswith("NotImplementedError")


def _define(code: str, function: str, names: dict[str, Any]) -> Any:
    namespace = dict(names)
    exec(code, namespace)
    return namespace[function]


def _complaint(test: Test, implementation: Any) -> str | None:
    """What the test raises on this implementation, in a line; None where it passes."""
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            test(implementation)
        except Exception as error:
            return f"{type(error).__name__}: {error}".splitlines()[0].removesuffix(": ")
    return None
