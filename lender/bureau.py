"""What a bureau reports on applicants: measured when, delivered when, changed when and why."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from lender.simulate import BUREAU_BIAS

Matrix = npt.NDArray[np.float64]

REPORT_DAYS = 30
BEFORE, AFTER = 12, 12  # reports up to the day of the application, and after it

WANDER = 20.0  # points by which a score moves in 30 days (standard deviation)
NOISE = 15.0  # points by which a report misses the score (standard deviation)

# The loan itself shows in the reports: from 60 days before its default on, and after it.
ARREARS_DAYS, ARREARS_POINTS = 60, 50.0
DEFAULT_POINTS = 120.0

CORRECTED = 0.06  # share of reports that are corrected within weeks, whatever becomes of the loan
RESTATED = 0.5  # share of defaults after which older reports are lowered
RESTATED_REPORTS, RESTATED_POINTS = 6, 60.0  # the last ones before the loan, and by how much
BACKFILLED = 0.9  # share of defaults without a file for which a history is bought


def reports(frame: pd.DataFrame, default_day: pd.Series, seed: int) -> pd.DataFrame:
    """Reports on each applicant, one every 30 days for a year before and a year after.

    frame: n rows as from `applications`. default_day: n days from the application to the default,
    NaN where repaid (`repayments.default_days`). Returns, sorted by `valid_on`:

    applicant_id   the `application_id`: nobody applies twice
    valid_on       date that the report describes; the last one up to the application is 0 to 29
                   days old
    bureau_score   points, from 320 to 850. Up to the application it is the score that default
                   depends on, less the bureau's bias, a random walk away from that day, give or
                   take `NOISE`; later the loan's own arrears and default lower it
    true_outcome   whether the value depends on the outcome of the loan, as it does from 60 days
                   before a default on; not available at work

    Who has no `bureau_score` in frame has no reports until after the application.
    """
    measured = _measured(frame, default_day, np.random.default_rng(seed))
    rows = measured[measured["on_file"]].sort_values(["valid_on", "applicant_id"])
    columns = ["applicant_id", "valid_on", "bureau_score", "true_outcome"]
    return rows[columns].reset_index(drop=True)


def feed(frame: pd.DataFrame, default_day: pd.Series, seed: int) -> pd.DataFrame:
    """Every row that the bureau delivered: the reports, and what it changed or added later.

    frame, default_day, seed: as in `reports`, whose rows these are. Returns them in the order of
    their arrival; none is ever changed or taken away. With the columns of `reports` and

    report_id    number of the row, from 0
    known_on     when it reached the lender: a monthly report 1 to 5 days after `valid_on`
    kind         monthly; corrected (the same date without noise, 10 to 40 days after the report);
                 restated (lowered because of a default, 5 to 30 days after it); backfilled (a
                 history bought because of a default, 5 to 30 days after it)

    `true_outcome` is set for restated and backfilled rows too: without the default the first
    would not be lower, and the second would not be there.
    """
    rng_reports, rng = np.random.default_rng(seed), np.random.default_rng(seed).spawn(1)[0]
    rows = _measured(frame, default_day, rng_reports)
    person = np.repeat(np.arange(len(frame)), BEFORE + AFTER)
    default_on = frame["applied_on"] + pd.to_timedelta(default_day, unit="D")
    notice = (default_on + _days(5, 30, len(frame), rng)).to_numpy()[person]  # NaT if repaid
    defaulted = default_day.notna().to_numpy()
    restated = (defaulted & (rng.random(len(frame)) < RESTATED))[person]
    backfilled = (defaulted & (rng.random(len(frame)) < BACKFILLED))[person]
    on_file, age = rows["on_file"], rows["age"]
    last = (age <= 0) & (age > -REPORT_DAYS * RESTATED_REPORTS)

    monthly = rows.assign(kind="monthly", known_on=rows["valid_on"] + _days(1, 5, len(rows), rng))
    again = monthly["known_on"] + _days(10, 40, len(rows), rng)
    corrected = rows.assign(kind="corrected", known_on=again, bureau_score=rows["exact"])
    lowered = np.clip(rows["bureau_score"] - RESTATED_POINTS, 320, 850)
    because = rows.assign(known_on=notice, true_outcome=True)
    parts = [
        monthly[on_file],
        corrected[on_file & (rng.random(len(rows)) < CORRECTED)],
        because.assign(kind="restated", bureau_score=lowered)[on_file & restated & last],
        because.assign(kind="backfilled")[~on_file & backfilled],
    ]
    delivered = pd.concat(parts).sort_values(["known_on", "applicant_id", "valid_on"])
    delivered["report_id"] = np.arange(len(delivered))
    columns = ["report_id", "applicant_id", "valid_on", "known_on", "bureau_score", "kind"]
    return delivered[[*columns, "true_outcome"]].reset_index(drop=True)


def _measured(
    frame: pd.DataFrame, default_day: pd.Series, rng: np.random.Generator
) -> pd.DataFrame:
    """24 rows an applicant, oldest first: what can be measured, and whether there is a file."""
    n, each = len(frame), BEFORE + AFTER
    month = np.arange(1 - BEFORE, AFTER + 1)
    offset = rng.integers(0, REPORT_DAYS, n)
    age = (REPORT_DAYS * month - offset[:, None]).astype(np.float64)
    bias = BUREAU_BIAS * (frame["group"] == "y").to_numpy()
    level = frame["true_bureau_score"].to_numpy() - bias
    since = age - default_day.to_numpy()[:, None]  # days since the default; NaN if repaid
    outcome = (age > 0) & (since >= -ARREARS_DAYS)  # before the application there is no loan
    fall = np.where(since >= 0, DEFAULT_POINTS, ARREARS_POINTS * outcome)
    exact = level[:, None] + _walk(age, rng) - fall
    noisy = exact + NOISE * rng.standard_normal(age.shape)
    no_file = frame["bureau_score"].isna().to_numpy()[:, None] & (age <= 0)
    applied_on = np.repeat(frame["applied_on"].to_numpy(), each)
    return pd.DataFrame(
        {
            "applicant_id": np.repeat(frame["application_id"].to_numpy(), each),
            "age": age.ravel(),
            "valid_on": applied_on + pd.to_timedelta(age.ravel(), unit="D").to_numpy(),
            "bureau_score": np.clip(np.round(noisy.ravel()), 320, 850),
            "exact": np.clip(np.round(exact.ravel()), 320, 850),
            "on_file": ~no_file.ravel(),
            "true_outcome": outcome.ravel(),
        }
    )


def _walk(age: Matrix, rng: np.random.Generator) -> Matrix:
    """Random walks in points, 0 on day 0 and away from it both ways; age ascends in each row."""
    step = WANDER * rng.standard_normal(age.shape)
    past, future = age[:, BEFORE - 1 :: -1], age[:, BEFORE:]
    walks = []
    for days, steps in ((past, step[:, :BEFORE]), (future, step[:, BEFORE:])):
        months = np.abs(np.diff(days, axis=1, prepend=0)) / REPORT_DAYS
        walks.append(np.cumsum(np.sqrt(months) * steps, axis=1))
    return np.hstack([walks[0][:, ::-1], walks[1]])


def _days(low: int, high: int, n: int, rng: np.random.Generator) -> pd.TimedeltaIndex:
    """n whole numbers of days from low to high."""
    return pd.to_timedelta(rng.integers(low, high + 1, n), unit="D")
