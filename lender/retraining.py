"""Years of a lender whose labels come late, replayed under any rule for when to retrain.

Two worlds, before and after a concept drift, and two models, one trained in each. The loans that a
model grants in a world are counted once, by day; a stream draws whole days from these counts, so
that hundreds of plans are replayed in seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lender import drift
from lender.model import score_model
from lender.repayments import default_days
from lender.simulate import FEATURES, LABEL_DAYS, Ints
from lender.truth import Floats

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

MONTH = 30  # days between two decisions
MEMORY = 180  # days of arriving labels that a retrained model learns from
APPROVED = 0.6  # the volume target: share of each day's applications
LOSS_GIVEN_DEFAULT = 0.5

# Told errors and labels of each day so far and the month of the last retraining (0 for none).
Rule = Callable[[Floats, Floats, int], bool]


@dataclass(frozen=True, eq=False)
class Book:
    """The loans that one model grants in one world, by day of application, the first axis.

    bad: loans that default so many days later, shape (days, 366). granted: loans. loss: their
    expected loss under the truth, in USD.
    """

    bad: Floats
    granted: Floats
    loss: Floats


def books(
    seed: int, *, rows: int = 15_000, days: int = 240, per_day: int = 300, size: float = 1.5
) -> list[list[Book]]:
    """Books by world and model: 0 is the old world and the model trained in it, 1 the drifted one.

    rows: of the history that each model learns from, outcomes of all applicants known. size: of
    the concept drift. The applicants of both worlds are the same, row by row.
    """

    def world(drifted: int, number: int, days: int) -> pd.DataFrame:
        frame, _ = drift.stream(
            "concept",
            seed=seed + number,
            days=days,
            per_day=per_day,
            onset=0,
            size=size * drifted,
        )
        return frame

    models = []
    for drifted in (0, 1):
        history = world(drifted, 0, rows // per_day)
        models.append(score_model().fit(history[list(FEATURES)], history["defaulted"]))
    frames = [world(drifted, 1, days) for drifted in (0, 1)]
    return [[count(frame, model, seed) for model in models] for frame in frames]


def count(frame: pd.DataFrame, model: Pipeline, seed: int) -> Book:
    """Count what a model grants: the APPROVED share of each day with the lowest score."""
    score = model.predict_proba(frame[list(FEATURES)])[:, 1]
    ranked = frame.assign(score=score).groupby("day")["score"].rank(pct=True)
    granted = ranked.to_numpy(dtype=np.float64) <= APPROVED
    after = default_days(frame, seed)[granted]
    loans = frame[granted]
    day, days = loans["day"].to_numpy(), int(frame["day"].max()) + 1
    bad = after.notna().to_numpy()
    width = LABEL_DAYS + 1
    cells = day[bad] * width + after[bad].to_numpy(dtype=np.int64)
    loss = LOSS_GIVEN_DEFAULT * (loans["true_pd"] * loans["loan_amount"]).to_numpy(np.float64)
    return Book(
        bad=np.bincount(cells, minlength=days * width).reshape(days, width).astype(np.float64),
        granted=np.bincount(day, minlength=days).astype(np.float64),
        loss=np.bincount(day, weights=loss, minlength=days).astype(np.float64),
    )


@dataclass(frozen=True, eq=False)
class Stream:
    """One future: what comes of each month's loans under each model, the first two axes.

    errors, labels: what arrives on each day, shape (2, months, days + 366); a year that the old
    model granted before day 0 is month 0 of `before`. loss: USD, shape (2, months). drifted:
    whether the month's loans are of the drifted world, shape (months,).
    """

    errors: Floats
    labels: Floats
    before: tuple[Floats, Floats]
    loss: Floats
    drifted: Ints


def stream(books: list[list[Book]], worlds: Ints, seed: int) -> Stream:
    """A future of whole days, drawn at random with replacement from the books.

    worlds: 0 or 1 for each month. Equal seeds draw equal days.
    """
    months = len(worlds)
    days = MONTH * months
    draw = np.random.default_rng(seed).integers(0, len(books[0][0].granted), LABEL_DAYS + days)

    def arrivals(book: Book, drawn: Ints, first: int) -> tuple[Floats, Floats]:
        errors, labels = np.zeros((2, LABEL_DAYS + days + LABEL_DAYS + 1))
        for at, day in enumerate(drawn, first):
            errors[at : at + LABEL_DAYS + 1] += book.bad[day]
            labels[at + LABEL_DAYS] += book.granted[day] - book.bad[day].sum()
        now = slice(LABEL_DAYS, LABEL_DAYS + days)
        return errors[now], (errors + labels)[now]

    errors, labels = np.zeros((2, 2, months, days))
    loss = np.zeros((2, months))
    for month, world in enumerate(worlds):
        first = LABEL_DAYS + MONTH * month
        drawn = draw[first : first + MONTH]
        for model in (0, 1):
            book = books[world][model]
            errors[model, month], labels[model, month] = arrivals(book, drawn, first)
            loss[model, month] = book.loss[drawn].sum()
    before = arrivals(books[0][0], draw[:LABEL_DAYS], 0)
    return Stream(errors, labels, before, loss, np.asarray(worlds))


def replay(stream: Stream, rule: Rule) -> pd.DataFrame:
    """Run a rule over a future. One row per month:

    retrained: whether a new model took over at its start; knows: share s of the drifted world in
    the model in charge; excess: USD lost beyond what the better of the two models would have lost.

    The rule is asked at the start of every month but the first, and told what has arrived by then.
    A retrained model learns from the defaults that arrived in the last MEMORY days; s is the
    share of them on loans of the drifted world. It counts as a mixture: what it grants, and what
    comes of that, is (1 - s) times the old model's and s times the drifted model's.
    """
    months = len(stream.drifted)
    errors, labels = (part.copy() for part in stream.before)
    drifted_errors = np.zeros_like(errors)
    knows, last, out = 0.0, 0, []
    for month in range(months):
        today = MONTH * month
        retrained = month > 0 and rule(errors[:today].copy(), labels[:today].copy(), last)
        if retrained:
            new = slice(max(today - MEMORY, 0), today)
            knows = drifted_errors[new].sum() / max(errors[new].sum(), 1.0)
            last = month
        share = np.array([1 - knows, knows])
        come = share @ stream.errors[:, month]
        errors += come
        labels += share @ stream.labels[:, month]
        drifted_errors += come * stream.drifted[month]
        excess = share @ stream.loss[:, month] - stream.loss[:, month].min()
        out.append((month, retrained, knows, excess))
    return pd.DataFrame(out, columns=["month", "retrained", "knows", "excess"])
