"""A server under load in virtual time: exact, repeatable, and a thousand times faster.

One server works through its requests in the order in which they were sent (FIFO). In a stall it
does nothing, as under garbage collection or a CPU quota; work once begun goes on afterwards. Times
are in seconds.
"""

import heapq
from bisect import bisect_left
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
    clock = _Clock(stalls)
    begun = np.maximum.accumulate(clock.working(due) - (total - work))
    return _frame(due, clock.wall(total + begun))


def closed_loop(
    interval: float, work: Floats, stalls: Sequence[Stall] = (), clients: int = 1
) -> pd.DataFrame:
    """Clients that wait for an answer before they send again, `interval` after their last request.

    An answer that takes longer than the interval delays the next request: what should have been
    sent meanwhile never is. interval 0 sends as fast as answers come. The n requests whose service
    times are `work` are shared by all clients, who start evenly spread over an interval. Returns
    what `open_loop` returns, in the order of sending.
    """
    clock = _Clock(stalls)
    ready = [interval * client / clients for client in range(clients)]
    sent, done = np.empty_like(work), np.empty_like(work)
    free = 0.0
    for i, busy in enumerate(work.tolist()):
        begin = ready[0]
        free = max(clock.working_at(begin), free) + busy
        end = clock.wall_at(free)
        sent[i], done[i] = begin, end
        heapq.heapreplace(ready, max(end, begin + interval))
    return _frame(sent, done)


def read_at(sent: Floats, stalls: Sequence[Stall]) -> Floats:
    """When the server reads requests sent at these times: at once, or at the end of a stall.

    What a server measures itself begins here: done - read_at(sent).
    """
    ends = np.array([-np.inf, *(start + length for start, length in stalls)])
    latest = ends[np.searchsorted([start for start, _ in stalls], sent)]
    return np.asarray(np.maximum(sent, latest))


def _frame(sent: Floats, done: Floats) -> pd.DataFrame:
    return pd.DataFrame({"sent": sent, "done": done, "latency": done - sent})


class _Clock:
    """A clock that stands still in stalls: from the time on the wall to its own, and back.

    Each direction exists for arrays and, much faster one by one, for floats.
    """

    def __init__(self, stalls: Sequence[Stall]) -> None:
        starts, lengths = np.array(stalls, dtype=float).reshape(-1, 2).T
        self.starts = starts
        self.lost = np.concatenate([[0.0], np.cumsum(lengths)])  # by the first k stalls
        self.stopped = starts - self.lost[:-1]  # what it shows in each stall
        self._starts: list[float] = starts.tolist()
        self._lost: list[float] = self.lost.tolist()
        self._stopped: list[float] = self.stopped.tolist()

    def working(self, time: Floats) -> Floats:
        """Its time for a time on the wall."""
        k = np.searchsorted(self.starts, time)
        shown = np.concatenate([self.stopped[:1], self.stopped])[k] if len(self.starts) else time
        return np.where(k > 0, np.maximum(time - self.lost[k], shown), time)

    def wall(self, working: Floats) -> Floats:
        """The first time on the wall at which it shows `working`."""
        return np.asarray(working + self.lost[np.searchsorted(self.stopped, working)])

    def working_at(self, time: float) -> float:
        k = bisect_left(self._starts, time)
        return max(time - self._lost[k], self._stopped[k - 1]) if k else time

    def wall_at(self, working: float) -> float:
        return working + self._lost[bisect_left(self._stopped, working)]
