"""A loader that is killed between its two commits: what it loses, doubles and keeps."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from lender.consume import BATCH, run

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
