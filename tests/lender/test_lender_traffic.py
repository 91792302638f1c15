"""Both generators against a real server that stalls once: one waits, the other does not."""

import threading

import pytest
from fastapi import FastAPI

from lender import service, traffic

STALL = 0.6


@pytest.fixture
def url():
    app = FastAPI()

    @app.post("/score")
    async def score() -> None:
        pass

    with service.serve(app) as running:
        stall = threading.Timer(0.3, running.pause, [STALL])
        stall.start()
        yield running.url
        stall.join()


def test_an_open_loop_keeps_sending_while_the_server_stalls(url):
    got = traffic.open_loop(url, [{}] * 60, rate=50)
    assert got["sent"].tolist() == pytest.approx([i / 50 for i in range(60)])
    assert (got["code"] == 200).all()
    assert (got["latency"] > STALL / 4).sum() >= 15  # three quarters of 30


def test_a_closed_loop_waits_and_hardly_sees_it(url):
    got = traffic.closed_loop(url, [{}] * 30, rate=50)
    assert got["latency"].max() > STALL / 2
    assert (got["latency"] > STALL / 4).sum() < 15  # one, and what a busy machine adds
    assert got["sent"].diff().max() > STALL / 2


def test_no_answer_is_code_zero():
    for generator in (traffic.open_loop, traffic.closed_loop):
        got = generator("http://127.0.0.1:9", [{}] * 2, rate=100)
        assert got["code"].tolist() == [0, 0]
