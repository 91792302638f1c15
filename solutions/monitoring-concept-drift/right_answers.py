# %% [markdown]
# Correct answers of a different make.

# %% page-hinkley: one day after the other
def page_hinkley(errors, labels, delta):
    if len(errors) != len(labels):
        raise ValueError("one entry per day each")
    seen_errors = seen_labels = total = low = 0.0
    levels = []
    for e, n in zip(errors, labels, strict=True):
        seen_errors += e
        seen_labels += n
        if n:
            total += e - n * (seen_errors / seen_labels + delta)
        low = min(low, total)
        levels.append(total - low)
    return np.array(levels, dtype=float)


# %% page-hinkley: days without labels taken out and filled in again, with pandas
def page_hinkley(errors, labels, delta):
    if len(errors) != len(labels):
        raise ValueError("one entry per day each")
    days = pd.DataFrame({"e": np.asarray(errors, float), "n": np.asarray(labels, float)})
    some = days[days["n"] > 0]
    rate = some["e"].cumsum() / some["n"].cumsum()
    total = (some["e"] - some["n"] * (rate + delta)).cumsum()
    level = total - total.cummin().clip(upper=0)
    return level.reindex(days.index).ffill().fillna(0).to_numpy(dtype=float)


# %% arrivals: loan by loan
def arrivals(day, approved, default_day, days):
    errors, labels = np.zeros(days), np.zeros(days)
    for d, granted, after in zip(day, approved, default_day, strict=True):
        repaid = math.isnan(after)
        on = int(d) + (365 if repaid else int(after))
        if granted and 0 <= on < days:
            labels[on] += 1
            errors[on] += not repaid
    return errors, labels


# %% arrivals: pandas, counted and reindexed
def arrivals(day, approved, default_day, days):
    frame = pd.DataFrame({"day": day, "after": default_day})[np.asarray(approved, dtype=bool)]
    on = frame["day"] + frame["after"].fillna(365)
    calendar = range(days)
    errors = on[frame["after"].notna()].value_counts().reindex(calendar, fill_value=0)
    labels = on.value_counts().reindex(calendar, fill_value=0)
    return errors.to_numpy(), labels.to_numpy()


# %% arrivals-review: against an independent implementation
def test_arrivals(arrivals):
    rng = np.random.default_rng(0)
    for trial in range(30):
        n = 60 + trial
        day = rng.integers(-420, 420, size=n)
        approved = rng.random(n) < 0.7
        after = np.where(rng.random(n) < 0.5, rng.choice([1, 2, 100, 364, 365], size=n), np.nan)
        want = [[0] * 400, [0] * 400]
        for d, a, k in zip(day, approved, after, strict=True):
            on = int(d + (k if k == k else 365))
            if a and 0 <= on < 400:
                want[1][on] += 1
                want[0][on] += k == k
        errors, labels = arrivals(day, approved, after, 400)
        assert list(errors) == want[0]
        assert list(labels) == want[1]


# %% retraining-months: an alarm that is kept until the retraining
def retraining_months(errors, labels, level_of, limit, minimum, cooldown):
    if cooldown < 1:
        raise ValueError("cooldown")
    months, start, due = [], 0, 1
    for month in range(1, len(errors) // 30 + 1):
        known = slice(start, 30 * month)
        above = np.asarray(level_of(errors[known], labels[known])) > limit
        if month < due or not above.any():
            continue
        alarm = start + int(above.argmax())
        if sum(labels[alarm : 30 * month]) >= minimum:
            months.append(month)
            start, due = 30 * month, month + cooldown
    return months


# %% retraining-months: recursion over the restarts
def retraining_months(errors, labels, level_of, limit, minimum, cooldown):
    if cooldown < 1:
        raise ValueError("cooldown")

    def after(last, earliest):
        for month in range(earliest, len(errors) // 30 + 1):
            e, n = errors[30 * last : 30 * month], labels[30 * last : 30 * month]
            for i, level in enumerate(level_of(e, n)):
                if level > limit:
                    if n[i:].sum() >= minimum:
                        return [month, *after(month, month + cooldown)]
                    break
        return []

    return after(0, 1)


# %% policy: the best mean rank over the kinds, among those allowed
_fine = tradeoff[tradeoff["retrained_quiet"] <= 0.2].copy()
_near = _fine[_fine["cost"] <= 1.03 * _fine["cost"].min()]
_row = _near.loc[_near["cost_lasting"].idxmin()]
policy = {"limit": float(_row["limit"]), "minimum": int(_row["minimum"])}

# %% forgetting: loops
def forgetting(predictions, truth, task):
    steps = len(predictions)
    matrix = np.empty((steps, steps))
    for i in range(steps):
        for k in range(steps):
            rows = [j for j in range(len(truth)) if task[j] == k]
            if not rows:
                raise ValueError("no test row")
            matrix[i, k] = sum(predictions[i][j] == truth[j] for j in rows) / len(rows)
    lost = [matrix[k, k] - matrix[steps - 1, k] for k in range(steps - 1)]
    return {"matrix": matrix, "average": sum(lost) / len(lost) if lost else float("nan")}


# %% forgetting: sums by a table of tasks
def forgetting(predictions, truth, task):
    steps = len(predictions)
    member = (np.asarray(task)[:, None] == np.arange(steps)).astype(float)
    if (member.sum(axis=0) == 0).any():
        raise ValueError("no test row")
    matrix = (np.asarray(predictions) == truth).astype(float) @ member / member.sum(axis=0)
    change = (matrix.diagonal() - matrix[-1])[: steps - 1]
    return {"matrix": matrix, "average": np.float64(change.mean() if steps > 1 else np.nan)}


# %% buffer: arrays of a fixed size
class Buffer:
    def __init__(self, size, seed):
        if size < 1:
            raise ValueError("size")
        self.rng = np.random.default_rng(seed)
        self.size, self.count = size, 0
        self.x = self.y = None

    def add(self, x, y):
        if not len(y):
            return
        if self.x is None:
            self.x = np.zeros((self.size, *np.shape(x)[1:]), dtype=np.asarray(x).dtype)
            self.y = np.zeros(self.size, dtype=np.asarray(y).dtype)
        for row, label in zip(x, y, strict=True):
            at = self.count
            self.count += 1
            if at >= self.size:
                if self.rng.random() >= self.size / self.count:
                    continue
                at = self.rng.integers(self.size)
            self.x[at], self.y[at] = row, label

    def held(self):
        if self.x is None:
            return np.zeros((0, 0)), np.zeros(0)
        now = min(self.size, self.count)
        return self.x[:now].copy(), self.y[:now].copy()

    def sample(self, n):
        x, y = self.held()
        if not len(y):
            raise ValueError("empty")
        at = self.rng.choice(len(y), n)
        return x[at], y[at]


# %% buffer: the smallest random keys
class Buffer:
    def __init__(self, size, seed):
        if size < 1:
            raise ValueError("size")
        self.size, self.rng, self.rows = size, np.random.default_rng(seed), []

    def add(self, x, y):
        keys = self.rng.random(len(y))
        self.rows += [(key, np.copy(a), b) for key, a, b in zip(keys, x, np.copy(y), strict=True)]
        self.rows = sorted(self.rows, key=lambda row: row[0])[: self.size]

    def held(self):
        return np.array([r[1] for r in self.rows]), np.array([r[2] for r in self.rows])

    def sample(self, n):
        if not self.rows:
            raise ValueError("empty")
        x, y = self.held()
        at = self.rng.integers(0, len(y), n)
        return x[at], y[at]
