"""What happens between an alert and a person: one incident per service, as a state machine."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import pandas as pd

State = Literal["resolved", "silenced", "firing", "escalated", "acknowledged"]


@dataclass(frozen=True)
class Policy:
    """Who is paged, in this order, and how long each stage lasts (minutes).

    wait: until an unanswered page goes to the next level; after the last, the first is next.
    hold: without any alert, until the incident is resolved, so that a flapping alert stays one.
    remind: until an acknowledged incident whose alert still fires pages the first level again.
    """

    levels: tuple[str, ...] = ("primary", "secondary", "manager")
    wait: int = 10
    hold: int = 15
    remind: int = 120


@dataclass(frozen=True)
class Incident:
    """state; level: index of who was paged last; since: minute of the last page or
    acknowledgment; seen: last minute in which any alert fired."""

    state: State = "resolved"
    level: int = 0
    since: int = 0
    seen: int = 0


def step(
    incident: Incident,
    minute: int,
    policy: Policy,
    *,
    firing: bool,
    silenced: bool = False,
    acknowledged: bool = False,
) -> tuple[Incident, str | None]:
    """The incident after this minute, and whom to page now, if anybody.

    firing: whether any alert of the incident's service fires (they are grouped). silenced: whether
    a silence covers it. acknowledged: whether somebody says in this minute that they are on it.
    An acknowledgment counts before an escalation of the same minute, and only where there is a
    page to answer.
    """
    if firing:
        incident = replace(incident, seen=minute)
    elif incident.state == "resolved" or minute - incident.seen >= policy.hold:
        return Incident(), None
    if silenced:
        return replace(incident, state="silenced"), None
    if incident.state in ("resolved", "silenced"):
        return _page(incident, minute, policy, 0) if firing else (incident, None)
    if acknowledged and incident.state != "acknowledged":
        return replace(incident, state="acknowledged", since=minute), None
    waited = minute - incident.since
    if incident.state == "acknowledged":
        due = firing and waited >= policy.remind
        return _page(incident, minute, policy, 0) if due else (incident, None)
    if firing and waited >= policy.wait:
        return _page(incident, minute, policy, (incident.level + 1) % len(policy.levels))
    return incident, None


def _page(incident: Incident, minute: int, policy: Policy, level: int) -> tuple[Incident, str]:
    state: State = "escalated" if level else "firing"
    return replace(incident, state=state, level=level, since=minute), policy.levels[level]


def follow(
    firing: Sequence[bool],
    policy: Policy,
    *,
    acknowledged: Collection[int] = (),
    silences: Sequence[tuple[int, int]] = (),
) -> pd.DataFrame:
    """A service's incident minute by minute, one row for each entry of firing.

    acknowledged: minutes in which somebody acknowledges. silences: pairs (first minute, first
    minute after). Returns columns state and page (the level's name, "" where nobody is paged).
    """
    incident, rows = Incident(), []
    for minute, on in enumerate(firing):
        incident, page = step(
            incident,
            minute,
            policy,
            firing=bool(on),
            silenced=any(start <= minute < end for start, end in silences),
            acknowledged=minute in acknowledged,
        )
        rows.append((incident.state, page or ""))
    return pd.DataFrame(rows, columns=["state", "page"])
