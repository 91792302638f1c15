"""The build refuses unsound questions and exercises, each time it is run, naming page and line."""

import re
from pathlib import Path

import pytest

from tests.book import asking
from tools import questions

GLUED = {"half": "0.5", "third": "0.3333", "key": "2", "endless": "inf"}
CHOICE = """:::{question} choice
:name: q-NAME
:aim: count

How many?

- [x] One

  Because.
- [ ] Two

  No.
:::
"""
NUMBER = """:::{question} number
:name: q-NAME
:aim: compute
:tolerance: 0.01
:unit: %

How much is a half of one?

- [x] {glue:text}`half:.1f`

  Because.
- [ ] {glue:text}`third:.2f`

  That is a third.
:::
"""
EXERCISE = """:::{exercise} A task
Do it.
:::

:::{solution-start}
:::

CELL

Done.

:::{solution-end}
:::
"""
BROKEN = {
    "two-right": (CHOICE.replace("[ ]", "[x]"), "2 options are marked right; mark exactly one"),
    "no-why": (CHOICE.replace("  No.\n", ""), "option B has no explanation"),
    "no-aim": (CHOICE.replace(":aim: count\n", ""), "its aim '' is none of this page's (compute,"),
    "other-aim": (CHOICE.replace(": count", ": fly"), "its aim 'fly' is none of this page's"),
    "wrong-key": (
        CHOICE.replace(":aim: count", ":aim: count\n:computed: key"),
        "the page computes B as right ('key'), marked is A",
    ),
    "no-key": (CHOICE.replace(":aim: count", ":aim: count\n:computed: lost"), "glues 'lost'"),
    "a-list": (CHOICE.replace("] One", "] # One"), "is more than a phrase"),
    "typed": (NUMBER.replace("{glue:text}`half:.1f`", "0.5"), "'0.5' is typed"),
    "not-glued": (NUMBER.replace("`half", "`whole"), "no cell of this page glues 'whole'"),
    "endless": (NUMBER.replace("`half", "`endless"), "nobody can type"),
    "no-tolerance": (NUMBER.replace(":tolerance: 0.01\n", ""), "its tolerance is not above 0"),
    "greedy": (NUMBER.replace("0.01", "0.2"), "can be both 0.5 and 0.33"),
    "rounded": (NUMBER.replace("half:.1f", "half:.0f"), "show more digits"),
    "odd-kind": (CHOICE.replace("} choice", "} guess"), "its kind is 'guess'"),
}
ODD = {
    "no-solution": (EXERCISE.split(":::{solution-start}")[0], "this exercise has no solution"),
    "no-end": (EXERCISE.split(":::{solution-end}")[0], "this exercise has no solution"),
    "no-exercise": (EXERCISE.partition(":::\n\n")[2], "a solution starts here"),
    "no-text": (EXERCISE.replace("CELL\n\nDone.\n", ""), "this solution is empty"),
}


def page(name: str, *texts: str) -> str:
    return asking.AIMS + "\n".join(texts).replace("q-NAME", f"q-{name}")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """Every broken page and a sound one, built together; folder, HTML and warnings."""
    folder = tmp_path_factory.mktemp("book")
    pages = {name: page(name, text) for name, (text, _) in {**BROKEN, **ODD}.items()}
    pages["sound"] = page("sound", CHOICE, NUMBER.replace("q-NAME", "q-half"), EXERCISE)
    pages["twice"] = page("sound", CHOICE)
    pages["no-box"] = "# A page\n\n" + CHOICE.replace("NAME", "lost")
    html, said = asking.build(folder, pages, GLUED)
    return folder, html, said


@pytest.mark.parametrize("case", [*BROKEN, *ODD])
def test_a_broken_page_is_named_with_what_to_do(built: tuple[Path, Path, str], case: str) -> None:
    expected = {**BROKEN, **ODD}[case][1]
    lines = [line for line in built[2].splitlines() if f"/{case}.ipynb" in line]
    assert any(expected in line and "WARNING" in line for line in lines), lines
    assert any(re.search(r"ipynb:\d+: ", line) for line in lines), lines


def test_names_are_unique_in_the_book(built: tuple[Path, Path, str]) -> None:
    line = next(line for line in built[2].splitlines() if "/twice.ipynb" in line)
    assert "question 'q-sound': its name is taken on chapters/demo/sound" in line


def test_a_page_without_aims_can_ask_nothing(built: tuple[Path, Path, str]) -> None:
    line = next(line for line in built[2].splitlines() if "/no-box.ipynb" in line)
    assert "none of this page's (it has none)" in line


def test_nothing_is_said_of_a_sound_page(built: tuple[Path, Path, str]) -> None:
    assert "/sound.ipynb" not in built[2]


def test_a_second_build_refuses_again(built: tuple[Path, Path, str]) -> None:
    """Sphinx reads no page again that has not changed."""
    _, said = asking.run(built[0])
    assert "question 'q-typed'" in said
    assert "question 'q-no-aim'" in said


def test_the_questions_are_published(built: tuple[Path, Path, str]) -> None:
    rows = {row["name"]: row for row in questions.read_published(built[1]) or []}
    assert rows["q-half"] == {
        "page": "chapters/demo/sound",
        "name": "q-half",
        "kind": "number",
        "aim": "compute",
        "checked": True,
    }
    assert not rows["q-two-right"]["checked"]


def test_scripts_are_loaded_where_they_work(built: tuple[Path, Path, str]) -> None:
    demo = built[1] / "chapters" / "demo"
    assert "questions.js" in (demo / "sound.html").read_text()
    plain = (demo / "index.html").read_text()
    assert "questions.js" not in plain


def test_a_solution_holds_its_cells(built: tuple[Path, Path, str]) -> None:
    text = (built[1] / "chapters" / "demo" / "sound.html").read_text()
    solution = text[text.index('<details class="solution">') :]
    assert "Done." in solution[: solution.index("</details>")]
    assert "Exercise: A task" in text
