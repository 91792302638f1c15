"""Each drift does what its Truth claims, and nothing else."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from scipy.stats import chi2_contingency, ks_2samp

import lender
from lender.drift import (
    CHANGED,
    LABEL_LOG_ODDS,
    UNIT_FACTOR,
    UNIT_PARTNER,
    Truth,
    strength_by_day,
)
from lender.truth import sigmoid

KINDS = ["covariate", "label", "concept", "missingness", "unit"]
COMPLETE = ["true_income", "true_bureau_score", "true_employment_years"]
ALWAYS_THERE = ["age", "debt_ratio", "open_accounts", "term_months", "housing", "partner", "group"]
Stream = tuple[pd.DataFrame, Truth]


def stream(kind: Any, **options: Any) -> Stream:
    return lender.drift.stream(kind, **{"seed": 5, "days": 60, "onset": 30, **options})


@pytest.fixture(scope="module")
def steady() -> pd.DataFrame:
    return stream("none")[0]


@pytest.fixture(scope="module")
def drifted() -> dict[str, Stream]:
    return {kind: stream(kind) for kind in KINDS}


def log_odds(p: pd.Series) -> np.ndarray:
    return np.log(p.to_numpy()) - np.log1p(-p.to_numpy())


def psi(reference: pd.Series, current: pd.Series) -> float:
    if reference.dtype == object:
        cells = reference, current
    else:
        edges = np.unique(np.nanquantile(reference, np.linspace(0.1, 0.9, 9)))
        # A missing value sorts above every edge; it gets a cell of its own.
        cells = tuple(
            pd.Series(np.searchsorted(edges, x)).mask(x.isna().to_numpy(), -1)
            for x in (reference, current)
        )
    p, q = (x.value_counts(normalize=True) for x in cells)
    p, q = p.align(q, fill_value=1e-4)
    return float(((q - p) * np.log(q / p)).sum())


def differs(a: pd.Series, b: pd.Series) -> float:
    """p-value of the difference of two samples of i.i.d. rows."""
    if a.dtype == object:
        return float(chi2_contingency([x.value_counts().sort_index() for x in (a, b)]).pvalue)
    return float(ks_2samp(a.dropna(), b.dropna()).pvalue)


def test_no_drift_is_plain_applications(steady: pd.DataFrame) -> None:
    assert_frame_equal(steady, lender.applications(18_000, 5, days=60))
    truth = stream("none")[1]
    assert truth.onset is None
    assert not truth.strength.any()
    assert not (truth.changes_px or truth.changes_py or truth.changes_py_given_x)


@pytest.mark.parametrize("kind", KINDS)
def test_size_zero_is_no_drift(kind: str, steady: pd.DataFrame) -> None:
    frame, truth = stream(kind, size=0.0)
    assert_frame_equal(frame, steady)
    assert (truth.onset, truth.features, truth.changes_px) == (None, (), False)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_happens_before_onset(
    kind: str, steady: pd.DataFrame, drifted: dict[str, Stream]
) -> None:
    frame, truth = drifted[kind]
    assert truth.onset == 30
    before = frame["day"] < 30
    assert_frame_equal(frame[before], steady[before])
    assert not frame[frame["day"] == 30].equals(steady[steady["day"] == 30])


@pytest.mark.parametrize("kind", KINDS)
def test_labels_are_calibrated_throughout(kind: str, drifted: dict[str, Stream]) -> None:
    frame = drifted[kind][0]
    later = frame[frame["day"] >= 30]
    p = later["true_pd"]
    for _, rows in later.groupby(pd.qcut(p, 4, labels=False)):
        q = rows["true_pd"]
        assert abs((rows["defaulted"] - q).sum()) < 3.5 * np.sqrt((q * (1 - q)).sum())


@pytest.mark.parametrize("kind", KINDS)
def test_claims_hold(kind: str, steady: pd.DataFrame, drifted: dict[str, Stream]) -> None:
    """px, py and py|x are compared with the same seed's undrifted rows."""
    frame, truth = drifted[kind]
    later = frame["day"] >= 30
    now, usual = frame[later], steady[later]
    same_x = all(now[c].equals(usual[c]) for c in lender.FEATURES)
    assert same_x != truth.changes_px
    moved = abs(now["true_pd"].mean() - usual["true_pd"].mean())
    assert (moved > 0.005) == truth.changes_py
    as_usual = np.allclose(now["true_pd"], sigmoid(lender.default_log_odds(now)), atol=1e-12)
    assert as_usual != truth.changes_py_given_x
    assert truth.features == CHANGED[kind]


