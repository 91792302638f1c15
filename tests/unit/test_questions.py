"""A question is refused for each way in which it can be unsound, in a sentence that helps."""

import math

import pytest

from tools import questions
from tools.questions import Option

SOUND = [
    "Which is even?",
    "",
    "- [x] two",
    "",
    "  It is.",
    "- [ ] three",
    "  and a half",
    "",
    "  It is not.",
    "",
    "  - A list in it.",
]


def test_text_options_and_explanations_are_told_apart() -> None:
    text, options, stray = questions.split(SOUND)
    assert text == ["Which is even?", ""]
    assert stray == []
    assert [(option.right, option.line) for option in options] == [(True, 2), (False, 5)]
    assert options[1].label == ["three", "and a half"]
    assert options[1].explanation == ["", "It is not.", "", "- A list in it."]
    assert questions.structure_problems("choice", "q-even", text, options, stray) == []


def changed(old: str, new: str) -> list[str]:
    return "\n".join(SOUND).replace(old, new).split("\n")


REFUSED = {
    "no right option": (changed("[x]", "[ ]"), "choice", "0 options are marked right"),
    "two right options": (changed("[ ]", "[x]"), "choice", "2 options are marked right"),
    "several, none right": (changed("[x]", "[ ]"), "several", "at least one option right"),
    "several, none wrong": (changed("[ ]", "[x]"), "several", "at least one wrong"),
    "no explanation": (changed("  It is.\n", ""), "choice", "option A has no explanation"),
    "explanation in the label": (
        changed("two\n\n  It is.", "two\n  It is."),
        "choice",
        "option A has no explanation",
    ),
    "empty option": (changed("- [x] two", "- [x]"), "choice", "option A is empty"),
    "the same option twice": (
        changed("three\n  and a half", "two"),
        "choice",
        "two options are the same",
    ),
    "no question": (SOUND[2:], "choice", "asks nothing"),
    "one option": (SOUND[:5], "choice", "two options or more"),
    "text that is not indented": ([*SOUND, "", "More."], "choice", "'More.' belongs to no option"),
    "unknown kind": (SOUND, "guess", "one of choice, several, number"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_unsound_question_is_refused(case: str) -> None:
    lines, kind, said = REFUSED[case]
    found = questions.structure_problems(kind, "q-even", *questions.split(lines))
    assert any(said in problem for problem in found), found


@pytest.mark.parametrize("name", ["", "even", "q-Even", "q even", "q-", "q--x"])
def test_a_name_is_the_questions_address(name: str) -> None:
    found = questions.structure_problems("choice", name, *questions.split(SOUND))
    assert any("no proper name" in problem for problem in found)


def option(label: str, right: bool = True) -> Option:
    return Option(right, 0, [label], ["why"])


GLUED = {
    "x": "0.12345",
    "n": "3",
    "inf": "inf",
    "nan": "nan",
    "word": "'much'",
    "np": "np.int64(3)",
}


def test_a_value_is_the_pages_own() -> None:
    one = option("{glue:text}`x:.2f`")
    assert questions.read_value(one, GLUED, "") == ""
    assert (one.value, one.shown) == (0.12345, "0.12")
    percent = option("{glue:text}`x:.1%`")
    assert questions.read_value(percent, GLUED, "%") == ""
    assert math.isclose(percent.value, 12.345)
    assert percent.shown == "12.3"


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("0.12", "is typed; glue the number"),
        ("about {glue:text}`x:.2f`", "is typed; glue the number"),
        ("{glue:text}`missing:.2f`", "no cell of this page glues 'missing'"),
        ("{glue:text}`inf:.1f`", "which nobody can type"),
        ("{glue:text}`nan:.1f`", "which nobody can type"),
        ("{glue:text}`word:.1f`", "is no plain number"),
        ("{glue:text}`np:.1f`", "is no plain number"),
        ("{glue:text}`x:.1%`", "write ':unit: %'"),
    ],
)
def test_a_value_that_no_cell_computed_is_refused(label: str, said: str) -> None:
    assert said in questions.read_value(option(label), GLUED, "USD")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0.5", 0.5), ("5 %", 0.4), ("5%", 0.4), ("", 0), ("-1", 0), ("some", 0), ("1.2.3", 0)],
)
def test_a_tolerance_is_absolute_or_a_share_of_the_answer(text: str, expected: float) -> None:
    assert math.isclose(questions.read_tolerance(text, -8.0), expected)


def valued(*values: tuple[float, str]) -> list[Option]:
    return [
        Option(index == 0, 0, [""], ["why"], value, shown)
        for index, (value, shown) in enumerate(values)
    ]


def test_a_sound_number_passes() -> None:
    assert questions.number_problems(valued((1234.4, "1,234"), (9.0, "9")), 0.5) == []


def test_a_tolerance_must_be_above_zero() -> None:
    assert "not above 0" in questions.number_problems(valued((1.0, "1")), 0.0)[0]


def test_what_is_shown_must_be_an_answer() -> None:
    assert "show more digits" in questions.number_problems(valued((0.0184, "0.0")), 0.001)[0]


def test_a_tolerance_must_not_swallow_a_wrong_option() -> None:
    found = questions.number_problems(valued((1.0, "1.0"), (1.3, "1.3")), 0.2)
    assert "can be both 1.0 and 1.3" in found[0]


@pytest.mark.parametrize("glued", ["'1, 3'", "[1, 3]", "(1, 3)", "'3,1'"])
def test_a_computed_key_agrees(glued: str) -> None:
    marked = [option("a"), option("b", right=False), option("c")]
    assert questions.key_problem(marked, {"key": glued}, "key") == ""


@pytest.mark.parametrize(
    ("glued", "said"),
    [
        ("'1, 2'", "the page computes A, B as right ('key'), marked is A, C"),
        ("1", "the page computes A as right"),
        ("''", "glue the numbers"),
        ("'A'", "glue the numbers"),
        ("array([1])", "glue the numbers"),
    ],
)
def test_a_wrong_key_is_refused(glued: str, said: str) -> None:
    marked = [option("a"), option("b", right=False), option("c")]
    assert said in questions.key_problem(marked, {"key": glued}, "key")


def test_a_key_must_be_there() -> None:
    assert "glues 'key'" in questions.key_problem([option("a")], {}, "key")
