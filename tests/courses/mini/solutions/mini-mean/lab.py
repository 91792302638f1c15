# %% [markdown]
# # The mean of a column
#
# A lab that is small enough to grade in a test.

# %% tags=["parameters"]
seed = 7

# %%
import random

values = [random.Random(seed).gauss(10, 2) for _ in range(20)]


# %% answer: mean
def mean(values):
    """The arithmetic mean of the values that are not None; None where there are none.

    >>> mean([1.0, None, 3.0])
    2.0
    """
    ### BEGIN SOLUTION
    kept = [value for value in values if value is not None]
    return sum(kept) / len(kept) if kept else None
    ### END SOLUTION


### BEGIN SOLUTION
center = mean(values)
### END SOLUTION

# %% test: mean, 4 points
assert mean([1.0, 3.0]) == 2.0, "by hand: the mean of 1 and 3 is not what you return"
### BEGIN HIDDEN TESTS
assert mean([1.0, None, 3.0]) == 2.0, "missing: a None must not count, nor raise"
assert mean([]) is None, "empty: with no value there is no mean"
assert abs(mean(values) - sum(values) / len(values)) < 1e-9, "fresh data: not the mean"
### END HIDDEN TESTS

# %% given: center
import json
from pathlib import Path

center = json.loads(Path(f"given/center-{seed}.json").read_text())


# %% answer: spread
def spread(values, center):
    """The mean absolute distance of the values from `center`."""
    ### BEGIN SOLUTION
    return sum(abs(value - center) for value in values) / len(values)
    ### END SOLUTION


# %% test: spread, 3 points
assert spread([1.0, 3.0], 2.0) == 1.0, "by hand: 1 and 3 lie 1 away from 2"
### BEGIN HIDDEN TESTS
assert spread([0.0, 3.0], 4.0) == 2.5, "center: distances are taken from the center given"
assert spread([5.0], 5.0) == 0.0, "constant: equal values have no spread"
### END HIDDEN TESTS

# %% [markdown]
# Now review.


# %% review: mean, 2 points
def test_mean(mean):
    """Pass on every right `mean`, raise AssertionError on a wrong one."""
    ### BEGIN SOLUTION
    assert mean([1.0, 3.0]) == 2.0
    assert mean([1.0, None, 3.0]) == 2.0
    assert mean([]) is None
    ### END SOLUTION


# %% written: choice, 1 points [markdown]
# Mean or median: which would you report, and why?
#
# ### BEGIN SOLUTION
# The median, since two incomes in this column are a thousand times the others.
# ### END SOLUTION
#
# ### BEGIN RUBRIC
# 1 point: names a property of the data. 0 points: a preference.
# ### END RUBRIC
