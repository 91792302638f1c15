# %% [markdown]
# What learners really get wrong. The tags `shown` mark the version that is up for review.

# %% to-cents: through a float, cut off
# misconception: a float times 100 is the number of cents
# hint: does a float take part?
def to_cents(text, comma):
    decimal, group = (",", r"\.") if comma else (r"\.", ",")
    form = rf"([0-9]+|[0-9]{{1,3}}({group}[0-9]{{3}})+){decimal}[0-9]{{2}}"
    if not re.fullmatch(form, text.strip()):
        raise ValueError(text)
    text = text.replace(".", "").replace(",", ".") if comma else text.replace(",", "")
    return int(float(text) * 100)


# %% to-cents: everything but digits taken away
# misconception: cleaning a text is reading it; the last two digits are the cents, whatever stood before them
# hint: a text without an amount has no number of cents
def to_cents(text, comma):
    return int(re.sub("[^0-9]", "", text) or 0)


# %% to-cents: separators exchanged without a look at the form
# misconception: what becomes a number after the replacement was an amount of this form
# hint: an amount with the wrong decimal separator is not this partner's form
def to_cents(text, comma):
    text = text.replace(".", "").replace(",", ".") if comma else text.replace(",", "")
    try:
        return int(Decimal(text.strip()) * 100)
    except ArithmeticError:
        raise ValueError(text) from None


# %% to-cents: groups of any length
# misconception: a thousands separator may stand anywhere
# hint: thousands are grouped in threes
def to_cents(text, comma):
    decimal, group = (",", ".") if comma else (".", ",")
    if not re.fullmatch(rf"[0-9][0-9{group}]*[{decimal}][0-9][0-9]", text.strip()):
        raise ValueError(text)
    return int(re.sub("[.,]", "", text))


# %% to-cents: found somewhere in the text
# misconception: a match at the beginning is a match
# hint: nothing may stand in or beside the digits
def to_cents(text, comma):
    decimal, group = (",", r"\.") if comma else (r"\.", ",")
    form = rf"([0-9]{{1,3}}({group}[0-9]{{3}})+|[0-9]+){decimal}[0-9][0-9](?![0-9])"
    found = re.match(form, text.strip())
    if not found:
        raise ValueError(text)
    return int(re.sub("[.,]", "", found[0]))


# %% parse-birch: month and day exchanged
# misconception: a date that parses was read in the right order
# hint: the day comes first
def parse_birch(line):
    reference, revision, day, _, _, _, _, income, loan, _ = line.split(";")

    def cents(text):
        if not re.fullmatch(r"([0-9]+|[0-9]{1,3}(\.[0-9]{3})+),[0-9]{2}", text):
            raise ValueError(text)
        return int(re.sub("[.,]", "", text))

    when = pd.to_datetime(day.replace(".", "/"), dayfirst=False)
    return {
        "reference": reference,
        "revision": int(revision),
        "applied_on": when.strftime("%Y-%m-%d"),
        "income_cents": None if income == "-" else cents(income) // 12,
        "loan_cents": cents(loan),
    }


# %% parse-birch: income per year
# misconception: a column called income means the same at every partner
# hint: how much is it a month?
def parse_birch(line):
    reference, revision, day, _, _, _, _, income, loan, _ = line.split(";")

    def cents(text):
        if not re.fullmatch(r"([0-9]+|[0-9]{1,3}(\.[0-9]{3})+),[0-9]{2}", text):
            raise ValueError(text)
        return int(re.sub("[.,]", "", text))

    return {
        "reference": reference,
        "revision": int(revision),
        "applied_on": datetime.strptime(day, "%d.%m.%Y").strftime("%Y-%m-%d"),
        "income_cents": None if income == "-" else cents(income),
        "loan_cents": cents(loan),
    }


# %% parse-birch: a dash is zero
# misconception: no income on file is an income of nothing
# hint: a dash is a missing income
def parse_birch(line):
    reference, revision, day, _, _, _, _, income, loan, _ = line.split(";")

    def cents(text):
        if not re.fullmatch(r"([0-9]+|[0-9]{1,3}(\.[0-9]{3})+),[0-9]{2}", text):
            raise ValueError(text)
        return int(re.sub("[.,]", "", text))

    return {
        "reference": reference,
        "revision": int(revision),
        "applied_on": datetime.strptime(day, "%d.%m.%Y").strftime("%Y-%m-%d"),
        "income_cents": 0 if income == "-" else cents(income) // 12,
        "loan_cents": cents(loan),
    }


