"""A week of the scoring service in which one partner's feed silently changes a unit."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from lender.drift import UNIT_FACTOR, UNIT_PARTNER
from lender.simulate import FEATURES, NUMERIC, PARTNER_SHARE, applications
from lender.truth import Floats

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

Bools = npt.NDArray[np.bool_]

START = pd.Timestamp("2026-09-07", tz="UTC")  # a Monday
DAYS = 7
OLD_CLIENT, NEW_CLIENT = "2.3", "2.4"  # versions of the library by which partners send
OLD_SERVICE, NEW_SERVICE = "3.0.9", "3.1.0"

# What else happens, as hours since START: it comes close in time and causes nothing.
DEPLOY = {"a": 81.5, "b": 105.5}  # Thursday 09:30 on host a, a day later on host b
SLOW_BUREAU = (109.0, 112.0)  # Friday 13:00 to 16:00
CAMPAIGN = (130.0, 138.0)  # Saturday 10:00 to 18:00
CAMPAIGN_REQUESTS = 0.25  # of a day's requests, on top

ERROR_RATE = 0.003
LOOKED_UP = ("bureau_score", "open_accounts")
TIMEOUT = 1.0  # seconds after which the service decides without what it looked up
SLOW = 0.5  # seconds above which a request counts as slow

# Share of a day's requests in each hour, from 0:00 on.
HOURS = np.array([1, 1, 1, 1, 1, 1, 2, 4, 7, 9, 10, 10, 9, 9, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1])

SPANS = ("score", "lookup", "model", "respond")  # the first is the root


@dataclass(frozen=True, eq=False)
class Truth:
    """What went wrong.

    partner, client: the slice whose requests carry the wrong unit, a conjunction.
    field, factor: the field that arrives multiplied by factor.
    onset: from when on the partner sends with this client. affected: request ids of all requests
    that carry a wrong value, in order of time; empty where factor is 1. first: the first of them.
    """

    partner: str
    client: str
    field: str
    factor: float
    onset: pd.Timestamp
    first: str | None
    affected: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Week:
    """What the team has on file after the week.

    logs: a row per request, in order of time: time, request_id, trace_id, application_id, host,
    service (its version), partner, client, bureau ("ok" or "timeout"), code, score, approved (0
    or 1), ms. An error has code 500 and neither score nor approval.
    requests: request_id, application_id and `FEATURES` as the model saw them, kept apart from
    the logs because they are personal data.
    spans: four rows per request, named as in `lender.service`: trace_id, span_id, parent_id (""
    at the root), name, start, seconds, error.
    minutes: metrics by minute: requests, errors, slow (over 0.5 s), approved.
    events: the change log and the status pages: time, event.
    """

    logs: pd.DataFrame
    requests: pd.DataFrame
    spans: pd.DataFrame
    minutes: pd.DataFrame
    events: pd.DataFrame


def _ids(n: int, digits: int, rng: np.random.Generator) -> list[str]:
    """n random identifiers of so many hexadecimal digits."""
    raw = rng.bytes(n * digits // 2).hex()
    return [raw[i : i + digits] for i in range(0, n * digits, digits)]


def _arrivals(per_day: int, spiker: str, rng: np.random.Generator) -> pd.DataFrame:
    """The week's applications and, from one partner, a campaign's; with `hour` since START."""
    seeds = [int(s) for s in rng.integers(2**31, size=2)]
    usual = applications(DAYS * per_day, seeds[0], days=DAYS, start=str(START.date()))
    hour = rng.choice(24, len(usual), p=HOURS / HOURS.sum()) + rng.random(len(usual))
    usual["hour"] = 24 * usual["day"] + hour
    count = round(CAMPAIGN_REQUESTS * per_day)
    extra = applications(8 * count, seeds[1], days=1, day_effect=0)
    extra = extra[extra["partner"] == spiker].head(count)
    extra = extra.assign(hour=rng.uniform(*CAMPAIGN, len(extra)))
    both = pd.concat([usual, extra]).sort_values("hour", ignore_index=True)
    both["application_id"] = both.index
    return both[["hour", "application_id", *FEATURES]]


def _clients(frame: pd.DataFrame, culprit: str, adopter: str, onset: float, u: Floats) -> Bools:
    """Which requests come by the new client: the adopter's all week, the culprit's from onset."""
    hour = frame["hour"].to_numpy()
    end = 24.0 * DAYS
    chance = np.select(
        [frame["partner"] == adopter, (frame["partner"] == culprit) & (hour >= onset)],
        [0.5 + 0.4 * hour / end, 0.3 + 0.6 * (hour - onset) / (end - onset)],
        0.0,
    )
    return np.asarray(u < chance)


def _durations(lookup_slow: Bools, error: Bools, rng: np.random.Generator) -> Floats:
    """Seconds of lookup, model and response, shape (n, 3); a lookup ends at TIMEOUT at last."""
    median = np.array([0.025, 0.006, 0.002])
    seconds = median * np.exp(rng.normal(0, [0.5, 0.2, 0.3], (len(error), 3)))
    seconds[lookup_slow, 0] *= 30
    seconds[:, 0] = np.minimum(seconds[:, 0], TIMEOUT)
    seconds[error, 1] = 0.001
    return seconds


def _logs(
    frame: pd.DataFrame,
    new_client: Bools,
    seconds: Floats,
    score: Floats,
    threshold: float,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """The log; half of the requests go to each host."""
    n = len(frame)
    hour = frame["hour"].to_numpy()
    host = np.array(list(DEPLOY))[rng.integers(2, size=n)]
    deployed = hour >= np.array([DEPLOY[name] for name in host])
    return pd.DataFrame(
        {
            "time": (START + pd.to_timedelta(hour, unit="h")).round("us"),
            "request_id": _ids(n, 16, rng),
            "trace_id": _ids(n, 32, rng),
            "application_id": frame["application_id"],
            "host": host,
            "service": np.where(deployed, NEW_SERVICE, OLD_SERVICE),
            "partner": frame["partner"],
            "client": np.where(new_client, NEW_CLIENT, OLD_CLIENT),
            "bureau": np.where(seconds[:, 0] >= TIMEOUT, "timeout", "ok"),
            "code": np.where(np.isnan(score), 500, 200),
            "score": score.round(4),
            "approved": np.where(np.isnan(score), np.nan, score < threshold),
            "ms": (1000 * seconds.sum(axis=1)).round(2),
        }
    )


def _spans(logs: pd.DataFrame, seconds: Floats, rng: np.random.Generator) -> pd.DataFrame:
    """A root and three children a request, one after the other, in order of request."""
    n = len(logs)
    ids = np.array(_ids(4 * n, 16, rng)).reshape(n, 4)
    parent = np.repeat(ids[:, :1], 4, axis=1)
    parent[:, 0] = ""
    error = np.zeros((n, 4), dtype=bool)
    error[:, [0, 2]] = (logs["code"] == 500).to_numpy()[:, None]
    offset = np.column_stack([np.zeros((n, 2)), np.cumsum(seconds[:, :2], axis=1)])
    start = logs["time"].repeat(4).reset_index(drop=True)
    return pd.DataFrame(
        {
            "trace_id": logs["trace_id"].to_numpy().repeat(4),
            "span_id": ids.ravel(),
            "parent_id": parent.ravel(),
            "name": np.tile(SPANS, n),
            "start": start + pd.to_timedelta(offset.ravel(), unit="s").round("us"),
            "seconds": np.column_stack([seconds.sum(axis=1), seconds]).ravel(),
            "error": error.ravel(),
        }
    )


def _minutes(logs: pd.DataFrame) -> pd.DataFrame:
    """Counts per minute, quiet minutes included, shape (DAYS * 1440, 4)."""
    counts = pd.DataFrame(
        {
            "requests": 1,
            "errors": logs["code"] == 500,
            "slow": logs["ms"] > 1000 * SLOW,
            "approved": logs["approved"].fillna(0),
        }
    )
    every = pd.date_range(START, periods=DAYS * 1440, freq="min", name="minute")
    by_minute = counts.groupby(logs["time"].dt.floor("min")).sum()
    return by_minute.reindex(every, fill_value=0).astype(int)


def _events(adopter: str, spiker: str) -> pd.DataFrame:
    """What the team was told, in order of time; of the culprit it was told nothing."""
    told = [
        (10.0, f"{adopter} has moved half of its branches to client {NEW_CLIENT}"),
        (DEPLOY["a"], f"deploy of service {NEW_SERVICE} on host a"),
        (DEPLOY["b"], f"deploy of service {NEW_SERVICE} on host b"),
        (SLOW_BUREAU[0], "the bureau reports slow answers"),
        (SLOW_BUREAU[1], "the bureau reports recovery"),
        (CAMPAIGN[0], f"{spiker} starts a campaign"),
    ]
    frame = pd.DataFrame(told, columns=["time", "event"])
    return frame.assign(time=START + pd.to_timedelta(frame["time"], unit="h"))


def week(
    model: "Pipeline",
    threshold: float,
    seed: int,
    *,
    per_day: int = 2000,
    partner: str = UNIT_PARTNER,
    field: str = "income",
    factor: float = UNIT_FACTOR,
) -> tuple[Week, Truth]:
    """A week of requests, Monday to Sunday, in which a partner's feed changes a unit on Thursday.

    model: fitted on `FEATURES`. threshold: approve where the score is lower. per_day: mean number
    of requests a day. From onset on, between one and three hours after the deploy, the
    partner's branches move to the new client, a growing share of its requests; all that come
    by it carry `field` times `factor`. Another partner uses the same client without fault, a
    third runs a campaign; host a is deployed, and the bureau is slow on Friday. None of these
    changes what is sent. With a factor of 1 the partner moves to the client without fault.

    Returns what is on file and, apart, the truth. Raises ValueError for an unknown partner, a
    field that is no number, a factor that is not positive, and per_day below 100.
    """
    if partner not in PARTNER_SHARE or field not in NUMERIC:
        raise ValueError(f"unknown partner {partner!r} or field {field!r}")
    if factor <= 0 or per_day < 100:
        raise ValueError("factor must be positive, and per_day at least 100")
    rng = np.random.default_rng(seed)
    adopter, spiker = (p for p in PARTNER_SHARE if p != partner)
    onset = DEPLOY["a"] + rng.uniform(1, 3)
    frame = _arrivals(per_day, spiker, rng)
    new_client = _clients(frame, partner, adopter, onset, rng.random(len(frame)))
    wrong = new_client & (frame["partner"] == partner).to_numpy()
    frame[field] *= np.where(wrong, factor, 1)
    error = rng.random(len(frame)) < ERROR_RATE
    seconds = _durations(frame["hour"].between(*SLOW_BUREAU).to_numpy(), error, rng)
    for name in LOOKED_UP:
        frame[name] = frame[name].mask(seconds[:, 0] >= TIMEOUT)
    score = np.where(error, np.nan, model.predict_proba(frame[list(FEATURES)])[:, 1])
    logs = _logs(frame, new_client, seconds, score, threshold, rng)
    requests = frame.drop(columns="hour")
    requests.insert(0, "request_id", logs["request_id"])
    on_file = Week(
        logs, requests, _spans(logs, seconds, rng), _minutes(logs), _events(adopter, spiker)
    )
    affected = tuple(logs["request_id"][wrong & frame[field].notna() & (factor != 1)])
    at = (START + pd.Timedelta(hours=onset)).floor("s")
    first = affected[0] if affected else None
    return on_file, Truth(partner, NEW_CLIENT, field, float(factor), at, first, affected)


def unknown_week(
    model: "Pipeline", threshold: float, seed: int, *, per_day: int = 1000
) -> tuple[Week, Truth]:
    """A `week` in which a partner, drawn with the seed, sends `debt_ratio` in percent."""
    partner = str(np.random.default_rng([seed, 7]).choice(list(PARTNER_SHARE)))
    return week(
        model, threshold, seed, per_day=per_day, partner=partner, field="debt_ratio", factor=100
    )
