"""People who sort the desk's notes by reason, and err in a known way."""

import numpy as np
import pandas as pd

from lender.truth import Floats

# Why the desk overrode the model, with its share among the notes.
REASON_SHARE = {"income proven": 0.4, "file was wrong": 0.3, "guarantor": 0.2, "other": 0.1}


def _right(share: float) -> Floats:
    """Confusion matrix of a labeler who is right with this chance, else errs evenly."""
    k = len(REASON_SHARE)
    return np.full((k, k), (1 - share) / (k - 1)) + np.eye(k) * (share - (1 - share) / (k - 1))


def _habitual() -> Floats:
    """Right four times in five, except that most guarantors are filed as wrong files."""
    confusion = _right(0.8)
    confusion[2] = [0.05, 0.80, 0.10, 0.05]
    return confusion


# P(label | reason), shape (4, 4), rows add up to 1.
CONFUSION: dict[str, Floats] = {
    "ada": _right(0.90),
    "ben": _right(0.85),
    "cleo": _habitual(),
    "dan": _right(0.45),
    "eve": _right(0.45),
}
COPIED, COPIERS = "dan", ("cleo", "eve")


def label(n: int, seed: int, *, copying: float = 0.0) -> pd.DataFrame:
    """n notes, each labeled by every labeler, with the reason that it really gives.

    copying: share of the notes on which `COPIERS` write down what `COPIED` has written.
    Returns one column per labeler and `true_reason`, shape (n, 6), with the index of a reason in
    `REASON_SHARE`. Without copying, labels are independent given the reason (the assumption of
    Dawid and Skene, Applied Statistics 28, 1979). Raises ValueError for a copying outside 0 to 1.
    """
    if not 0 <= copying <= 1:
        raise ValueError(f"copying must lie between 0 and 1, got {copying}")
    rng = np.random.default_rng(seed)
    reason = rng.choice(len(REASON_SHARE), size=n, p=list(REASON_SHARE.values()))
    labels: dict[str, np.ndarray] = {}
    for name, confusion in CONFUSION.items():
        upto = confusion.cumsum(axis=1)[reason, :-1]
        labels[name] = (rng.random((n, 1)) > upto).sum(axis=1)
    for name in COPIERS:
        labels[name] = np.where(rng.random(n) < copying, labels[COPIED], labels[name])
    return pd.DataFrame({**labels, "true_reason": reason})
