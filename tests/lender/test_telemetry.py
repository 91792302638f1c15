"""The service's telemetry: quiet minutes as stated, each kind of event does what it says."""

from itertools import pairwise

import numpy as np
import pytest

from lender import telemetry
from lender.telemetry import DAY, WEEK, Event

LONG = 4 * WEEK


@pytest.fixture(scope="module")
def quiet():
    return telemetry.simulate(4, seed=1)


def share(frame, count, of):
    return frame[count].sum() / of.sum()


def test_quiet_weeks_keep_the_stated_rates(quiet):
    assert len(quiet) == LONG
    assert quiet["requests"].mean() == pytest.approx(telemetry.PER_MINUTE, rel=0.05)
    served = quiet["requests"] - quiet["errors"]
    assert share(quiet, "errors", quiet["requests"]) == pytest.approx(
        telemetry.BASE_ERRORS, rel=0.15
    )
    assert share(quiet, "approved", served) == pytest.approx(telemetry.BASE_APPROVED, abs=0.01)
    assert quiet["score"].mean() == pytest.approx(telemetry.MEAN_SCORE, abs=0.01)
    assert (quiet[["slow", "approved"]].max(axis=1) <= served).all()
    assert (quiet["time"].dt.dayofweek == np.arange(LONG) // DAY % 7).all()


def test_the_profile_has_a_week_of_its_mean_and_a_top_at_two_in_the_afternoon():
    week = telemetry.profile(WEEK)
    assert week.mean() == pytest.approx(telemetry.PER_MINUTE)
    assert week.argmax() % DAY == 14 * 60
    assert week[:DAY].max() / week[:DAY].min() == pytest.approx(np.exp(2.5))
    assert telemetry.profile(2 * WEEK)[WEEK:] == pytest.approx(week)


def test_noise_between_days_and_within_them_has_the_stated_size():
    levels = telemetry._wandering(400 * DAY, np.random.default_rng(0)).reshape(400, DAY)
    wandering = telemetry.MINUTE_NOISE**2 * 2 * telemetry.MEMORY / DAY  # of a day's mean
    between = np.sqrt(telemetry.DAY_NOISE**2 + wandering)
    assert levels.mean(axis=1).std() == pytest.approx(between, rel=0.1)
    within = levels - levels.mean(axis=1, keepdims=True)
    assert within.std() == pytest.approx(telemetry.MINUTE_NOISE, rel=0.1)


def test_equal_seeds_give_equal_telemetry_and_others_do_not(quiet):
    assert telemetry.simulate(4, seed=1).equals(quiet)
    assert not telemetry.simulate(4, seed=2)["requests"].equals(quiet["requests"])


EFFECTS = {
    "outage": ("errors", 0.5),
    "errors": ("errors", 0.02),
    "blip": ("errors", 0.4),
    "slow": ("slow", 0.2),
}


@pytest.mark.parametrize("kind", EFFECTS)
def test_failing_and_slow_requests_have_the_share_of_their_event(kind, quiet):
    column, size = EFFECTS[kind]
    event = Event(kind, 3 * DAY, 4 * DAY, size)
    frame = telemetry.simulate(4, seed=1, events=[event])
    during = frame[event.start : event.end]
    of = during["requests"] - (during["errors"] if column == "slow" else 0)
    assert share(during, column, of) == pytest.approx(size, rel=0.1)
    for outside in (slice(0, event.start), slice(event.end, None)):
        assert frame[outside].equals(quiet[outside])


@pytest.mark.parametrize(("kind", "size", "factor"), [("partner", 0.3, 0.7), ("campaign", 2, 2)])
def test_traffic_changes_by_the_factor_of_its_event(kind, size, factor, quiet):
    event = Event(kind, 0, DAY, size)
    frame = telemetry.simulate(4, seed=1, events=[event])
    change = frame["requests"][:DAY].sum() / quiet["requests"][:DAY].sum()
    assert change == pytest.approx(factor, rel=0.03)


def test_a_cutoff_moves_the_log_odds_of_approval_and_nothing_else(quiet):
    frame = telemetry.simulate(4, seed=1, events=[Event("cutoff", 0, WEEK, 0.6)])
    served = (frame["requests"] - frame["errors"])[:WEEK]
    odds = 0.6 / 0.4 * np.exp(-0.6)
    assert share(frame[:WEEK], "approved", served) == pytest.approx(odds / (1 + odds), abs=0.02)
    assert frame["requests"].mean() == pytest.approx(quiet["requests"].mean(), rel=0.01)
    assert frame["score"].mean() == pytest.approx(quiet["score"].mean(), rel=0.01)


def test_a_stream_has_as_many_events_as_asked_and_they_keep_their_distance():
    frame, events = telemetry.stream(10, seed=3, incidents=1.5, harmless=2)
    assert len(frame) == 10 * WEEK
    assert sum(event.incident for event in events) == 15
    assert {event.kind for event in events if not event.incident} == {"blip", "campaign"}
    assert all(a.end + 360 <= b.start for a, b in pairwise(events))
    for event in events:
        low, high = telemetry.DURATION[event.kind]
        assert low <= event.end - event.start < high
        assert telemetry.SIZE[event.kind][0] <= event.size <= telemetry.SIZE[event.kind][1]


def test_a_holiday_is_a_whole_weekday():
    events = telemetry.plan(8, ["holiday"] * 4, seed=0)
    assert all(e.start % DAY == 0 and e.start // DAY % 7 < 5 for e in events)
    assert all(e.end - e.start == DAY and not e.incident for e in events)


@pytest.mark.parametrize(
    "events",
    [
        [Event("outage", -1, 5, 0.5)],
        [Event("outage", 5, 5, 0.5)],
        [Event("outage", 0, WEEK + 1, 0.5)],
        [Event("outage", 0, 10, 0.5), Event("blip", 9, 11, 0.5)],
        [Event("earthquake", 0, 10, 0.5)],
    ],
)
def test_impossible_events_are_refused(events):
    with pytest.raises(ValueError, match="unknown kind, out of range or overlaps"):
        telemetry.simulate(1, seed=0, events=events)


def test_impossible_plans_are_refused():
    with pytest.raises(ValueError, match="at least 1"):
        telemetry.simulate(0, seed=0)
    with pytest.raises(ValueError, match="do not fit"):
        telemetry.plan(1, ["cutoff"] * 30, seed=0)
