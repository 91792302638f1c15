"""Each check of the browser tests can fail: pages broken on purpose, one way each."""

import base64
import io
import os
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from playwright.sync_api import Browser

from tests.book import browser as look
from tests.book.browser import Seen
from tools.serve import serving

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>A page that is sound</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<style>
:root {{ color-scheme: light dark }}
body {{ font: 16px/1.6 sans-serif; margin: 0 1rem; color: #111; background: #fff }}
a {{ color: #0b4ea2; line-height: 2 }}
figure {{ margin: 0 }}
svg, img {{ width: 100%; background: #fff }}
.wide {{ overflow-x: auto }}
header {{ position: sticky; top: 0; background: Canvas }}
input {{ min-height: 24px }}
@media (prefers-color-scheme: dark) {{
  body {{ color: #eee; background: #111 }}
  a {{ color: #8ab8ff }}
}}
</style>{head}</head>
<body><header><a href="#main">Skip to main content</a></header>
<nav aria-label="Contents"><a href="#part">A part</a></nav>
<main id="main" tabindex="-1"><article><h1>A page that is sound</h1>
{body}
<h2 id="part">A part</h2><p>Text with <a href="#main">a link to the top</a> in it.</p>
{end}</article></main></body></html>
"""
CHART = """<svg role="img" aria-label="A line that rises from left to right" viewBox="0 0 300 200">
<path d="M 20 80 L 280 20" stroke="#0072b2" stroke-width="2"/>
<text x="20" y="95" font-size="12" fill="{ink}">seconds since the start</text></svg>"""
FIGURE = "<figure>{picture}<figcaption>It rises.</figcaption></figure>"
TABLE = f"<table><tr><th>a</th>{'<td>1234567890</td>' * 12}</tr></table>"
SOUND = (
    FIGURE.format(picture=CHART.format(ink="#222"))
    + f"<div class='wide' tabindex='0' role='region' aria-label='A wide table'>{TABLE}</div>"
    + "<p><label>Find <input autofocus></label></p>"
    + "<details><summary>More of it</summary><p>Said with care.</p></details>"
)
TRAP = """<div id="trap"><button id="in">In here</button></div><script>
document.getElementById("in").addEventListener("keydown", (e) => e.preventDefault());
</script>"""
FAKE_CONTROL = "<a href='#part' tabindex='-1'>Only for the mouse</a>"
NO_FOCUS = "<style>a:focus { outline: none }</style>"
BACKWARD = "<p><a href='#part' tabindex='1'>First of all</a></p>"
SPIN = """<style>@keyframes spin { to { rotate: 1turn } }
h1 { animation: spin 2s infinite }</style>"""
SLIDE = "<style>a { transition: margin 0.3s }</style>"
SMOOTH = "<style>html { scroll-behavior: smooth }</style>"
SPOKEN = "<style>p::before { content: 'Never read: ' }</style>"
UPSIDE_DOWN = "<style>article { display: flex; flex-direction: column-reverse }</style>"
THIRD_LEVEL = "<h4>Two levels deeper</h4>"
PALE = "<style>p { color: #aaa; background: #fff }</style>"
PALE_IN_THE_DARK = "<style>@media (prefers-color-scheme: dark) { p { color: #444 } }</style>"
HIDDEN_SKIP = "<style>header a { position: absolute; left: -999px }</style>"
WRONG_SKIP = """<script>addEventListener("DOMContentLoaded", () => {
  document.querySelector("header a").hash = "#part";
});</script>"""
NO_SKIP = "<style>header, nav { display: none }</style>"
JUMP = """<p><a href='#part' id='jump'>Back and forth</a></p><script>
document.getElementById("jump").addEventListener("focus", () =>
  document.querySelector("summary").focus(), { once: true });
</script>"""
CDN = "<script src='https://cdn.example/x.js'></script>"
UNNAMED = CHART.format(ink="#222").replace("aria-label", "data-label")
ALT = "A line that rises from left to right"
AS_IMAGE = (
    "data:image/svg+xml;base64,"
    + base64.b64encode(
        CHART.format(ink="#bbb")
        .replace("<svg", "<svg xmlns='http://www.w3.org/2000/svg'")
        .encode()
    ).decode()
)
CUT_OFF = f"<div style='overflow: hidden'>{TABLE}</div>"


def write(folder: Path, head: str = "", body: str = SOUND, end: str = "") -> None:
    (folder / "page.html").write_text(PAGE.format(head=head, body=body, end=end))


def visited(browser: Browser, folder: Path, *ways: str) -> Seen:
    """The page in `folder`, visited like the book's, in all ways or in these."""
    seen = Seen()
    with serving(folder) as address:
        if not ways or "served" in ways:
            look.served(browser, f"{address}/page.html", seen)
        if not ways or "phone" in ways:
            look.on_a_phone(browser, f"{address}/page.html", seen)
    if not ways or "disk" in ways:
        look.from_disk(browser, (folder / "page.html").as_uri(), seen)
    return seen


def test_a_sound_page_gives_no_complaint(browser: Browser, tmp_path: Path) -> None:
    write(tmp_path)
    seen = visited(browser, tmp_path)
    assert 0 < seen.kilobytes < 10
    assert seen == Seen(kilobytes=seen.kilobytes)


BROKEN = [
    ("served", "head", CDN, "outside", "https://cdn.example/x.js"),
    ("disk", "head", CDN, "outside", "https://cdn.example/x.js"),
    ("served", "head", "<script src='no-such.js'></script>", "failed", "no-such.js: 404"),
    ("disk", "end", "<img src='no-such.png' alt=''>", "failed", "no-such.png: net::ERR_FILE_NOT"),
    ("served", "head", "<script>nothing.here()</script>", "errors", "nothing is not defined"),
    ("disk", "head", "<script>nothing.here()</script>", "errors", "nothing is not defined"),
    ("phone", "head", "<script>console.warn('old')</script>", "errors", "console warning: old"),
    ("served", "head", PALE, "axe", "served, light: color-contrast"),
    ("served", "head", PALE_IN_THE_DARK, "axe", "served, dark: color-contrast"),
    ("phone", "head", PALE_IN_THE_DARK, "axe", "phone, dark: color-contrast"),
    ("served", "end", "<img src='data:,'>", "axe", "image-alt"),
    ("served", "end", THIRD_LEVEL, "axe", "heading-order"),
    ("served", "end", THIRD_LEVEL, "order", "level 4 after level 2"),
    ("served", "head", SPOKEN, "order", "Never read"),
    ("served", "head", UPSIDE_DOWN, "order", "is drawn above"),
    ("served", "body", "<nav><h1>Two</h1></nav>", "order", "2 headings of level 1"),
    ("phone", "end", f"<p>{'x' * 90}</p>", "sideways", "px wide on a screen of 390 px"),
    ("phone", "end", TABLE, "sideways", "sticks out"),
    ("phone", "end", CUT_OFF, "sideways", "is cut off"),
    ("disk", "end", TRAP, "keyboard", "Tab does not get out of <button#in>"),
    ("disk", "end", FAKE_CONTROL, "keyboard", "Tab never reaches <a> Only for the mouse"),
    ("disk", "head", NO_FOCUS, "keyboard", "nothing shows the focus on <a>"),
    ("disk", "head", HIDDEN_SKIP, "keyboard", "cannot be seen when it has the focus"),
    ("disk", "head", NO_SKIP, "keyboard", "no link to the main content"),
    ("disk", "end", BACKWARD, "keyboard", "before its turn"),
    ("disk", "head", WRONG_SKIP, "keyboard", "the link to the main content leads to"),
    ("disk", "end", JUMP, "keyboard", "Tab goes back from"),
    ("disk", "head", SPIN, "motion", "moved by spin"),
    ("disk", "head", SLIDE, "motion", "margin takes 0.3s"),
    ("disk", "head", SMOOTH, "motion", "scrolls smoothly"),
]


@pytest.mark.parametrize(("way", "part", "html", "subject", "says"), BROKEN)
def test_a_broken_page_is_complained_about(
    browser: Browser, tmp_path: Path, way: str, part: str, html: str, subject: str, says: str
) -> None:
    write(tmp_path, **{part: html})
    complaints = getattr(visited(browser, tmp_path, way), subject)
    assert any(says in text for text in complaints), complaints


@pytest.mark.parametrize(
    "math", ["\\(x^2\\)", "<mjx-container><mjx-merror>?</mjx-merror></mjx-container>"]
)
def test_mathematics_that_is_not_typeset_is_complained_about(
    browser: Browser, tmp_path: Path, math: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(look, "PATIENCE_S", 1)
    write(tmp_path, end=f"<p><span class='math notranslate nohighlight'>{math}</span></p>")
    assert visited(browser, tmp_path, "served").mathematics


@pytest.mark.parametrize(
    ("picture", "subject", "says"),
    [
        (CHART.format(ink="#bbb"), "contrast", "'seconds since the start' has a contrast of 1.9"),
        (UNNAMED, "figures", "its alt text is"),
        (f"<img alt='A line' src='{AS_IMAGE}'>", "figures", 'its alt text is "A line"'),
        (f"<img alt='{ALT}' src='{AS_IMAGE}'>", "contrast", "'seconds since the start' has"),
    ],
)
def test_a_broken_figure_is_complained_about(
    browser: Browser, tmp_path: Path, picture: str, subject: str, says: str
) -> None:
    write(tmp_path, body=FIGURE.format(picture=picture))
    complaints = getattr(visited(browser, tmp_path, "served"), subject)
    assert any(says in text for text in complaints), complaints


def test_a_figure_needs_a_caption_after_it(browser: Browser, tmp_path: Path) -> None:
    chart = CHART.format(ink="#222")
    before = f"<figure><figcaption>It rises.</figcaption>{chart}</figure>"
    write(tmp_path, body=chart + before)
    complaints = visited(browser, tmp_path, "served").figures
    assert any("it has no caption" in text for text in complaints)
    assert any("its caption comes before it" in text for text in complaints)


def raster(ink: str, behind: str) -> str:
    """A matplotlib chart as a PNG inside the page."""
    figure = Figure(figsize=(5, 3), facecolor=behind)
    axes = figure.subplots()
    axes.set_facecolor(behind)
    axes.plot([1, 3, 2], color=ink)
    axes.tick_params(colors=ink)
    axes.set_ylabel("seconds", color=ink)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=150)
    code = base64.b64encode(drawn.getvalue()).decode()
    alt = "A line that rises and falls again"
    return FIGURE.format(picture=f"<img alt='{alt}' src='data:image/png;base64,{code}'>")


@pytest.mark.parametrize(
    ("ink", "behind", "weak"),
    [("#222", "white", []), ("#bbb", "white", ["light", "dark"]), ("#222", "none", ["dark"])],
)
def test_a_raster_figure_must_be_readable(
    browser: Browser, tmp_path: Path, ink: str, behind: str, weak: list[str]
) -> None:
    write(tmp_path, head="<style>img { background: none }</style>", body=raster(ink, behind))
    complaints = visited(browser, tmp_path, "served").contrast
    themes = {text.split(",")[1].split(":")[0].strip() for text in complaints}
    assert sorted(themes) == sorted(weak), complaints


def test_a_heavy_page_is_weighed(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "heavy.js").write_bytes(b"//" + base64.b64encode(os.urandom(1_200_000)))
    write(tmp_path, head="<script src='heavy.js'></script>")
    assert 1200 < visited(browser, tmp_path, "served").kilobytes < 1400
