"""The costs of retraining policies: what is known when, how a model is fitted, what is priced."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lender import adaptation
from lender.adaptation import HISTORY, MONTH, Loans, Market, Model, Scorer
from lender.drift import stream
from lender.truth import sigmoid

MONTHS = 2 * HISTORY + 12
DAYS = MONTHS * MONTH


@pytest.fixture(scope="module")
def applications() -> pd.DataFrame:
    frame, _ = stream("none", seed=3, days=DAYS, per_day=20)
    return frame


@pytest.fixture(scope="module")
def quiet(applications: pd.DataFrame) -> Market:
    return adaptation.market(applications, np.zeros(DAYS), seed=1)


def keep(month: int, loans: Loans) -> Scorer | None:
    return None


def test_a_market_is_priced_by_the_true_risk(applications: pd.DataFrame, quiet: Market) -> None:
    assert quiet.true_pd == pytest.approx(applications["true_pd"].to_numpy())
    assert quiet.price == pytest.approx(0.5 * quiet.true_pd * applications["loan_amount"])
    rate = np.mean(~np.isnan(quiet.default_day))
    assert rate == pytest.approx(quiet.true_pd.mean(), abs=0.01)


def test_a_drift_leaves_the_days_before_it_alone(
    applications: pd.DataFrame, quiet: Market
) -> None:
    strength = np.where(np.arange(DAYS) < 500, 0.0, 1.0)
    other = adaptation.market(applications, strength, seed=1)
    before = other.day < 500
    assert np.array_equal(other.default_day[before], quiet.default_day[before], equal_nan=True)
    assert not np.allclose(other.true_pd[~before], quiet.true_pd[~before])


def test_the_design_has_no_missing_value_and_flags_those_that_were(
    applications: pd.DataFrame, quiet: Market
) -> None:
    assert np.isfinite(quiet.x).all() and quiet.x.shape[1] == 21
    assert np.array_equal(quiet.x[:, 9], applications["income"].isna())


def loans_of(market: Market, today: int, timing: np.ndarray | None = None) -> Loans:
    at = np.flatnonzero(market.day < today)
    timing = np.linspace(0, 1, 366) if timing is None else timing
    version = np.zeros(len(market.day), dtype=int)
    flat = Model(np.zeros(market.x.shape[1]))
    return Loans(market, at, today, timing, market.true_pd, version, flat)


def test_what_is_known_of_a_loan_grows_with_its_age(quiet: Market) -> None:
    soon, late = loans_of(quiet, 100), loans_of(quiet, 2000)
    n = len(soon)
    assert (soon.defaulted <= late.defaulted[:n]).all()
    assert soon.defaulted.sum() < late.defaulted[:n].sum()
    assert (late.exposure == 1).sum() == len(late.matured()) == (quiet.day <= 2000 - 365).sum()
    assert soon.exposure.max() == pytest.approx(100 / 365)
    assert len(soon.matured()) == 0


def test_newest_and_latest(quiet: Market) -> None:
    loans = loans_of(quiet, 300)
    assert set(loans.newest(30).day) == set(range(270, 300))
    version = np.where(quiet.day < 200, 0, 1)
    two = replace(loans, version=version)
    assert set(two.of_latest_model().day) == set(range(200, 300))


def test_surprise_is_zero_on_average_where_the_risk_is_right(quiet: Market) -> None:
    age = np.sort(quiet.default_day)
    timing = np.searchsorted(age, np.arange(366), side="right") / np.sum(age > 0)
    loans = loans_of(quiet, 400, timing)
    error = loans.defaulted.std() / np.sqrt(len(loans))
    assert abs(loans.surprise.mean()) < 4 * error


def test_fit_recovers_the_risk_from_loans_of_any_age() -> None:
    rng = np.random.default_rng(0)
    x = np.column_stack([np.ones(60_000), rng.standard_normal(60_000)])
    risk = sigmoid(x @ np.array([-3.0, 1.0]))
    day = np.sort(rng.integers(0, 365, 60_000))
    when = np.where(rng.random(60_000) < risk, rng.integers(1, 366, 60_000), np.nan)
    market = Market(x, day, when, risk, risk)
    loans = loans_of(market, 365)
    found = adaptation.fit(loans)(x)
    assert found.mean() == pytest.approx(risk.mean(), rel=0.05)
    assert np.log(found[x[:, 1].argmax()] / found[x[:, 1].argmin()]) > 5
    with pytest.raises(ValueError, match="both outcomes"):
        adaptation.fit(loans.where(loans.defaulted == 0))


def test_a_prior_holds_a_model_that_has_few_loans(quiet: Market) -> None:
    prior = adaptation.first_model(quiet)
    few = loans_of(quiet, 400).newest(20)
    few = replace(few, today=2000)
    strong, weak = (adaptation.fit(few, prior, ridge) for ridge in (1e6, 10.0))
    assert strong.coef[1:] == pytest.approx(prior.coef[1:], abs=1e-3)
    gap = np.abs(weak.coef[1:] - prior.coef[1:])
    assert 0.01 < gap.max() < np.abs(adaptation.fit(few).coef[1:] - prior.coef[1:]).max()


def test_the_first_model_ranks_by_risk(quiet: Market) -> None:
    risk = adaptation.first_model(quiet)(quiet.x)
    assert np.corrcoef(np.log(risk), np.log(quiet.true_pd))[0, 1] > 0.9
    assert risk.mean() == pytest.approx(quiet.true_pd.mean(), rel=0.1)


def test_the_safest_are_granted() -> None:
    granted = adaptation.safest(np.array([0.5, 0.1, 0.4, 0.2, 0.3]))
    assert granted.tolist() == [False, True, False, True, True]


def test_no_policy_beats_the_oracle_and_each_month_grants_its_share(quiet: Market) -> None:
    costs = adaptation.simulate(quiet, keep)
    assert costs["month"].tolist() == list(range(HISTORY, MONTHS))
    assert (costs["loss"] > costs["best"]).mean() > 0.9  # price is risk times amount
    assert costs["loss"].sum() > costs["best"].sum()
    assert not costs["retrained"].any()


def test_the_excess_of_a_model_is_that_of_the_simulation(quiet: Market) -> None:
    costs = adaptation.simulate(quiet, keep)
    excess = adaptation.excess_loss(quiet, adaptation.first_model(quiet), range(HISTORY, MONTHS))
    assert excess == pytest.approx((costs["loss"] - costs["best"]).sum())
    assert adaptation.excess_loss(quiet, adaptation.first_model(quiet), []) == 0


def test_a_policy_sees_granted_loans_of_the_past_only(quiet: Market) -> None:
    asked = []

    def watch(month: int, loans: Loans) -> Scorer | None:
        asked.append(month)
        assert loans.day.max() < month * MONTH == loans.today
        assert loans.day.min() >= HISTORY * MONTH
        assert isinstance(loans.model, Model)
        per_month = np.bincount(quiet.day // MONTH, minlength=MONTHS)[HISTORY:month]
        assert len(loans) == np.round(0.6 * per_month).sum()
        assert len(loans.matured())
        return adaptation.fit(loans.matured()) if month == 30 else None

    costs = adaptation.simulate(quiet, watch)
    assert asked == list(range(2 * HISTORY + 1, MONTHS))
    assert costs.loc[costs["retrained"], "month"].tolist() == [30]
    base = adaptation.simulate(quiet, keep)
    assert costs["loss"][: 30 - HISTORY].equals(base["loss"][: 30 - HISTORY])
    assert not costs["loss"][30 - HISTORY :].equals(base["loss"][30 - HISTORY :])
