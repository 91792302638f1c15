"""When a loan defaults, and what the lender knows about its loans on a given date."""

import numpy as np
import pandas as pd

from lender.simulate import LABEL_DAYS

# A default is day 1 + floor(365 B) after the application, B ~ Beta(2, 2.5): few in the first
# weeks, most in months three to eight, few at the end.
EARLY, LATE = 2.0, 2.5


def default_days(frame: pd.DataFrame, seed: int) -> pd.Series:
    """Day after application (1 to 365) on which each loan defaults; NaN where it is repaid.

    frame: n rows with `defaulted`, as from `applications` or `drift.stream`. Returns floats named
    `default_day`, with the frame's index. Given that a loan defaults, the day depends on nothing
    else. All rows draw, so that equal seeds give a row the same day whichever others default.
    """
    day = 1 + np.floor(LABEL_DAYS * np.random.default_rng(seed).beta(EARLY, LATE, len(frame)))
    defaulted = frame["defaulted"].to_numpy() == 1
    return pd.Series(np.where(defaulted, day, np.nan), frame.index, name="default_day")


def known(frame: pd.DataFrame, on: str | pd.Timestamp) -> pd.DataFrame:
    """What is known at the end of the date `on`: applications up to then, with their outcome.

    frame: rows with `applied_on`, `defaulted` and `default_day` (from `default_days`). Where it
    has a column `approved`, only approved rows are loans; without one, all are.

    Two columns are added, and the truth and the future (`true_*`, `defaulted`, `default_day`,
    `label_on`) are taken away:

    label        1 for a default up to `on`, 0 once 365 days have passed without one, else NaN;
                 NaN forever for an application that was not approved.
    days_known   days from the application until the default, `on` or day 365, whichever comes
                 first: the time at risk of a survival curve. NaN where not approved.
    """
    date = pd.Timestamp(on)
    past = frame[frame["applied_on"] <= date]
    age = (date - past["applied_on"]).dt.days.clip(upper=LABEL_DAYS).astype(float)
    bad = past["default_day"] <= age
    label = bad.astype(float).where(bad | (age == LABEL_DAYS))
    days_known = age.mask(bad, past["default_day"])
    if "approved" in past:
        granted = past["approved"].astype(bool)
        label, days_known = label.where(granted), days_known.where(granted)
    future = [c for c in past if str(c).startswith("true_")]
    future += ["defaulted", "default_day", "label_on"]
    seen = past.drop(columns=future, errors="ignore")
    return seen.assign(label=label, days_known=days_known)