# %% parse-birch: the date cut up and put together
# misconception: three numbers in the right places are a date
# hint: a date that does not exist has to be refused
def parse_birch(line):
    reference, revision, day, _, _, _, _, income, loan, _ = line.split(";")

    def cents(text):
        if not re.fullmatch(r"([0-9]+|[0-9]{1,3}(\.[0-9]{3})+),[0-9]{2}", text):
            raise ValueError(text)
        return int(re.sub("[.,]", "", text))

    return {
        "reference": reference,
        "revision": int(revision),
        "applied_on": "-".join(reversed(day.split("."))),
        "income_cents": None if income == "-" else cents(income) // 12,
        "loan_cents": cents(loan),
    }


# %% parse-birch: points taken away, comma made a point
# misconception: cleaning a text is reading it
# hint: an amount with a decimal point is not birch's form
def parse_birch(line):
    reference, revision, day, _, _, _, _, income, loan, _ = line.split(";")

    def cents(text):
        return int(Decimal(text.replace(".", "").replace(",", ".")) * 100)

    try:
        return {
            "reference": reference,
            "revision": int(revision),
            "applied_on": datetime.strptime(day, "%d.%m.%Y").strftime("%Y-%m-%d"),
            "income_cents": None if income == "-" else cents(income) // 12,
            "loan_cents": cents(loan),
        }
    except ArithmeticError as error:
        raise ValueError(line) from error


# %% parse-birch: fields by position, however many there are
# misconception: a line with the fields that I need is a whole line
# hint: too few or too many fields
def parse_birch(line):
    fields = line.split(";")
    if len(fields) < 9:
        raise ValueError(line)

    def cents(text):
        if not re.fullmatch(r"([0-9]+|[0-9]{1,3}(\.[0-9]{3})+),[0-9]{2}", text):
            raise ValueError(text)
        return int(re.sub("[.,]", "", text))

    return {
        "reference": fields[0],
        "revision": int(fields[1]),
        "applied_on": datetime.strptime(fields[2], "%d.%m.%Y").strftime("%Y-%m-%d"),
        "income_cents": None if fields[7] == "-" else cents(fields[7]) // 12,
        "loan_cents": cents(fields[8]),
    }


# %% read-file: only ValueError caught
# misconception: a parser that cannot read a line raises ValueError
# hint: a parser raises more than ValueError
def read_file(text, parse, header):
    rows, aside = [], []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or (header and number == 1):
            continue
        try:
            rows.append(parse(line))
        except ValueError as error:
            aside.append((number, line, type(error).__name__))
    return rows, aside


# %% read-file: everything caught
# misconception: a bare except is the safest one
# hint: somebody who presses Ctrl-C
def read_file(text, parse, header):
    rows, aside = [], []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or (header and number == 1):
            continue
        try:
            rows.append(parse(line))
        except BaseException as error:
            aside.append((number, line, type(error).__name__))
    return rows, aside


# %% read-file: splitlines
# misconception: splitlines splits at newlines
# hint: only a newline ends a line
def read_file(text, parse, header):
    rows, aside = [], []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or (header and number == 1):
            continue
        try:
            rows.append(parse(line))
        except Exception as error:
            aside.append((number, line, type(error).__name__))
    return rows, aside


# %% read-file: header and blank lines not counted
# misconception: a line's number is its place among the lines that are parsed
# hint: counts the header as line 1
def read_file(text, parse, header):
    rows, aside = [], []
    lines = [line for line in text.split("\n")[header:] if line.strip()]
    for number, line in enumerate(lines, 1):
        try:
            rows.append(parse(line))
        except Exception as error:
            aside.append((number, line, type(error).__name__))
    return rows, aside


