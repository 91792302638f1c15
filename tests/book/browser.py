"""The book in Debian's Chromium: a page is visited once for each way to read it.

Every visit adds to `Seen` what a reader could complain about; the tests ask that nothing be there.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import (
    Browser,
    CDPSession,
    ConsoleMessage,
    Page,
    TimeoutError,
    sync_playwright,
)

from tests.book.contrast import unreadable
from tools import pdf

HERE = Path(__file__).parent
CHROMIUM = pdf.chromium()
PROBE = (HERE / "probe.js").read_text(encoding="utf-8")
AXE = (HERE / "vendor" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
# Nothing but loopback can be reached, and the browser itself calls nobody.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
# What the reader's choice of light or dark can change.
COLOR_RULES = ("color-contrast", "link-in-text-block")
QUIET_S = 0.3
PATIENCE_S = 20


@dataclass
class Seen:
    """What a reader could complain about on one page, by subject."""

    kilobytes: float = 0  # transferred until the page is at rest, with nothing in the cache
    outside: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    axe: list[str] = field(default_factory=list)
    mathematics: list[str] = field(default_factory=list)
    figures: list[str] = field(default_factory=list)
    contrast: list[str] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    sideways: list[str] = field(default_factory=list)
    keyboard: list[str] = field(default_factory=list)
    motion: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class View:
    """A picture to be looked at: from the page's top, or from the first match of `selector`."""

    name: str
    selector: str = ""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class Tab:
    """A page in a context of its own, with everything it asks for and says written down."""

    def __init__(self, browser: Browser, url: str, seen: Seen, **options: Any) -> None:
        self.seen, self.place = seen, options.pop("place", "served")
        self.home = urlsplit(url).netloc
        self.context = browser.new_context(**options)
        self.context.set_default_timeout(3000 * PATIENCE_S)
        self.page: Page = self.context.new_page()
        self.cdp: CDPSession = self.context.new_cdp_session(self.page)
        self.pending, self.bytes, self.active = 0, 0.0, time.monotonic()
        self.listen()
        self.page.goto(url, wait_until="load")
        self.settle()
        self.page.evaluate(PROBE)

    def __enter__(self) -> "Tab":
        return self

    def __exit__(self, *error: object) -> None:
        self.context.close()

    def listen(self) -> None:
        page = self.page
        page.on("request", lambda request: self.asked(request.url))
        page.on("requestfinished", lambda request: self.answered())
        page.on("requestfailed", lambda request: self.refused(request.url, request.failure))
        page.on("response", lambda response: self.status(response.url, response.status))
        page.on("websocket", lambda socket: self.check_host(socket.url))
        page.on("pageerror", lambda error: self.note(self.seen.errors, error.message))
        page.on("console", self.said)
        self.cdp.on("Network.loadingFinished", self.weigh)
        self.cdp.send("Network.enable")

    def note(self, complaints: list[str], text: str) -> None:
        complaints.append(f"{self.place}: {text}")

    def asked(self, url: str) -> None:
        self.pending, self.active = self.pending + 1, time.monotonic()
        self.check_host(url)

    def check_host(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob", "about") and parts.netloc != self.home:
            self.note(self.seen.outside, url)

    def answered(self) -> None:
        self.pending, self.active = self.pending - 1, time.monotonic()

    def refused(self, url: str, why: str | None) -> None:
        self.answered()
        self.note(self.seen.failed, f"{url}: {why}")

    def status(self, url: str, status: int) -> None:
        if status >= 400:
            self.note(self.seen.failed, f"{url}: {status}")

    def said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            where = message.location["url"]
            self.note(self.seen.errors, f"console {message.type}: {message.text} ({where})")

    def weigh(self, event: dict[str, Any]) -> None:
        self.bytes += event["encodedDataLength"]

    def settle(self) -> None:
        """Wait until nothing more is loaded and the mathematics is typeset."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            if not self.pending and time.monotonic() - self.active > QUIET_S:
                break
            self.page.wait_for_timeout(50)
        self.page.evaluate("document.fonts.ready.then(() => null)")

    def typeset(self) -> None:
        """Wait for the mathematics; what stays untypeset is a complaint later."""
        try:
            self.page.wait_for_function(
                "probe.untypeset().length === 0", timeout=1000 * PATIENCE_S / 2
            )
        except TimeoutError:
            self.settle()

    def theme(self, name: str) -> None:
        """Light or dark, as the reader's system says."""
        self.page.emulate_media(color_scheme=name)  # type: ignore[arg-type]
        self.ask("atRest")
        self.place = self.place.partition(",")[0] + f", {name}"

    def ask(self, question: str, *arguments: Any) -> Any:
        """Call one of the probe's functions."""
        return self.page.evaluate(f"(given) => probe.{question}(...given)", list(arguments))

    def complain(self, complaints: list[str], question: str, *arguments: Any) -> None:
        for text in self.ask(question, *arguments):
            self.note(complaints, text)

    def press(self, key: str, times: int = 1) -> None:
        for _ in range(times):
            self.page.keyboard.press(key)


def served(
    browser: Browser, url: str, seen: Seen, views: tuple[View, ...] = (), shots: Path | None = None
) -> None:
    """On a desktop from a server: weight, errors, axe, figures, mathematics, reading order."""
    with Tab(browser, url, seen, viewport=DESKTOP, device_scale_factor=2) as tab:
        tab.typeset()
        tab.settle()
        seen.kilobytes = tab.bytes / 1000
        photograph(tab, views, shots, "desktop")
        tab.ask("openAll")
        tab.settle()
        tab.page.evaluate(AXE)
        tab.theme("light")
        axe(tab)
        tab.complain(seen.mathematics, "mathematics")
        tab.complain(seen.figures, "figures")
        tab.complain(seen.order, "readingOrder")
        judge_figures(tab)
        tab.theme("dark")
        axe(tab, COLOR_RULES)
        tab.complain(seen.figures, "figures")
        judge_figures(tab)
        tab.complain(seen.order, "withoutStyles")


def from_disk(browser: Browser, url: str, seen: Seen) -> None:
    """On a desktop as a file, with the keyboard alone, by a reader who wants nothing to move."""
    options = {"viewport": DESKTOP, "color_scheme": "dark", "reduced_motion": "reduce"}
    with Tab(browser, url, seen, place="from disk", **options) as tab:
        tab.typeset()
        tab.complain(seen.motion, "motion")
        tab.ask("startAtTop")
        tab.press("Tab")
        tab.ask("atRest")
        missing = tab.ask("skipLink")
        if not missing:
            tab.press("Enter")
            tab.press("Tab")
            missing = tab.ask("skipped")
        for text in missing:
            tab.note(seen.keyboard, text)
        tab.press("Tab", tab.ask("startWalk") + 3)
        tab.complain(seen.keyboard, "endWalk")


def on_a_phone(
    browser: Browser, url: str, seen: Seen, views: tuple[View, ...] = (), shots: Path | None = None
) -> None:
    """On a phone from a server, in the dark: width, and axe on what a phone shows."""
    options = {"viewport": PHONE, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
    with Tab(browser, url, seen, place="phone", color_scheme="dark", **options) as tab:
        tab.typeset()
        photograph(tab, views, shots, "phone")
        tab.page.evaluate(AXE)
        tab.theme("dark")
        axe(tab)
        tab.complain(seen.sideways, "sideways", PHONE["width"])


def axe(tab: Tab, only: tuple[str, ...] = ()) -> None:
    """All of axe-core's rules or some, and the size of targets, which it leaves off."""
    options: dict[str, Any] = {"preload": False, "resultTypes": ["violations"]}
    if only:
        options["runOnly"] = list(only)
    else:
        options["rules"] = {"target-size": {"enabled": True}}
    result = tab.page.evaluate("(options) => axe.run(document, options)", options)
    for rule in result["violations"]:
        for node in rule["nodes"]:
            where = " ".join(map(str, node["target"]))
            tab.note(tab.seen.axe, f"{rule['id']} ({rule['impact']}) at {where}: {rule['help']}")


def judge_figures(tab: Tab) -> None:
    """The contrast inside the figures, by their screenshots."""
    tab.ask("hideFixed", True)
    for number, figure in enumerate(tab.ask("numberFigures")):
        picture = tab.page.locator(f"[data-probe='{number}']").screenshot()
        for text in unreadable(picture, figure["texts"]):
            tab.note(tab.seen.contrast, f"{figure['name']}: {text}")
    tab.ask("hideFixed", False)


def photograph(tab: Tab, views: tuple[View, ...], shots: Path | None, device: str) -> None:
    if shots is None:
        return
    shots.mkdir(parents=True, exist_ok=True)
    for theme in ("light", "dark") if views else ():
        tab.theme(theme)
        for view in views:
            place = "(selector) => document.querySelector(selector)?.scrollIntoView()"
            tab.page.evaluate(place if view.selector else "scrollTo(0, 0)", view.selector)
            tab.ask("atRest")
            tab.page.screenshot(path=shots / f"{view.name}-{device}-{theme}.png")


def search_results(tab: Tab) -> list[str]:
    """The titles that the search page shows, once there are any."""
    found = tab.page.locator("#search-results ul.search > li > a")
    try:
        found.first.wait_for(timeout=1000 * PATIENCE_S)
    except TimeoutError:
        return []
    return [title.strip() for title in found.all_inner_texts()]
