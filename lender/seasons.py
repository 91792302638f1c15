"""Applications of four seasons, in which the same people default for different reasons."""

from typing import Literal, get_args

import numpy as np
import pandas as pd

from lender.simulate import LABEL_DAYS, applications
from lender.truth import Floats, default_log_odds, sigmoid

Season = Literal["winter", "spring", "summer", "autumn"]
SEASONS: tuple[Season, ...] = get_args(Season)
SEASON_DAYS = 91

WINTER_CONCEPT = 2.0  # strength of the concept drift of `default_log_odds` in winter
SPRING_WORK = 1.2  # log-odds per unit of log employment years
SPRING_BURDEN = -1.0  # log-odds per unit of log installment to income


def season_log_odds(frame: pd.DataFrame, season: Season, size: float = 1.0) -> Floats:
    """True log-odds of default within a year for an application made in a season.

    frame: n rows with the columns of `applications`, the `true_` features included. size: 1 is
    what the course uses, 0 a year without seasons; the change is proportional to it.
    Returns n log-odds. Raises ValueError for an unknown season.

    In winter the bureau score tells less, debt tells more and business loans are risky; in
    spring a long employment and a small installment protect less. Summer and autumn are the
    opposites of winter and spring, so that the four changes add up to zero for every row.
    """
    if season not in SEASONS:
        raise ValueError(f"unknown season {season!r}, choose one of {SEASONS}")
    sign = 1.0 if season in ("winter", "spring") else -1.0
    if season in ("winter", "summer"):
        return default_log_odds(frame, concept=size * sign * WINTER_CONCEPT)
    installment = frame["loan_amount"].to_numpy() / frame["term_months"].to_numpy()
    burden = np.log(installment / frame["true_income"].to_numpy()) + 2.5
    work = np.log1p(frame["true_employment_years"].to_numpy()) - 1.6
    change = SPRING_WORK * work + SPRING_BURDEN * burden
    return np.asarray(default_log_odds(frame) + size * sign * change, dtype=np.float64)


def season_rows(
    season: Season, n: int, seed: int, *, year: int = 2025, size: float = 1.0
) -> pd.DataFrame:
    """n applications of one season of a year, with the columns of `applications` and `season`.

    Winter is days 0 to 90 of the year, autumn ends on day 363. The features are those of
    `applications(n, seed, days=91)`; `true_pd` and `defaulted` are the season's.
    Raises ValueError for an unknown season and for n below 1.
    """
    first = SEASONS.index(season) * SEASON_DAYS if season in SEASONS else 0
    rng_rows, rng_labels = np.random.default_rng(seed).spawn(2)
    frame = applications(n, int(rng_rows.integers(2**32)), days=SEASON_DAYS)
    risk = sigmoid(season_log_odds(frame, season, size))
    day = frame["day"] + first
    applied_on = pd.Timestamp(year=year, month=1, day=1) + pd.to_timedelta(day, unit="D")
    return frame.assign(
        day=day,
        applied_on=applied_on,
        label_on=applied_on + pd.Timedelta(days=LABEL_DAYS),
        season=season,
        true_pd=risk,
        defaulted=(rng_labels.random(n) < risk).astype(np.int64),
    )