# %% read-file: lines stripped before anything else
# misconception: blanks at the ends of a line never matter
# hint: as it stands in the file
def read_file(text, parse, header):
    rows, aside = [], []
    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip()
        if not line or (header and number == 1):
            continue
        try:
            rows.append(parse(line))
        except Exception as error:
            aside.append((number, line, type(error).__name__))
    return rows, aside


# %% load: the last arrival wins tags=["shown"]
# misconception: what arrives last is the newest
# hint: an older revision that comes late
def load(connection, rows):
    with connection:
        connection.executemany(
            "INSERT OR REPLACE INTO applications "
            "VALUES (:partner, :reference, :revision, :loan_cents)",
            rows,
        )


# %% load: what is there stays
# misconception: an idempotent load ignores what it has seen
# hint: a correction has to replace the amount
def load(connection, rows):
    with connection:
        connection.executemany(
            "INSERT OR IGNORE INTO applications "
            "VALUES (:partner, :reference, :revision, :loan_cents)",
            rows,
        )


# %% load: named by the reference alone
# misconception: references are unique over all partners
# hint: two partners may use the same reference
def load(connection, rows):
    with connection:
        for row in rows:
            old = connection.execute(
                "SELECT max(revision) FROM applications WHERE reference = ?", (row["reference"],)
            ).fetchone()[0]
            if old is None or row["revision"] > old:
                connection.execute(
                    "DELETE FROM applications WHERE reference = ?", (row["reference"],)
                )
                connection.execute(
                    "INSERT INTO applications "
                    "VALUES (:partner, :reference, :revision, :loan_cents)",
                    row,
                )


# %% load: a commit for each row
# misconception: committing often is safe
# hint: a load that fails halfway leaves nothing behind
def load(connection, rows):
    for row in rows:
        with connection:
            connection.execute(
                "INSERT INTO applications VALUES (:partner, :reference, :revision, :loan_cents) "
                "ON CONFLICT (partner, reference) DO UPDATE SET revision = excluded.revision, "
                "loan_cents = excluded.loan_cents "
                "WHERE excluded.revision > applications.revision",
                row,
            )


# %% load: no roll-back
# misconception: what is not committed is gone, also on a connection that stays open
# hint: which the next commit brings in
def load(connection, rows):
    for row in rows:
        connection.execute(
            "INSERT INTO applications VALUES (:partner, :reference, :revision, :loan_cents) "
            "ON CONFLICT (partner, reference) DO UPDATE SET revision = excluded.revision, "
            "loan_cents = excluded.loan_cents WHERE excluded.revision > applications.revision",
            row,
        )
    connection.commit()


# %% load: a failure rolled back and hidden
# misconception: a loader that does not crash is robust
# hint: a failure is passed on
def load(connection, rows):
    try:
        with connection:
            connection.executemany(
                "INSERT INTO applications VALUES (:partner, :reference, :revision, :loan_cents) "
                "ON CONFLICT (partner, reference) DO UPDATE SET revision = excluded.revision, "
                "loan_cents = excluded.loan_cents "
                "WHERE excluded.revision > applications.revision",
                rows,
            )
    except Exception:
        pass


# %% load-review: only what the shown version gets wrong
# misconception: one case that fails on this version is a test of the contract
# hint: lets errors pass
def test_load(load):
    connection, path = fresh()
    for revision in (2, 1):
        load(connection, [{"partner": "a", "reference": "x", "revision": revision,
                           "loan_cents": revision}])
    assert stored(path)[0][2] == 2


# %% load-review: only a repetition
# misconception: idempotence is all that the contract asks for
# hint: lets errors pass
def test_load(load):
    connection, path = fresh()
    rows = [{"partner": "a", "reference": "x", "revision": 1, "loan_cents": 5}]
    load(connection, rows)
    load(connection, rows)
    assert stored(path) == [("a", "x", 1, 5)]


# %% load-review: asks for what the contract does not promise
# misconception: every right version is made like mine
# hint: blames the innocent
def test_load(load):
    connection, path = fresh()
    asked = []
    connection.set_trace_callback(asked.append)
    load(connection, [{"partner": "a", "reference": "x", "revision": 1, "loan_cents": 5}])
    assert any("ON CONFLICT" in statement for statement in asked)