def test_covariate_drift_leaves_the_risk_and_other_features(
    steady: pd.DataFrame, drifted: dict[str, Stream]
) -> None:
    frame, truth = drifted["covariate"]
    np.testing.assert_array_equal(frame["true_pd"], sigmoid(lender.default_log_odds(frame)))
    assert_frame_equal(frame[ALWAYS_THERE], steady[ALWAYS_THERE])
    others = [c for c in lender.FEATURES if c not in truth.features]
    assert_frame_equal(frame[others], steady[others])
    assert frame["defaulted"][frame["day"] >= 30].mean() > 1.2 * steady["defaulted"].mean()


def test_covariate_drift_of_size_one_is_moderate(drifted: dict[str, Stream]) -> None:
    frame, truth = drifted["covariate"]
    before = frame["day"] < 30
    for name in lender.FEATURES:
        value = psi(frame[name][before], frame[name][~before])
        if name in truth.features:
            assert 0.04 < value < 0.25, name
        else:
            assert value < 0.02, name


@pytest.mark.parametrize("size", [-0.5, 0.5, 1.0, 2.0])
def test_covariate_drift_is_proportional_to_size(size: float, steady: pd.DataFrame) -> None:
    frame = stream("covariate", size=size)[0]
    later = frame["day"] >= 30
    ratio = np.log(frame["true_income"] / steady["true_income"])[later]
    np.testing.assert_allclose(ratio, size * np.log(0.85), atol=0.005)  # rounding to 1 USD
    inner = later & steady["true_bureau_score"].between(400, 770)
    points = (frame["true_bureau_score"] - steady["true_bureau_score"])[inner]
    assert (points == -20 * size).all()
    big = later & steady["loan_amount"].between(10_000, 20_000)
    growth = np.log(frame["loan_amount"] / steady["loan_amount"])[big]
    np.testing.assert_allclose(growth, size * np.log(1.15), atol=0.012)  # rounding to 100 USD


@pytest.mark.parametrize("size", [1.0, -1.0])
def test_label_drift_keeps_features_given_the_label(size: float) -> None:
    options = {"day_effect": 0.0, "onset": 0, "days": 100, "size": size}
    now, usual = stream("label", **options)[0], stream("none", **options, seed=6)[0]
    for label in (0, 1):
        a, b = now[now["defaulted"] == label], usual[usual["defaulted"] == label]
        for name in [*lender.FEATURES, *COMPLETE, "group"]:
            assert differs(a[name], b[name]) > 0.001, (name, label)
    assert differs(now["bureau_score"], usual["bureau_score"]) < 1e-4


def test_label_drift_multiplies_the_odds(steady: pd.DataFrame) -> None:
    frame, truth = stream("label", size=0.7, shape="seasonal", period=40)
    shift = log_odds(frame["true_pd"]) - lender.default_log_odds(frame)
    expected = LABEL_LOG_ODDS * truth.strength[frame["day"]]
    np.testing.assert_allclose(shift, expected, atol=1e-9)
    assert expected.min() < 0 < expected.max()


def test_label_drift_doubles_the_prior_odds() -> None:
    frame = stream("label", onset=0, days=200)[0]
    prior = lender.applications(200_000, 99)["true_pd"].mean()
    doubled = 2 * prior / (1 + prior)
    # Days vary: the error is that of 200 daily means.
    daily = frame.groupby("day")["true_pd"].mean()
    assert abs(daily.mean() - doubled) < 4 * daily.std() / np.sqrt(200)


