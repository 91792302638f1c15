"""Requests for a quote, and the card purchases that the lender knew of at the time."""

import numpy as np
import pandas as pd

AGAIN = 0.3  # share of applicants who have asked for a quote before
BEFORE, AFTER = 62, 20  # days of purchases before the first and after the last request
A_DAY = 0.3  # purchases of an applicant
OFFLINE = 0.15  # share of purchases at terminals that send hours later


def quotes(loans: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The request behind each application, and for three in ten applicants an earlier one.

    loans: n rows as from `applications`. Returns, in the order of time: request_id, applicant_id
    (the `application_id`), requested_at (UTC, whole seconds, on the application's day, or 3 to 40
    days before it) and amount (dollars asked for: the loan's, or up to a tenth more).
    """
    rng = np.random.default_rng(seed)
    last = pd.DataFrame(
        {
            "applicant_id": loans["application_id"].to_numpy(),
            "requested_at": loans["applied_on"].to_numpy() + _seconds(0, 86_400, len(loans), rng),
            "amount": loans["loan_amount"].round(2).to_numpy(),
        }
    )
    first = last[rng.random(len(last)) < AGAIN].copy()
    first["requested_at"] -= _seconds(3 * 86_400, 40 * 86_400, len(first), rng)
    first["amount"] = (first["amount"] * rng.uniform(1, 1.1, len(first))).round(2)
    asked = pd.concat([first, last]).sort_values("requested_at", ignore_index=True)
    asked.insert(0, "request_id", np.arange(len(asked)))
    return asked


def purchases(asked: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Card purchases of the applicants around their requests, and the fee for each request.

    asked: requests as from `quotes`. Returns deliveries in the order of their arrival: event_id,
    applicant_id, at (of the purchase, UTC), known_at (when it reached the lender) and dollars. A
    share of 15 % comes from terminals that send hours or days later, and 3 % come twice. Purchases
    fall evenly, with log-normal amounts, whatever becomes of the loan. The fee of 5 dollars is
    booked at the instant of the request, and known at once.
    """
    rng = np.random.default_rng(seed)
    span = asked.groupby("applicant_id")["requested_at"].agg(["min", "max"])
    start = span["min"] - pd.Timedelta(days=BEFORE)
    days = (span["max"] - start).dt.days + AFTER
    person = np.repeat(np.arange(len(span)), rng.poisson(A_DAY * days))
    offset = rng.random(len(person)) * days.to_numpy()[person] * 86_400
    at = start.to_numpy()[person] + offset.astype("timedelta64[s]")
    hours = np.where(rng.random(len(at)) < OFFLINE, rng.exponential(20, len(at)), 0)
    late = (3600 * hours + rng.integers(1, 6, len(at))).astype("timedelta64[s]")
    bought = pd.DataFrame(
        {
            "applicant_id": span.index.to_numpy()[person],
            "at": at,
            "known_at": at + late,
            "dollars": np.round(np.exp(3.4 + rng.standard_normal(len(at))), 2),
        }
    )
    fees = asked[["applicant_id"]].assign(
        at=asked["requested_at"], known_at=asked["requested_at"], dollars=5.0
    )
    events = pd.concat([bought, fees]).sort_values(["known_at", "applicant_id"], ignore_index=True)
    events.insert(0, "event_id", np.arange(len(events)))
    twice = events[rng.random(len(events)) < 0.03].copy()
    twice["known_at"] += _seconds(60, 86_400, len(twice), rng)
    order = ["known_at", "event_id"]
    return pd.concat([events, twice]).sort_values(order, ignore_index=True)


def _seconds(low: int, high: int, n: int, rng: np.random.Generator) -> pd.TimedeltaIndex:
    """n whole numbers of seconds, at least low and below high."""
    return pd.to_timedelta(rng.integers(low, high, n), unit="s")
