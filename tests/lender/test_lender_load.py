"""Virtual time agrees with a loop, with queueing theory, and with a stall counted by hand."""

import numpy as np
import pytest

from lender.load import arrivals, closed_loop, open_loop, read_at, service_times

STALLS = [(1.0, 0.5), (2.0, 0.3), (2.4, 0.2)]


def loop(due, work, stalls):
    """The same server in steps of a tenth of a millisecond."""
    step, queue = 1e-4, list(zip(range(len(due)), due, work, strict=True))
    done, now = np.empty(len(due)), 0.0
    for i, sent, left in queue:
        now = max(now, sent)
        while left > step / 2:
            if not any(start <= now < start + length for start, length in stalls):
                left -= step
            now += step
        done[i] = now
    return done


def test_an_open_loop_agrees_with_small_steps_of_time():
    due, work = arrivals(150, 50, seed=1), service_times(150, seed=2)
    got = open_loop(due, work, STALLS)
    np.testing.assert_array_equal(got["sent"], due)
    np.testing.assert_allclose(got["done"], loop(due, work, STALLS), atol=0.02)
    np.testing.assert_allclose(got["latency"], got["done"] - got["sent"])


def test_mean_wait_is_that_of_pollaczek_and_khinchine():
    work, rate = service_times(400_000, seed=3), 120
    wait = open_loop(arrivals(400_000, rate, seed=4), work)["latency"] - work
    theory = rate * np.mean(work**2) / (2 * (1 - rate * work.mean()))
    assert wait.mean() == pytest.approx(theory, rel=0.05)


def test_a_stall_delays_what_is_sent_in_it_and_what_queues_behind():
    got = open_loop(np.arange(30) / 10, np.full(30, 0.001), [(1.0, 1.0)])
    slow = got[got["latency"] > 0.0011]
    assert slow["sent"].tolist() == pytest.approx(np.arange(10, 21) / 10)
    assert slow["latency"].iloc[0] == pytest.approx(1.001)
    assert slow["latency"].iloc[-1] == pytest.approx(0.011)


def test_work_in_progress_goes_on_after_the_stall():
    got = open_loop(np.array([0.9]), np.array([0.2]), [(1.0, 0.5)])
    assert got["done"].item() == pytest.approx(1.6)


def test_a_closed_loop_sends_nothing_while_it_waits():
    got = closed_loop(0.1, np.full(30, 0.001), [(1.0005, 1.0)])
    assert np.sum(got["latency"] > 0.0011) == 1
    assert not got["sent"].between(1.0006, 1.999).any()


def test_a_closed_loop_without_pause_is_as_fast_as_the_server():
    work = service_times(2_000, seed=5)
    got = closed_loop(0.0, work, clients=4)
    assert got["done"].max() == pytest.approx(work.sum())
    assert got["latency"][4:].mean() == pytest.approx(4 * work.mean(), rel=0.02)  # Little's law


def test_clients_share_the_requests_in_the_order_of_sending():
    got = closed_loop(1.0, np.full(9, 0.01), clients=3)
    assert got["sent"].tolist() == pytest.approx(np.arange(9) / 3)


def test_a_stalled_server_reads_when_the_stall_ends():
    sent = np.array([0.5, 1.0, 1.2, 1.5, 1.9, 2.1, 2.5, 3.0])
    assert read_at(sent, STALLS).tolist() == [0.5, 1.0, 1.5, 1.5, 1.9, 2.3, 2.6, 3.0]
    assert read_at(sent, []).tolist() == sent.tolist()


def test_without_stalls_both_clocks_agree():
    due, work = arrivals(500, 50, seed=1), service_times(500, seed=2)
    one_by_one = closed_loop(0.0, work)
    np.testing.assert_allclose(one_by_one["done"], np.cumsum(work))
    assert (open_loop(due, work)["latency"] >= work - 1e-12).all()