def test_concept_drift_leaves_every_feature(
    steady: pd.DataFrame, drifted: dict[str, Stream]
) -> None:
    frame, truth = drifted["concept"]
    x = [c for c in frame if c not in ("defaulted", "true_pd")]
    assert_frame_equal(frame[x], steady[x])
    strength = truth.strength[frame["day"]]
    np.testing.assert_array_equal(
        frame["true_pd"], sigmoid(lender.default_log_odds(frame, strength))
    )
    moved = np.abs(log_odds(frame["true_pd"]) - log_odds(steady["true_pd"]))
    assert moved[strength > 0].mean() > 0.3


def test_missingness_drift_only_hides(steady: pd.DataFrame, drifted: dict[str, Stream]) -> None:
    frame, truth = drifted["missingness"]
    rest = [c for c in frame if c not in truth.features]
    assert_frame_equal(frame[rest], steady[rest])
    later = frame["day"] >= 30
    for name in truth.features:
        assert frame[name][later].isna().mean() > 2 * steady[name][later].isna().mean()
        there = frame[name].notna()
        assert frame[name][there].equals(steady[name][there])  # what is there is unchanged


def test_unit_drift_only_scales_one_partner(
    steady: pd.DataFrame, drifted: dict[str, Stream]
) -> None:
    frame = drifted["unit"][0]
    rest = [c for c in frame if c != "income"]
    assert_frame_equal(frame[rest], steady[rest])
    yearly = (frame["partner"] == UNIT_PARTNER) & (frame["day"] >= 30)
    expected = steady["income"].where(~yearly, UNIT_FACTOR * steady["income"])
    pd.testing.assert_series_equal(frame["income"], expected)


def test_unit_drift_rolls_out(steady: pd.DataFrame) -> None:
    frame, truth = stream("unit", shape="gradual", ramp=20)
    theirs = (frame["partner"] == UNIT_PARTNER) & frame["income"].notna()
    yearly = (frame["income"] > steady["income"])[theirs]
    day = frame["day"][theirs]
    assert yearly[day < 30].sum() == 0
    assert yearly[day >= 49].all()
    ramp = day.between(30, 48)
    assert yearly[ramp].mean() == pytest.approx(truth.strength[day[ramp]].mean(), abs=0.04)


def test_shapes_of_the_strength() -> None:
    options: Any = {"days": 400, "onset": 90, "size": 2.0, "ramp": 50, "period": 365}
    sudden = strength_by_day("sudden", **options)
    assert sudden[89] == 0
    assert (sudden[90:] == 2).all()
    gradual = strength_by_day("gradual", **options)
    assert gradual[89] == 0
    np.testing.assert_allclose(np.diff(gradual[89:140]), 2 / 50)
    assert (gradual[139:] == 2).all()
    seasonal = strength_by_day("seasonal", **options)
    assert seasonal[0] == 0
    assert seasonal[:365].mean() == pytest.approx(0, abs=1e-12)
    assert seasonal.max() == pytest.approx(2, abs=1e-3)
    np.testing.assert_allclose(seasonal[365:], seasonal[:35], atol=1e-12)


def test_seasonal_drift_returns(steady: pd.DataFrame) -> None:
    frame, truth = stream("covariate", shape="seasonal", period=40)
    assert truth.onset is None
    assert truth.changes_px
    ratio = np.log(frame["true_income"] / steady["true_income"]).groupby(frame["day"]).mean()
    np.testing.assert_allclose(ratio, truth.strength * np.log(0.85), atol=0.001)
    assert abs(ratio[40]) < 1e-9


def test_onset_after_the_end_claims_nothing(steady: pd.DataFrame) -> None:
    frame, truth = stream("covariate", onset=60)
    assert_frame_equal(frame, steady)
    assert (truth.onset, truth.changes_px, truth.changes_py) == (None, False, False)


@pytest.mark.parametrize(
    "options",
    [
        {"kind": "nothing"},
        {"kind": "label", "shape": "square"},
        {"kind": "label", "ramp": 0},
        {"kind": "label", "per_day": 0},
        {"kind": "label", "days": 0},
        {"kind": "unit", "size": 1.5},
        {"kind": "unit", "shape": "seasonal"},
    ],
)
def test_impossible_requests_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        stream(**options)
