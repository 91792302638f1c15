# %% [markdown]
# What learners really get wrong. The tags `shown` mark the version that is up for review.

# %% page-hinkley: the rate of the whole stream
# misconception: the mean is a number of the stream, so it can be computed once, from all of it
# hint: a day that is added at the end changes the levels
def page_hinkley(errors, labels, delta):
    if len(errors) != len(labels):
        raise ValueError("lengths")
    rate = np.sum(errors) / max(np.sum(labels), 1)
    total = np.concatenate([[0.0], np.cumsum(errors - labels * (rate + delta))])
    return np.where(np.cumsum(labels) > 0, (total - np.minimum.accumulate(total))[1:], 0.0)


# %% page-hinkley: above the lowest point of the whole stream
# misconception: the lowest point is that of the stream, even where it comes later
# hint: the first days lie at the lowest point so far
def page_hinkley(errors, labels, delta):
    if len(errors) != len(labels):
        raise ValueError("lengths")
    rate = np.cumsum(errors) / np.maximum(np.cumsum(labels), 1)
    total = np.cumsum(errors - labels * (rate + delta))
    return total - total.min(initial=0)


# %% page-hinkley: mean of the daily rates
# misconception: the rate so far is the mean of the daily rates, whatever the number of labels of a day
# hint: the rate so far is all errors over all labels
def page_hinkley(errors, labels, delta):
    if len(errors) != len(labels):
        raise ValueError("lengths")
    errors, labels = np.asarray(errors, float), np.asarray(labels, float)
    daily = np.where(labels > 0, errors / np.maximum(labels, 1), 0)
    rate = np.cumsum(daily) / np.maximum(np.cumsum(labels > 0), 1)
    total = np.concatenate([[0.0], np.cumsum(errors - labels * (rate + delta))])
    return (total - np.minimum.accumulate(total))[1:]


# %% page-hinkley: the allowance once a day
# misconception: the allowance belongs to a step of the detector, whatever the number of labels in it
# hint: compare rate, S and lowest S with its table
def page_hinkley(errors, labels, delta):
    if len(errors) != len(labels):
        raise ValueError("lengths")
    rate = np.cumsum(errors) / np.maximum(np.cumsum(labels), 1)
    total = np.concatenate([[0.0], np.cumsum(errors - labels * rate - delta)])
    return (total - np.minimum.accumulate(total))[1:]


# %% page-hinkley: the allowance of an average day
# misconception: each day gets the allowance of ten labels, because the example's days have ten
# hint: a day with many labels may have more errors
def page_hinkley(errors, labels, delta):
    if len(errors) != len(labels):
        raise ValueError("lengths")
    labels = np.asarray(labels, dtype=float)
    rate = np.cumsum(errors) / np.maximum(np.cumsum(labels), 1)
    total = np.cumsum(errors - labels * rate - 10 * delta * (labels > 0))
    total = np.concatenate([[0.0], total])
    return (total - np.minimum.accumulate(total))[1:]


# %% page-hinkley: no label, no rate
# misconception: there is a label on the first day, so that the rate so far always exists
# hint: no rate exists before the first label
def page_hinkley(errors, labels, delta):
    if len(errors) != len(labels):
        raise ValueError("lengths")
    with np.errstate(invalid="ignore"):
        rate = np.cumsum(errors) / np.cumsum(labels)
    total = np.concatenate([[0.0], np.cumsum(errors - labels * (rate + delta))])
    return (total - np.minimum.accumulate(total))[1:]


# %% arrivals: on the day of the application
# misconception: the outcome stands beside the application in the table, so it is known on that day
# hint: a default is known on its own day
def arrivals(day, approved, default_day, days):
    counted = approved & (day >= 0) & (day < days)
    bad = ~np.isnan(default_day)
    labels = np.bincount(day[counted], minlength=days)
    return np.bincount(day[counted & bad], minlength=days), labels


# %% arrivals: everything after a year
# misconception: an outcome is known when the loan's year is over, a default too
# hint: a default is known on its own day
def arrivals(day, approved, default_day, days):
    on = day + 365
    counted = approved & (on >= 0) & (on < days)
    bad = ~np.isnan(default_day)
    labels = np.bincount(on[counted], minlength=days)
    return np.bincount(on[counted & bad], minlength=days), labels


