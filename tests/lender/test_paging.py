"""From alert to person: each path by hand, and what must hold on every short history."""

from itertools import product

import pytest

from lender.paging import Incident, Policy, follow, step

SHORT = Policy(levels=("first", "second"), wait=2, hold=2, remind=3)


def run(firing, **given):
    """States by their first letter, and the pages as {minute: name}."""
    frame = follow([letter == "x" for letter in firing], SHORT, **given)
    pages = {int(minute): name for minute, name in frame["page"].items() if name}
    return "".join(state[0] for state in frame["state"]), pages


def test_an_alert_pages_once_and_resolves_after_the_hold():
    states, pages = run(".xx....")
    assert (states, pages) == ("rfffrrr", {1: "first"})


def test_nobody_answers_and_the_page_goes_round():
    states, pages = run("xxxxxxx")
    assert states == "ffeeffe"
    assert pages == {0: "first", 2: "second", 4: "first", 6: "second"}


def test_an_acknowledgment_stops_the_escalation():
    assert run("xxxx", acknowledged=[1]) == ("faaa", {0: "first"})


def test_an_acknowledgment_in_the_minute_of_the_escalation_comes_first():
    assert run("xxxx", acknowledged=[2]) == ("ffaa", {0: "first"})


def test_an_acknowledgment_before_the_page_answers_nothing():
    assert run("..xxx", acknowledged=[1]) == ("rrffe", {2: "first", 4: "second"})


def test_an_acknowledged_incident_that_goes_on_reminds():
    assert run("xxxxxx", acknowledged=[1])[1] == {0: "first", 4: "first"}


def test_what_is_over_escalates_no_more():
    assert run("x.x...", acknowledged=[])[1] == {0: "first", 2: "second"}
    assert run("x.....")[1] == {0: "first"}


def test_a_flapping_alert_stays_one_incident_and_a_later_one_is_new():
    assert run("x.x.x.", acknowledged=[1]) == ("faaaff", {0: "first", 4: "first"})
    assert run("x..x", acknowledged=[1]) == ("farf", {0: "first", 3: "first"})


def test_a_silence_pages_nobody_and_its_end_does():
    assert run("xxxx", silences=[(0, 2)]) == ("ssff", {2: "first"})
    assert run("xx..", silences=[(0, 4)]) == ("sssr", {})


def test_a_silence_put_on_a_page_stops_it_until_it_ends():
    assert run("xxxxxx", silences=[(1, 4)]) == ("fsssff", {0: "first", 4: "first"})


def test_a_silence_of_something_quiet_changes_nothing():
    assert run("....", silences=[(0, 4)]) == ("rrrr", {})


LENGTH = 5
HISTORIES = list(product((False, True), repeat=LENGTH))


def history(firing, silenced, acknowledged):
    """States and pages by minute."""
    incident, states, pages = Incident(), [], []
    for minute, (on, mute, answer) in enumerate(zip(firing, silenced, acknowledged, strict=True)):
        incident, page = step(
            incident, minute, SHORT, firing=on, silenced=mute, acknowledged=answer
        )
        states.append(incident.state)
        pages.append(page)
    return states, pages


@pytest.mark.parametrize("firing", HISTORIES)
def test_on_every_short_history(firing):
    for silenced, acknowledged in product(HISTORIES, repeat=2):
        states, pages = history(firing, silenced, acknowledged)
        for minute in range(LENGTH):
            # Nobody is paged for what does not fire, is silenced or is being worked on.
            if not firing[minute] or silenced[minute] or states[minute] == "acknowledged":
                assert not pages[minute]
            # What has fired within the hold is open, and nothing else.
            recent = any(firing[max(0, minute - SHORT.hold + 1) : minute + 1])
            assert recent == (states[minute] != "resolved")
            # What fires unsilenced was paged since it opened, or since its silence ended.
            if firing[minute] and not silenced[minute]:
                shut = [m + 1 for m in range(minute) if states[m] in ("resolved", "silenced")]
                assert any(pages[max(shut, default=0) : minute + 1])
            # A page gives its reader time: the next one comes after a wait, not at once.
            if minute and pages[minute] and states[minute - 1] in ("firing", "escalated"):
                assert not pages[minute - 1]
