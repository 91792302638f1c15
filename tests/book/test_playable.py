"""Figures to play with, in a real browser: on first touch, by keyboard, on paper, with no script.

The pages are opened from disk and from a server whose policy forbids code made from text (eval).
"""

import functools
import json
import re
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

import lender
from lender import windows
from tests.book.browser import CHROMIUM
from tools import generated

ROOT = Path(__file__).parent.parent.parent
HTML = ROOT / "_build" / "html"
LIBRARY = "vendor/plotly/"
# Those that the tests below know by what they show, then every other one.
PLAYABLE = ["monitoring/data-drift", "monitoring/data-drift-alarms"]
PLAYABLE += [
    name
    for name in generated.built_pages(ROOT)
    if name not in PLAYABLE
    and (path := ROOT / "chapters" / f"{name}.md").exists()
    and re.search(r"^(import|from) playable", path.read_text(encoding="utf-8"), re.M)
]

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


class Strict(SimpleHTTPRequestHandler):
    """Serve files; scripts come from here alone, and make none from text."""

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", "script-src 'self' 'unsafe-inline'")
        super().end_headers()

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    handler = functools.partial(Strict, directory=str(HTML))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{served.server_port}"
        served.shutdown()


@pytest.fixture(autouse=True)
def closed(browser: Any) -> Iterator[None]:
    """The browser is that of all tests: what a test opened there goes with it."""
    yield
    for context in browser.contexts:
        context.close()


class Visit:
    """One page in a browser of its own: what it asked for, and what went wrong."""

    def __init__(self, browser: Any, root: str, name: str, **options: Any) -> None:
        self.page = browser.new_context(**options).new_page()
        self.asked: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self.hear)
        self.root = root
        self.url = f"{root}/chapters/{name}.html"

    def hear(self, message: Any) -> None:
        # The theme speaks of its own default on every first visit; the book has no icon.
        about_theme = "invalid theme mode" in message.text
        about_icon = message.location["url"].endswith("favicon.ico")
        if message.type == "error" and not about_theme and not about_icon:
            self.errors.append(message.text)

    def open(self) -> "Visit":
        self.page.goto(self.url)
        return self

    def touch(self) -> "Visit":
        """Focus the first slider by keyboard alone, and wait until the figure is drawn."""
        self.page.locator(".playable-slider input").first.focus()
        self.page.wait_for_selector(".playable-live .js-plotly-plot svg")
        return self

    def libraries(self) -> list[str]:
        return [url for url in self.asked if LIBRARY in url]

    def shown(self, selector: str) -> bool:
        return bool(self.page.locator(selector).first.is_visible())

    def says(self) -> str:
        return str(self.page.locator(".playable-says output").first.inner_text())

    def drawn(self) -> str:
        """Every path of the drawing, with its colors."""
        return str(self.page.locator(".playable-drawing").first.inner_html())


@pytest.fixture(params=["disk", "server"])
def root(request: pytest.FixtureRequest) -> str:
    return HTML.as_uri() if request.param == "disk" else request.getfixturevalue("server")


@pytest.mark.parametrize("name", PLAYABLE)
def test_the_library_comes_once_on_first_touch(browser: Any, root: str, name: str) -> None:
    visit = Visit(browser, root, name).open()
    visit.page.wait_for_timeout(500)
    assert visit.libraries() == []
    assert visit.shown("figure img")
    visit.touch()
    assert not visit.shown(".playable-live img")
    visit.page.locator(".playable-slider input").last.focus()
    visit.page.keyboard.press("Home")
    assert len(visit.libraries()) == 1
    assert [url for url in visit.asked if not url.startswith((visit.root, "data:"))] == []
    assert visit.errors == []


def test_a_library_on_first_load_would_be_seen(browser: Any, server: str) -> None:
    visit = Visit(browser, server, PLAYABLE[0])
    early = '<script src="../../_static/vendor/plotly/plotly-basic.min.js"></script></head>'
    text = (HTML / "chapters" / f"{PLAYABLE[0]}.html").read_text(encoding="utf-8")
    visit.page.route(visit.url, lambda route: route.fulfill(body=text.replace("</head>", early)))
    assert len(visit.open().libraries()) == 1