# %% arrivals: refused applications repay
# misconception: only defaults have to be checked for approval; who repaid would have repaid anyway
# hint: refused applications have no outcome
def arrivals(day, approved, default_day, days):
    bad = ~np.isnan(default_day)
    on = day + np.where(bad, default_day, 365).astype(int)
    counted = (approved | ~bad) & (on >= 0) & (on < days)
    labels = np.bincount(on[counted], minlength=days)
    return np.bincount(on[counted & bad], minlength=days), labels


# %% arrivals: a default is a label twice
# misconception: at the end of the year every loan is counted as known, the defaults once more
# hint: each loan is a label once
def arrivals(day, approved, default_day, days):
    bad = ~np.isnan(default_day)
    errors, labels = np.zeros(days, dtype=int), np.zeros(days, dtype=int)
    early = (day + np.where(bad, default_day, 0)).astype(int)
    for at in early[approved & bad & (early >= 0) & (early < days)]:
        errors[at] += 1
        labels[at] += 1
    late = day + 365
    for at in late[approved & (late >= 0) & (late < days)]:
        labels[at] += 1
    return errors, labels


# %% arrivals: one loan a day
# misconception: adding one at an array of positions counts a position that occurs twice twice
# hint: a small case has other errors
def arrivals(day, approved, default_day, days):
    bad = ~np.isnan(default_day)
    on = day + np.where(bad, default_day, 365).astype(int)
    counted = approved & (on >= 0) & (on < days)
    errors, labels = np.zeros(days, dtype=int), np.zeros(days, dtype=int)
    errors[on[counted & bad]] += 1
    labels[on[counted]] += 1
    return errors, labels


# %% arrivals: days before day 0 wrap around tags=["shown"]
# misconception: a position below zero is out of range, when it counts from the end of the array
# hint: what became known before day 0 is left out
def arrivals(day, approved, default_day, days):
    repaid = np.isnan(default_day)
    known_on = day + np.where(repaid, 365, default_day).astype(int)
    errors, labels = np.zeros(days, dtype=int), np.zeros(days, dtype=int)
    for on, granted, good in zip(known_on, approved, repaid, strict=True):
        if granted and -days <= on < days:
            labels[on] += 1
            errors[on] += not good
    return errors, labels


# %% arrivals: applications from before day 0 dropped
# misconception: a stream that is watched from day 0 on has no earlier loans
# hint: what became known before day 0 is left out, the rest counts
def arrivals(day, approved, default_day, days):
    bad = ~np.isnan(default_day)
    on = day + np.where(bad, default_day, 365).astype(int)
    counted = approved & (day >= 0) & (on < days)
    labels = np.bincount(on[counted], minlength=days)
    return np.bincount(on[counted & bad], minlength=days), labels


# %% arrivals: a default on day 365 is a repayment
# misconception: when the year is over the loan is repaid, so that a default has to come before its last day
# hint: a default can happen on the last day of the year
def arrivals(day, approved, default_day, days):
    bad = default_day < 365
    on = day + np.where(bad, np.nan_to_num(default_day), 365).astype(int)
    counted = approved & (on >= 0) & (on < days)
    labels = np.bincount(on[counted], minlength=days)
    return np.bincount(on[counted & bad], minlength=days), labels


# %% arrivals-review: only the types
# misconception: two arrays of the right length are a test of the contract
# hint: lets errors pass
def test_arrivals(arrivals):
    day, approved = np.array([0, 1]), np.array([True, True])
    errors, labels = arrivals(day, approved, np.array([2.0, np.nan]), 30)
    assert len(errors) == len(labels) == 30


# %% arrivals-review: only what the shown version gets wrong
# misconception: a regression test for the one bug at hand covers the contract
# hint: lets errors pass
def test_arrivals(arrivals):
    early = np.array([-10])
    errors, labels = arrivals(early, np.array([True]), np.array([4.0]), 30)
    assert sum(errors) == sum(labels) == 0


# %% arrivals-review: demands integers
# misconception: a count is an integer, so a float array is an error
# hint: blames the innocent
def test_arrivals(arrivals):
    day, approved = np.array([0, 0, -10]), np.array([True, False, True])
    errors, labels = arrivals(day, approved, np.array([2.0, np.nan, 3.0]), 400)
    assert errors.dtype.kind == "i" and labels.dtype.kind == "i"
    assert errors.sum() == 1 and labels.sum() == 1 and errors[2] == 1


