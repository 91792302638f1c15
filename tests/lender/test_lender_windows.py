"""Window statistics agree with scipy and with loops; detectors with their definitions."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

import lender
from lender import windows
from lender.detectors import Detectors


@pytest.fixture(scope="module")
def frame():
    return lender.applications(6_000, seed=3, days=30)


@pytest.fixture(scope="module")
def bench(frame):
    return Detectors(frame, lambda f: f["debt_ratio"].to_numpy(float))


def two_samples(seed=0):
    rng = np.random.default_rng(seed)
    return rng.lognormal(0, 0.5, 900), rng.lognormal(0.2, 0.6, 4_000)


def test_distances_agree_with_scipy_on_unbinned_values():
    x, y = two_samples()
    cuts = windows.cut_points(y, bins=400)
    p, q = (windows.daily_counts(v, np.zeros(len(v), int), cuts, 1)[0] for v in (x, y))
    exact = stats.ks_2samp(x, y, method="asymp")
    assert exact.statistic - 0.01 <= windows.ks(p, q) <= exact.statistic + 1e-12
    assert windows.ks_p(p, q) == pytest.approx(exact.pvalue, rel=1.0)
    assert windows.wasserstein(p, q, cuts) == pytest.approx(
        stats.wasserstein_distance(x, y), rel=0.05
    )


def test_psi_is_its_formula_and_symmetric():
    p, q = np.array([30.0, 50.0, 20.0]), np.array([100.0, 100.0, 200.0])
    a, b = (p + 0.5) / 101.5, (q + 0.5) / 401.5
    assert windows.psi(p, q) == pytest.approx(np.sum((a - b) * np.log(a / b)))
    assert windows.psi(p, q) == pytest.approx(windows.psi(q, p))
    assert windows.psi(p, p) == 0


def test_daily_counts_skip_missing_and_lose_nothing_else():
    values, day = np.array([1.0, np.nan, 1e9, -1e9, 2.0]), np.array([0, 0, 1, 1, 2])
    counts = windows.daily_counts(values, day, windows.cut_points(np.arange(10.0)), 4)
    assert counts.sum(axis=1).tolist() == [1, 2, 1, 0]


def test_merge_to_tenths_keeps_the_total_and_evens_the_reference():
    _, y = two_samples()
    cuts = windows.cut_points(y)
    counts = windows.daily_counts(y, np.zeros(len(y), int), cuts, 1)[0]
    merged = windows.merge(counts, cuts, windows.deciles(y))
    assert merged.sum() == len(y)
    assert len(merged) == 10
    assert merged == pytest.approx(len(y) / 10, abs=1)


@pytest.mark.parametrize("width", [1, 3, 9])
def test_sliding_equals_a_loop(width):
    daily = np.random.default_rng(1).integers(0, 9, (9, 4)).astype(float)
    loop = [daily[i : i + width].sum(axis=0) for i in range(9 - width + 1)]
    assert np.array_equal(windows.sliding(daily, width), np.array(loop))


@pytest.mark.parametrize("width", [0, 10])
def test_sliding_refuses_a_width_outside_the_stream(width):
    with pytest.raises(ValueError, match="width"):
        windows.sliding(np.ones((9, 2)), width)


def test_drawn_days_are_whole_and_distinct():
    daily = 2.0 ** np.arange(12)[:, None]  # a sum tells which days are in it
    for total in windows.draw_days(daily, 4, 50, seed=0)[:, 0]:
        assert bin(int(total)).count("1") == 4


def test_replay_shows_each_time_at_its_level():
    daily = np.stack([np.full((8, 1), 1.0), np.full((8, 1), 7.0)])
    run = windows.replay(np.array([0, 0, 1]), daily, runs=5, seed=0)
    assert run.shape == (3, 5, 1)
    assert run[:, 0, 0].tolist() == [1, 1, 7]


def test_daily_sums_equal_groupby(frame):
    rows = frame[["debt_ratio", "loan_amount"]].to_numpy(float)
    sums = windows.daily_sums(rows, frame["day"].to_numpy(), 31)
    by_day = frame.groupby("day")[["debt_ratio", "loan_amount"]].sum().to_numpy()
    assert sums[:30] == pytest.approx(by_day)
    assert sums[30].tolist() == [0, 0]


def test_cusum_forgets_and_sees_both_sides():
    z = np.array([1.0, -3.0, 2.0, 2.0])
    assert windows.cusum(z, 0.5).tolist() == [0.5, 2.5, 1.5, 3.0]


@pytest.mark.parametrize(("hits", "n"), [(0, 50), (3, 50), (50, 50)])
def test_wilson_agrees_with_statsmodels(hits, n):
    expected = proportion_confint(hits, n, method="wilson")
    assert windows.wilson(hits, n) == pytest.approx(expected, abs=1e-4)


def test_empty_input_is_refused():
    with pytest.raises(ValueError, match="finite"):
        windows.cut_points(np.array([np.nan]))
    with pytest.raises(ValueError, match="n must be"):
        windows.wilson(0, 0)


def test_detectors_are_zero_on_the_reference_and_see_each_drift(bench):
    same = bench.statistics(bench.reference, bench.reference)
    for name in ("KS", "PSI", "Wasserstein", "mean", "MMD", "score KS"):
        assert same[name] == pytest.approx(0, abs=1e-12)
    quiet = bench.aa(7, 200, seed=1)
    drifted, _ = lender.drift.stream("covariate", seed=4, days=10, per_day=300, onset=0, size=2.0)
    now = bench.follow(drifted, 10, 7)
    for name in ("KS", "1 - p", "PSI", "Wasserstein", "mean", "mean z", "MMD", "classifier"):
        assert now[name].shape == (4,)
        assert now[name].min() > quiet[name].max()


def test_waves_estimate_mmd(bench, frame):
    x, y = (bench.standardized(frame.iloc[i : i + 800]) for i in (0, 3_000))
    y = y + 0.8

    def kernel(a, b):
        return np.exp(-((a[:, None] - b[None]) ** 2).sum(axis=-1) / (4 * a.shape[1])).mean()

    exact = kernel(x, x) + kernel(y, y) - 2 * kernel(x, y)
    waves = ((bench.waves(x).mean(axis=0) - bench.waves(y).mean(axis=0)) ** 2).sum()
    assert waves == pytest.approx(exact, rel=0.5)
