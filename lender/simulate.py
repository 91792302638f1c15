"""Loan applications with their later repayment, drawn from a known model."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from lender.truth import Floats, default_log_odds, sigmoid

Ints = npt.NDArray[np.int64]

NUMERIC = (
    "age",
    "income",
    "employment_years",
    "debt_ratio",
    "bureau_score",
    "open_accounts",
    "loan_amount",
    "term_months",
)
CATEGORICAL = ("purpose", "partner", "housing")
FEATURES = NUMERIC + CATEGORICAL
PROTECTED = ("group", "age")

# A day's mean differs from day to day with this standard deviation, in units of the
# feature's own: one row in a hundred parts of the variance lies between days.
DAY_EFFECT = 0.1

# Points by which the bureau reads lower for group y at an equal true score.
BUREAU_BIAS = 15

LABEL_DAYS = 365  # a loan counts as repaid when a year has passed without default
WEEKDAY_WEIGHT = (1.15, 1.15, 1.10, 1.05, 1.00, 0.80, 0.75)  # Monday first

PURPOSE_SHARE = {
    "car": 0.22,
    "consolidation": 0.34,
    "home": 0.16,
    "medical": 0.10,
    "business": 0.08,
    "other": 0.10,
}
PARTNER_SHARE = {"alder": 0.45, "birch": 0.30, "cedar": 0.25}
GROUP_Y_SHARE = {"alder": 0.25, "birch": 0.35, "cedar": 0.55}
TERM_SHARE = {12: 0.20, 24: 0.30, 36: 0.30, 60: 0.20}
HOUSING_SHARE = {"rent": 0.45, "own": 0.15, "mortgage": 0.40}

# What covariate drift of strength 1 does: factors, points, and log-odds of the mix.
INCOME_FACTOR = 0.85
LOAN_FACTOR = 1.15
BUREAU_POINTS = -20.0
PURPOSE_LOG_ODDS = {
    "car": -0.25,
    "consolidation": 0.30,
    "home": -0.30,
    "medical": 0.20,
    "business": 0.30,
    "other": 0.0,
}
MISSING_LOG_ODDS = 1.3  # what missingness drift of strength 1 adds


def _values(table: dict[str, float]) -> Floats:
    return np.array(list(table.values()))


def _pick(log_weights: Floats, rng: np.random.Generator) -> Ints:
    """One index a row with probability proportional to exp(log_weights[row]) (Gumbel-max)."""
    index: Ints = np.argmax(log_weights + rng.gumbel(size=log_weights.shape), axis=1)
    return index


def calendar(n: int, days: int, start: str, rng: np.random.Generator) -> Ints:
    """Day of each of n applications, ascending; weekends are quieter."""
    if n < 1 or days < 1:
        raise ValueError(f"n and days must be at least 1, got n={n} and days={days}")
    weekday = (pd.Timestamp(start).weekday() + np.arange(days)) % 7
    weight = np.array(WEEKDAY_WEIGHT)[weekday]
    return np.repeat(np.arange(days), rng.multinomial(n, weight / weight.sum()))


def day_shifts(days: int, day_effect: float, rng: np.random.Generator) -> dict[str, Floats]:
    """What the rows of a day share: a shift of means (in row SDs) and of the mixes (log-odds)."""
    if day_effect < 0:
        raise ValueError(f"day_effect must not be negative, got {day_effect}")
    shifts = {k: day_effect * rng.standard_normal(days) for k in ("bureau", "income", "loan")}
    # Between two even levels the log-odds then move with SD 2 day_effect and the share with
    # SD day_effect / 2: one day_effect of a row's SD, as for the numbers.
    for name, levels in (("partner", PARTNER_SHARE), ("purpose", PURPOSE_SHARE)):
        shifts[name] = np.sqrt(2) * day_effect * rng.standard_normal((days, len(levels)))
    return shifts


def _complete(
    day: Ints, shifts: dict[str, Floats], rng: np.random.Generator, covariate: Floats
) -> pd.DataFrame:
    """Features before any goes missing, one row per entry of day."""
    n = len(day)
    shift = {name: by_day[day] for name, by_day in shifts.items()}
    partner = _pick(np.log(_values(PARTNER_SHARE)) + shift["partner"], rng)
    cedar = partner == list(PARTNER_SHARE).index("cedar")
    mix = np.log(_values(PURPOSE_SHARE)) + shift["purpose"]
    purpose = _pick(mix + covariate[:, None] * _values(PURPOSE_LOG_ODDS), rng)
    z = rng.standard_normal((6, n))  # bureau, income, age, employment, debt, loan
    age = np.clip(np.round(18 + np.exp(np.log(20) + 0.55 * z[2])), 18, 80)
    work = np.exp(np.log(4) + 0.8 * (0.5 * z[2] + 0.87 * z[3]))
    log_income = np.log(3200) + 0.5 * (0.35 * z[0] + 0.94 * z[1] + shift["income"]) - 0.15 * cedar
    wish = 0.3 * z[1] + 0.95 * z[5]
    log_loan = np.log(8000) + 0.6 * (wish + shift["loan"]) + covariate * np.log(LOAN_FACTOR)
    bureau = 660 + 75 * (z[0] + shift["bureau"]) - 10 * cedar + covariate * BUREAU_POINTS
    longer = 0.5 * wish[:, None] * np.array([-1.5, -0.5, 0.5, 1.5])
    owns = 0.5 * z[2][:, None] * np.array([-1.0, 1.0, 0.5])
    term = _pick(np.log(list(TERM_SHARE.values())) + longer, rng)
    housing = _pick(np.log(_values(HOUSING_SHARE)) + owns, rng)
    return pd.DataFrame(
        {
            "age": age.astype(np.int64),
            "true_income": np.round(np.exp(log_income + covariate * np.log(INCOME_FACTOR))),
            "true_employment_years": np.round(np.minimum(work, age - 16), 1),
            "debt_ratio": np.round(np.exp(np.log(0.3) + 0.5 * (0.95 * z[4] - 0.3 * z[0])), 3),
            "true_bureau_score": np.clip(np.round(bureau), 320, 850),
            "open_accounts": rng.poisson(np.exp(1.4 + 0.2 * z[2])),
            "loan_amount": np.clip(np.round(np.exp(log_loan), -2), 500, 50_000),
            "term_months": np.array(list(TERM_SHARE))[term],
            "purpose": np.array(list(PURPOSE_SHARE), dtype=object)[purpose],
            "partner": np.array(list(PARTNER_SHARE), dtype=object)[partner],
            "housing": np.array(list(HOUSING_SHARE), dtype=object)[housing],
            "group": np.where(rng.random(n) < _values(GROUP_Y_SHARE)[partner], "y", "x"),
        }
    )


def _record(complete: pd.DataFrame, rng: np.random.Generator, missing: Floats) -> pd.DataFrame:
    """Add what is on file: values that went missing, and the bureau's bias against group y."""
    cedar = (complete["partner"] == "cedar").to_numpy()
    thin = (complete["open_accounts"] <= 1).to_numpy()
    young = (complete["age"] < 25).to_numpy()
    low: Floats = np.log(3200 / complete["true_income"].to_numpy(dtype=np.float64))
    extra = missing * MISSING_LOG_ODDS
    bias = BUREAU_BIAS * (complete["group"] == "y").to_numpy()
    chance = {
        "income": sigmoid(-3.0 + 0.8 * low + extra),  # not at random: low incomes are left out
        "bureau_score": sigmoid(-3.8 + 2.5 * thin + 1.5 * young + extra),
        "employment_years": sigmoid(np.where(cedar, -2.0, -3.2)),
    }
    on_file = {
        "income": complete["true_income"],
        "bureau_score": complete["true_bureau_score"] - bias,
        "employment_years": complete["true_employment_years"],
    }
    gone = {name: rng.random(len(complete)) < p for name, p in chance.items()}
    return complete.assign(**{name: on_file[name].mask(gone[name]) for name in on_file})


