"""Questions and progress as a reader meets them: Chromium, the book opened from disk."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.book import asking
from tests.book.browser import CHROMIUM
from tools import generated, questions

ROOT = Path(__file__).parent.parent.parent
HTML = ROOT / "_build" / "html"
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

QUESTIONS = """:::{question} choice
:name: q-one
:aim: count

How many is one?

- [x] One

  *Because* it is.
- [ ] Two

  That is one more.
:::

:::{question} several
:name: q-odd
:aim: count

Which are odd?

- [x] One

  Not divided by two.
- [ ] Two

  It is even.
- [x] Three

  Two and one.
- [ ] Four

  Twice two.
:::

:::{question} number
:name: q-half
:aim: compute
:tolerance: 0.02
:unit: m
:hint: Divide by two.

How much is half of a meter and 1,234 m?

- [x] {glue:text}`half:.1f`

  Divided by two.
- [ ] {glue:text}`double:.0f`

  Multiplied by two.
:::
"""
GLUED = {"half": "617.5", "double": "2470.0"}
PROGRESS = (ROOT / "chapters" / "progress.md").read_text(encoding="utf-8")
REFUSE = """Object.defineProperty(window, "localStorage", {
  get() { throw new Error("refused"); }
});"""
FULL = """() => {
  Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); };
}"""
LAB_RESULT = {"outcome": "right", "points": 4, "earned": 4, "date": "2026-11-20T08:00:00Z"}


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pages = {
        "progress": PROGRESS,
        "page": asking.AIMS + QUESTIONS,
        "lab-first": "# Lab: first\n\nA lab.\n",
    }
    html, said = asking.build(tmp_path_factory.mktemp("asking"), pages, GLUED)
    assert said == ""
    return html / "chapters"


# What Sphinx and its theme say of refused storage, and of a page's first visit.
NOT_OURS = ("sphinx_highlight.js", "Got invalid theme mode")


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    """A tab without memory, whose script errors fail the test."""
    context = browser.new_context()
    context.set_default_timeout(10_000)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(f"{error} {error.stack}"))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    yield page
    context.close()
    assert [error for error in errors if not any(name in error for name in NOT_OURS)] == []


@pytest.fixture
def asked(tab: Page, book: Path) -> Page:
    tab.goto((book / "demo" / "page.html").as_uri())
    return tab


def answer(page: Page, name: str, *options: int, number: str = "") -> str:
    """Choose options or type a number, check, and return what is said."""
    box = page.locator(f"#{name}")
    if number:
        box.locator(".question-field input").fill(number)
    for index, choice in enumerate(box.locator(".question-choice input").all()):
        if index in options:
            choice.check()
        elif choice.get_attribute("type") == "checkbox":
            choice.uncheck()
    box.get_by_role("button", name="Check").click()
    return box.get_by_role("status").inner_text()


def progress_of(page: Page) -> dict[str, Any]:
    """What the browser keeps, by the book's own export."""
    with page.expect_download() as download:
        page.get_by_role("button", name="Export to a file").click()
    kept: dict[str, Any] = json.loads(Path(download.value.path()).read_text())
    return kept


def test_a_right_choice_is_told_with_its_reason(asked: Page) -> None:
    said = answer(asked, "q-one", 0)
    assert said.startswith("✓Right.")
    assert "Because it is." in said
    assert "one more" not in said


def test_a_wrong_choice_is_told_and_can_be_changed(asked: Page) -> None:
    said = answer(asked, "q-one", 1)
    assert said.startswith("✗Not right.")
    assert "That is one more." in said
    asked.locator("#q-one input").first.check()
    assert asked.locator("#q-one").get_by_role("status").inner_text() == ""
    assert answer(asked, "q-one", 0).startswith("✓Right.")


def test_nothing_chosen_is_no_answer(asked: Page) -> None:
    assert answer(asked, "q-one") == "Choose an answer first."
    assert answer(asked, "q-half") == "Type a number first."


def test_several_names_each_choice_and_what_was_left_out(asked: Page) -> None:
    said = answer(asked, "q-odd", 0, 1)
    assert "of your 2, 1 right and 1 wrong; 1 left out" in said
    for part in ("A: right.", "B: wrong.", "It is even.", "C: left out, and right."):
        assert part in said
    assert "D:" not in said
    assert "and 0 wrong; 1 left out" in answer(asked, "q-odd", 2)
    assert "Right: all of these, and no other." in answer(asked, "q-odd", 0, 2)


