"""A score's errors day by day, as the lender learns of them, in many replayed streams.

A detector that watches errors needs labels. `replay` gives it the same loans under four rules of
what is known when, so that the rules can be compared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lender.repayments import default_days
from lender.simulate import LABEL_DAYS
from lender.truth import Floats

AT_ONCE, GRANTED, ARRIVING, MATURED = RULES = (
    "everyone, at once",
    "granted, at once",
    "granted, as they arrive",
    "granted, after a year",
)

Counts = tuple[Floats, Floats]  # errors, labels; each of shape (days, runs)


@dataclass(frozen=True, eq=False)
class Ledger:
    """Counts of each day of application, the first axis.

    wrong, applied: wrong decisions (granted and defaulted, or refused and would have repaid) and
    applications. granted: loans. bad: shape (days, 366), those that default so many days later.
    """

    wrong: Floats
    applied: Floats
    granted: Floats
    bad: Floats


def ledger(frame: pd.DataFrame, seed: int) -> Ledger:
    """Count a stream by day. frame: rows with `day`, `defaulted` and `approved` (bool).

    The outcome of refused rows enters `wrong` alone: an Oracle's. seed: of `default_days`.
    """
    day, days = frame["day"].to_numpy(), int(frame["day"].max()) + 1
    approved = frame["approved"].to_numpy(dtype=bool)
    bad = approved & (frame["defaulted"].to_numpy() == 1)
    after = default_days(frame, seed).to_numpy()[bad].astype(np.int64)
    width = LABEL_DAYS + 1
    cells = np.bincount(day[bad] * width + after, minlength=days * width)

    def count(rows: np.ndarray) -> Floats:
        return np.bincount(day[rows], minlength=days).astype(np.float64)

    return Ledger(
        wrong=count(approved == (frame["defaulted"].to_numpy() == 1)),
        applied=count(np.ones(len(day), dtype=bool)),
        granted=count(approved),
        bad=cells.reshape(days, width).astype(np.float64),
    )


def replay(
    quiet: Ledger, drifted: Ledger, *, days: int, onset: int, runs: int, seed: int
) -> dict[str, Counts]:
    """Streams made of whole days drawn at random with replacement: per rule, errors and labels.

    Day t is drawn from `quiet` before onset and from `drifted`, which has as many days, from then
    on; equal seeds draw equal days. A year of granting lies before day 0, so that labels come in
    from the start.

    AT_ONCE    wrong decisions and applications of the day, refused applicants' outcome included
    GRANTED    defaults and loans of the day, each outcome known on the day of the application
    ARRIVING   defaults that happen on the day, and these plus the loans repaid on it
    MATURED    as GRANTED, 365 days later
    """
    total = LABEL_DAYS + days
    draw = np.random.default_rng(seed).integers(0, len(quiet.granted), (total, runs))
    late = np.arange(total) >= LABEL_DAYS + onset

    def pick(name: str) -> Floats:
        before, after = getattr(quiet, name), getattr(drifted, name)
        return np.asarray(np.where(late[:, None], after[draw], before[draw]))

    defaults = {True: drifted.bad, False: quiet.bad}
    bad = np.stack([defaults[bool(late[t])][draw[t]].sum(axis=1) for t in range(total)])
    loans = pick("granted")
    due = np.zeros((total + LABEL_DAYS + 1, runs))
    for t in range(total):
        due[t : t + LABEL_DAYS + 1] += defaults[bool(late[t])][draw[t]].T
    now, past = slice(LABEL_DAYS, None), slice(0, days)
    arriving = due[LABEL_DAYS:total]
    return {
        AT_ONCE: (pick("wrong")[now], pick("applied")[now]),
        GRANTED: (bad[now], loans[now]),
        ARRIVING: (arriving, arriving + (loans - bad)[past]),
        MATURED: (bad[past], loans[past]),
    }
