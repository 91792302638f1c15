"""Real requests to a real server, by the two kinds of load generator; both stop by themselves.

They return what `lender.load` returns in virtual time, and the HTTP status of each answer. Times
are in seconds from the start, by the clock of this machine: they differ from run to run.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pandas as pd

THREADS = 64  # that wait for answers at the same time; more requests than that queue in here
TIMEOUT = 10.0


def open_loop(url: str, bodies: Sequence[dict[str, Any]], rate: float) -> pd.DataFrame:
    """Post a body every 1 / rate seconds, whether or not earlier ones were answered.

    Returns a row per request with `sent`, the time at which it was due, `done`, `latency`, their
    difference, and `code`, 0 where no answer came. A late sender is counted as latency, so that
    this program's own delays cannot hide.
    """
    with httpx.Client(timeout=TIMEOUT) as client, ThreadPoolExecutor(THREADS) as pool:
        begin = time.perf_counter()

        def post(body: dict[str, Any], due: float) -> dict[str, float]:
            code = _post(client, url, body)
            return _row(due, time.perf_counter() - begin, code)

        waiting = []
        for i, body in enumerate(bodies):
            time.sleep(max(0.0, begin + i / rate - time.perf_counter()))
            waiting.append(pool.submit(post, body, i / rate))
        return pd.DataFrame([future.result() for future in waiting])


def closed_loop(url: str, bodies: Sequence[dict[str, Any]], rate: float) -> pd.DataFrame:
    """One client that waits for each answer, then until 1 / rate seconds after its last request.

    Returns what `open_loop` returns, `sent` being the time at which the request really left.
    """
    rows = []
    with httpx.Client(timeout=TIMEOUT) as client:
        begin = time.perf_counter()
        for body in bodies:
            sent = time.perf_counter() - begin
            code = _post(client, url, body)
            done = time.perf_counter() - begin
            rows.append(_row(sent, done, code))
            time.sleep(max(0.0, sent + 1 / rate - done))
    return pd.DataFrame(rows)


def _post(client: httpx.Client, url: str, body: dict[str, Any]) -> int:
    try:
        return client.post(f"{url}/score", json=body).status_code
    except httpx.TransportError:
        return 0


def _row(sent: float, done: float, code: int) -> dict[str, float]:
    return {"sent": sent, "done": done, "latency": done - sent, "code": code}