@pytest.mark.parametrize(
    "number",
    ["617.5", "617,5", " 617.50 m", "+617.5", "6.175e2", "617.52", "617.48", "617,52"],
)
def test_a_number_within_the_tolerance_is_right(asked: Page, number: str) -> None:
    assert answer(asked, "q-half", number=number).startswith("✓Right.")


@pytest.mark.parametrize("number", ["617.521", "617.479", "-617.5", "6175", "\u2212617,5"])
def test_a_number_outside_gets_the_hint(asked: Page, number: str) -> None:
    said = answer(asked, "q-half", number=number)
    assert "is not within 0.02 m of the answer; try again." in said
    assert "Divide by two." in said
    assert "Divided" not in said


def test_a_known_mistake_is_explained(asked: Page) -> None:
    for typed in ("2470", "2,470", "2 470"):
        assert "Multiplied by two." in answer(asked, "q-half", number=typed)


@pytest.mark.parametrize("number", ["about 600", "1.2.3", "--1", "NaN", "0x10", "<b>1</b>"])
def test_what_is_no_number_is_told_and_not_kept(asked: Page, number: str) -> None:
    assert "is not a number; type digits" in answer(asked, "q-half", number=number)
    asked.reload()
    assert asked.locator("#q-half").get_by_role("status").inner_text() == ""


def test_the_keyboard_is_enough(asked: Page) -> None:
    asked.locator("#q-one input").first.focus()
    asked.keyboard.press("ArrowDown")
    asked.keyboard.press("Tab")
    asked.keyboard.press("Enter")
    assert "That is one more." in asked.locator("#q-one").get_by_role("status").inner_text()
    asked.locator("#q-odd input").first.focus()
    asked.keyboard.press("Space")
    for _ in range(2):
        asked.keyboard.press("Tab")
    asked.keyboard.press("Space")
    for _ in range(2):
        asked.keyboard.press("Tab")
    asked.keyboard.press("Space")
    assert "all of these" in asked.locator("#q-odd").get_by_role("status").inner_text()
    asked.locator("#q-half .question-field input").focus()
    asked.keyboard.type("617,5")
    asked.keyboard.press("Enter")
    assert "Divided by two." in asked.locator("#q-half").get_by_role("status").inner_text()


def test_names_are_there_for_a_screen_reader(asked: Page) -> None:
    group = asked.get_by_role("group", name="Question 1. How many is one?")
    assert group.get_by_role("radio", name="A One").count() == 1
    assert asked.get_by_role("checkbox", name="B Two").count() == 1
    assert asked.get_by_role("textbox", name="Your answer m").count() == 1


def test_answers_come_back_after_a_reload(asked: Page) -> None:
    answer(asked, "q-one", 1)
    answer(asked, "q-odd", 0, 2)
    answer(asked, "q-half", number="617,5")
    asked.reload()
    expect(asked.locator("#q-one input").nth(1)).to_be_checked()
    expect(asked.locator("#q-one").get_by_role("status")).to_contain_text("one more")
    expect(asked.locator("#q-odd input:checked")).to_have_count(2)
    expect(asked.locator("#q-half .question-field input")).to_have_value("617,5")


