"""What a policy for retraining costs a lender whose labels come late, in USD under the truth.

A market is some years of applications as arrays. Once a month a policy says whether a new model
takes over, from what is known by then: the loans that were granted, and which of them have
defaulted so far. What is granted is priced by the true risk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from lender.repayments import default_days
from lender.simulate import (
    CATEGORICAL,
    HOUSING_SHARE,
    LABEL_DAYS,
    PARTNER_SHARE,
    PURPOSE_SHARE,
    Ints,
)
from lender.truth import Floats, default_log_odds, sigmoid

MONTH = 30  # days between two decisions
HISTORY = 12  # months of history, all granted and all known, from which the first model learns
APPROVED = 0.6  # the volume target: share of each month's applications
LOSS_GIVEN_DEFAULT = 0.5
LEVELS = dict(zip(CATEGORICAL, (PURPOSE_SHARE, PARTNER_SHARE, HOUSING_SHARE), strict=True))
NEWTON_STEPS = 3  # from there on no risk moves by more than a few tenths of a percent

Bools = npt.NDArray[np.bool_]
Scorer = Callable[[Floats], Floats]  # probability of default of each row of `design`


@dataclass(frozen=True, eq=False)
class Model:
    """A logistic regression; coef: one number per column of `design`."""

    coef: Floats

    def __call__(self, x: Floats) -> Floats:
        """Probability of default within a year of each row of x."""
        return sigmoid(x @ self.coef)


@dataclass(frozen=True, eq=False)
class Market:
    """n applications sorted by day, as arrays of length n; x has a row for each.

    default_day: from the application, 1 to 365, NaN where repaid. price: expected loss in USD if
    granted, under the truth.
    """

    x: Floats
    day: Ints
    default_day: Floats
    true_pd: Floats
    price: Floats

    @cached_property
    def first(self) -> tuple[Floats, Model]:
        """What the history teaches every policy: the timing of defaults, and the first model."""
        return default_timing(self), first_model(self)


@dataclass(frozen=True, eq=False)
class Loans:
    """Granted loans in the order of their days, and what is known of them on the day `today`.

    at: their rows in the market. timing: 366 numbers, the share of all defaults that happen within
    0, 1, ... 365 days. risk, version: of every row of the market, what the model said that granted
    it, and which model that was, counted from 0. model: the one in charge until today.
    """

    market: Market
    at: Ints
    today: int
    timing: Floats
    risk: Floats
    version: Ints
    model: Scorer

    def __len__(self) -> int:
        return len(self.at)

    @property
    def x(self) -> Floats:
        """Columns of `design`, shape (loans, columns)."""
        return np.asarray(self.market.x[self.at])

    @property
    def day(self) -> Ints:
        """Day of the application."""
        return np.asarray(self.market.day[self.at])

    @property
    def defaulted(self) -> Floats:
        """1 for a default so far, else 0."""
        seen = self.market.default_day[self.at] <= self.today - self.day
        return seen.astype(np.float64)

    @property
    def exposure(self) -> Floats:
        """Share of its defaults that a loan of this age has shown; 1 after 365 days."""
        return np.asarray(self.timing[np.minimum(self.today - self.day, LABEL_DAYS)])

    @property
    def surprise(self) -> Floats:
        """Defaults so far less those that the granting model expected by this age."""
        return self.defaulted - self.risk[self.at] * self.exposure

    def where(self, which: Bools) -> Loans:
        """Some of the loans."""
        return replace(self, at=self.at[which])

    def matured(self) -> Loans:
        """The loans whose year is over."""
        return self.where(self.day <= self.today - LABEL_DAYS)

    def newest(self, days: int) -> Loans:
        """The loans of the last `days` days among them."""
        return self.where(self.day > self.day[-1] - days)

    def of_latest_model(self) -> Loans:
        """The loans that the model granted which is in charge on the last of their days."""
        version = self.version[self.at]
        return self.where(version == version[-1])


# Told the month and the loans; answers the model that takes over, or None to keep the present one.
Policy = Callable[[int, Loans], Scorer | None]


def design(frame: pd.DataFrame) -> Floats:
    """Columns for a logistic regression, shape (n, 21): the intercept, numbers on fixed scales
    with 0 where missing, three flags of missing values, a column per level but the first."""
    numbers = pd.DataFrame(
        {
            "income": np.log(frame["income"] / 3200) / 0.5,
            "bureau_score": (frame["bureau_score"] - 660) / 75,
            "employment_years": np.log1p(frame["employment_years"]) - 1.6,
            "age": (frame["age"] - 40) / 10,
            "debt_ratio": np.log(frame["debt_ratio"] / 0.3) / 0.5,
            "open_accounts": (frame["open_accounts"] - 4) / 2,
            "loan_amount": np.log(frame["loan_amount"] / 8000) / 0.6,
            "term_months": np.log(frame["term_months"] / 24) / 0.5,
        }
    )
    flags = numbers[["income", "bureau_score", "employment_years"]].isna()
    levels = [frame[name] == level for name, share in LEVELS.items() for level in list(share)[1:]]
    ones = np.ones(len(frame))
    return np.column_stack([ones, numbers.fillna(0), flags, *levels]).astype(np.float64)


def fit(loans: Loans, prior: Model | None = None, ridge: float = 1.0) -> Model:
    """Logistic regression on loans of any age, by Newton's method.

    A loan of exposure e shows its default with probability e p(x), about sigmoid(x w + log e)
    where p is small. So log e enters as an offset, and the model returned gives p(x) for a full
    year. ridge: penalty of the squared distance of each coefficient, but the intercept, from that
    of the prior; from 0 without one.

    Raises ValueError where no loan or every loan has defaulted.
    """
    x, y, offset = loans.x, loans.defaulted, np.log(np.maximum(loans.exposure, 1e-9))
    if not 0 < y.mean() < 1:
        raise ValueError("a model needs loans of both outcomes")
    penalty = np.full(x.shape[1], ridge)
    penalty[0] = 0.0
    start = np.zeros(x.shape[1]) if prior is None else prior.coef
    coef = start.copy()
    if prior is None:
        coef[0] = np.log(y.sum() / loans.exposure.sum())
    for _ in range(NEWTON_STEPS):
        p = sigmoid(x @ coef + offset)
        slope = x.T @ (y - p) - penalty * (coef - start)
        curve = x.T @ (x * (p * (1 - p))[:, None]) + np.diag(penalty)
        coef = coef + np.linalg.solve(curve, slope)
    return Model(coef)


def market(frame: pd.DataFrame, strength: Floats, seed: int, x: Floats | None = None) -> Market:
    """A market from applications that do not drift, and the concept drift to put on them.

    frame: rows of `stream("none")`. strength: of the concept drift on each of its days. Outcomes
    are drawn with the seed; equal seeds give a row the same luck whatever the drift. x: the
    `design` of the frame, where several markets share it.
    """
    day = frame["day"].to_numpy()
    risk = sigmoid(default_log_odds(frame, strength[day]))
    luck = np.random.default_rng(seed).random(len(frame))
    outcome = pd.DataFrame({"defaulted": (luck < risk).astype(np.int64)})
    return Market(
        x=design(frame) if x is None else x,
        day=day,
        default_day=default_days(outcome, seed).to_numpy(),
        true_pd=risk,
        price=LOSS_GIVEN_DEFAULT * risk * frame["loan_amount"].to_numpy(),
    )


def default_timing(market: Market) -> Floats:
    """Share of the history's defaults that happen within 0, 1, ... 365 days, 366 numbers."""
    day = np.sort(market.default_day[market.day < HISTORY * MONTH])
    within = np.searchsorted(day, np.arange(LABEL_DAYS + 1), side="right")
    return np.asarray(within / np.sum(day > 0))


