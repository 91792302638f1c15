# %% mean: a loop
def mean(values):
    total, count = 0.0, 0
    for value in values:
        if value is not None:
            total, count = total + value, count + 1
    return total / count if count else None


# %% spread: by statistics
from statistics import fmean


def spread(values, center):
    return fmean(abs(value - center) for value in values)


# %% mean-review: more cases
def test_mean(mean):
    assert mean([2.0]) == 2.0
    assert mean([None, None]) is None
    assert mean([1.0, None, 3.0, 5.0]) == 3.0
    assert mean([]) is None