def test_without_a_script_the_answers_are_there(browser: Browser, book: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((book / "demo" / "page.html").as_uri())
    assert page.get_by_role("button", name="Check").count() == 0
    page.locator("#q-one summary").click()
    expect(page.locator("#q-one")).to_contain_text("That is one more.")
    context.close()


def test_paper_shows_the_answers(asked: Page) -> None:
    expect(asked.get_by_text("That is one more.")).not_to_be_visible()
    asked.emulate_media(media="print")
    height = "e => e.getBoundingClientRect().height"
    assert asked.locator("#q-one .question-why").last.evaluate(height) > 10
    expect(asked.locator("#q-one .question-check")).not_to_be_visible()


def test_refused_storage_is_told_and_answers_still_work(asked: Page) -> None:
    asked.add_init_script(REFUSE)
    asked.reload()
    expect(asked.locator(".question-kept")).to_contain_text("refuses to keep anything")
    said = answer(asked, "q-one", 0)
    assert said.startswith("✓Right.")
    assert "Not saved: This browser refuses" in said
    with asked.expect_download() as download:
        asked.get_by_role("button", name="Download your answers").click()
    kept = json.loads(Path(download.value.path()).read_text())
    assert kept["questions"]["q-one"]["right"] is True


def test_a_failed_save_is_told(asked: Page) -> None:
    expect(asked.locator(".question-kept")).to_contain_text("stay in this browser")
    asked.evaluate(FULL)
    assert "Not saved: This browser has no room" in answer(asked, "q-one", 0)
    expect(asked.locator(".question-kept")).to_contain_text("no room")


def test_a_damaged_memory_is_told_and_left_until_erased(asked: Page, book: Path) -> None:
    asked.evaluate("localStorage.setItem('progress:a-demo', 'damaged')")
    assert "Not saved: What this browser kept is damaged" in answer(asked, "q-one", 0)
    assert asked.evaluate("localStorage.getItem('progress:a-demo')") == "damaged"
    asked.goto((book / "progress.html").as_uri())
    expect(asked.locator("#progress-status")).to_contain_text("is damaged")
    asked.on("dialog", lambda dialog: dialog.accept())
    asked.get_by_role("button", name="Erase all").click()
    assert asked.evaluate("localStorage.getItem('progress:a-demo')") is None


def test_progress_counts_by_section_page_and_lab(asked: Page, book: Path) -> None:
    answer(asked, "q-one", 0)
    answer(asked, "q-odd", 1)
    asked.goto((book / "progress.html").as_uri())
    rows = asked.locator(".progress-table tbody tr")
    expect(rows.nth(0)).to_contain_text("1 of 6 questions right")
    expect(rows.nth(1)).to_contain_text("1 of 3 right")
    expect(rows.nth(2)).to_contain_text("0 of 3 right")
    marks = ["right", "not right yet", "not answered"]
    for number, words in enumerate(marks, 1):
        link = asked.get_by_role("link", name=f"Question {number}: {words}")
        assert str(link.get_attribute("href")).startswith("demo/page.html#q-")


def test_export_and_import_make_a_round_trip(asked: Page, book: Path, tmp_path: Path) -> None:
    answer(asked, "q-one", 0)
    asked.goto((book / "progress.html").as_uri())
    kept = progress_of(asked)
    kept["labs"] = {"demo-first": {"psi": LAB_RESULT, "limit": {**LAB_RESULT, "outcome": "wrong"}}}
    file = tmp_path / "progress.json"
    file.write_text(json.dumps(kept))
    asked.on("dialog", lambda dialog: dialog.accept())
    asked.get_by_role("button", name="Erase all").click()
    expect(asked.locator("#progress-status")).to_contain_text("Erased")
    expect(asked.locator(".progress-table")).to_contain_text("0 of 3 right")
    asked.locator("#progress-import").set_input_files(file)
    expect(asked.locator("#progress-status")).to_contain_text("Imported 1 answers")
    expect(asked.locator("tr[data-lab]")).to_contain_text("1 of 3 right, 8 of 10 points")
    expect(asked.locator("tr[data-lab]")).to_contain_text("psi: right, limit: wrong")
    asked.reload()
    assert progress_of(asked) == kept


def test_erasing_asks_first(asked: Page, book: Path) -> None:
    answer(asked, "q-one", 0)
    asked.goto((book / "progress.html").as_uri())
    asked.on("dialog", lambda dialog: dialog.dismiss())
    asked.get_by_role("button", name="Erase all").click()
    assert progress_of(asked)["questions"].keys() == {"q-one"}


@pytest.mark.parametrize(("date", "right"), [("2020-01-01", True), ("2040-01-01", False)])
def test_of_each_question_the_later_state_wins(
    asked: Page, book: Path, tmp_path: Path, date: str, right: bool
) -> None:
    answer(asked, "q-one", 0)
    asked.goto((book / "progress.html").as_uri())
    other = {"right": False, "answer": [1], "date": f"{date}T00:00:00Z"}
    file = tmp_path / "other.json"
    file.write_text(json.dumps({"format": 1, "questions": {"q-one": other, "q-odd": other}}))
    asked.locator("#progress-import").set_input_files(file)
    expect(asked.locator("#progress-status")).to_contain_text("Imported 2 answers")
    kept = progress_of(asked)["questions"]
    assert kept["q-one"]["right"] is right
    assert kept["q-odd"] == other


ANSWER = {"right": True, "answer": [0], "date": "2026-11-20T08:00:00Z"}
INVALID: dict[str, tuple[str, str]] = {
    "not JSON": ("{", "it is not JSON"),
    "a list": ("[]", "names no format"),
    "another format": ('{"format": 2}', "has format 2, and this book reads format 1"),
    "no date": (json.dumps({"format": 1, "questions": {"q-a": {"right": True}}}), "q-a"),
    "no verdict": (
        json.dumps({"format": 1, "questions": {"q-a": {**ANSWER, "right": "yes"}}}),
        "holds an answer that is damaged: q-a",
    ),
    "a name that is none": (
        '{"format": 1, "questions": {"__proto__": ' + json.dumps(ANSWER) + "}}",
        "holds an answer that is damaged: __proto__",
    ),
    "labs are no labs": ('{"format": 1, "labs": 7}', "its labs are no list of labs"),
    "a lab's outcome": (
        json.dumps({"format": 1, "labs": {"demo": {"psi": {**LAB_RESULT, "outcome": "<b>"}}}}),
        "holds a result of the lab demo that is damaged: psi",
    ),
    "too large": (" " * 2_000_001, "is too large"),
}


@pytest.mark.parametrize("case", INVALID)
def test_an_invalid_file_is_refused_in_a_sentence(
    asked: Page, book: Path, tmp_path: Path, case: str
) -> None:
    content, said = INVALID[case]
    answer(asked, "q-one", 0)
    asked.goto((book / "progress.html").as_uri())
    file = tmp_path / "wrong.json"
    file.write_text(content)
    asked.locator("#progress-import").set_input_files(file)
    expect(asked.locator("#progress-status")).to_contain_text(said)
    expect(asked.locator("#progress-status")).to_contain_text("Nothing was imported.")
    assert progress_of(asked)["questions"].keys() == {"q-one"}


def test_without_storage_progress_works_in_memory(tab: Page, book: Path, tmp_path: Path) -> None:
    tab.add_init_script(REFUSE)
    tab.goto((book / "progress.html").as_uri())
    expect(tab.locator("#progress-status")).to_contain_text("refuses to keep anything")
    file = tmp_path / "progress.json"
    file.write_text(json.dumps({"format": 1, "questions": {"q-one": ANSWER}}))
    tab.locator("#progress-import").set_input_files(file)
    expect(tab.locator("#progress-status")).to_contain_text("Not saved: This browser refuses")
    expect(tab.locator(".progress-table")).to_contain_text("1 of 3 right")
    assert progress_of(tab)["questions"] == {"q-one": ANSWER}


def published() -> list[dict[str, Any]]:
    return questions.read_published(HTML) or []


@pytest.mark.parametrize("page", sorted({row["page"] for row in published()}))
def test_a_page_of_the_book_knows_its_answers(tab: Page, page: str) -> None:
    """Each right option is told as right, each wrong one as wrong, and all come back."""
    tab.goto((HTML / f"{page}.html").as_uri())
    names = [row["name"] for row in published() if row["page"] == page]
    assert 3 <= len(names) <= 6
    for box in [tab.locator(f"#{name}") for name in names]:
        parts = box.locator(".question-answer")
        right = parts.evaluate_all("all => all.map(one => one.dataset.right === 'yes')")
        values = parts.evaluate_all("all => all.map(one => one.dataset.value)")
        name, kind = str(box.get_attribute("id")), box.get_attribute("data-kind")
        if kind == "several":
            good = [index for index, is_right in enumerate(right) if is_right]
            assert answer(tab, name, good[0] if len(good) > 1 else len(right) - 1)[0] == "✗"
            assert answer(tab, name, *good)[0] == "✓"
            continue
        for index in sorted(range(len(right)), key=lambda one: right[one]):
            said = answer(tab, name, index, number=values[index] or "")
            assert said[0] == ("✓" if right[index] else "✗"), (name, index)
    tab.reload()
    expect(tab.locator(".question-is-right")).to_have_count(len(names))


def test_every_page_that_teaches_asks() -> None:
    topics = [topic.section for topic in generated.read_topics(ROOT) if topic.section]
    teaching = {f"chapters/{section.partition('#')[0]}" for section in topics}
    assert teaching <= {row["page"] for row in published()}