@pytest.mark.parametrize("name", PLAYABLE)
def test_keys_move_words_and_drawing(browser: Any, root: str, name: str) -> None:
    visit = Visit(browser, root, name).open().touch()
    for slider in visit.page.locator(".playable-slider input").all():
        assert visit.page.locator(f"label[for={slider.get_attribute('id')}]").inner_text()
        assert slider.get_attribute("aria-valuetext"), "a slider says its value with a unit"
    slider = visit.page.locator(".playable-slider input").first
    before = visit.says(), visit.drawn(), slider.get_attribute("aria-valuetext")
    at_end = slider.input_value() == slider.get_attribute("max")
    visit.page.keyboard.press("ArrowLeft" if at_end else "ArrowRight")
    after = visit.says(), visit.drawn(), slider.get_attribute("aria-valuetext")
    assert all(old != new for old, new in zip(before, after, strict=True))
    drawing = visit.page.locator(".playable-drawing").first
    labelled = drawing.get_attribute("aria-labelledby")
    assert visit.page.locator(f"#{labelled}").inner_text() == visit.says()
    assert visit.errors == []


def test_a_change_of_theme_draws_again(browser: Any, root: str) -> None:
    visit = Visit(browser, root, PLAYABLE[0], color_scheme="light").open().touch()
    visit.page.evaluate("document.documentElement.dataset.theme = 'light'")
    light = visit.drawn()
    visit.page.evaluate("document.documentElement.dataset.theme = 'dark'")
    visit.page.wait_for_function(
        "before => document.querySelector('.playable-drawing').innerHTML !== before", arg=light
    )
    style = (ROOT / "_static" / "playable.css").read_text(encoding="utf-8")
    dark = re.search(r'"dark"\] \{\s*--playable-color-0: (#\w+)', style)
    assert dark is not None
    red, green, blue = (int(dark[1][at : at + 2], 16) for at in (1, 3, 5))
    assert f"rgb({red}, {green}, {blue})" in visit.drawn()
    assert f"rgb({red}, {green}, {blue})" not in light
    words = ".playable-drawing text"
    ink = visit.page.locator(words).first.evaluate("e => getComputedStyle(e).fill")
    text = visit.page.locator("article p").first.evaluate("e => getComputedStyle(e).color")
    assert ink == text, "the drawing's words are not in the page's color"


def test_without_scripts_the_figure_is_there(browser: Any, root: str) -> None:
    visit = Visit(browser, root, PLAYABLE[0], java_script_enabled=False).open()
    assert visit.page.locator(".playable-controls").count() == 0
    data = visit.page.locator("script.playable")
    figure = visit.page.locator(".cell:has(+ .cell script.playable) figure img")
    assert (data.count(), figure.count()) == (1, 1)
    assert figure.is_visible()


@pytest.mark.parametrize("touched", [False, True])
def test_paper_shows_the_figure_alone(browser: Any, root: str, touched: bool) -> None:
    visit = Visit(browser, root, PLAYABLE[0]).open()
    if touched:
        visit.touch()
    visit.page.emulate_media(media="print")
    assert visit.shown("figure:has(.playable-drawing) img")
    assert not visit.shown(".playable-drawing")
    assert not visit.shown(".playable-controls")


def test_without_the_library_the_figure_stays_and_words_move(browser: Any, server: str) -> None:
    visit = Visit(browser, server, PLAYABLE[0])
    visit.page.route(f"**/{LIBRARY}**", lambda route: route.fulfill(status=404))
    visit.open().page.locator(".playable-slider input").first.focus()
    note = visit.page.get_by_text("The drawing library could not be loaded")
    note.wait_for()
    before = visit.says()
    visit.page.keyboard.press("ArrowRight")
    assert visit.says() != before
    assert visit.shown("figure:has(.playable-drawing) img")
    assert not visit.shown(".playable-drawing")


@pytest.mark.parametrize("name", PLAYABLE)
def test_a_phone_need_not_scroll_sideways(browser: Any, server: str, name: str) -> None:
    phone = {"width": 390, "height": 844}
    visit = Visit(browser, server, name, viewport=phone, has_touch=True).open().touch()
    for panel in visit.page.locator(".playable-panel").all():
        box = panel.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_pages_without_a_figure_to_play_with_load_nothing_for_it() -> None:
    for name in generated.built_pages(ROOT):
        text = (HTML / "chapters" / f"{name}.html").read_text(encoding="utf-8")
        has_data = '<script type="application/json" class="playable">' in text
        assert has_data == (name in PLAYABLE)
        assert ("_static/playable.js" in text) == has_data
        assert f'src="../../_static/{LIBRARY}' not in text


def frames(name: str) -> dict[str, Any]:
    """The data of a page's figure."""
    text = (HTML / "chapters" / f"{name}.html").read_text(encoding="utf-8")
    found = re.search(r'class="playable">(.*?)</script>', text)
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