# %% consume: offset first
# misconception: the order of two commits makes no difference
# hint: which is committed first, the rows or the offset?
def consume(connection, fetch, partitions, batch):
    for partition in range(partitions):
        found = connection.execute(
            "SELECT next FROM offsets WHERE partition = ?", (partition,)
        ).fetchone()
        offset = found[0] if found else 0
        while messages := fetch(partition, offset, batch):
            offset += len(messages)
            with connection:
                connection.execute(
                    "INSERT OR REPLACE INTO offsets VALUES (?, ?)", (partition, offset)
                )
            with connection:
                connection.executemany(
                    "INSERT OR IGNORE INTO payments VALUES (:event_id, :event_time, :cents)",
                    messages,
                )


# %% consume: a short batch is taken for the end
# misconception: fewer messages than asked for means that there are no more
# hint: a short batch is not the end
def consume(connection, fetch, partitions, batch):
    for partition in range(partitions):
        found = connection.execute(
            "SELECT next FROM offsets WHERE partition = ?", (partition,)
        ).fetchone()
        offset, messages = found[0] if found else 0, [None] * batch
        while len(messages) == batch:
            messages = fetch(partition, offset, batch)
            offset += len(messages)
            with connection:
                connection.executemany(
                    "INSERT OR IGNORE INTO payments VALUES (:event_id, :event_time, :cents)",
                    messages,
                )
                connection.execute(
                    "INSERT OR REPLACE INTO offsets VALUES (?, ?)", (partition, offset)
                )


# %% consume: one commit at the end
# misconception: all or nothing is right for a stream as well
# hint: committed before the next batch is fetched
def consume(connection, fetch, partitions, batch):
    with connection:
        for partition in range(partitions):
            found = connection.execute(
                "SELECT next FROM offsets WHERE partition = ?", (partition,)
            ).fetchone()
            offset = found[0] if found else 0
            while messages := fetch(partition, offset, batch):
                offset += len(messages)
                connection.executemany(
                    "INSERT OR IGNORE INTO payments VALUES (:event_id, :event_time, :cents)",
                    messages,
                )
                connection.execute(
                    "INSERT OR REPLACE INTO offsets VALUES (?, ?)", (partition, offset)
                )


# %% consume: a copy is an error
# misconception: a key of the table keeps copies out, so an INSERT is enough
# hint: senders repeat messages
def consume(connection, fetch, partitions, batch):
    for partition in range(partitions):
        found = connection.execute(
            "SELECT next FROM offsets WHERE partition = ?", (partition,)
        ).fetchone()
        offset = found[0] if found else 0
        while messages := fetch(partition, offset, batch):
            offset += len(messages)
            try:
                with connection:
                    connection.executemany(
                        "INSERT INTO payments VALUES (:event_id, :event_time, :cents)", messages
                    )
            except sqlite3.IntegrityError:
                pass
            with connection:
                connection.execute(
                    "INSERT OR REPLACE INTO offsets VALUES (?, ?)", (partition, offset)
                )


# %% consume: stores the last offset, not the next
# misconception: the stored offset is the last message that was loaded
# hint: the first message that is not loaded
def consume(connection, fetch, partitions, batch):
    for partition in range(partitions):
        found = connection.execute(
            "SELECT next FROM offsets WHERE partition = ?", (partition,)
        ).fetchone()
        offset = found[0] + 1 if found else 0
        while messages := fetch(partition, offset, batch):
            offset += len(messages)
            with connection:
                connection.executemany(
                    "INSERT OR IGNORE INTO payments VALUES (:event_id, :event_time, :cents)",
                    messages,
                )
                connection.execute(
                    "INSERT OR REPLACE INTO offsets VALUES (?, ?)", (partition, offset - 1)
                )


# %% consume: counts rows instead of messages
# misconception: the number of rows in the table is the place in the log
# hint: the first message that is not loaded
def consume(connection, fetch, partitions, batch):
    for partition in range(partitions):
        found = connection.execute(
            "SELECT next FROM offsets WHERE partition = ?", (partition,)
        ).fetchone()
        place = offset = found[0] if found else 0
        while messages := fetch(partition, offset, batch):
            offset += len(messages)
            before = connection.total_changes
            with connection:
                connection.executemany(
                    "INSERT OR IGNORE INTO payments VALUES (:event_id, :event_time, :cents)",
                    messages,
                )
                place += connection.total_changes - before
                connection.execute(
                    "INSERT OR REPLACE INTO offsets VALUES (?, ?)", (partition, place)
                )


