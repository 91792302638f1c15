"""The simulated lender keeps to its own stated truth."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from scipy.stats import chi2, ks_2samp
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

import lender
from lender.truth import sigmoid

FEATURES = list(lender.FEATURES)
MAY_BE_MISSING = {"income", "employment_years", "bureau_score"}


@pytest.fixture(scope="module")
def loans() -> pd.DataFrame:
    return lender.applications(60_000, seed=7)


def z_of_calibration(frame: pd.DataFrame) -> float:
    p = frame["true_pd"]
    return float((frame["defaulted"] - p).sum() / np.sqrt((p * (1 - p)).sum()))


def false_alarms(day_effect: float, runs: int = 150) -> pd.Series:
    """How often KS tells one week from the next at a level of 5 %, by feature."""
    names = ["bureau_score", "income", "loan_amount"]
    alarms = pd.Series(0.0, index=names)
    for seed in range(runs):
        f = lender.applications(4200, seed, days=14, day_effect=day_effect)
        week = f["day"] < 7
        for name in names:
            p = ks_2samp(f[name][week].dropna(), f[name][~week].dropna()).pvalue
            alarms[name] += p < 0.05
    return alarms / runs


def test_columns_and_order(loans: pd.DataFrame) -> None:
    assert list(loans.columns) == [
        *("application_id", "day", "applied_on", *FEATURES, "group", "defaulted", "label_on"),
        *("true_pd", "true_income", "true_bureau_score", "true_employment_years"),
    ]
    assert loans["day"].is_monotonic_increasing
    assert set(loans["day"]) == set(range(365))
    assert loans["application_id"].is_unique
    assert set(loans.columns[loans.isna().any()]) == MAY_BE_MISSING
    assert loans["bureau_score"].dropna().between(300, 850).all()
    assert set(loans["partner"]) == {"alder", "birch", "cedar"}
    assert set(loans["group"]) == {"x", "y"}
    assert (loans["loan_amount"] % 100 == 0).all()
    assert (loans["label_on"] - loans["applied_on"] == pd.Timedelta(days=365)).all()
    assert (loans["applied_on"] - loans["day"] * pd.Timedelta(days=1)).nunique() == 1


def test_weekends_are_quieter(loans: pd.DataFrame) -> None:
    by_weekday = loans["applied_on"].dt.weekday.value_counts()
    assert by_weekday[0] > 1.3 * by_weekday[6]


def test_seed_decides() -> None:
    a, b, c = (lender.applications(500, seed) for seed in (1, 1, 2))
    assert_frame_equal(a, b)
    assert not a["true_income"].equals(c["true_income"])
    first, again = lender.decisions(a, 3), lender.decisions(a, 3)
    assert_frame_equal(first, again)
    assert not first["approved"].equals(lender.decisions(a, 4)["approved"])


@pytest.mark.parametrize("n, days, day_effect", [(0, 5, 0.1), (5, 0, 0.1), (5, 5, -0.1)])
def test_impossible_requests_are_refused(n: int, days: int, day_effect: float) -> None:
    with pytest.raises(ValueError):
        lender.applications(n, 0, days=days, day_effect=day_effect)


def test_one_row_is_enough() -> None:
    assert len(lender.applications(1, 0)) == 1


def test_true_pd_is_a_function_of_complete_features(loans: pd.DataFrame) -> None:
    known = loans.drop(columns=["true_pd", "defaulted", "group", *MAY_BE_MISSING])
    np.testing.assert_array_equal(loans["true_pd"], sigmoid(lender.default_log_odds(known)))


def test_defaults_are_calibrated(loans: pd.DataFrame) -> None:
    assert 0.08 < loans["defaulted"].mean() < 0.12
    tenth = pd.qcut(loans["true_pd"], 10, labels=False)
    z = loans.groupby(tenth).apply(z_of_calibration, include_groups=False)
    assert len(z) == 10
    assert chi2.sf((z**2).sum(), 10) > 0.01


def test_groups_default_equally_at_equal_risk(loans: pd.DataFrame) -> None:
    for _, rows in loans.groupby("group"):
        assert abs(z_of_calibration(rows)) < 3


def test_what_is_on_file_is_the_truth_or_missing(loans: pd.DataFrame) -> None:
    bias = lender.BUREAU_BIAS * (loans["group"] == "y")
    on_file = {
        "income": loans["true_income"],
        "employment_years": loans["true_employment_years"],
        "bureau_score": loans["true_bureau_score"] - bias,
    }
    for name, expected in on_file.items():
        there = loans[name].notna()
        assert 0.02 < 1 - there.mean() < 0.15
        np.testing.assert_array_equal(loans.loc[there, name], expected[there])
    assert not loans[[f"true_{name}" for name in on_file]].isna().any().any()


def test_income_goes_missing_where_it_is_low(loans: pd.DataFrame) -> None:
    missing = loans["income"].isna()
    medians = loans.groupby(missing)["true_income"].median()
    assert medians[True] < 0.9 * medians[False]


def test_thin_files_lack_a_bureau_score(loans: pd.DataFrame) -> None:
    rate = loans["bureau_score"].isna().groupby(loans["open_accounts"] <= 1).mean()
    assert rate[True] > 4 * rate[False]


def test_rows_are_iid_without_day_effect() -> None:
    assert (false_alarms(0.0) < 0.10).all()  # 0.05 and three standard errors


def test_days_inflate_false_alarms() -> None:
    assert false_alarms(lender.DAY_EFFECT).between(0.15, 0.45).all()


def test_day_effect_is_the_sd_of_day_means() -> None:
    f = lender.applications(200_000, 5, days=400, day_effect=0.3)
    x = f["true_bureau_score"]
    within = x.groupby(f["day"]).std().mean()
    between = x.groupby(f["day"]).mean().std()
    assert between / within == pytest.approx(0.3, rel=0.15)


def brute_force_auc(p: np.ndarray) -> float:
    ahead = (p[:, None] > p) + 0.5 * (p[:, None] == p)
    weight = p[:, None] * (1 - p)
    np.fill_diagonal(weight, 0)
    return float((weight * ahead).sum() / weight.sum())


@pytest.mark.parametrize("n, decimals", [(2, 3), (60, 1), (300, 6)])
def test_best_auc_counts_every_pair(n: int, decimals: int) -> None:
    p = np.round(np.random.default_rng(n).uniform(0.05, 0.9, n), decimals)
    assert lender.best_auc(pd.DataFrame({"true_pd": p})) == pytest.approx(brute_force_auc(p))


def test_best_auc_of_certain_and_of_equal_risks() -> None:
    assert lender.best_auc(pd.DataFrame({"true_pd": [0.0, 1.0, 1.0]})) == pytest.approx(1)
    assert lender.best_auc(pd.DataFrame({"true_pd": [0.3, 0.3, 0.3]})) == pytest.approx(0.5)


@pytest.mark.parametrize("p", [[], [0.4], [0.0, 0.0], [1.0, 1.0]])
def test_best_auc_needs_a_pair(p: list[float]) -> None:
    with pytest.raises(ValueError):
        lender.best_auc(pd.DataFrame({"true_pd": p}))


def test_expected_auc_counts_every_pair_and_tie_of_a_score() -> None:
    rng = np.random.default_rng(3)
    p, score = rng.uniform(0.05, 0.9, 80), rng.integers(0, 9, 80)
    ahead = (score[:, None] > score) + 0.5 * (score[:, None] == score)
    weight = p[:, None] * (1 - p)
    np.fill_diagonal(weight, 0)
    by_pairs = (weight * ahead).sum() / weight.sum()
    assert lender.expected_auc(score, p) == pytest.approx(by_pairs)
    assert lender.expected_auc(-score, p) == pytest.approx(1 - by_pairs)
    with pytest.raises(ValueError, match="80 scores, 79 probabilities"):
        lender.expected_auc(score, p[:-1])


def test_best_auc_is_what_labels_give_on_average() -> None:
    f = lender.applications(4000, 11)
    p = f["true_pd"].to_numpy()
    rng = np.random.default_rng(0)
    drawn = [roc_auc_score(rng.random(len(p)) < p, p) for _ in range(200)]
    error = np.std(drawn) / np.sqrt(len(drawn))
    assert abs(np.mean(drawn) - lender.best_auc(f)) < 4 * error


def test_score_model_comes_close_to_the_best() -> None:
    f = lender.applications(30_000, 3)
    train, test = f[:20_000], f[20_000:]
    model = lender.score_model(seed=0).fit(train[FEATURES], train["defaulted"])
    # Both on the same labels, so that their luck cancels.
    gap = roc_auc_score(test["defaulted"], test["true_pd"]) - roc_auc_score(
        test["defaulted"], model.predict_proba(test)[:, 1]
    )
    assert 0.78 < lender.best_auc(f) < 0.82
    assert 0 < gap < 0.03


def test_unfair_penalty_is_what_a_regression_finds(loans: pd.DataFrame) -> None:
    made = lender.decisions(loans, seed=1)
    risk = np.log(loans["true_pd"] / (1 - loans["true_pd"]))
    x = np.column_stack([risk, loans["group"] == "y"])
    penalty = LogisticRegression(C=np.inf).fit(x, made["approved"]).coef_[0, 1]
    assert penalty == pytest.approx(-lender.UNFAIR_PENALTY, abs=0.07)  # 3.5 standard errors


def test_penalty_is_exact_in_the_stated_probability(loans: pd.DataFrame) -> None:
    some = loans[:1000]
    given = lender.decisions(some, 0)["true_p_approved"]
    as_x = lender.decisions(some.assign(group="x"), 0)["true_p_approved"]
    log_odds = np.log(as_x / (1 - as_x)) - np.log(given / (1 - given))
    np.testing.assert_allclose(log_odds, lender.UNFAIR_PENALTY * (some["group"] == "y"), atol=1e-9)


def test_decisions_match_their_applications(loans: pd.DataFrame) -> None:
    some = loans[loans["day"] > 300].sample(3000, random_state=0)
    made = lender.decisions(some, 2)
    assert made.index.equals(some.index)
    assert made["application_id"].equals(some["application_id"])
    p = made["true_p_approved"]
    assert abs((made["approved"] - p).sum()) < 3 * np.sqrt((p * (1 - p)).sum())


def test_observable_hides_truth_and_label(loans: pd.DataFrame) -> None:
    seen = lender.observable(loans)
    assert set(loans.columns) - set(seen.columns) == {
        *("defaulted", "label_on", "true_pd", "true_income", "true_bureau_score"),
        "true_employment_years",
    }
    assert len(seen) == len(loans)


def test_features_leave_the_group_out() -> None:
    assert lender.FEATURES == lender.NUMERIC + lender.CATEGORICAL
    assert "group" in lender.PROTECTED
    assert "group" not in lender.FEATURES


def test_import_is_light() -> None:
    code = "import sys, lender; print('sklearn' in sys.modules or 'scipy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
