"""Marked regions are cut, replaced and read."""

from grader import regions

SOURCE = "def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION\n"


def test_replace_keeps_the_indent() -> None:
    stub = regions.replace(SOURCE, "SOLUTION", "# YOUR CODE HERE\nraise NotImplementedError()")
    assert stub == "def f():\n    # YOUR CODE HERE\n    raise NotImplementedError()"


def test_inside_and_unmark() -> None:
    assert regions.inside(SOURCE, "SOLUTION") == "    return 1"
    assert regions.unmark(SOURCE) == "def f():\n    return 1\n"
    assert regions.inside(SOURCE, "RUBRIC") == ""


def test_other_regions_stay() -> None:
    assert regions.replace(SOURCE, "RUBRIC") == SOURCE.rstrip()
