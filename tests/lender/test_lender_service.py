"""The service over real HTTP: answers, errors, counts, logs, spans, and a stall."""

import json
import logging
import time

import httpx
import numpy as np
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import lender
from lender import service

BUREAU_DOWN, NOBODY = 3, 999  # application ids


class Model:
    """Risk 0.5 where the bureau knows no score, else 0; fails below a debt ratio of zero."""

    def predict_proba(self, frame):
        assert list(frame) == list(lender.FEATURES)
        if (frame["debt_ratio"] < 0).any():
            raise ValueError("a debt ratio below zero")
        risk = 0.5 * frame["bureau_score"].isna().to_numpy()
        return np.column_stack([1 - risk, risk])


@pytest.fixture(scope="module")
def frame():
    return lender.applications(200, seed=1, days=1)


@pytest.fixture(scope="module")
def app(frame):
    known = service.bureau(frame)

    def lookup(application_id):
        if application_id == BUREAU_DOWN:
            raise TimeoutError("bureau")
        return known(application_id)

    return service.create_app(Model(), lookup, threshold=0.1, version="7")


@pytest.fixture(scope="module")
def running(app):
    with service.serve(app) as running:
        yield running


@pytest.fixture
def client(running):
    with httpx.Client(base_url=running.url) as client:
        yield client


@pytest.fixture
def count(app):
    """What a metric has grown by since the test began."""

    def read(name, **labels):
        return app.state.metrics.registry.get_sample_value(name, labels) or 0.0

    samples = [s for m in app.state.metrics.registry.collect() for s in m.samples]
    before = {(s.name, *s.labels.values()): s.value for s in samples}
    return lambda name, **labels: read(name, **labels) - before.get((name, *labels.values()), 0)


def test_a_decision_follows_score_and_threshold(client, frame, count):
    bodies = service.payloads(frame)
    missing = frame["bureau_score"].isna().to_numpy()
    for i in (int(np.argmin(missing)), int(np.argmax(missing))):
        answer = client.post("/score", json=bodies[i], headers={"x-request-id": f"r{i}"})
        assert answer.status_code == 200
        assert answer.headers["x-request-id"] == f"r{i}"
        assert answer.json() == {
            "request_id": f"r{i}",
            "score": 0.5 * missing[i],
            "approved": not missing[i],
            "model": "7",
        }
    assert count("score_requests_total", code="200") == 2
    assert count("score_latency_seconds_count") == 2
    assert count("score_value_bucket", le="0.1") == 1
    assert count("score_missing_total", feature="bureau_score") == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"application_id": NOBODY}, 404),
        ({"loan_amount": "much"}, 422),
        ({"application_id": BUREAU_DOWN}, 503),
        ({"debt_ratio": -1}, 500),
    ],
)
def test_each_kind_of_error_has_its_code_and_is_counted_and_logged(
    client, frame, count, caplog, change, code
):
    caplog.set_level(logging.INFO, "lender.service")
    answer = client.post("/score", json=service.payloads(frame)[0] | change)
    assert answer.status_code == code
    assert count("score_requests_total", code=str(code)) == 1
    assert count("score_value_count") == 0
    entry = json.loads(caplog.messages[-1])
    assert entry["code"] == code
    assert entry["request_id"] == answer.headers["x-request-id"]
    assert ("error" in entry) == (code in (404, 500, 503))


def test_health_and_metrics_are_read_and_not_counted(client, count):
    assert client.get("/health").json() == {"status": "ok", "model": "7"}
    text = client.get("/metrics").text
    assert 'score_latency_seconds_bucket{le="0.1"}' in text
    assert count("score_latency_seconds_count") == 0


def test_a_log_line_is_json_without_income(client, frame, caplog):
    caplog.set_level(logging.INFO, "lender.service")
    client.post("/score", json=service.payloads(frame)[0])
    entry = json.loads(caplog.messages[-1])
    assert {"request_id", "model", "application_id", "partner", "score", "decision"} < set(entry)
    assert entry["ms"] > 0
    assert "income" not in entry


def test_spans_of_a_request_form_one_trace(frame, caplog):
    caplog.set_level(logging.INFO, "lender.service")
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    app = service.create_app(Model(), service.bureau(frame), 0.1, tracer_provider=provider)
    with service.serve(app) as running:
        httpx.post(f"{running.url}/score", json=service.payloads(frame)[0])
    spans = {span.name: span for span in exporter.get_finished_spans()}
    assert set(spans) == {"score", "lookup", "model", "respond"}
    root = spans["score"].context
    for name in ("lookup", "model", "respond"):
        assert spans[name].parent.span_id == root.span_id
    assert json.loads(caplog.messages[-1])["trace_id"] == f"{root.trace_id:032x}"


def test_two_apps_count_apart(frame, count):
    other = service.create_app(Model(), service.bureau(frame), 0.1)
    with service.serve(other) as running:
        httpx.post(f"{running.url}/score", json=service.payloads(frame)[0])
    assert other.state.metrics.registry.get_sample_value("score_latency_seconds_count") == 1
    assert count("score_latency_seconds_count") == 0


def test_a_paused_server_answers_afterwards(running, client):
    begin = time.perf_counter()
    running.pause(0.3)
    assert client.get("/health").status_code == 200
    assert time.perf_counter() - begin >= 0.3


def test_the_server_is_gone_when_the_block_ends(frame):
    with service.serve(service.create_app(Model(), service.bureau(frame), 0.1)) as running:
        httpx.get(f"{running.url}/health")
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{running.url}/health")
