"""Streams of applications that drift from a known day on, in a known way."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from lender.simulate import DAY_EFFECT, FEATURES, Ints, calendar, day_shifts, finish, rows
from lender.truth import Floats, log_odds_of, sigmoid

Kind = Literal["none", "covariate", "label", "concept", "missingness", "unit"]
Shape = Literal["sudden", "gradual", "seasonal"]

LABEL_LOG_ODDS = float(np.log(2))  # label drift of strength 1 doubles the odds of default
UNIT_PARTNER = "birch"
UNIT_FACTOR = 12  # income per year, where it was per month

CHANGED: dict[str, tuple[str, ...]] = {
    "none": (),
    "covariate": ("income", "bureau_score", "loan_amount", "purpose"),
    "label": FEATURES,
    "concept": (),
    "missingness": ("income", "bureau_score"),
    "unit": ("income",),
}


@dataclass(frozen=True, eq=False)
class Truth:
    """What a stream really does.

    onset: first day with any drift; None where there is none, or where it is seasonal.
    features: observable features whose marginal distribution changes.
    changes_px: whether the observable features are distributed differently.
    changes_py: whether the default rate changes.
    changes_py_given_x: whether the probability of default given the complete features changes.
    strength: strength of the drift on each day, shape (days,).

    Missing values and a wrong unit leave the complete features and their risk alone, so that
    changes_py_given_x is False; given what is on file the risk does change, because the same
    entry no longer means the same.
    """

    kind: Kind
    shape: Shape
    onset: int | None
    size: float
    features: tuple[str, ...]
    changes_px: bool
    changes_py: bool
    changes_py_given_x: bool
    strength: Floats


def strength_by_day(
    shape: Shape, *, days: int, onset: int, size: float, ramp: int, period: int
) -> Floats:
    """Strength of the drift on each day, shape (days,).

    sudden: size from onset on. gradual: rises by size/ramp a day, from onset on, up to size.
    seasonal: a sine of amplitude size with the given period, zero on day 0 and on average.
    """
    day = np.arange(days)
    if shape == "sudden":
        return size * (day >= onset).astype(np.float64)
    if shape == "gradual":
        return size * np.clip((day - onset + 1) / ramp, 0.0, 1.0)
    return size * np.sin(2 * np.pi * day / period)


def truth(kind: Kind, shape: Shape, onset: int, size: float, strength: Floats) -> Truth:
    """The claims of a stream; one whose strength is 0 on every day claims nothing."""
    acts = bool(strength.any())
    return Truth(
        kind=kind,
        shape=shape,
        onset=onset if acts and shape != "seasonal" else None,
        size=size,
        features=CHANGED[kind] if acts else (),
        changes_px=acts and kind != "concept",
        changes_py=acts and kind in ("covariate", "label", "concept"),
        changes_py_given_x=acts and kind in ("label", "concept"),
        strength=strength,
    )


def _label_drift(
    day: Ints,
    shifts: dict[str, Floats],
    generators: list[np.random.Generator],
    log_odds: Floats,
) -> pd.DataFrame:
    """Applications whose prior odds of default are exp(log_odds) times the usual.

    Rejection sampling by class alone: a pair (x, y) is kept with probability proportional to
    exp(log_odds * y), else drawn anew for the same day. So p(x | y) stays, and Bayes' rule
    multiplies the odds of default given x by the same factor (Saerens, Latinne and
    Decaestecker, Neural Computation 14, 2002).
    """
    rng_x, rng_y, rng_keep = generators
    kept: list[pd.DataFrame] = []
    pending = np.arange(len(day))
    while pending.size:
        drawn = rows(day[pending], shifts, rng_x, rng_y).set_index(pending)
        shift = log_odds[pending]
        chance = np.exp(shift * drawn["defaulted"].to_numpy() - np.maximum(shift, 0))
        keep = rng_keep.random(len(pending)) < chance
        kept.append(drawn[keep])
        pending = pending[~keep]
    frame = pd.concat(kept).sort_index()
    frame["true_pd"] = sigmoid(log_odds_of(frame["true_pd"].to_numpy()) + log_odds)
    return frame


def stream(
    kind: Kind,
    *,
    seed: int,
    days: int = 180,
    per_day: int = 300,
    onset: int = 90,
    size: float = 1.0,
    shape: Shape = "sudden",
    ramp: int = 60,
    period: int = 365,
    day_effect: float = DAY_EFFECT,
) -> tuple[pd.DataFrame, Truth]:
    """Applications that drift, and the truth about it.

    per_day: mean number of applications a day. onset: first day that drifts. size: 1 is a
    moderate drift; the shift of the parameters is proportional to it, 0 is no drift. ramp,
    period: in days, for the gradual and the seasonal shape.

    covariate    incomes fall by 15 %, loans grow by 15 %, bureau scores fall by 20 points and
                 the mix of purposes moves; the risk given the features stays.
    label        the odds of default double; features given the label stay.
    concept      the risk given the features changes; features are those of "none", row by row.
    missingness  the odds of a missing income or bureau score grow by exp(1.3).
    unit         partner birch sends yearly incomes; size is the share of its rows.

    Returns the columns of `applications` (`true_pd` is the probability in the drifted world)
    and the `Truth`. Raises ValueError for an unknown kind or shape, days, per_day, ramp or
    period below 1, and for a unit drift that is seasonal or not of a size between 0 and 1.
    """
    if kind not in get_args(Kind) or shape not in get_args(Shape):
        raise ValueError(f"unknown kind {kind!r} or shape {shape!r}")
    if min(ramp, period, per_day) < 1:
        raise ValueError("ramp, period and per_day must be at least 1")
    if kind == "unit" and (shape == "seasonal" or not 0 <= size <= 1):
        raise ValueError("a unit drift is sudden or gradual, of a size between 0 and 1")
    start = "2025-01-01"
    rng_days, *rngs, rng_keep = np.random.default_rng(seed).spawn(4)
    day = calendar(days * per_day, days, start, rng_days)
    shifts = day_shifts(days, day_effect, rng_days)
    strength = np.zeros(days)
    if kind != "none":
        strength = strength_by_day(
            shape, days=days, onset=onset, size=size, ramp=ramp, period=period
        )
    if kind == "label":
        frame = _label_drift(day, shifts, [*rngs, rng_keep], LABEL_LOG_ODDS * strength[day])
    else:
        frame = rows(day, shifts, rngs[0], rngs[1], {kind: strength[day]})
    if kind == "unit":
        yearly = (frame["partner"] == UNIT_PARTNER) & (rng_keep.random(len(day)) < strength[day])
        frame["income"] *= np.where(yearly, UNIT_FACTOR, 1)
    return finish(frame, start), truth(kind, shape, onset, size, strength)
