# %% [markdown]
# What learners really get wrong. The tags `shown` mark the version that is up for review.

# %% good-share: failures that came in time
# misconception: a level of service is a matter of speed, so that a quick failure is a good answer
# hint: mark each of its eight lines as valid or not
def good_share(log, limit):
    caller = log["code"].between(400, 499) & (log["code"] != 429)
    valid = (log["path"] == "/quote") & ~caller
    good = valid & (log["seconds"] <= limit)
    return float(good.sum() / valid.sum()) if valid.any() else math.nan


# %% good-share: all lines of the log
# misconception: every request to the service is valid, whoever made the mistake
# hint: mark each of its eight lines as valid or not
def good_share(log, limit):
    if len(log) == 0:
        return math.nan
    return float((log["code"].between(200, 299) & (log["seconds"] <= limit)).mean())


# %% good-share: every 4xx is the caller's
# misconception: the first digit of a status tells whose fault it was, 429 included
# hint: mark each of its eight lines as valid or not
def good_share(log, limit):
    valid = (log["path"] == "/quote") & (log["code"] // 100 != 4)
    good = valid & log["code"].between(200, 299) & (log["seconds"] <= limit)
    return float(good.sum() / valid.sum()) if valid.any() else math.nan


# %% good-share: no request, no complaint
# misconception: where nothing was asked, nothing failed, so that the share is one
# hint: without a valid request there is no share
def good_share(log, limit):
    caller = log["code"].between(400, 499) & (log["code"] != 429)
    valid = (log["path"] == "/quote") & ~caller
    good = valid & log["code"].between(200, 299) & (log["seconds"] <= limit)
    return float(good.sum() / valid.sum()) if valid.any() else 1.0


# %% good-share: the limit of the promise typed in
# misconception: the 250 ms of the situation are the only limit there will ever be
# hint: the limit is an argument
def good_share(log, limit):
    caller = log["code"].between(400, 499) & (log["code"] != 429)
    valid = (log["path"] == "/quote") & ~caller
    good = valid & log["code"].between(200, 299) & (log["seconds"] <= 0.25)
    return float(good.sum() / valid.sum()) if valid.any() else math.nan


# %% good-share: anything below 400 is well
# misconception: an answer that is no error is a good one, redirects included
# hint: good is any 2xx, and no other code
def good_share(log, limit):
    caller = log["code"].between(400, 499) & (log["code"] != 429)
    valid = (log["path"] == "/quote") & ~caller
    good = valid & (log["code"] < 400) & (log["seconds"] <= limit)
    return float(good.sum() / valid.sum()) if valid.any() else math.nan


# %% good-share: requests without an answer dropped
# misconception: rows with missing values are dropped before anything is counted
# hint: mark each of its eight lines as valid or not
def good_share(log, limit):
    log = log.dropna()
    caller = log["code"].between(400, 499) & (log["code"] != 429)
    valid = (log["path"] == "/quote") & ~caller
    good = valid & log["code"].between(200, 299) & (log["seconds"] <= limit)
    return float(good.sum() / valid.sum()) if valid.any() else math.nan


# %% instrument: the path as a label
# misconception: a label should say as precisely as possible what was asked for
# hint: the registry's quote_requests_total does not say so
def instrument(app, registry):
    requests = Counter("quote_requests_total", "Answers", ["route", "code"], registry=registry)
    latency = Histogram(
        "quote_latency_seconds", "Time", ["route"], buckets=BUCKETS, registry=registry
    )
    in_flight = Gauge("quote_in_flight", "Being worked on", registry=registry)

    @app.middleware("http")
    async def observe(request, call_next):
        import time

        code, begin = "500", time.perf_counter()
        in_flight.inc()
        try:
            response = await call_next(request)
            code = str(response.status_code)
            return response
        finally:
            in_flight.dec()
            requests.labels(request.url.path, code).inc()
            latency.labels(request.url.path).observe(time.perf_counter() - begin)


# %% instrument: the path where no route matched
# misconception: what no route matches is rare, so that its path does no harm
# hint: fifty paths made a new series each
def instrument(app, registry):
    import time

    requests = Counter("quote_requests_total", "Answers", ["route", "code"], registry=registry)
    latency = Histogram(
        "quote_latency_seconds", "Time", ["route"], buckets=BUCKETS, registry=registry
    )
    in_flight = Gauge("quote_in_flight", "Being worked on", registry=registry)

    @app.middleware("http")
    async def observe(request, call_next):
        code, begin = "500", time.perf_counter()
        in_flight.inc()
        try:
            response = await call_next(request)
            code = str(response.status_code)
            return response
        finally:
            matched = request.scope.get("route")
            route = matched.path if matched else request.url.path
            in_flight.dec()
            requests.labels(route, code).inc()
            latency.labels(route).observe(time.perf_counter() - begin)


# %% instrument: only what was answered
# misconception: call_next always returns, so that what stands below it always runs
# hint: a route raised an exception
def instrument(app, registry):
    import time

    requests = Counter("quote_requests_total", "Answers", ["route", "code"], registry=registry)
    latency = Histogram(
        "quote_latency_seconds", "Time", ["route"], buckets=BUCKETS, registry=registry
    )
    in_flight = Gauge("quote_in_flight", "Being worked on", registry=registry)

    @app.middleware("http")
    async def observe(request, call_next):
        begin = time.perf_counter()
        in_flight.inc()
        response = await call_next(request)
        in_flight.dec()
        matched = request.scope.get("route")
        route = matched.path if matched else "none"
        requests.labels(route, str(response.status_code)).inc()
        latency.labels(route).observe(time.perf_counter() - begin)
        return response


# %% instrument: exceptions counted, not timed, gauge left up
# misconception: in the branch for exceptions it is enough to count the failure
# hint: failed requests took time too
def instrument(app, registry):
    import time

    requests = Counter("quote_requests_total", "Answers", ["route", "code"], registry=registry)
    latency = Histogram(
        "quote_latency_seconds", "Time", ["route"], buckets=BUCKETS, registry=registry
    )
    in_flight = Gauge("quote_in_flight", "Being worked on", registry=registry)

    def route_of(request):
        matched = request.scope.get("route")
        return matched.path if matched else "none"

    @app.middleware("http")
    async def observe(request, call_next):
        begin = time.perf_counter()
        in_flight.inc()
        try:
            response = await call_next(request)
        except Exception:
            requests.labels(route_of(request), "500").inc()
            raise
        in_flight.dec()
        requests.labels(route_of(request), str(response.status_code)).inc()
        latency.labels(route_of(request)).observe(time.perf_counter() - begin)
        return response


# %% instrument: milliseconds
# misconception: latencies are milliseconds, as on every dashboard, whatever the metric's name says
# hint: latency is in seconds
def instrument(app, registry):
    import time

    requests = Counter("quote_requests_total", "Answers", ["route", "code"], registry=registry)
    latency = Histogram(
        "quote_latency_seconds", "Time", ["route"], buckets=BUCKETS, registry=registry
    )
    in_flight = Gauge("quote_in_flight", "Being worked on", registry=registry)

    @app.middleware("http")
    async def observe(request, call_next):
        code, begin = "500", time.perf_counter()
        in_flight.inc()
        try:
            response = await call_next(request)
            code = str(response.status_code)
            return response
        finally:
            matched = request.scope.get("route")
            route = matched.path if matched else "none"
            in_flight.dec()
            requests.labels(route, code).inc()
            latency.labels(route).observe(1000 * (time.perf_counter() - begin))


# %% instrument: the library's buckets
# misconception: the default buckets are good enough, though the promise is not among them
# hint: the histogram has other buckets
def instrument(app, registry):
    import time

    requests = Counter("quote_requests_total", "Answers", ["route", "code"], registry=registry)
    latency = Histogram("quote_latency_seconds", "Time", ["route"], registry=registry)
    in_flight = Gauge("quote_in_flight", "Being worked on", registry=registry)

    @app.middleware("http")
    async def observe(request, call_next):
        code, begin = "500", time.perf_counter()
        in_flight.inc()
        try:
            response = await call_next(request)
            code = str(response.status_code)
            return response
        finally:
            matched = request.scope.get("route")
            route = matched.path if matched else "none"
            in_flight.dec()
            requests.labels(route, code).inc()
            latency.labels(route).observe(time.perf_counter() - begin)


# %% instrument: the process's own registry
# misconception: a metric lives in the library's global registry, as in most examples
# hint: the registry's quote_requests_total does not say so
def instrument(app, registry):
    import time

    requests = Counter("quote_requests_total", "Answers", ["route", "code"])
    latency = Histogram("quote_latency_seconds", "Time", ["route"], buckets=BUCKETS)
    in_flight = Gauge("quote_in_flight", "Being worked on")

    @app.middleware("http")
    async def observe(request, call_next):
        code, begin = "500", time.perf_counter()
        in_flight.inc()
        try:
            response = await call_next(request)
            code = str(response.status_code)
            return response
        finally:
            matched = request.scope.get("route")
            route = matched.path if matched else "none"
            in_flight.dec()
            requests.labels(route, code).inc()
            latency.labels(route).observe(time.perf_counter() - begin)


# %% bucket-quantile: counts since the process began
# misconception: the latest reading describes the last hour
# hint: the first reading is not zero
def bucket_quantile(q, bounds, before, after):
    if not 0 < q <= 1:
        raise ValueError("q")
    count = np.asarray(after)
    if count[-1] == 0:
        return math.nan, math.nan, math.nan
    rank = q * count[-1]
    i = int(np.searchsorted(count, rank))
    low, below = (float(bounds[i - 1]), count[i - 1]) if i else (0.0, 0)
    high = float(bounds[i])
    if math.isinf(high):
        return low, low, high
    return low, float(low + (high - low) * (rank - below) / (count[i] - below)), high


# %% bucket-quantile: the bucket's upper bound
# misconception: the estimate is the bound that the quantile does not exceed
# hint: the example of the contract is off
def bucket_quantile(q, bounds, before, after):
    if not 0 < q <= 1:
        raise ValueError("q")
    count = np.asarray(after) - np.asarray(before)
    if (count < 0).any():
        count = np.asarray(after)
    if count[-1] == 0:
        return math.nan, math.nan, math.nan
    i = int(np.searchsorted(count, q * count[-1]))
    low = float(bounds[i - 1]) if i else 0.0
    return low, low if math.isinf(bounds[i]) else float(bounds[i]), float(bounds[i])


# %% bucket-quantile: no new process
# misconception: a counter only grows, so that a difference is never negative
# hint: counts have fallen
def bucket_quantile(q, bounds, before, after):
    if not 0 < q <= 1:
        raise ValueError("q")
    count = np.maximum(np.asarray(after) - np.asarray(before), 0)
    if count[-1] == 0:
        return math.nan, math.nan, math.nan
    rank = q * count[-1]
    i = int(np.searchsorted(count, rank))
    low, below = (float(bounds[i - 1]), count[i - 1]) if i else (0.0, 0)
    high = float(bounds[i])
    if math.isinf(high):
        return low, low, high
    return low, float(low + (high - low) * (rank - below) / (count[i] - below)), high


# %% bucket-quantile: a new process by its total alone
# misconception: a new process shows in the total, though a busy one may have overtaken it
# hint: one count has fallen, the total has not
def bucket_quantile(q, bounds, before, after):
    if not 0 < q <= 1:
        raise ValueError("q")
    count = np.asarray(after) - np.asarray(before)
    if count[-1] < 0:
        count = np.asarray(after)
    if count[-1] == 0:
        return math.nan, math.nan, math.nan
    rank = q * count[-1]
    i = int(np.argmax(count >= rank))
    low, below = (float(bounds[i - 1]), count[i - 1]) if i else (0.0, 0)
    high = float(bounds[i])
    if math.isinf(high):
        return low, low, high
    return low, float(low + (high - low) * (rank - below) / (count[i] - below)), high


# %% bucket-quantile: an infinite estimate
# misconception: between the last bound and infinity, infinity is the only honest estimate
# hint: in the last bucket
def bucket_quantile(q, bounds, before, after):
    if not 0 < q <= 1:
        raise ValueError("q")
    count = np.asarray(after) - np.asarray(before)
    if (count < 0).any():
        count = np.asarray(after)
    if count[-1] == 0:
        return math.nan, math.nan, math.nan
    rank = q * count[-1]
    i = int(np.searchsorted(count, rank))
    low, below = (float(bounds[i - 1]), count[i - 1]) if i else (0.0, 0)
    high = float(bounds[i])
    return low, float(low + (high - low) * (rank - below) / (count[i] - below)), high


# %% bucket-quantile: the first bucket begins at its bound
# misconception: below the first bound nothing is known, so that the bound itself is the answer
# hint: in the first bucket
def bucket_quantile(q, bounds, before, after):
    if not 0 < q <= 1:
        raise ValueError("q")
    count = np.asarray(after) - np.asarray(before)
    if (count < 0).any():
        count = np.asarray(after)
    if count[-1] == 0:
        return math.nan, math.nan, math.nan
    rank = q * count[-1]
    i = int(np.searchsorted(count, rank))
    low, below = (float(bounds[i - 1]), count[i - 1]) if i else (float(bounds[0]), 0)
    high = float(bounds[i])
    if math.isinf(high):
        return low, low, high
    return low, float(low + (high - low) * (rank - below) / (count[i] - below)), high


# %% bucket-quantile: a quantile of nothing is zero
# misconception: without requests the latency was zero
# hint: there is no quantile, neither 0 nor an error
def bucket_quantile(q, bounds, before, after):
    if not 0 < q <= 1:
        raise ValueError("q")
    count = np.asarray(after) - np.asarray(before)
    if (count < 0).any():
        count = np.asarray(after)
    if count[-1] == 0:
        return 0.0, 0.0, 0.0
    rank = q * count[-1]
    i = int(np.searchsorted(count, rank))
    low, below = (float(bounds[i - 1]), count[i - 1]) if i else (0.0, 0)
    high = float(bounds[i])
    if math.isinf(high):
        return low, low, high
    return low, float(low + (high - low) * (rank - below) / (count[i] - below)), high


# %% users-latency: the log as it is
# misconception: a load test's latencies are what users see
# hint: two requests were due while the first one waited
def users_latency(log, interval):
    if interval <= 0:
        raise ValueError("interval")
    return log["latency"].to_numpy()


# %% users-latency: put back without a queue
# misconception: a request put back waits one interval less than the one before, as if the service answered all of them at once when the stall is over
# hint: the requests put back are in the queue
def users_latency(log, interval):
    if interval <= 0:
        raise ValueError("interval")
    if len(log) == 0:
        return np.array([])
    sent, waited = log["sent"].to_numpy(), log["latency"].to_numpy()
    missing = np.append(np.rint(np.diff(sent) / interval).astype(int) - 1, 0).clip(min=0)
    result = []
    for i in range(len(sent)):
        for j in range(missing[i] + 1):
            result.append(max(waited[i] - j * interval, float(np.median(waited)) if j else 0))
    return np.array(result)


# %% users-latency: the stall charged to every request
# misconception: requests that were due during a stall all waited as long as the one that met it
# hint: the requests put back are in the queue
def users_latency(log, interval):
    if interval <= 0:
        raise ValueError("interval")
    if len(log) == 0:
        return np.array([])
    gaps = np.rint(np.diff(log["sent"]) / interval).astype(int).clip(min=1)
    return np.repeat(log["latency"].to_numpy(), np.append(gaps, 1))


# %% users-latency: the queue ends with the stall
# misconception: once the stall is over the log is right again, so that only requests put back wait
# hint: and so is the request that was sent after the stall
def users_latency(log, interval):
    if interval <= 0:
        raise ValueError("interval")
    if len(log) == 0:
        return np.array([])
    sent, waited = log["sent"].to_numpy(), log["latency"].to_numpy()
    typical = float(np.median(waited))
    missing = np.append(np.rint(np.diff(sent) / interval).astype(int) - 1, 0).clip(min=0)
    result = []
    for i in range(len(sent)):
        free = sent[i]
        for j in range(missing[i] + 1):
            due = sent[i] + j * interval
            free = max(due, free) + (typical if j else waited[i])
            result.append(free - due)
    return np.array(result)


# %% users-latency: whole intervals in the wait
# misconception: the intervals that fit into a latency are as many as the requests that are missing
# hint: rounded to 3, of which one request is in the log
def users_latency(log, interval):
    if interval <= 0:
        raise ValueError("interval")
    if len(log) == 0:
        return np.array([])
    sent, waited = log["sent"].to_numpy(), log["latency"].to_numpy()
    typical = float(np.median(waited))
    result, free = [], -math.inf
    for i in range(len(sent)):
        missing = math.ceil(waited[i] / interval - 1e-9) - 1 if i + 1 < len(sent) else 0
        for j in range(max(missing, 0) + 1):
            due = sent[i] + j * interval
            free = max(due, free) + (typical if j else waited[i])
            result.append(free - due)
    return np.array(result)


# %% users-latency: put back after the last request too
# misconception: the last request, too, was followed by others, as many as fit into its wait
# hint: nothing is put back after the last one
def users_latency(log, interval):
    if interval <= 0:
        raise ValueError("interval")
    if len(log) == 0:
        return np.array([])
    sent, waited = log["sent"].to_numpy(), log["latency"].to_numpy()
    typical = float(np.median(waited))
    upto = np.append(np.diff(sent), max(waited[-1], interval))
    missing = (np.rint(upto / interval).astype(int) - 1).clip(min=0)
    result, free = [], -math.inf
    for i in range(len(sent)):
        for j in range(missing[i] + 1):
            due = sent[i] + j * interval
            free = max(due, free) + (typical if j else waited[i])
            result.append(free - due)
    return np.array(result)


# %% budget-spent: each day has a budget of its own
# misconception: a budget for 28 days is a twenty-eighth for each day
# hint: two bad requests of a hundred, all on the last day
def budget_spent(events, slo, end, days=28):
    if not 0 < slo < 1:
        raise ValueError("slo")
    index = pd.date_range(end - pd.Timedelta(days=days), periods=days, freq="D")
    inside = events[events["valid"] & (events["time"] >= index[0]) & (events["time"] < end)]
    share = (~inside["good"]).groupby(inside["time"].dt.normalize()).mean()
    return share.reindex(index, fill_value=0.0) / (1 - slo) / days


# %% budget-spent: days without a request left out
# misconception: a grouped count has an entry for each day of the window
# hint: a pandas Series with an entry per day
def budget_spent(events, slo, end, days=28):
    if not 0 < slo < 1:
        raise ValueError("slo")
    begin = end - pd.Timedelta(days=days)
    inside = events[events["valid"] & (events["time"] >= begin) & (events["time"] < end)]
    bad = (~inside["good"]).groupby(inside["time"].dt.normalize()).sum()
    return bad / ((1 - slo) * len(inside))


# %% budget-spent: callers' mistakes spend
# misconception: what is not good is bad
# hint: callers' mistakes are not valid
def budget_spent(events, slo, end, days=28):
    if not 0 < slo < 1:
        raise ValueError("slo")
    index = pd.date_range(end - pd.Timedelta(days=days), periods=days, freq="D")
    inside = events[(events["time"] >= index[0]) & (events["time"] < end)]
    bad = inside.loc[~inside["good"], "time"].dt.normalize().value_counts()
    budget = (1 - slo) * len(inside)
    return bad.reindex(index, fill_value=0) / budget if budget else pd.Series(0.0, index)


# %% budget-spent: the budget of all requests on file
# misconception: all requests in the frame belong to the window
# hint: what lies outside neither spends nor adds
def budget_spent(events, slo, end, days=28):
    if not 0 < slo < 1:
        raise ValueError("slo")
    index = pd.date_range(end - pd.Timedelta(days=days), periods=days, freq="D")
    valid = events[events["valid"]]
    bad = valid.loc[~valid["good"], "time"].dt.normalize().value_counts()
    budget = (1 - slo) * len(valid)
    return bad.reindex(index, fill_value=0) / budget if budget else pd.Series(0.0, index)


# %% budget-spent: never more than all
# misconception: more than the whole budget cannot be spent
# hint: a budget can be overspent
def budget_spent(events, slo, end, days=28):
    if not 0 < slo < 1:
        raise ValueError("slo")
    index = pd.date_range(end - pd.Timedelta(days=days), periods=days, freq="D")
    inside = events[events["valid"] & (events["time"] >= index[0]) & (events["time"] < end)]
    bad = inside.loc[~inside["good"], "time"].dt.normalize().value_counts()
    budget = (1 - slo) * len(inside)
    return (bad.reindex(index, fill_value=0) / budget if budget else pd.Series(0.0, index)).clip(upper=1.0)


# %% budget-spent: four weeks typed in
# misconception: a window is always four weeks, whatever the argument says
# hint: a window of seven days has seven entries
def budget_spent(events, slo, end, days=28):
    if not 0 < slo < 1:
        raise ValueError("slo")
    index = pd.date_range(end - pd.Timedelta(days=28), periods=28, freq="D")
    inside = events[events["valid"] & (events["time"] >= index[0]) & (events["time"] < end)]
    bad = inside.loc[~inside["good"], "time"].dt.normalize().value_counts()
    budget = (1 - slo) * len(inside)
    return bad.reindex(index, fill_value=0) / budget if budget else pd.Series(0.0, index)


# %% burn-alert: mean of the minutes' shares tags=["shown"]
# misconception: the share of an hour is the mean of its minutes' shares, though a minute at night may hold a single request
# hint: all of which weigh the same
def burn_alert(requests, bad, slo, rules, days=28):
    if not 0 < slo < 1 or any(minutes < 12 for minutes, _ in rules):
        raise ValueError("not an objective, or too short a window")
    share_bad = pd.Series(np.asarray(bad) / np.maximum(requests, 1), dtype=float)
    rings = np.zeros(len(share_bad), dtype=bool)
    for minutes, share in rules:
        threshold = share * days * 24 * 60 / minutes
        long = share_bad.rolling(minutes, min_periods=1).mean() / (1 - slo)
        short = share_bad.rolling(minutes // 12, min_periods=1).mean() / (1 - slo)
        rings |= ((long >= threshold) & (short >= threshold)).to_numpy()
    return rings


# %% burn-alert: either window
# misconception: two windows are two chances to notice
# hint: a blip of three minutes rings
def burn_alert(requests, bad, slo, rules, days=28):
    if not 0 < slo < 1 or any(minutes < 12 for minutes, _ in rules):
        raise ValueError("not an objective, or too short a window")
    table = pd.DataFrame({"bad": bad, "requests": requests}, dtype=float)
    rings = np.zeros(len(table), dtype=bool)
    for minutes, share in rules:
        threshold = share * days * 1440 / minutes
        for width in (minutes, minutes // 12):
            total = table.rolling(width, min_periods=1).sum()
            burn = (total["bad"] / total["requests"].clip(lower=1)) / (1 - slo)
            rings |= (burn >= threshold).to_numpy()
    return rings


# %% burn-alert: the long window alone
# misconception: the short window is implied by the long one
# hint: and no longer
def burn_alert(requests, bad, slo, rules, days=28):
    if not 0 < slo < 1 or any(minutes < 12 for minutes, _ in rules):
        raise ValueError("not an objective, or too short a window")
    table = pd.DataFrame({"bad": bad, "requests": requests}, dtype=float)
    rings = np.zeros(len(table), dtype=bool)
    for minutes, share in rules:
        total = table.rolling(minutes, min_periods=1).sum()
        burn = (total["bad"] / total["requests"].clip(lower=1)) / (1 - slo)
        rings |= (burn >= share * days * 1440 / minutes).to_numpy()
    return rings


# %% burn-alert: thresholds for thirty days
# misconception: the factors of the well-known table hold for every objective
# hint: 14 % bad is a burn rate of 14
def burn_alert(requests, bad, slo, rules, days=28):
    if not 0 < slo < 1 or any(minutes < 12 for minutes, _ in rules):
        raise ValueError("not an objective, or too short a window")
    table = pd.DataFrame({"bad": bad, "requests": requests}, dtype=float)
    rings = np.zeros(len(table), dtype=bool)
    for minutes, share in rules:
        high = np.ones(len(table), dtype=bool)
        for width in (minutes, minutes // 12):
            total = table.rolling(width, min_periods=1).sum()
            burn = (total["bad"] / total["requests"].clip(lower=1)) / (1 - slo)
            high &= (burn >= share * 30 * 1440 / minutes).to_numpy()
        rings |= high
    return rings


# %% burn-alert: days of the contract ignored
# misconception: an objective is over 28 days, whatever the argument says
# hint: an objective over 30 days
def burn_alert(requests, bad, slo, rules, days=28):
    if not 0 < slo < 1 or any(minutes < 12 for minutes, _ in rules):
        raise ValueError("not an objective, or too short a window")
    table = pd.DataFrame({"bad": bad, "requests": requests}, dtype=float)
    rings = np.zeros(len(table), dtype=bool)
    for minutes, share in rules:
        high = np.ones(len(table), dtype=bool)
        for width in (minutes, minutes // 12):
            total = table.rolling(width, min_periods=1).sum()
            burn = (total["bad"] / total["requests"].clip(lower=1)) / (1 - slo)
            high &= (burn >= share * 28 * 1440 / minutes).to_numpy()
        rings |= high
    return rings


# %% burn-alert: silent until the window is full
# misconception: a window that is not full yet says nothing
# hint: near the beginning a window is what there is of it
def burn_alert(requests, bad, slo, rules, days=28):
    if not 0 < slo < 1 or any(minutes < 12 for minutes, _ in rules):
        raise ValueError("not an objective, or too short a window")
    table = pd.DataFrame({"bad": bad, "requests": requests}, dtype=float)
    rings = np.zeros(len(table), dtype=bool)
    for minutes, share in rules:
        high = np.ones(len(table), dtype=bool)
        for width in (minutes, minutes // 12):
            total = table.rolling(width).sum()
            burn = (total["bad"] / total["requests"].clip(lower=1)) / (1 - slo)
            high &= (burn >= share * days * 1440 / minutes).to_numpy()
        rings |= high
    return rings


# %% burn-alert: windows that end before the minute
# misconception: the last hour is the hour before the minute at hand
# hint: near the beginning a window is what there is of it
def burn_alert(requests, bad, slo, rules, days=28):
    if not 0 < slo < 1 or any(minutes < 12 for minutes, _ in rules):
        raise ValueError("not an objective, or too short a window")
    table = pd.DataFrame({"bad": bad, "requests": requests}, dtype=float)
    rings = np.zeros(len(table), dtype=bool)
    for minutes, share in rules:
        high = np.ones(len(table), dtype=bool)
        for width in (minutes, minutes // 12):
            total = table.rolling(width, min_periods=1).sum().shift(1, fill_value=0.0)
            burn = (total["bad"] / total["requests"].clip(lower=1)) / (1 - slo)
            high &= (burn >= share * days * 1440 / minutes).to_numpy()
        rings |= high
    return rings


# %% burn-alert: a window a minute too long
# misconception: from t minus w to t are w minutes
# hint: after how many whole minutes
def burn_alert(requests, bad, slo, rules, days=28):
    if not 0 < slo < 1 or any(minutes < 12 for minutes, _ in rules):
        raise ValueError("not an objective, or too short a window")
    table = pd.DataFrame({"bad": bad, "requests": requests}, dtype=float)
    rings = np.zeros(len(table), dtype=bool)
    for minutes, share in rules:
        high = np.ones(len(table), dtype=bool)
        for width in (minutes, minutes // 12):
            total = table.rolling(width + 1, min_periods=1).sum()
            burn = (total["bad"] / total["requests"].clip(lower=1)) / (1 - slo)
            high &= (burn >= share * days * 1440 / minutes).to_numpy()
        rings |= high
    return rings


# %% burn-alert: five minutes for every rule
# misconception: the short window is five minutes, as for the first rule
# hint: the second rule has windows of 360 and 30 minutes
def burn_alert(requests, bad, slo, rules, days=28):
    if not 0 < slo < 1 or any(minutes < 12 for minutes, _ in rules):
        raise ValueError("not an objective, or too short a window")
    table = pd.DataFrame({"bad": bad, "requests": requests}, dtype=float)
    rings = np.zeros(len(table), dtype=bool)
    for minutes, share in rules:
        high = np.ones(len(table), dtype=bool)
        for width in (minutes, 5):
            total = table.rolling(width, min_periods=1).sum()
            burn = (total["bad"] / total["requests"].clip(lower=1)) / (1 - slo)
            high &= (burn >= share * days * 1440 / minutes).to_numpy()
        rings |= high
    return rings


# %% burn-alert: all rules at once
# misconception: rules are joined by "and", as the windows are
# hint: one rule of several is enough
def burn_alert(requests, bad, slo, rules, days=28):
    if not 0 < slo < 1 or any(minutes < 12 for minutes, _ in rules):
        raise ValueError("not an objective, or too short a window")
    table = pd.DataFrame({"bad": bad, "requests": requests}, dtype=float)
    rings = np.ones(len(table), dtype=bool)
    for minutes, share in rules:
        for width in (minutes, minutes // 12):
            total = table.rolling(width, min_periods=1).sum()
            burn = (total["bad"] / total["requests"].clip(lower=1)) / (1 - slo)
            rings &= (burn >= share * days * 1440 / minutes).to_numpy()
    return rings


# %% burn-alert: minutes without requests left out
# misconception: a minute without requests has no share and can be dropped, which makes every window longer
# hint: minutes without requests are minutes
def burn_alert(requests, bad, slo, rules, days=28):
    if not 0 < slo < 1 or any(minutes < 12 for minutes, _ in rules):
        raise ValueError("not an objective, or too short a window")
    table = pd.DataFrame({"bad": bad, "requests": requests}, dtype=float)
    some = table[table["requests"] > 0]
    rings = pd.Series(False, index=some.index)
    for minutes, share in rules:
        high = pd.Series(True, index=some.index)
        for width in (minutes, minutes // 12):
            total = some.rolling(width, min_periods=1).sum()
            high &= total["bad"] / total["requests"] / (1 - slo) >= share * days * 1440 / minutes
        rings |= high
    return rings.reindex(table.index, fill_value=False).to_numpy(dtype=bool)


# %% burn-alert: the objective of the lab typed in
# misconception: one request in a hundred is what every objective allows
# hint: an objective of 98 % allows twice as much
def burn_alert(requests, bad, slo, rules, days=28):
    if not 0 < slo < 1 or any(minutes < 12 for minutes, _ in rules):
        raise ValueError("not an objective, or too short a window")
    table = pd.DataFrame({"bad": bad, "requests": requests}, dtype=float)
    rings = np.zeros(len(table), dtype=bool)
    for minutes, share in rules:
        high = np.ones(len(table), dtype=bool)
        for width in (minutes, minutes // 12):
            total = table.rolling(width, min_periods=1).sum()
            burn = 100 * total["bad"] / total["requests"].clip(lower=1)
            high &= (burn >= share * days * 1440 / minutes).to_numpy()
        rings |= high
    return rings


# %% burn-alert-review: only the three incidents
# misconception: an alert that finds what it should find is right
# hint: lets errors pass
def test_burn_alert(burn_alert):
    outage = np.zeros(300, dtype=int)
    outage[100:130] = 100
    rings = burn_alert(np.full(300, 100), outage, 0.99, [(60, 0.02)])
    assert rings[100:130].any()


# %% burn-alert-review: only what the shown version gets wrong
# misconception: a regression test for the one bug at hand covers the contract
# hint: lets errors pass
def test_burn_alert(burn_alert):
    requests = np.array([300, 300, 300, 300, 1] * 60)
    assert not burn_alert(requests, np.where(requests == 1, 1, 0), 0.99, [(60, 0.02)]).any()


# %% burn-alert-review: a burn rate that equals its threshold
# misconception: decimal fractions are exact, so that a test may sit on a threshold
# hint: blames the innocent
def test_burn_alert(burn_alert):
    requests = np.array([300, 300, 300, 300, 1] * 60)
    assert not burn_alert(requests, np.where(requests == 1, 1, 0), 0.99, [(60, 0.02)]).any()
    for bad in range(1, 100):
        share = bad / 100 / 0.01 * 60 / (28 * 1440)
        assert burn_alert(np.full(70, 100), np.full(70, bad), 0.99, [(60, share)]).all()


# %% burn-alert-review: demands what the contract leaves open
# misconception: counts come as floats with missing minutes, as the reviewer has seen once
# hint: blames the innocent
def test_burn_alert(burn_alert):
    requests = np.array([300, 300, 300, 300, 1] * 60)
    assert not burn_alert(requests, np.where(requests == 1, 1, 0), 0.99, [(60, 0.02)]).any()
    assert burn_alert(requests, requests, 0.99, [(60, 0.02)]).tolist() is True
