# %% [markdown]
# Correct answers of a different make.

# %% good-share: line by line
def good_share(log, limit):
    good = valid = 0
    for path, code, seconds in zip(log["path"], log["code"], log["seconds"]):
        if path != "/quote" or (400 <= code < 500 and code != 429):
            continue
        valid += 1
        good += code // 100 == 2 and seconds <= limit
    return good / valid if valid else float("nan")


# %% good-share: query, then a mean
def good_share(log, limit):
    valid = log.query("path == '/quote' and (code == 429 or code // 100 != 4)")
    return ((valid["code"] // 100 == 2) & (valid["seconds"] <= limit)).mean()


# %% instrument: a class below the framework, which reads the status as it is sent
def instrument(app, registry):
    import time

    requests = Counter("quote_requests", "Answers", ["route", "code"], registry=registry)
    latency = Histogram(
        "quote_latency_seconds", "Time", ["route"], buckets=[*BUCKETS, math.inf], registry=registry
    )
    in_flight = Gauge("quote_in_flight", "Being worked on", registry=registry)

    class Instruments:
        def __init__(self, app):
            self.app = app

        async def __call__(self, scope, receive, send):
            if scope["type"] != "http":
                await self.app(scope, receive, send)
                return
            status = {"code": 500}

            async def keep(message):
                if message["type"] == "http.response.start":
                    status["code"] = message["status"]
                await send(message)

            begin = time.monotonic()
            in_flight.inc()
            try:
                await self.app(scope, receive, keep)
            finally:
                in_flight.dec()
                route = scope["route"].path if "route" in scope else "none"
                requests.labels(route=route, code=str(status["code"])).inc()
                latency.labels(route=route).observe(time.monotonic() - begin)

    app.add_middleware(Instruments)


# %% instrument: a branch for exceptions
def instrument(app, registry):
    import time

    metrics = {
        "requests": Counter("quote_requests_total", "Answers", ["route", "code"], registry=registry),
        "latency": Histogram("quote_latency_seconds", "Time", ["route"], buckets=BUCKETS,
                             registry=registry),
        "in_flight": Gauge("quote_in_flight", "Being worked on", registry=registry),
    }

    def note(request, code, begin):
        route = getattr(request.scope.get("route"), "path", "none")
        metrics["requests"].labels(route, code).inc()
        metrics["latency"].labels(route).observe(time.perf_counter() - begin)
        metrics["in_flight"].dec()

    @app.middleware("http")
    async def observe(request, call_next):
        begin = time.perf_counter()
        metrics["in_flight"].inc()
        try:
            response = await call_next(request)
        except Exception:
            note(request, "500", begin)
            raise
        note(request, f"{response.status_code}", begin)
        return response


# %% bucket-quantile: bucket by bucket
def bucket_quantile(q, bounds, before, after):
    if q <= 0 or q > 1:
        raise ValueError("q")
    restarted = any(b > a for b, a in zip(before, after))
    counts = [int(a) if restarted else int(a) - int(b) for b, a in zip(before, after)]
    if counts[-1] == 0:
        return (float("nan"),) * 3
    low, below = 0.0, 0
    for high, reached in zip(bounds, counts):
        if reached >= q * counts[-1]:
            break
        low, below = float(high), reached
    part = (q * counts[-1] - below) / (reached - below)
    return low, low if high == np.inf else low + part * float(high - low), float(high)


# %% bucket-quantile: interpolation by the library
def bucket_quantile(q, bounds, before, after):
    if not 0.0 < q <= 1.0:
        raise ValueError("q")
    grown = np.diff([before, after], axis=0)[0]
    grown = np.asarray(after) if grown.min() < 0 else grown
    if not grown[-1]:
        return np.nan, np.nan, np.nan
    edges, total = np.append(0.0, bounds), np.append(0, grown)
    i = np.flatnonzero(grown >= q * grown[-1])[0]
    if i == len(bounds) - 1:
        return edges[i], edges[i], np.inf
    middle = np.interp(q * grown[-1], total[i : i + 2], edges[i : i + 2])
    return edges[i], middle, edges[i + 1]


# %% users-latency: all at once, on a clock without gaps
def users_latency(log, interval):
    if not interval > 0:
        raise ValueError("interval")
    if log.empty:
        return np.empty(0)
    sent = log["sent"].to_numpy()
    copies = np.append(np.round(np.diff(sent) / interval), 1).clip(1).astype(int)
    first = np.concatenate([[0], np.cumsum(copies)[:-1]])
    number = np.arange(copies.sum()) - np.repeat(first, copies)
    due = np.repeat(sent, copies) + number * interval
    work = np.full(len(due), log["latency"].median())
    work[first] = log["latency"]
    total = np.cumsum(work)
    return total + np.maximum.accumulate(due - (total - work)) - due


# %% users-latency: the simulator's open loop
def users_latency(log, interval):
    if interval <= 0:
        raise ValueError("interval")
    due, busy = [], []
    rows = log.to_dict("records")
    for row, after in zip(rows, [*rows[1:], None]):
        due.append(row["sent"])
        busy.append(row["latency"])
        gap = after["sent"] - row["sent"] if after else 0
        for k in range(1, round(gap / interval)):
            due.append(row["sent"] + k * interval)
            busy.append(log["latency"].median())
    return load.open_loop(np.array(due), np.array(busy))["latency"].to_numpy() if due else np.array([])


# %% budget-spent: day by day
def budget_spent(events, slo, end, days=28):
    if slo <= 0 or slo >= 1:
        raise ValueError("slo")
    valid = events[events["valid"]].sort_values("time")
    time = valid["time"].to_numpy()
    midnights = [end - pd.Timedelta(days=d) for d in range(days, -1, -1)]
    cuts = np.searchsorted(time, np.array(midnights, dtype="datetime64[ns]"))
    failed = np.concatenate([[0], np.cumsum(~valid["good"].to_numpy())])
    n = cuts[-1] - cuts[0]
    spent = np.diff(failed[cuts]) / (n * (1 - slo)) if n else np.zeros(days)
    return pd.Series(spent, index=pd.DatetimeIndex(midnights[:-1]))


# %% budget-spent: resampled
def budget_spent(events, slo, end, days=28):
    if not 0 < slo < 1:
        raise ValueError("slo")
    begin = end - pd.Timedelta(days, "D")
    marks = pd.DataFrame({"time": [begin, end - pd.Timedelta(1, "D")], "valid": 0.0, "bad": 0.0})
    part = events[(events["time"] >= begin) & (events["time"] < end)]
    part = pd.DataFrame({
        "time": part["time"], "valid": part["valid"] * 1.0,
        "bad": (part["valid"] & ~part["good"]) * 1.0,
    })
    daily = pd.concat([marks, part]).set_index("time").resample("D").sum()
    return daily["bad"] / max((1 - slo) * daily["valid"].sum(), 1e-12)


# %% burn-alert: sums from the beginning
def burn_alert(requests, bad, slo, rules, days=28):
    if slo <= 0 or slo >= 1 or min([m for m, _ in rules], default=12) < 12:
        raise ValueError("rules")
    asked = np.concatenate([[0], np.cumsum(requests)]).astype(float)
    failed = np.concatenate([[0], np.cumsum(bad)]).astype(float)
    end = np.arange(1, len(requests) + 1)
    rings = np.zeros(len(requests), dtype=bool)
    for minutes, share in rules:
        allowed = share * days * 1440 / minutes * (1 - slo)
        both = []
        for width in (minutes, minutes // 12):
            begin = np.maximum(end - width, 0)
            n = asked[end] - asked[begin]
            both.append((n > 0) & (failed[end] - failed[begin] >= allowed * n))
        rings |= both[0] & both[1]
    return rings


# %% burn-alert: minute by minute
def burn_alert(requests, bad, slo, rules, days=28):
    if not 0 < slo < 1:
        raise ValueError("slo")
    if any(minutes < 12 for minutes, _ in rules):
        raise ValueError("minutes")
    asked, failed = np.asarray(requests).tolist(), np.asarray(bad).tolist()
    widths = sorted({w for minutes, _ in rules for w in (minutes, minutes // 12)})
    sums = {w: [0, 0] for w in widths}
    rings = []
    for t in range(len(asked)):
        burn = {}
        for w in widths:
            sums[w][0] += asked[t] - (asked[t - w] if t >= w else 0)
            sums[w][1] += failed[t] - (failed[t - w] if t >= w else 0)
            burn[w] = sums[w][1] / sums[w][0] / (1 - slo) if sums[w][0] else 0.0
        rings.append(any(
            min(burn[minutes], burn[minutes // 12]) >= share * days * 24 * 60 / minutes
            for minutes, share in rules
        ))
    return np.array(rings, dtype=bool)


# %% burn-alert-review: against an independent implementation
def test_burn_alert(burn_alert):
    def expected(requests, bad, slo, rules, days):
        def burn(t, w):
            n = requests[max(0, t - w + 1) : t + 1].sum()
            return bad[max(0, t - w + 1) : t + 1].sum() / n / (1 - slo) if n else 0.0

        return [
            any(min(burn(t, m), burn(t, m // 12)) >= s * days * 1440 / m for m, s in rules)
            for t in range(len(requests))
        ]

    rng = np.random.default_rng(1)
    for trial in range(12):
        requests = rng.poisson(rng.choice([0, 2, 30], 240))
        bad = rng.binomial(requests, np.repeat(rng.choice([0, 0.1, 0.5], 8), 30))
        slo, days = (0.99, 28) if trial % 3 else (0.97, 30)
        rules = [(60, 0.0203), (100, 0.0307)] if trial % 2 else [(150, 0.0411)]
        got = burn_alert(requests, bad, slo, rules, days)
        assert np.array_equal(got, expected(requests, bad, slo, rules, days))