def at(data: dict[str, Any], *values: float) -> tuple[str, list[dict[str, Any]]]:
    """Sentence and traces, with their numbers, where the sliders are at these values."""
    place = 0
    for slider, value in zip(data["sliders"], values, strict=True):
        place = place * len(slider["values"]) + slider["values"].index(value)
    frame = data["frames"][place]
    traces = [data["traces"][trace] for panel in frame["panels"] for trace in panel]
    return frame["says"], [
        {key: data["lists"][v] if key in "xy" and v is not None else v for key, v in trace.items()}
        for trace in traces
    ]


@pytest.fixture(scope="module")
def scores() -> tuple[Any, Any]:
    """Training scores, and 9,000 rows of the quiet weeks, as the page draws them."""
    history = lender.applications(30_000, seed=1, start="2023-01-01")
    quiet = lender.applications(315_000, 8, days=1050)
    sample = quiet["bureau_score"].dropna().sample(9000, random_state=0)
    return history["bureau_score"].dropna().to_numpy(), sample.to_numpy()


@pytest.mark.parametrize(("points", "n"), [(20, 300), (10, 9000)])
def test_the_drift_shown_is_the_drift_computed(scores: Any, points: int, n: int) -> None:
    old, window = scores[0], scores[1][:n] - points
    edges = np.quantile(old, np.linspace(0, 1, 11))
    p = np.histogram(np.clip(old, edges[0], edges[-1]), edges)[0] / len(old)
    q = np.histogram(np.clip(window, edges[0], edges[-1]), edges)[0] / n
    psi = np.sum((q - p) * np.log(q / p))
    gap, way = stats.ks_2samp(old, window).statistic, stats.wasserstein_distance(old, window)
    limit = 1.358 * np.sqrt(1 / n + 1 / len(old))
    says, traces = at(frames(PLAYABLE[0]), points, n)
    for shown in (
        f"PSI {psi:.3f} {'rings' if psi > 0.1 else 'is quiet'}",
        f"KS gap {gap:.3f} {'rings' if gap > limit else 'is quiet'} (limit {limit:.3f}",
        f"Wasserstein {way:.1f} points",
    ):
        assert shown in says
    dots = [trace["y"][0] for trace in traces if trace["x"] == [n]]
    over = [psi / 0.1, gap / limit, way / (0.1 * old.std())]
    np.testing.assert_allclose(dots, over, rtol=1e-4)
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(dots, np.multiply(over, 1.001), rtol=1e-4)


@pytest.fixture(scope="module")
def streams() -> tuple[Any, Any, Any]:
    """Income: the year's histogram, and quiet and drifting streams, as the page makes them."""
    history = lender.applications(110_000, seed=1, days=365)
    cuts = windows.cut_points(history["income"].to_numpy())
    year = windows.daily_counts(
        history["income"].to_numpy(), history["day"].to_numpy(), cuts, days=365
    ).sum(axis=0)
    quiet, _ = lender.drift.stream("none", seed=2, days=700)
    income, day = quiet["income"].to_numpy(), quiet["day"].to_numpy()
    levels = [windows.daily_counts(k * income, day, cuts, days=700) for k in (1, 0.93)]
    calm, drift = np.zeros(85, dtype=int), np.repeat([0, 1], [55, 90])
    months = windows.replay(calm, np.stack(levels), runs=200, seed=2)
    return year, months, windows.replay(drift, np.stack(levels), runs=200, seed=3)


@pytest.mark.parametrize(("width", "threshold"), [(7, 0.06), (28, 0.03)])
def test_the_alarms_shown_are_the_alarms_computed(
    streams: Any, width: int, threshold: float
) -> None:
    year, months, drifting = streams
    quiet = windows.ks(windows.sliding(months, width), year)[-30:]
    percent = 100 * np.mean([(run > threshold).any() for run in quiet.T])
    loud = windows.ks(windows.sliding(drifting, width), year)[-90:] > threshold
    delay = np.median([np.flatnonzero(run)[0] + 1 if run.any() else 91 for run in loud.T])
    says, traces = at(frames(PLAYABLE[1]), width, threshold)
    assert f"a false page in {percent:g} % of the quiet months" in says
    assert f"days until the drift is found: {delay:g} in the median" in says
    (dot,) = (trace for trace in traces if trace.get("name") == "this threshold")
    np.testing.assert_allclose([dot["x"][0], dot["y"][0]], [percent, delay])
