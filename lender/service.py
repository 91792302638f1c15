"""The scoring service: an application in, a score and a decision out, over HTTP.

POST /score decides, GET /health answers while the service is up, GET /metrics is what Prometheus
reads. Each scored request leaves a line of JSON with its request id in the logger
`lender.service`, and OpenTelemetry spans where a tracer provider is set.
"""

import asyncio
import json
import logging
import threading
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import pandas as pd
import uvicorn
from fastapi import FastAPI, HTTPException, Request, Response
from opentelemetry import trace
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from pydantic import BaseModel, Field

from lender.simulate import FEATURES

LOG = logging.getLogger("lender.service")
LOOKED_UP = ("bureau_score", "open_accounts")
LATENCY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
SCORE_BUCKETS = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0)

Lookup = Callable[[int], Mapping[str, float | None]]
Call = Callable[[Request], Awaitable[Response]]


class Application(BaseModel):
    """What a partner sends; the rest of the features comes from the bureau."""

    application_id: int
    age: int = Field(ge=18, le=120)
    income: float | None  # USD a month
    employment_years: float | None
    debt_ratio: float
    loan_amount: float = Field(gt=0)  # USD
    term_months: int
    purpose: str
    partner: str
    housing: str


class Decision(BaseModel):
    """The answer to an application."""

    request_id: str
    score: float  # predicted probability of default
    approved: bool
    model: str  # version


class Metrics:
    """What the service counts, in a registry of its own, so that two can run in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        own: dict[str, Any] = {"registry": self.registry}
        self.requests = Counter("score_requests_total", "Answers by HTTP status", ["code"], **own)
        self.latency = Histogram(
            "score_latency_seconds", "Time to answer", buckets=LATENCY_BUCKETS, **own
        )
        self.in_flight = Gauge("score_in_flight", "Requests being worked on", **own)
        self.decisions = Counter(
            "score_decisions_total", "Decisions by partner", ["partner", "decision"], **own
        )
        self.score = Histogram(
            "score_value", "Predicted probability of default", buckets=SCORE_BUCKETS, **own
        )
        self.missing = Counter(
            "score_missing_total", "Features that were missing", ["feature"], **own
        )

    def record(self, partner: str, decision: str, score: float, missing: list[str]) -> None:
        """Count one decision."""
        self.decisions.labels(partner, decision).inc()
        self.score.observe(score)
        for feature in missing:
            self.missing.labels(feature).inc()


def bureau(frame: pd.DataFrame) -> Lookup:
    """A feature store over simulated applications: application_id to what the bureau has.

    Values are numbers, None where missing. An unknown id raises KeyError.
    """
    ids = frame["application_id"].tolist()
    rows = dict(zip(ids, _records(frame[list(LOOKED_UP)]), strict=True))
    return lambda application_id: rows[application_id]


def payloads(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Bodies for POST /score, one per row of `applications`, missing values as None."""
    return _records(frame[list(Application.model_fields)])


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    values = frame.astype(object)
    rows: list[Any] = values.where(values.notna(), None).to_dict("records")
    return rows


