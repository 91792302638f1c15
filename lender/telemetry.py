"""The scoring service's telemetry, minute by minute, with events whose truth is known."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Literal, get_args

import numpy as np
import pandas as pd
from scipy.signal import lfilter

from lender.simulate import WEEKDAY_WEIGHT
from lender.truth import Floats, log_odds_of, sigmoid

Kind = Literal["outage", "errors", "slow", "partner", "cutoff", "blip", "campaign", "holiday"]
INCIDENTS: tuple[Kind, ...] = ("outage", "errors", "slow", "partner", "cutoff")
PASSING: tuple[Kind, ...] = ("blip", "campaign")  # harmless, and part of every week

DAY = 24 * 60
WEEK = 7 * DAY
START = "2025-09-01"  # a Monday
PER_MINUTE = 40.0  # mean requests: partners' pages ask for quotes; few become applications
BASE_ERRORS = 0.0002  # share of requests that fail on a quiet day
BASE_SLOW = 0.003  # share of served requests above 250 ms at mean load
BASE_APPROVED = 0.6
MEAN_SCORE, SCORE_SD = 0.10, 0.06  # of one request
DAY_NOISE = 0.05  # SD between days, of log traffic and of the log-odds of approval
MINUTE_NOISE = 0.05  # SD of their wandering within a day, with a memory of
MEMORY = 30.0  # minutes
QUIET_HOLIDAY = 0.6  # traffic of a holiday, as a share of the weekday's

# What a planned event draws: minutes and size, each uniform between two bounds.
DURATION: dict[Kind, tuple[int, int]] = {
    "outage": (15, 60),
    "errors": (240, 720),
    "slow": (60, 360),
    "partner": (240, 720),
    "cutoff": (720, 2160),
    "blip": (1, 3),
    "campaign": (60, 150),
    "holiday": (DAY, DAY + 1),
}
SIZE: dict[Kind, tuple[float, float]] = {
    "outage": (0.3, 1.0),
    "errors": (0.008, 0.03),
    "slow": (0.05, 0.3),
    "partner": (0.3, 0.3),
    "cutoff": (0.3, 0.5),
    "blip": (0.1, 0.35),
    "campaign": (1.6, 2.2),
    "holiday": (QUIET_HOLIDAY, QUIET_HOLIDAY),
}


@dataclass(frozen=True)
class Event:
    """What happened to the service from minute `start` until before minute `end`.

    size, by kind: outage, errors: share of requests that fail; slow: share of served requests that
    become slow; partner: share of the traffic that stays away; cutoff: fall of the log-odds of
    approval; blip: share that fails; campaign, holiday: factor on traffic.
    """

    kind: Kind
    start: int
    end: int
    size: float

    @property
    def incident(self) -> bool:
        """Whether it harms; a blip, a campaign and a holiday do not."""
        return self.kind in INCIDENTS


@dataclass(frozen=True)
class _Rates:
    """Parameters of each minute, shape (minutes,) each."""

    requests: Floats
    failing: Floats
    slow: Floats
    approved: Floats
    score: Floats


def profile(minutes: int) -> Floats:
    """Expected requests of each minute from Monday midnight on; a week has PER_MINUTE on average.

    One hump a day with its top at 14:00, a twelfth of it at 02:00, and quieter weekends.
    """
    minute = np.arange(minutes)
    hump = np.exp(1.25 * np.cos(2 * np.pi * (minute / DAY - 14 / 24)))
    weekday = np.array(WEEKDAY_WEIGHT)[minute // DAY % 7]
    scale = float(np.i0(1.25)) * float(np.mean(WEEKDAY_WEIGHT))  # the mean of the hump is I0(1.25)
    return np.asarray(PER_MINUTE * hump * weekday / scale)


def _wandering(minutes: int, rng: np.random.Generator) -> Floats:
    """Noise with a memory: a level per day and an AR(1) process per minute, shape (minutes,)."""
    keep = np.exp(-1 / MEMORY)
    steps = rng.normal(0, MINUTE_NOISE * np.sqrt(1 - keep**2), minutes)
    levels = rng.normal(0, DAY_NOISE, -(-minutes // DAY))
    return np.asarray(lfilter([1.0], [1.0, -keep], steps) + np.repeat(levels, DAY)[:minutes])


def _quiet(minutes: int, rng: np.random.Generator) -> _Rates:
    expected = profile(minutes)
    load = expected / PER_MINUTE
    risk = _wandering(minutes, rng)  # riskier applicants: fewer approved, higher scores
    return _Rates(
        requests=expected * np.exp(_wandering(minutes, rng)),
        failing=np.full(minutes, BASE_ERRORS),
        slow=BASE_SLOW * load,
        approved=sigmoid(log_odds_of(np.full(minutes, BASE_APPROVED)) - risk),
        score=sigmoid(log_odds_of(np.full(minutes, MEAN_SCORE)) + risk),
    )


def _during(event: Event, rates: _Rates) -> _Rates:
    """The rates of the minutes of an event."""
    now = slice(event.start, event.end)
    requests, failing, slow = rates.requests[now], rates.failing[now], rates.slow[now]
    approved, score = rates.approved[now], rates.score[now]
    if event.kind in ("outage", "errors", "blip"):
        failing = np.full_like(failing, event.size)
    elif event.kind == "slow":
        slow = slow + event.size * (1 - slow)
    elif event.kind == "partner":
        requests = requests * (1 - event.size)
    elif event.kind == "cutoff":
        approved = sigmoid(log_odds_of(approved) - event.size)
    else:
        requests = requests * event.size
    return _Rates(requests, failing, slow, approved, score)


def _counts(rates: _Rates, rng: np.random.Generator) -> dict[str, Floats]:
    requests = rng.poisson(rates.requests)
    errors = rng.binomial(requests, rates.failing)
    served = requests - errors
    noise = rng.normal(0, SCORE_SD, len(served)) / np.sqrt(np.maximum(served, 1))
    return {
        "requests": requests,
        "errors": errors,
        "slow": rng.binomial(served, rates.slow),
        "approved": rng.binomial(served, rates.approved),
        "score": np.where(served > 0, rates.score + noise, np.nan),
    }


def simulate(weeks: int, *, seed: int, events: Sequence[Event] = ()) -> pd.DataFrame:
    """Telemetry of the service, one row a minute from Monday, September 1, 2025 on.

    time: start of the minute. requests: all. errors: failed ones. slow, approved: of those served,
    the ones above 250 ms, and the ones approved. score: mean predicted risk of those served, NaN
    where none was.

    A minute outside all events is what it is without any, for the same seed. Events must not
    overlap. Raises ValueError for weeks below 1, and for an event of an unknown kind, outside the
    time simulated, or overlapping another.
    """
    if weeks < 1:
        raise ValueError(f"weeks must be at least 1, got {weeks}")
    minutes, ended = weeks * WEEK, 0
    for event in sorted(events, key=lambda event: event.start):
        if event.kind not in get_args(Kind) or not ended <= event.start < event.end <= minutes:
            raise ValueError(f"{event} is of an unknown kind, out of range or overlaps another")
        ended = event.end
    rng_rates, rng_counts, rng_events = np.random.default_rng(seed).spawn(3)
    rates = _quiet(minutes, rng_rates)
    columns = _counts(rates, rng_counts)
    for event in events:
        for name, values in _counts(_during(event, rates), rng_events).items():
            columns[name][event.start : event.end] = values
    time = pd.date_range(START, periods=minutes, freq="min")
    return pd.DataFrame({"time": time, **columns})


def plan(weeks: int, kinds: Sequence[Kind], *, seed: int, gap: int = 360) -> list[Event]:
    """One event for each kind given, at random times, in order, `gap` minutes apart or more.

    Duration and size are uniform within DURATION and SIZE; a holiday begins at midnight on a day
    from Monday to Friday. Raises ValueError if the events do not fit into the weeks.
    """
    rng, found = np.random.default_rng(seed), list[Event]()
    for kind in kinds:
        for _ in range(1000):
            event = _draw(kind, weeks * WEEK, rng)
            if all(event.end + gap <= e.start or e.end + gap <= event.start for e in found):
                found.append(event)
                break
        else:
            raise ValueError(f"{len(kinds)} events {gap} minutes apart do not fit {weeks} weeks")
    return sorted(found, key=lambda event: event.start)


def _draw(kind: Kind, minutes: int, rng: np.random.Generator) -> Event:
    length = int(rng.integers(*DURATION[kind]))
    start = int(rng.integers(0, minutes - length + 1))
    if kind == "holiday":
        start = start // WEEK * WEEK + int(rng.integers(5)) * DAY
    return Event(kind, start, start + length, float(rng.uniform(*SIZE[kind])))


def stream(
    weeks: int, *, seed: int, incidents: float = 1.0, harmless: float = 2.0
) -> tuple[pd.DataFrame, list[Event]]:
    """Telemetry with so many incidents and harmless events (blips, campaigns) a week.

    Returns the columns of `simulate` and the truth: all events in order of time. Equal seeds give
    equal minutes outside events. Raises ValueError where the events do not fit into the weeks.
    """
    kinds = [*islice(cycle(INCIDENTS), round(weeks * incidents))]
    kinds += islice(cycle(PASSING), round(weeks * harmless))
    events = plan(weeks, kinds, seed=seed)
    return simulate(weeks, seed=seed, events=events), events
