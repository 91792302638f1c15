"""Load a topic of payments into a SQLite table, in a process that can be killed on the way."""

import argparse
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from confluent_kafka import Consumer, Message, TopicPartition

BATCH = 100  # messages between two commits
WAIT_S = 30.0  # for the broker, which is on this machine
TABLES = {
    "append": "CREATE TABLE IF NOT EXISTS payments (event_id TEXT, cents INTEGER)",
    "upsert": "CREATE TABLE IF NOT EXISTS payments (event_id TEXT PRIMARY KEY, cents INTEGER)",
}
WRITES = {
    "append": "INSERT INTO payments VALUES (:event_id, :cents)",
    "upsert": "INSERT INTO payments VALUES (:event_id, :cents) "
    "ON CONFLICT (event_id) DO UPDATE SET cents = excluded.cents",
}
QUARANTINE = """CREATE TABLE IF NOT EXISTS quarantine (
    topic TEXT, "partition" INTEGER, "offset" INTEGER, value BLOB, reason TEXT,
    PRIMARY KEY (topic, "partition", "offset"))"""
PUT_ASIDE = "INSERT OR REPLACE INTO quarantine VALUES (?, ?, ?, ?, ?)"  # a replay adds none


def run(
    address: str,
    topic: str,
    group: str,
    sink: str | Path,
    *,
    write: str,
    commit: str,
    kill: int = 0,
    quarantine: bool = False,
) -> int:
    """Load in a process of its own; its exit status, -9 where it was killed.

    address: of a broker; topic: its messages are JSON objects with `event_id` and `cents`; group:
    whose committed offsets say where to begin; sink: SQLite file. write: "append", or "upsert",
    which replaces the row of an event that is there. commit: the offset "before" or "after" the
    sink's transaction. kill: the process kills itself between the two in the batch of this number
    (from 1; 0: never). quarantine: a message that is no payment goes to the table `quarantine` of
    the sink; without it the process ends there, with status 1. What it has to say of an error is
    appended to the sink's name + ".log".
    """
    options = ["--write", write, "--commit", commit, "--kill", str(kill)]
    options += ["--quarantine"] if quarantine else []
    # By its path, not as lender.consume: the process needs nothing else of the package.
    command = [sys.executable, __file__, address, topic, group, str(sink), *options]
    with Path(f"{sink}.log").open("a") as log:
        return subprocess.run(command, check=False, timeout=4 * WAIT_S, stderr=log).returncode


def load(
    consumer: Consumer,
    topic: str,
    sink: sqlite3.Connection,
    write: str,
    commit: str,
    kill: int,
    quarantine: bool,
) -> None:
    """What the group has not committed goes to the sink, in batches."""
    for number, messages in enumerate(batches(consumer, topic), 1):
        if commit == "before":
            consumer.commit(asynchronous=False)
            die(number == kill)
        with sink:
            for message in messages:
                put(message, sink, write, quarantine)
        if commit == "after":
            die(number == kill)
            consumer.commit(asynchronous=False)


def put(message: Message, sink: sqlite3.Connection, write: str, quarantine: bool) -> None:
    """Write a message's payment; where it has none, put the message aside or raise."""
    try:
        sink.execute(WRITES[write], payment(message.value()))
    except (ValueError, OverflowError, RecursionError) as reason:  # the message's fault
        if not quarantine:
            raise
        place = message.topic(), message.partition(), message.offset()
        sink.execute(PUT_ASIDE, (*place, message.value(), str(reason)))


def payment(value: bytes | None) -> dict[str, str | int]:
    """The JSON object in a message; ValueError where it has no event id or no whole cents."""
    row = json.loads(value or b"")
    if not (isinstance(row, dict) and isinstance(row.get("event_id"), str)):
        raise ValueError("no event_id")
    if type(row.get("cents")) is not int:  # SQLite would take "12.50", and True
        raise ValueError("no whole number of cents")
    return row


def batches(consumer: Consumer, topic: str) -> Iterator[list[Message]]:
    """What the topic holds now, partition by partition from the group's committed offset on."""
    for number in sorted(consumer.list_topics(topic, WAIT_S).topics[topic].partitions):
        partition = TopicPartition(topic, number)
        (committed,) = consumer.committed([partition], WAIT_S)
        first, end = consumer.get_watermark_offsets(partition, WAIT_S)
        start = max(committed.offset, first)  # negative where the group has none
        consumer.assign([TopicPartition(topic, number, start)])
        while start < end:
            messages = consumer.consume(min(BATCH, end - start), WAIT_S)
            if not messages or any(m.error() for m in messages):
                raise RuntimeError(f"the broker sent no messages from offset {start} on")
            start += len(messages)
            yield messages


def die(now: bool) -> None:
    """As the kernel ends a process that needs too much memory: nothing is written or closed."""
    if now:
        os.kill(os.getpid(), signal.SIGKILL)


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    for name in ("address", "topic", "group", "sink"):
        parser.add_argument(name)
    parser.add_argument("--write", choices=list(WRITES), required=True)
    parser.add_argument("--commit", choices=["before", "after"], required=True)
    parser.add_argument("--kill", type=int, default=0)
    parser.add_argument("--quarantine", action="store_true")
    given = parser.parse_args(words)
    settings = {
        "bootstrap.servers": given.address,
        "group.id": given.group,
        "enable.auto.commit": False,
        "fetch.wait.max.ms": 10,  # a fetch that waits for more would hold up the next partition
        "log_level": 3,
    }
    with closing(sqlite3.connect(given.sink)) as sink:
        sink.execute(TABLES[given.write])
        sink.execute(QUARANTINE)
        consumer = Consumer(settings)
        how = given.write, given.commit, given.kill, given.quarantine
        load(consumer, given.topic, sink, *how)
        consumer.close()


if __name__ == "__main__":
    main()
