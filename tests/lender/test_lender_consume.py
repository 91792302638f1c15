"""A loader that is killed between its two commits: what it loses, doubles and keeps."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from lender.consume import BATCH, payment, run

N = 450


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    """Address of a broker with N payments of 1, 2, ... cents in the topic `payments`."""
    producer = Producer({"test.mock.num.brokers": 1, "log_level": 3})
    found = producer.list_topics(timeout=10).brokers.values()
    for number in range(N):
        value = json.dumps({"event_id": f"p{number}", "cents": number + 1})
        producer.produce("payments", key=str(number), value=value)
    assert producer.flush(10) == 0
    yield ",".join(f"{broker.host}:{broker.port}" for broker in found)


def rows(sink: Path) -> tuple[int, int]:
    """Rows in the sink, and distinct events."""
    connection = sqlite3.connect(sink)
    counts = connection.execute("SELECT count(*), count(DISTINCT event_id) FROM payments")
    found: tuple[int, int] = counts.fetchone()
    connection.close()
    return found


@pytest.mark.parametrize(
    ("write", "commit", "expected"),
    [
        ("append", "before", (N - BATCH, N - BATCH)),
        ("append", "after", (N + BATCH, N)),
        ("upsert", "after", (N, N)),
    ],
)
def test_what_a_kill_costs(
    broker: str, tmp_path: Path, write: str, commit: str, expected: tuple[int, int]
) -> None:
    sink, group = tmp_path / "sink.db", f"{write}-{commit}"
    assert run(broker, "payments", group, sink, write=write, commit=commit, kill=1) == -9
    assert run(broker, "payments", group, sink, write=write, commit=commit) == 0
    assert rows(sink) == expected
    assert run(broker, "payments", group, sink, write=write, commit=commit) == 0
    assert rows(sink) == expected, "nothing is left for the group"
    assert run(broker, "payments", f"{group}-anew", sink, write=write, commit=commit) == 0
    replayed = N if write == "upsert" else expected[0] + N
    assert rows(sink)[0] == replayed, "another group begins at the beginning"


BROKEN = [
    b'{"event_id": "p0", "ce',
    b"\xff",
    b"",
    b"[]",
    b'{"cents": 5}',
    b'{"event_id": "p0", "cents": "5.00"}',
    b'{"event_id": "p0", "cents": true}',
]
UNSTORABLE = [
    b'{"event_id": "p0", "cents": 1%s}' % (b"0" * 30),
    b'{"event_id": "\\ud800", "cents": 1}',
]


@pytest.mark.parametrize("value", [None, *BROKEN])
def test_what_is_no_payment(value: bytes | None) -> None:
    with pytest.raises(ValueError):
        payment(value)


def test_a_payment_is_read_whole() -> None:
    value = {"event_id": "p0", "cents": 5, "channel": "card"}
    assert payment(json.dumps(value).encode()) == value


@pytest.mark.parametrize("write", ["append", "upsert"])
def test_what_cannot_be_loaded_stops_every_start_or_goes_to_quarantine(
    tmp_path: Path, write: str
) -> None:
    producer = Producer({"test.mock.num.brokers": 1, "log_level": 3})
    found = producer.list_topics(timeout=10).brokers.values()
    address = ",".join(f"{broker.host}:{broker.port}" for broker in found)
    odd = [*BROKEN, *UNSTORABLE]
    good = [json.dumps({"event_id": f"p{n}", "cents": n}).encode() for n in range(BATCH)]
    for value in [*good[:50], *odd, *good[50:]]:
        producer.produce("mixed", value=value, partition=0)
    assert producer.flush(10) == 0
    sink, how = tmp_path / "sink.db", {"write": write, "commit": "after"}
    for _ in range(2):
        assert run(address, "mixed", "one", sink, **how) == 1
        assert rows(sink) == (0, 0), "the batch is rolled back"
    log = (tmp_path / "sink.db.log").read_text()
    assert log.count("JSONDecodeError") == 2
    for group in ("one", "another"):  # which reads all of it again
        assert run(address, "mixed", group, sink, **how, quarantine=True) == 0
    assert rows(sink) == (BATCH if write == "upsert" else 2 * BATCH, BATCH)
    aside = sqlite3.connect(sink).execute('SELECT "offset", value FROM quarantine ORDER BY 1')
    assert aside.fetchall() == list(enumerate(odd, 50))
