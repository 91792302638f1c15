"""A server under load in virtual time: exact, repeatable, and a thousand times faster.

One server works through its requests in the order in which they were sent (FIFO). In a stall it
does nothing, as under garbage collection or a CPU quota; work once begun goes on afterwards. Times
are in seconds.
"""

import heapq
from collections.abc import Sequence

import numpy as np
import pandas as pd

from lender.truth import Floats

Stall = tuple[float, float]  # start and length


def service_times(n: int, seed: int, *, median: float = 0.005, spread: float = 0.3) -> Floats:
    """Log-normal times that n requests keep the server busy; spread is the SD of their log."""
    return median * np.exp(spread * np.random.default_rng(seed).standard_normal(n))


def arrivals(n: int, rate: float, seed: int) -> Floats:
    """Times of n requests of a Poisson process: rate a second, independent of each other."""
    return np.cumsum(np.random.default_rng(seed).exponential(1 / rate, n))


def open_loop(due: Floats, work: Floats, stalls: Sequence[Stall] = ()) -> pd.DataFrame:
    """Requests sent at the times `due`, whether or not earlier ones were answered.

    due: ascending times; work: as many service times, from `service_times`. stalls: in order,
    not overlapping. Returns a row per request with `sent`, `done` and `latency`, their difference.

    Lindley's recursion (Proc. Cambridge Phil. Soc. 48, 1952), solved for all requests at once,
    on a clock that stands still in a stall.
    """
    total = np.cumsum(work)
    begun = np.maximum.accumulate(_working(due, stalls) - (total - work))
    return _frame(due, _wall(total + begun, stalls))


def closed_loop(
    interval: float, work: Floats, stalls: Sequence[Stall] = (), clients: int = 1
) -> pd.DataFrame:
    """Clients that wait for an answer before they send again, `interval` after their last request.

    An answer that takes longer than the interval delays the next request: what should have been
    sent meanwhile never is. interval 0 sends as fast as answers come. The n requests whose service
    times are `work` are shared by all clients, who start evenly spread over an interval. Returns
    what `open_loop` returns, in the order of sending.
    """
    ready = [interval * client / clients for client in range(clients)]
    sent, done = np.empty_like(work), np.empty_like(work)
    free = 0.0
    for i, busy in enumerate(work):
        sent[i] = heapq.heappop(ready)
        free = max(float(_working(sent[i], stalls)), free) + busy
        done[i] = _wall(free, stalls)
        heapq.heappush(ready, max(done[i], sent[i] + interval))
    return _frame(sent, done)


def _frame(sent: Floats, done: Floats) -> pd.DataFrame:
    return pd.DataFrame({"sent": sent, "done": done, "latency": done - sent})


def _working(time: Floats | float, stalls: Sequence[Stall]) -> Floats:
    """Time on a clock that stands still in stalls."""
    lost = sum(np.clip(time - start, 0, length) for start, length in stalls)
    return np.asarray(time - lost)


def _wall(working: Floats | float, stalls: Sequence[Stall]) -> Floats:
    """The inverse of `_working`: the first time at which that clock shows `working`."""
    starts = [float(_working(start, stalls)) for start, _ in stalls]
    lost = sum(np.where(working > begin, stalls[i][1], 0) for i, begin in enumerate(starts))
    return np.asarray(working + lost)