# %% arrivals-review: demands an error that nobody promised
# misconception: applications from before day 0 are bad input and must raise
# hint: blames the innocent
def test_arrivals(arrivals):
    try:
        arrivals(np.array([-10]), np.array([True]), np.array([4.0]), 30)
    except ValueError:
        return
    raise AssertionError("days before 0 must raise")


# %% retraining-months: the month's own days
# misconception: the decision of a month may use the days of that month
# hint: month 2 begins on day 60
def retraining_months(errors, labels, level_of, limit, minimum, cooldown):
    if cooldown < 1:
        raise ValueError("cooldown")
    months = []
    for month in range(1, len(errors) // 30 + 1):
        if months and month - months[-1] < cooldown:
            continue
        start, end = 30 * months[-1] if months else 0, 30 * month + 30
        on = np.flatnonzero(level_of(errors[start:end], labels[start:end]) > limit)
        if len(on) and labels[start + on[0] : end].sum() >= minimum:
            months.append(month)
    return months


# %% retraining-months: levels of the whole stream
# misconception: the levels can be computed once, and read month by month
# hint: the detector starts anew after the retraining
def retraining_months(errors, labels, level_of, limit, minimum, cooldown):
    if cooldown < 1:
        raise ValueError("cooldown")
    months, levels = [], level_of(errors, labels)
    for month in range(1, len(errors) // 30 + 1):
        if months and month - months[-1] < cooldown:
            continue
        on = np.flatnonzero(levels[: 30 * month] > limit)
        if len(on) and labels[on[0] : 30 * month].sum() >= minimum:
            months.append(month)
    return months


# %% retraining-months: alarms restart, the detector does not
# misconception: to start anew means to forget the alarm, while the sums of the detector go on
# hint: errors of before the last retraining are still among them
def retraining_months(errors, labels, level_of, limit, minimum, cooldown):
    if cooldown < 1:
        raise ValueError("cooldown")
    months = []
    for month in range(1, len(errors) // 30 + 1):
        if months and month - months[-1] < cooldown:
            continue
        start, today = 30 * months[-1] if months else 0, 30 * month
        levels = np.array(level_of(errors[:today], labels[:today]))
        levels[:start] = -np.inf
        on = np.flatnonzero(levels > limit)
        if len(on) and labels[on[0] : today].sum() >= minimum:
            months.append(month)
    return months


# %% retraining-months: only the level of the last day
# misconception: an alarm is over when the level has fallen again
# hint: the example of the docstring gives other months
def retraining_months(errors, labels, level_of, limit, minimum, cooldown):
    if cooldown < 1:
        raise ValueError("cooldown")
    months, alarm = [], None
    for month in range(1, len(errors) // 30 + 1):
        start, today = 30 * months[-1] if months else 0, 30 * month
        if alarm is None and level_of(errors[start:today], labels[start:today])[-1] > limit:
            alarm = today - 1
        rested = not months or month - months[-1] >= cooldown
        if alarm is not None and rested and labels[alarm:today].sum() >= minimum:
            months.append(month)
            alarm = None
    return months


# %% retraining-months: labels since the last retraining
# misconception: the labels that a model needs are all that have come since the last one, of either world
# hint: count them from the alarm, not from day 0
def retraining_months(errors, labels, level_of, limit, minimum, cooldown):
    if cooldown < 1:
        raise ValueError("cooldown")
    months = []
    for month in range(1, len(errors) // 30 + 1):
        if months and month - months[-1] < cooldown:
            continue
        start, today = 30 * months[-1] if months else 0, 30 * month
        rings = (level_of(errors[start:today], labels[start:today]) > limit).any()
        if rings and labels[start:today].sum() >= minimum:
            months.append(month)
    return months


# %% retraining-months: a cooldown before the first
# misconception: the start of the stream counts as a retraining
# hint: the first retraining needs no cooldown
def retraining_months(errors, labels, level_of, limit, minimum, cooldown):
    if cooldown < 1:
        raise ValueError("cooldown")
    months, last = [], 0
    for month in range(cooldown, len(errors) // 30 + 1):
        if month - last < cooldown:
            continue
        start, today = 30 * last, 30 * month
        on = np.flatnonzero(level_of(errors[start:today], labels[start:today]) > limit)
        if len(on) and labels[start + on[0] : today].sum() >= minimum:
            months.append(month)
            last = month
    return months


# %% retraining-months: the detector looks at the last month only
# misconception: each month has its own alarm, so that each decision looks at the last month
# hint: without a retraining the detector keeps all its days
def retraining_months(errors, labels, level_of, limit, minimum, cooldown):
    if cooldown < 1:
        raise ValueError("cooldown")
    months, alarm = [], None
    for month in range(1, len(errors) // 30 + 1):
        begin, today = 30 * (month - 1), 30 * month
        on = np.flatnonzero(level_of(errors[begin:today], labels[begin:today]) > limit)
        if alarm is None and len(on):
            alarm = begin + on[0]
        rested = not months or month - months[-1] >= cooldown
        if alarm is not None and rested and labels[alarm:today].sum() >= minimum:
            months.append(month)
            alarm = None
    return months


# %% policy: the cheapest of all
# misconception: the condition is a wish, and the cost already counts retrainings
# hint: the committee set a condition
_row = tradeoff.loc[tradeoff["cost"].idxmin()]
policy = {"limit": float(_row["limit"]), "minimum": int(_row["minimum"])}

# %% policy: the safest row
# misconception: what keeps the condition best is best
# hint: not to retrain has a cost too
_row = tradeoff[tradeoff["retrained_quiet"] == 0].sort_values("limit").iloc[-1]
policy = {"limit": float(_row["limit"]), "minimum": int(_row["minimum"])}

# %% policy: retrain on the day of the alarm
# misconception: the sooner the new model, the lower the loss
# hint: another row that keeps the condition costs much less
_quick = tradeoff[(tradeoff["retrained_quiet"] <= 0.25) & (tradeoff["minimum"] == 0)]
_quick = _quick[np.isfinite(_quick["limit"]) & (_quick["limit"] > 24)]
policy = {"limit": float(_quick["limit"].min()), "minimum": 0}

# %% policy: a row of the table as it is
# misconception: a whole number that a table shows is an int
# hint: a row taken from a table holds floats
policy = tradeoff.iloc[12][["limit", "minimum"]].to_dict()

# %% forgetting: axes swapped
# misconception: the rows of the matrix are the tasks tested, the columns the time
# hint: which axis is the time of training
def forgetting(predictions, truth, task):
    tasks = len(predictions)
    if len(set(np.asarray(task).tolist())) < tasks:
        raise ValueError("task")
    right = predictions == truth
    matrix = np.array([right[:, task == k].mean(axis=1) for k in range(tasks)])
    lost = matrix.diagonal()[:-1] - matrix[:-1, -1]
    return {"matrix": matrix, "average": float(lost.mean()) if tasks > 1 else math.nan}


# %% forgetting: the last task counted too
# misconception: the average runs over all tasks, though the last has had no time to be forgotten
# hint: the last task has had no time
def forgetting(predictions, truth, task):
    tasks = len(predictions)
    if len(set(np.asarray(task).tolist())) < tasks:
        raise ValueError("task")
    right = predictions == truth
    matrix = np.column_stack([right[:, task == k].mean(axis=1) for k in range(tasks)])
    lost = matrix.diagonal() - matrix[-1]
    return {"matrix": matrix, "average": float(lost.mean()) if tasks > 1 else math.nan}


# %% forgetting: gains set to zero
# misconception: a task that got better was not forgotten, so it counts zero
# hint: a gain counts as negative forgetting
def forgetting(predictions, truth, task):
    tasks = len(predictions)
    if len(set(np.asarray(task).tolist())) < tasks:
        raise ValueError("task")
    right = predictions == truth
    matrix = np.column_stack([right[:, task == k].mean(axis=1) for k in range(tasks)])
    lost = np.maximum(matrix.diagonal()[:-1] - matrix[-1, :-1], 0)
    return {"matrix": matrix, "average": float(lost.mean()) if tasks > 1 else math.nan}


# %% forgetting: from the best value of each task
# misconception: forgetting is measured from the best that the network ever did
# hint: the average starts from the diagonal
def forgetting(predictions, truth, task):
    tasks = len(predictions)
    if len(set(np.asarray(task).tolist())) < tasks:
        raise ValueError("task")
    right = predictions == truth
    matrix = np.column_stack([right[:, task == k].mean(axis=1) for k in range(tasks)])
    first = matrix.diagonal()[:-1]
    best = np.where(first < 1, np.maximum(first, matrix.max(axis=0)[:-1]), first)
    lost = best - matrix[-1, :-1]
    return {"matrix": matrix, "average": float(lost.mean()) if tasks > 1 else math.nan}


# %% forgetting: rows of all tasks pooled
# misconception: the average forgetting is that of an average row
# hint: each task counts once in the average
def forgetting(predictions, truth, task):
    tasks = len(predictions)
    if len(set(np.asarray(task).tolist())) < tasks:
        raise ValueError("task")
    right = predictions == truth
    matrix = np.column_stack([right[:, task == k].mean(axis=1) for k in range(tasks)])
    weight = np.bincount(task, minlength=tasks)[: tasks - 1]
    lost = matrix.diagonal()[:-1] - matrix[-1, :-1]
    average = float(np.average(lost, weights=weight)) if tasks > 1 else math.nan
    return {"matrix": matrix, "average": average}


# %% forgetting: nothing was forgotten by one task
# misconception: where nothing can be forgotten the average is zero
# hint: one task alone: there is nothing
def forgetting(predictions, truth, task):
    tasks = len(predictions)
    if len(set(np.asarray(task).tolist())) < tasks:
        raise ValueError("task")
    right = predictions == truth
    matrix = np.column_stack([right[:, task == k].mean(axis=1) for k in range(tasks)])
    lost = matrix.diagonal()[:-1] - matrix[-1, :-1]
    return {"matrix": matrix, "average": float(lost.mean()) if tasks > 1 else 0.0}


# %% buffer: the first rows
# misconception: a buffer that is full is done
# hint: the first rows of the stream, or the last, are never held
class Buffer:
    def __init__(self, size, seed):
        if size < 1:
            raise ValueError("size")
        self.size, self.rng, self.x, self.y = size, np.random.default_rng(seed), [], []

    def add(self, x, y):
        for row, label in zip(np.array(x), np.array(y), strict=True):
            if len(self.y) < self.size:
                self.x.append(row)
                self.y.append(label)

    def held(self):
        return np.array(self.x), np.array(self.y)

    def sample(self, n):
        if not self.y:
            raise ValueError("empty")
        at = self.rng.integers(len(self.y), size=n)
        return np.array(self.x)[at], np.array(self.y)[at]


# %% buffer: every new row pushes one out
# misconception: a random place for each new row makes a random sample of the stream
# hint: over 2000 seeds the rows are not held equally often
class Buffer:
    def __init__(self, size, seed):
        if size < 1:
            raise ValueError("size")
        self.size, self.rng, self.x, self.y = size, np.random.default_rng(seed), [], []

    def add(self, x, y):
        for row, label in zip(np.array(x), np.array(y), strict=True):
            if len(self.y) < self.size:
                self.x.append(row)
                self.y.append(label)
            else:
                at = self.rng.integers(self.size)
                self.x[at], self.y[at] = row, label

    def held(self):
        return np.array(self.x), np.array(self.y)

    def sample(self, n):
        if not self.y:
            raise ValueError("empty")
        at = self.rng.integers(len(self.y), size=n)
        return np.array(self.x)[at], np.array(self.y)[at]


# %% buffer: row and label swapped out apart
# misconception: a random place for the row and a random place for its label are the same
# hint: a row is held with the label of another row
class Buffer:
    def __init__(self, size, seed):
        if size < 1:
            raise ValueError("size")
        self.size, self.seen, self.rng = size, 0, np.random.default_rng(seed)
        self.x, self.y = [], []

    def add(self, x, y):
        x, y = np.array(x), np.array(y)
        start = self.seen
        for store, rows in ((self.x, x), (self.y, y)):
            self.seen = start
            for row in rows:
                self.seen += 1
                at = self.rng.integers(self.seen)
                if len(store) < self.size:
                    store.append(row)
                elif at < self.size:
                    store[at] = row

    def held(self):
        return np.array(self.x), np.array(self.y)

    def sample(self, n):
        if not self.y:
            raise ValueError("empty")
        at = self.rng.integers(len(self.y), size=n)
        return np.array(self.x)[at], np.array(self.y)[at]


# %% buffer: the count starts anew with each call
# misconception: a fair sample of each batch, one after the other, is a fair sample of the stream
# hint: the same stream in six batches
class Buffer:
    def __init__(self, size, seed):
        if size < 1:
            raise ValueError("size")
        self.size, self.rng, self.x, self.y = size, np.random.default_rng(seed), [], []

    def add(self, x, y):
        for n, (row, label) in enumerate(zip(np.array(x), np.array(y), strict=True), 1):
            at = self.rng.integers(max(n, self.size))
            if len(self.y) < self.size:
                self.x.append(row)
                self.y.append(label)
            elif self.rng.random() < min(self.size / n, 1):
                at = self.rng.integers(self.size)
                self.x[at], self.y[at] = row, label

    def held(self):
        return np.array(self.x), np.array(self.y)

    def sample(self, n):
        if not self.y:
            raise ValueError("empty")
        at = self.rng.integers(len(self.y), size=n)
        return np.array(self.x)[at], np.array(self.y)[at]


# %% buffer: the row's number counted from 0
# misconception: the number of a row is its index, so that the first row after a full buffer always enters
# hint: how often does the third one enter
class Buffer:
    def __init__(self, size, seed):
        if size < 1:
            raise ValueError("size")
        self.size, self.seen, self.rng = size, 0, np.random.default_rng(seed)
        self.x, self.y = [], []

    def add(self, x, y):
        for row, label in zip(np.array(x), np.array(y), strict=True):
            if len(self.y) < self.size:
                self.x.append(row)
                self.y.append(label)
            else:
                at = self.rng.integers(self.seen)
                if at < self.size:
                    self.x[at], self.y[at] = row, label
            self.seen += 1

    def held(self):
        return np.array(self.x), np.array(self.y)

    def sample(self, n):
        if not self.y:
            raise ValueError("empty")
        at = self.rng.integers(len(self.y), size=n)
        return np.array(self.x)[at], np.array(self.y)[at]


# %% buffer: the oldest row makes room
# misconception: whoever enters at random may replace the oldest row, for it has been there longest
# hint: which row makes room
class Buffer:
    def __init__(self, size, seed):
        if size < 1:
            raise ValueError("size")
        self.size, self.seen, self.rng = size, 0, np.random.default_rng(seed)
        self.rows = []

    def add(self, x, y):
        for row in zip(np.array(x), np.array(y), strict=True):
            self.seen += 1
            if len(self.rows) < self.size:
                self.rows.append(row)
            elif self.rng.random() < self.size / self.seen:
                self.rows = [*self.rows[1:], row]

    def held(self):
        return np.array([x for x, _ in self.rows]), np.array([y for _, y in self.rows])

    def sample(self, n):
        if not self.rows:
            raise ValueError("empty")
        x, y = self.held()
        at = self.rng.integers(len(y), size=n)
        return x[at], y[at]


# %% buffer: views of the caller's arrays
# misconception: a row taken from an array is the buffer's own
# hint: keep copies
class Buffer:
    def __init__(self, size, seed):
        if size < 1:
            raise ValueError("size")
        self.size, self.seen, self.rng = size, 0, np.random.default_rng(seed)
        self.x, self.y = [], []

    def add(self, x, y):
        for row, label in zip(x, y, strict=True):
            self.seen += 1
            at = self.rng.integers(self.seen)
            if len(self.y) < self.size:
                self.x.append(row)
                self.y.append(label)
            elif at < self.size:
                self.x[at], self.y[at] = row, label

    def held(self):
        return np.array(self.x), np.array(self.y)

    def sample(self, n):
        if not self.y:
            raise ValueError("empty")
        at = self.rng.integers(len(self.y), size=n)
        return np.array(self.x)[at], np.array(self.y)[at]


# %% buffer: the global generator
# misconception: a seed given to NumPy's global generator makes a class repeatable
# hint: equal seeds and equal calls
class Buffer:
    def __init__(self, size, seed):
        if size < 1:
            raise ValueError("size")
        self.size, self.seen, self.x, self.y = size, 0, [], []
        np.random.seed(seed)

    def add(self, x, y):
        for row, label in zip(np.array(x), np.array(y), strict=True):
            self.seen += 1
            at = np.random.randint(self.seen)
            if len(self.y) < self.size:
                self.x.append(row)
                self.y.append(label)
            elif at < self.size:
                self.x[at], self.y[at] = row, label

    def held(self):
        return np.array(self.x), np.array(self.y)

    def sample(self, n):
        if not self.y:
            raise ValueError("empty")
        at = np.random.randint(len(self.y), size=n)
        return np.array(self.x)[at], np.array(self.y)[at]