def first_model(market: Market) -> Model:
    """The model that learned from the history, every outcome known."""
    rows = np.flatnonzero(market.day < HISTORY * MONTH)
    nobody, none = np.full(len(market.day), np.nan), np.full(len(market.day), -1)
    after = HISTORY * MONTH + LABEL_DAYS
    flat = Model(np.zeros(market.x.shape[1]))
    return fit(Loans(market, rows, after, default_timing(market), nobody, none, flat))


def safest(risk: Floats) -> Bools:
    """Which rows are granted: the APPROVED share with the lowest risk."""
    granted = np.zeros(len(risk), dtype=bool)
    count = round(APPROVED * len(risk))
    granted[np.argpartition(risk, count - 1)[:count]] = True
    return granted


def excess_loss(market: Market, scorer: Scorer, months: Iterable[int]) -> float:
    """USD that the grants of a model are expected to lose beyond those by the true risk."""
    total = 0.0
    for month in months:
        edges = np.searchsorted(market.day, [month * MONTH, (month + 1) * MONTH])
        now = slice(*edges)
        price = market.price[now]
        total += float(price[safest(scorer(market.x[now]))].sum())
        total -= float(price[safest(market.true_pd[now])].sum())
    return total


def simulate(market: Market, policy: Policy) -> pd.DataFrame:
    """Run a policy. One row per month after the history:

    loss: expected loss in USD of what was granted; best: of what ranking by the true risk would
    have granted, the Oracle's; retrained: whether a new model took over at the start of the month.

    The first model learns from the history, as does the timing of defaults; the policy is asked
    from the second year of granting on, when the first loans have their labels.
    """
    n = len(market.day)
    starts = np.searchsorted(market.day, np.arange(0, market.day[-1] + 2, MONTH))
    scorer: Scorer
    timing, scorer = market.first
    current = 0
    risk, version, granted = np.full(n, np.nan), np.full(n, -1), np.zeros(n, dtype=bool)
    out = []
    for month in range(HISTORY, len(starts) - 1):
        fresh = None
        if month > 2 * HISTORY:
            at = np.flatnonzero(granted)
            known = Loans(market, at, month * MONTH, timing, risk, version, scorer)
            fresh = policy(month, known)
        if fresh is not None:
            scorer, current = fresh, current + 1
        now = slice(starts[month], starts[month + 1])
        risk[now], version[now] = scorer(market.x[now]), current
        granted[now] = safest(risk[now])
        price = market.price[now]
        best = price[safest(market.true_pd[now])].sum()
        out.append((month, price[granted[now]].sum(), best, fresh is not None))
    return pd.DataFrame(out, columns=["month", "loss", "best", "retrained"])