class Scorer:
    """Features, score and decision of one application, each step in a span of its own."""

    def __init__(
        self, model: Any, lookup: Lookup, threshold: float, version: str, tracer: trace.Tracer
    ) -> None:
        self.model, self.lookup, self.tracer = model, lookup, tracer
        self.threshold, self.version = threshold, version
        self.metrics = Metrics()

    def decide(self, application: Application, entry: dict[str, Any]) -> Decision:
        """Score and decide; adds to the request's log entry. Raises HTTPException 404 or 503."""
        entry |= {"application_id": application.application_id, "partner": application.partner}
        with self.tracer.start_as_current_span("lookup"):
            bureau = self._looked_up(application.application_id, entry)
            features = application.model_dump() | bureau
        with self.tracer.start_as_current_span("model") as span:
            row = pd.DataFrame([features], columns=list(FEATURES)).infer_objects()
            score = float(self.model.predict_proba(row)[0, 1])
            span.set_attribute("score", score)
        with self.tracer.start_as_current_span("respond"):
            missing = [name for name in FEATURES if features[name] is None]
            decision = "approved" if score < self.threshold else "declined"
            self.metrics.record(application.partner, decision, score, missing)
            entry |= {"score": round(score, 4), "decision": decision, "missing": missing}
            return Decision(
                request_id=entry["request_id"],
                score=score,
                approved=decision == "approved",
                model=self.version,
            )

    def _looked_up(self, application_id: int, entry: dict[str, Any]) -> dict[str, float | None]:
        try:
            return dict(self.lookup(application_id))
        except KeyError as error:
            entry["error"] = f"unknown application {error}"
            raise HTTPException(404, entry["error"]) from error
        except OSError as error:
            entry["error"] = repr(error)
            raise HTTPException(503, "the feature lookup is unavailable") from error

    async def observe(self, request: Request, call_next: Call) -> Response:
        """Middleware: time, count, trace and log a request to /score, whatever becomes of it."""
        if request.url.path != "/score":
            return await call_next(request)
        request_id = request.headers.get("x-request-id") or uuid.uuid4().hex
        entry: dict[str, Any] = {"request_id": request_id, "model": self.version}
        request.state.entry = entry
        begin = time.perf_counter()
        with self.tracer.start_as_current_span("score", attributes=dict(entry)) as span:
            context = span.get_span_context()
            if context.is_valid:
                entry["trace_id"] = trace.format_trace_id(context.trace_id)
            with self.metrics.in_flight.track_inprogress():
                try:
                    response = await call_next(request)
                except Exception as error:
                    entry["error"] = repr(error)
                    response = Response("internal error", 500)
            span.set_attribute("http.response.status_code", response.status_code)
        seconds = time.perf_counter() - begin
        self.metrics.latency.observe(seconds)
        self.metrics.requests.labels(str(response.status_code)).inc()
        entry |= {"code": response.status_code, "ms": round(1000 * seconds, 2)}
        LOG.info(json.dumps(entry))
        response.headers["x-request-id"] = request_id
        return response


def create_app(
    model: Any,
    lookup: Lookup,
    threshold: float,
    version: str = "1",
    tracer_provider: trace.TracerProvider | None = None,
) -> FastAPI:
    """The service around a fitted model with `predict_proba` on a frame of `FEATURES`.

    lookup: from `bureau`, or anything that takes an application id and returns the features in
    `LOOKED_UP`. threshold: an application is approved where its score is lower.
    tracer_provider: takes the spans; the global one by default, which drops them until it is set.
    The app's `state.metrics` holds its `Metrics`.

    POST /score answers 200 with a `Decision`, 404 for an id that lookup does not know (KeyError),
    422 for a body that is no `Application`, 503 where lookup raises OSError (a timeout, a refused
    connection), 500 for anything else.
    """
    tracer = trace.get_tracer(__name__, tracer_provider=tracer_provider)
    scorer = Scorer(model, lookup, threshold, version, tracer)
    app = FastAPI(title="lender scoring service", version=version)
    app.state.metrics = scorer.metrics
    app.middleware("http")(scorer.observe)

    # No coroutine: FastAPI runs it in a thread, so that a slow lookup holds up no one else.
    @app.post("/score")
    def score(application: Application, request: Request) -> Decision:
        return scorer.decide(application, request.state.entry)

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok", "model": version}

    @app.get("/metrics")
    def read_metrics() -> Response:
        return Response(generate_latest(scorer.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return app


class Running(NamedTuple):
    """A served app: its address, and a way to make it stall."""

    url: str
    pause: Callable[[float], object]


@contextmanager
def serve(app: FastAPI) -> Iterator[Running]:
    """Run an app with uvicorn in a thread, on a free port of loopback, until the block ends.

    `pause(seconds)` stops the server's event loop for that long: it reads no request and sends
    no answer, as under garbage collection or a CPU quota. Raises RuntimeError where the server
    does not start.
    """
    config = uvicorn.Config(app, port=0, ws="none", log_level="warning", access_log=False)
    server = uvicorn.Server(config)  # on 127.0.0.1, uvicorn's default
    loops: list[asyncio.AbstractEventLoop] = []

    async def run() -> None:
        loops.append(asyncio.get_running_loop())
        await server.serve()

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                raise RuntimeError("the server did not start")
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield Running(
            f"http://127.0.0.1:{port}",
            lambda seconds: loops[0].call_soon_threadsafe(time.sleep, seconds),
        )
    finally:
        server.should_exit = True
        thread.join()
