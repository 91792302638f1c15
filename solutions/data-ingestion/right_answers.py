# %% [markdown]
# Correct answers of a different make.

# %% to-cents: character by character
def to_cents(text, comma):
    decimal, group = (",", ".") if comma else (".", ",")
    whole, found, cents = text.strip().rpartition(decimal)
    parts = whole.split(group)
    digits = set("0123456789")
    if not found or len(cents) != 2 or not set(cents) <= digits or decimal in whole:
        raise ValueError(text)
    if not all(part and set(part) <= digits for part in parts):
        raise ValueError(text)
    if len(parts) > 1 and (len(parts[0]) > 3 or any(len(part) != 3 for part in parts[1:])):
        raise ValueError(text)
    return int("".join(parts)) * 100 + int(cents)


# %% parse-birch: split, checks, a date by its parts
def parse_birch(line):
    fields = line.split(";")
    if len(fields) != 10:
        raise ValueError(f"{len(fields)} fields")
    day, month, year = (int(part) for part in fields[2].split("."))

    def amount(text):
        if not re.match(r"^[0-9]+,[0-9][0-9]$|^[0-9]{1,3}(\.[0-9]{3})+,[0-9][0-9]$", text):
            raise ValueError(text)
        whole, cents = text.split(",")
        return 100 * int(whole.replace(".", "")) + int(cents)

    income = None
    if fields[7] != "-":
        income = amount(fields[7]) // 12
    return dict(
        loan_cents=amount(fields[8]),
        income_cents=income,
        applied_on=date(year, month, day).isoformat(),
        revision=int(fields[1]),
        reference=fields[0],
    )


# %% read-file: a position that walks through the text
def read_file(text, parse, header):
    rows, aside, number, start = [], [], 0, 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        line, start, number = text[start:end], end + 1, number + 1
        if line.strip() == "" or (number == 1 and header):
            continue
        try:
            row = parse(line)
        except Exception as error:
            aside.append((number, line, error.__class__.__name__))
        else:
            rows.append(row)
    return rows, aside


# %% load: look before writing, one transaction
def load(connection, rows):
    newest = {}
    for row in rows:
        key = row["partner"], row["reference"]
        if key not in newest or row["revision"] > newest[key][0]:
            newest[key] = row["revision"], row["loan_cents"]
    for key, (revision, cents) in newest.items():
        where = "WHERE partner = ? AND reference = ?"
        found = connection.execute(f"SELECT revision FROM applications {where}", key).fetchone()
        if found is None:
            connection.execute(
                "INSERT INTO applications VALUES (?, ?, ?, ?)", (*key, revision, cents)
            )
        elif revision > found[0]:
            connection.execute(
                f"UPDATE applications SET revision = ?, loan_cents = ? {where}",
                (revision, cents, *key),
            )
    connection.commit()


# %% load: a temporary table, then one statement
def load(connection, rows):
    rows = [(r["partner"], r["reference"], r["revision"], r["loan_cents"]) for r in rows]
    try:
        connection.execute("BEGIN")
        old = connection.execute("SELECT * FROM applications").fetchall()
        best = {}
        for row in old + rows:
            best[row[:2]] = max(best.get(row[:2], row), row, key=lambda r: r[2])
        connection.execute("DELETE FROM applications")
        connection.executemany("INSERT INTO applications VALUES (?, ?, ?, ?)", best.values())
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


# %% load-review: other cases
def test_load(load):
    def one(reference, revision, cents, partner="a"):
        return dict(partner=partner, reference=reference, revision=revision, loan_cents=cents)

    def after(*calls):
        connection, path = fresh()
        for call in calls:
            load(connection, call)
        found = {row[:2]: row[2:] for row in stored(path)}
        connection.close()
        return found

    assert after([one("x", 1, 5)], [one("x", 2, 6)]) == {("a", "x"): (2, 6)}
    assert after([one("x", 2, 6)], [one("x", 1, 5)]) == {("a", "x"): (2, 6)}
    assert after([one("x", 2, 6), one("x", 1, 5)]) == {("a", "x"): (2, 6)}
    assert after(iter([one("x", 1, 5)]), [one("x", 1, 5)]) == {("a", "x"): (1, 5)}
    both = after([one("x", 1, 5), one("x", 1, 7, "b")])
    assert both == {("a", "x"): (1, 5), ("b", "x"): (1, 7)}

    def stops():
        yield one("y", 1, 1)
        raise RuntimeError("no more")

    connection, path = fresh()
    try:
        load(connection, stops())
    except RuntimeError:
        connection.commit()
        assert stored(path) == []
    else:
        raise AssertionError("the failure was hidden")


# %% consume: rows first, then the offset, in turns over the partitions
def consume(connection, fetch, partitions, batch):
    places = dict(connection.execute("SELECT partition, next FROM offsets").fetchall())
    waiting = list(range(partitions))
    while waiting:
        for partition in list(waiting):
            at = places.get(partition, 0)
            messages = fetch(partition, at, batch)
            if not messages:
                waiting.remove(partition)
                continue
            for m in messages:
                connection.execute(
                    "INSERT INTO payments VALUES (?, ?, ?) ON CONFLICT (event_id) DO NOTHING",
                    (m["event_id"], m["event_time"], m["cents"]),
                )
            connection.commit()
            places[partition] = at + len(messages)
            connection.execute(
                "INSERT INTO offsets VALUES (?, ?) "
                "ON CONFLICT (partition) DO UPDATE SET next = excluded.next",
                (partition, places[partition]),
            )
            connection.commit()


# %% hourly: a loop over the deliveries
def hourly(events, lateness):
    sums, late, seen, mark = {}, [], set(), None
    for place, row in enumerate(events.itertuples()):
        if row.event_id not in seen:
            seen.add(row.event_id)
            start = row.event_time.floor("h")
            if mark is not None and mark - lateness >= start + pd.Timedelta("1h"):
                late.append(place)
            else:
                sums[start] = sums.get(start, 0) + row.cents
        moved = min(row.event_time, row.arrival_time)
        mark = moved if mark is None or moved > mark else mark
    hours = sorted(sums)
    totals = pd.Series([sums[h] for h in hours], index=pd.DatetimeIndex(hours), dtype="int64")
    return totals, events.iloc[late]
