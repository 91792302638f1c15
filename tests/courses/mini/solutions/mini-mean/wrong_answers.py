# %% mean: missing counts as nought
# misconception: A missing value is taken for the number 0.
# hint: missing: a None must not count
def mean(values):
    filled = [value or 0.0 for value in values]
    return sum(filled) / len(filled) if filled else None


# %% mean: divides by one too many tags=["shown"]
# misconception: The length is counted from one past the end.
# hint: by hand: the mean of 1 and 3
def mean(values):
    kept = [value for value in values if value is not None]
    return sum(kept) / (len(kept) + 1) if kept else None


# %% mean: nought for the empty list
# misconception: No data is taken for a mean of 0.
# hint: empty: with no value there is no mean
def mean(values):
    kept = [value for value in values if value is not None]
    return sum(kept) / len(kept) if kept else 0.0


# %% spread: signed distances
# misconception: Distances above and below may cancel.
# hint: by hand: 1 and 3 lie 1 away from 2
def spread(values, center):
    return sum(value - center for value in values) / len(values)


# %% spread: from the own mean
# misconception: The center given is replaced by the values' own mean.
# hint: center: distances are taken from the center given
def spread(values, center):
    own = sum(values) / len(values)
    return sum(abs(value - own) for value in values) / len(values)


# %% spread: never nought
# misconception: A small number is added against division by nought that nobody does.
# hint: by hand: 1 and 3 lie 1 away from 2
def spread(values, center):
    return sum(abs(value - center) for value in values) / len(values) + 1e-3


# %% mean-review: one case only
# misconception: One example by hand is taken for a test.
# hint: lets errors pass
def test_mean(mean):
    assert mean([1.0, 3.0]) == 2.0


# %% mean-review: demands an error on empty input
# misconception: The test asks for what the contract does not promise.
# hint: blames the innocent
def test_mean(mean):
    assert mean([1.0, None, 3.0]) == 2.0
    try:
        mean([])
    except ZeroDivisionError:
        return
    raise AssertionError


# %% mean-review: nothing asserted
# misconception: A test that runs is taken for a test that checks.
# hint: lets errors pass
def test_mean(mean):
    mean([1.0, 3.0])
