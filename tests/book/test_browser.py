"""Every page of the book in a real browser: served, from disk and on a phone; light and dark."""

import pytest
from playwright.sync_api import Browser

from tests.book import browser as look
from tests.book.browser import Seen, Tab, View
from tests.book.conftest import HTML, ROOT
from tests.book.links import broken_links
from tools import generated, pages

SHOTS = ROOT / "_build" / "screenshots"
BUDGET_KB = 1000
PAGES = [*generated.built_pages(ROOT), *pages.OF_SPHINX]
VIEWS = {
    "index": (View("index"),),
    "monitoring/data-drift": (
        View("content"),
        View("figure", ".cell:not(.tag_hide-input):has(figure)"),
        View("questions", ".question"),
    ),
    "checked": (View("checked", "#the-pages"),),
}


def listed(complaints: list[str]) -> str:
    return "\n".join(["", *complaints[:20], f"{len(complaints)} in all"])


def path(page: str) -> str:
    return f"{page}.html" if page in pages.OF_SPHINX else f"chapters/{page}.html"


@pytest.fixture(scope="module", params=PAGES)
def seen(
    request: pytest.FixtureRequest,
    browser: Browser,
    book_address: str,
    measured: dict[str, dict[str, int]],
) -> Seen:
    """What was seen on one page in all visits; pytest keeps it while the page is tested."""
    page = request.param
    url, views = f"{book_address}/{path(page)}", VIEWS.get(page, ())
    found = Seen()
    look.served(browser, url, found, views, SHOTS)
    look.from_disk(browser, (HTML / path(page)).as_uri(), found)
    look.on_a_phone(browser, url, found, views, SHOTS)
    measured[page] = {
        "outside": len(found.outside),
        "axe": len(found.axe),
        "errors": len(found.errors) + len(found.failed),
        "links": len(broken_links(HTML / path(page))),
        "kilobytes": round(found.kilobytes),
    }
    return found


def test_nothing_is_asked_of_another_host(seen: Seen) -> None:
    assert not seen.outside, listed(seen.outside)


def test_everything_asked_for_is_there(seen: Seen) -> None:
    assert not seen.failed, listed(seen.failed)


def test_no_script_error_and_nothing_in_the_console(seen: Seen) -> None:
    assert not seen.errors, listed(seen.errors)


def test_the_first_load_is_light(seen: Seen) -> None:
    assert seen.kilobytes <= BUDGET_KB


def test_axe_finds_no_violation(seen: Seen) -> None:
    assert not seen.axe, listed(seen.axe)


def test_mathematics_is_typeset(seen: Seen) -> None:
    assert not seen.mathematics, listed(seen.mathematics)


def test_figures_have_alt_text_and_caption(seen: Seen) -> None:
    assert not seen.figures, listed(seen.figures)


def test_text_in_figures_can_be_read(seen: Seen) -> None:
    assert not seen.contrast, listed(seen.contrast)


def test_reading_order_holds_without_styles(seen: Seen) -> None:
    assert not seen.order, listed(seen.order)


def test_nothing_goes_sideways_on_a_phone(seen: Seen) -> None:
    assert not seen.sideways, listed(seen.sideways)


def test_the_keyboard_reaches_everything(seen: Seen) -> None:
    assert not seen.keyboard, listed(seen.keyboard)


def test_nothing_moves_for_who_wants_no_motion(seen: Seen) -> None:
    assert not seen.motion, listed(seen.motion)


@pytest.mark.parametrize("place", ["served", "from disk"])
@pytest.mark.parametrize("query", ["PSI", "KS", "drift"])
def test_search_finds_by_names_and_abbreviations(
    browser: Browser, book_address: str, place: str, query: str
) -> None:
    base = book_address if place == "served" else HTML.as_uri()
    seen = Seen()
    with Tab(browser, f"{base}/search.html?q={query}", seen, place=place) as tab:
        titles = look.search_results(tab)
        tab.settle()
    assert titles
    assert all(titles)
    complaints = seen.errors + seen.failed + seen.outside
    assert not complaints, listed(complaints)