def rows(
    day: Ints,
    shifts: dict[str, Floats],
    rng_x: np.random.Generator,
    rng_y: np.random.Generator,
    drift: dict[str, Floats] | None = None,
) -> pd.DataFrame:
    """Applications for the given days with their repayment.

    day: n days. shifts: from `day_shifts`. drift: n strengths under "covariate", "concept" or
    "missingness"; what is absent does not drift. Features and labels have generators of their
    own, so that a drift of the labels leaves the features as they are.
    """
    strength = {k: np.zeros(len(day)) for k in ("covariate", "concept", "missingness")}
    strength |= drift or {}
    complete = _complete(day, shifts, rng_x, strength["covariate"])
    frame = _record(complete, rng_x, strength["missingness"])
    frame["day"] = day
    frame["true_pd"] = sigmoid(default_log_odds(frame, strength["concept"]))
    frame["defaulted"] = (rng_y.random(len(day)) < frame["true_pd"]).astype(np.int64)
    return frame


def finish(frame: pd.DataFrame, start: str) -> pd.DataFrame:
    """Number and date the applications, columns in their public order."""
    applied_on = pd.Timestamp(start) + pd.to_timedelta(frame["day"], unit="D")
    frame = frame.assign(
        application_id=np.arange(len(frame)),
        applied_on=applied_on,
        label_on=applied_on + pd.Timedelta(days=LABEL_DAYS),
    )
    first = ["application_id", "day", "applied_on", *FEATURES, "group", "defaulted", "label_on"]
    truth = ["true_pd", "true_income", "true_bureau_score", "true_employment_years"]
    return frame[first + truth]


def applications(
    n: int,
    seed: int,
    *,
    days: int = 365,
    start: str = "2025-01-01",
    day_effect: float = DAY_EFFECT,
) -> pd.DataFrame:
    """n loan applications over `days` consecutive days, sorted by day.

    start: date of day 0. day_effect: standard deviation of a day's mean in units of the
    feature's own (bureau_score, income, loan_amount, and likewise the mix of partner and
    purpose); 0 gives i.i.d. rows.

    Money is in USD (`income` per month), `age` and `employment_years` in years. `defaulted` is
    known from `label_on` only, a year after `applied_on`. Columns named `true_` are not
    available at work: `true_pd` is the probability from which `defaulted` was drawn, the others
    are values before they went missing (and, for the bureau score, before the bureau's bias).

    Raises ValueError for n or days below 1 and for a negative day_effect.
    """
    rng_days, rng_x, rng_y = np.random.default_rng(seed).spawn(3)
    day = calendar(n, days, start, rng_days)
    shifts = day_shifts(days, day_effect, rng_days)
    return finish(rows(day, shifts, rng_x, rng_y), start)


def observable(frame: pd.DataFrame) -> pd.DataFrame:
    """What the lender has on the day of the application: neither truth nor label."""
    later = [c for c in frame if str(c).startswith("true_") or c in ("defaulted", "label_on")]
    return frame.drop(columns=later)
