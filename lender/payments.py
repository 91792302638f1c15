"""Payments as events: made at one time, arriving at another, some of them twice."""

import numpy as np
import pandas as pd

from lender.truth import Floats

CHANNELS = ("card", "app", "branch")
SHARES = (0.70, 0.20, 0.10)
MEDIAN_USD = {"card": 120.0, "app": 120.0, "branch": 300.0}
AMOUNT_SPREAD = 0.6  # SD of the log amount
DAY_SPREAD = 0.1  # SD of a day's log number of payments
PEAK_HOUR, NIGHT = 14.0, 1 / 12  # of card and app; traffic at the quietest hour against the peak
OPEN, CLOSE = 9.0, 18.0  # hours of the branches

# Seconds from a payment to its first arrival.
PROMPT = 2.0  # mean, exponential: a card, and a phone with a connection
OFFLINE, RECONNECT = 0.2, 40 * 60.0  # share of phones without one, and their mean until they have
BRANCH_MEDIAN, BRANCH_SPREAD = 45 * 60.0, 1.2  # log-normal: a branch sends when it gets to it

AGAIN = 0.02  # chance that a delivery is followed by another of the same event
AGAIN_MEDIAN, AGAIN_SPREAD = 30.0, 1.5  # seconds from one to the next, log-normal
TWINS = 0.01  # share of payments that the same loan repeats, for the same amount, within minutes


def payments(
    days: int, seed: int, *, per_day: float = 3000, start: str = "2026-06-01"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Deliveries in the order of their arrival, and the truth: the payments made, each once.

    days: days of payments, from the date `start`; per_day: mean payments a day, twins not counted.

    Both frames have the columns
    event_id      name of a payment, the same in each of its deliveries
    loan_id       whose instalment it pays; a loan pays once, apart from twins
    channel       card, app or branch
    event_time    when it was paid, on the payer's side
    cents         amount, a whole number
    and the deliveries also `arrival_time`, never before `event_time`. The truth is in the order of
    `event_time`. Times are whole milliseconds. The last deliveries come after the last day.
    """
    rng = np.random.default_rng(seed)
    made = _with_twins(_made(days, per_day, start, rng), rng)
    first = made.assign(arrival_time=made["event_time"] + _seconds(_delay(made["channel"], rng)))
    parts, latest = [first], first
    while len(latest):
        latest = latest[rng.random(len(latest)) < AGAIN]
        wait = rng.lognormal(np.log(AGAIN_MEDIAN), AGAIN_SPREAD, len(latest))
        latest = latest.assign(arrival_time=latest["arrival_time"] + _seconds(wait))
        parts.append(latest)
    arrived = pd.concat(parts).sort_values("arrival_time", kind="stable", ignore_index=True)
    return arrived, made


def hold(
    deliveries: pd.DataFrame, channel: str, begin: str | pd.Timestamp, end: str | pd.Timestamp
) -> pd.DataFrame:
    """The same deliveries with one channel's line down for a time.

    What would arrive from `begin` until before `end` arrives at `end`, in its old order.
    """
    arrival = deliveries["arrival_time"]
    down = (deliveries["channel"] == channel) & (arrival >= pd.Timestamp(begin))
    down &= arrival < pd.Timestamp(end)
    held = deliveries.assign(arrival_time=arrival.mask(down, pd.Timestamp(end)))
    return held.sort_values("arrival_time", kind="stable", ignore_index=True)


def _made(days: int, per_day: float, start: str, rng: np.random.Generator) -> pd.DataFrame:
    """Payments without twins, in no order."""
    counts = rng.poisson(per_day * np.exp(rng.normal(0, DAY_SPREAD, days)))
    day, n = np.repeat(np.arange(days), counts), int(counts.sum())
    channel = rng.choice(CHANNELS, n, p=SHARES)
    hour = np.where(channel == "branch", rng.uniform(OPEN, CLOSE, n), _hours(n, rng))
    median = pd.Series(channel).map(MEDIAN_USD).to_numpy(float)
    usd = median * rng.lognormal(0, AMOUNT_SPREAD, n)
    return pd.DataFrame(
        {
            "loan_id": 100_000 + rng.permutation(n),
            "channel": channel,
            "event_time": pd.Timestamp(start) + _seconds(86_400 * day + 3600 * hour),
            "cents": np.round(100 * usd).astype(np.int64),
        }
    )


def _hours(n: int, rng: np.random.Generator) -> Floats:
    """n hours of the day (0 to 24) from a density with one hump, by inverting it on a grid."""
    grid = np.linspace(0, 24, 24 * 60 + 1)
    density = NIGHT + (1 - NIGHT) * (1 + np.cos(2 * np.pi * (grid - PEAK_HOUR) / 24)) / 2
    below = np.concatenate([[0], np.cumsum((density[1:] + density[:-1]) / 2)])
    hours: Floats = np.interp(rng.random(n), below / below[-1], grid)
    return hours


def _with_twins(made: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """The payments with some of them made again, one to ten minutes later, and named."""
    twins = made[rng.random(len(made)) < TWINS]
    later = twins["event_time"] + _seconds(rng.uniform(60, 600, len(twins)))
    every = pd.concat([made, twins.assign(event_time=later)])
    every = every.sort_values("event_time", kind="stable", ignore_index=True)
    # Names in an order of their own: nobody may take them for the order of anything.
    names = [f"p{number:07d}" for number in rng.permutation(len(every))]
    every.insert(0, "event_id", names)
    return every


def _delay(channel: pd.Series, rng: np.random.Generator) -> Floats:
    """Seconds from each payment to its first arrival."""
    n = len(channel)
    prompt = rng.exponential(PROMPT, n)
    offline = (channel == "app").to_numpy() & (rng.random(n) < OFFLINE)
    sent = rng.lognormal(np.log(BRANCH_MEDIAN), BRANCH_SPREAD, n)
    late = np.where(channel == "branch", sent, np.where(offline, rng.exponential(RECONNECT, n), 0))
    delay: Floats = prompt + late
    return delay


def _seconds(seconds: Floats) -> pd.TimedeltaIndex:
    """Whole milliseconds: one unit in files, messages and frames."""
    return pd.to_timedelta(np.round(1000 * np.asarray(seconds)).astype(np.int64), unit="ms")
