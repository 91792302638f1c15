"""Futures replayed under a rule: what arrives when, what a rule may know, what it costs."""

import numpy as np
import pytest

from lender.retraining import MONTH, Book, books, replay, stream


def book(rate: float, loss: float, days: int = 5) -> Book:
    """Ten loans a day, of which `rate` default on day 100; no luck at all."""
    bad = np.zeros((days, 366))
    bad[:, 100] = 10 * rate
    return Book(bad=bad, granted=np.full(days, 10.0), loss=np.full(days, loss))


PLAIN = [[book(0.1, 1.0), book(0.4, 3.0)], [book(0.3, 2.0), book(0.2, 1.0)]]


def never(errors: np.ndarray, labels: np.ndarray, last: int) -> bool:
    return False


def test_labels_arrive_with_the_default_or_after_a_year() -> None:
    seen = {}

    def look(errors: np.ndarray, labels: np.ndarray, last: int) -> bool:
        seen[len(errors) // MONTH] = (errors, labels)
        return False

    worlds = np.zeros(30, dtype=int)
    worlds[2:] = 1
    replay(stream(PLAIN, worlds, 0), look)
    errors, labels = seen[29]
    changed = 2 * MONTH + 100
    assert np.allclose(errors[:changed], 1) and np.allclose(errors[changed:], 3)
    assert np.allclose(labels[:changed], 10)
    assert np.allclose(labels[changed : 2 * MONTH + 365], 12)  # the old loans' repayments go on
    assert np.allclose(labels[2 * MONTH + 365 :], 10)


def test_a_rule_knows_the_days_before_its_month_and_the_last_retraining() -> None:
    asked = []

    def rule(errors: np.ndarray, labels: np.ndarray, last: int) -> bool:
        asked.append((len(errors), len(labels), last))
        return len(asked) in (2, 4)

    run = replay(stream(PLAIN, np.zeros(6, dtype=int), 0), rule)
    assert asked == [(30, 30, 0), (60, 60, 0), (90, 90, 2), (120, 120, 2), (150, 150, 4)]
    assert run["month"][run["retrained"]].tolist() == [2, 4]


def test_an_early_retraining_learns_little_and_a_late_one_all() -> None:
    worlds = np.zeros(24, dtype=int)
    worlds[2:] = 1
    knows = {}
    for month in (4, 6, 9, 23):
        run = replay(stream(PLAIN, worlds, 0), lambda e, n, last, m=month: len(e) == MONTH * m)
        knows[month] = run["knows"].iloc[-1]
        mixed = 1 - knows[month]  # the old model loses 1 USD a day more in the drifted world
        assert run["excess"].iloc[-1] == pytest.approx(MONTH * mixed)
    # Drifted defaults come from day 160 on; a retraining looks at the last 180 days.
    assert knows[4] == 0 and knows[23] == 1
    assert knows[6] == pytest.approx(20 * 3 / (160 + 20 * 3))
    assert knows[6] < knows[9] < 1


def test_excess_is_beyond_the_better_model_of_each_world() -> None:
    worlds = np.array([0, 0, 1, 1])
    run = replay(stream(PLAIN, worlds, 0), never)
    assert run["excess"].tolist() == [0, 0, MONTH, MONTH]


def test_equal_seeds_draw_equal_days() -> None:
    rng = np.random.default_rng(0)
    lucky = [
        [Book(rng.poisson(0.02, (9, 366)).astype(float), np.full(9, 50.0), np.ones(9))] * 2
    ] * 2
    one, two, other = (stream(lucky, np.zeros(3, dtype=int), seed) for seed in (1, 1, 2))
    assert np.array_equal(one.errors, two.errors)
    assert not np.array_equal(one.errors, other.errors)


def test_each_model_is_the_better_one_in_its_world() -> None:
    made = books(5, rows=6_000, days=60, per_day=200)
    for world in (0, 1):
        own, foreign = made[world][world], made[world][1 - world]
        assert own.loss.sum() < 0.95 * foreign.loss.sum()
        assert own.bad.sum() < foreign.bad.sum()
        assert np.allclose(own.granted, foreign.granted)  # the volume target
        assert (own.bad.sum(axis=1) <= own.granted).all()