# %% hourly: watermark from every clock
# misconception: a time stamp is a fact
# hint: one clock is half a day ahead
def hourly(events, lateness):
    mark = events["event_time"].cummax().shift()
    hour = events["event_time"].dt.floor("h")
    first = ~events["event_id"].duplicated()
    late = first & (mark >= hour + pd.Timedelta(hours=1) + lateness)
    on_time = first & ~late
    return events.loc[on_time, "cents"].groupby(hour[on_time]).sum(), events[late]


# %% hourly: open at the limit
# misconception: at the limit is still in time
# hint: exactly at the end of the window
def hourly(events, lateness):
    mark = events[["event_time", "arrival_time"]].min(axis=1).cummax().shift()
    hour = events["event_time"].dt.floor("h")
    first = ~events["event_id"].duplicated()
    late = first & (mark > hour + pd.Timedelta(hours=1) + lateness)
    on_time = first & ~late
    return events.loc[on_time, "cents"].groupby(hour[on_time]).sum(), events[late]


# %% hourly: lateness counted from the event
# misconception: an event is late if it is older than the watermark by the allowed lateness
# hint: on fresh data other payments are late
def hourly(events, lateness):
    mark = events[["event_time", "arrival_time"]].min(axis=1).cummax().shift()
    hour = events["event_time"].dt.floor("h")
    first = ~events["event_id"].duplicated()
    late = first & (mark >= events["event_time"] + lateness)
    late &= mark >= hour + pd.Timedelta(hours=1)
    on_time = first & ~late
    return events.loc[on_time, "cents"].groupby(hour[on_time]).sum(), events[late]


# %% hourly: copies told by their content
# misconception: equal time and amount are the same payment
# hint: two payments of one amount in one minute are two payments
def hourly(events, lateness):
    mark = events[["event_time", "arrival_time"]].min(axis=1).cummax().shift()
    hour = events["event_time"].dt.floor("h")
    first = ~events.duplicated(["event_time", "cents"])
    late = first & (mark >= hour + pd.Timedelta(hours=1) + lateness)
    on_time = first & ~late
    return events.loc[on_time, "cents"].groupby(hour[on_time]).sum(), events[late]


# %% hourly: copies removed after the late ones
# misconception: it makes no difference whether copies are removed first or last
# hint: one payment is late
def hourly(events, lateness):
    mark = events[["event_time", "arrival_time"]].min(axis=1).cummax().shift()
    hour = events["event_time"].dt.floor("h")
    late = mark >= hour + pd.Timedelta(hours=1) + lateness
    on_time = events[~late].drop_duplicates("event_id")
    totals = on_time["cents"].groupby(hour[on_time.index]).sum()
    return totals, events[late].drop_duplicates("event_id")


# %% hourly: hour of arrival
# misconception: the hour in which we learn of a payment is the hour of the payment
# hint: the hour in which it was paid
def hourly(events, lateness):
    mark = events[["event_time", "arrival_time"]].min(axis=1).cummax().shift()
    hour = events["event_time"].dt.floor("h")
    first = ~events["event_id"].duplicated()
    late = first & (mark >= hour + pd.Timedelta(hours=1) + lateness)
    on_time = first & ~late
    arrival = events["arrival_time"].dt.floor("h")
    return events.loc[on_time, "cents"].groupby(arrival[on_time]).sum(), events[late]


# %% hourly: late payments dropped
# misconception: what is too late for the report is no longer needed
# hint: one payment is late
def hourly(events, lateness):
    mark = events[["event_time", "arrival_time"]].min(axis=1).cummax().shift()
    hour = events["event_time"].dt.floor("h")
    first = ~events["event_id"].duplicated()
    late = first & (mark >= hour + pd.Timedelta(hours=1) + lateness)
    on_time = first & ~late
    return events.loc[on_time, "cents"].groupby(hour[on_time]).sum(), events[late].iloc[:0]
