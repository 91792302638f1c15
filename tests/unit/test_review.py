"""A learner's test earns points for what it catches and what it spares."""

from grader.review import review_score

RIGHT = "def double(x):\n    return x + x\n"
WRONG = ["def double(x):\n    return x * x\n", "def double(x):\n    return 2 * abs(x)\n"]


def score(test: object, right: list[str] | None = None) -> float:
    names: dict[str, object] = {"double": lambda x: 2 * x}
    chosen = [RIGHT] if right is None else right
    return review_score(test, "double", WRONG, chosen, 3, names)  # type: ignore[arg-type]


def test_a_strong_test_earns_all(capsys: object) -> None:
    def strong(double):  # type: ignore[no-untyped-def]
        assert double(3) == 6
        assert double(-1) == -2

    assert score(strong) == 3.0


def test_a_weak_test_earns_its_share() -> None:
    def weak(double):  # type: ignore[no-untyped-def]
        assert double(3) == 6

    assert score(weak) == 1.5


def test_blaming_the_innocent_earns_nothing() -> None:
    def harsh(double):  # type: ignore[no-untyped-def]
        raise ValueError

    assert score(harsh) == 0.0


def test_without_right_ones_the_learners_own_stands_in() -> None:
    def strong(double):  # type: ignore[no-untyped-def]
        assert double(3) == 6
        assert double(-1) == -2

    assert score(strong, right=[]) == 3.0
