"""Sphinx extension: figures, tables and folded code of a page, as a reader or a phone needs them.

Images get their size, so that nothing jumps, and load when they come near. They and tables stand
in frames that can scroll by themselves. What pandas and MyST-NB write for no reader (a style sheet
per table, empty headings, a label that hides the visible one) is taken out.
"""

import html
import re
import struct
from pathlib import Path
from typing import Any

IMAGE = re.compile(r'<img\b[^>]*?\bsrc="[^"]*_images/(?P<name>[^"/]+)"[^>]*>')
STYLE = re.compile(r"<style scoped>.*?</style>\s*", re.S)
EMPTY_HEADING = re.compile(r"<th([^>]*)>\s*</th>")
TABLE_FRAME = re.compile(r'<div class="(?:output text_html|pst-scrollable-table-container)">')
FOLDED = re.compile(
    r'<summary aria-label="Toggle hidden content">\s*<p class="collapsed admonition-title">'
    r"Show code cell (?P<what>\w+)</p>.*?</summary>",
    re.S,
)
UNITS = {b"pt": 4 / 3, b"px": 1.0, b"": 1.0}
NAMES = {"source": "Code", "output": "Output", "content": "Code and output"}


def improve(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Rewrite the page's body."""
    if "body" in context:
        sources = {name: uri for uri, name in app.builder.images.items()}
        body = with_image_sizes(context["body"], Path(app.srcdir), sources)
        context["body"] = without_old_roles(with_table_frames(with_short_summaries(body)))


def with_image_sizes(body: str, folder: Path, sources: dict[str, str]) -> str:
    """Give each image its size in CSS pixels and a frame of its own, and let it load late."""
    number = 0

    def rewrite(image: re.Match[str]) -> str:
        nonlocal number
        number += 1
        tag = image[0]
        source = sources.get(html.unescape(image["name"]))
        size = image_size(folder / source) if source else None
        if size and " width=" not in tag and " style=" not in tag:
            tag = tag.replace("<img", f'<img width="{size[0]}" height="{size[1]}"', 1)
        tag = tag.replace("<img", '<img loading="lazy" decoding="async"', 1)
        return f'<span class="figure-frame" data-label="Figure {number} of this page">{tag}</span>'

    return IMAGE.sub(rewrite, body)


def image_size(path: Path) -> tuple[int, int] | None:
    """Width and height of an SVG or PNG in CSS pixels; None where it says nothing."""
    data = path.read_bytes()[:4096] if path.exists() else b""
    if data.startswith(b"\x89PNG"):
        width, height = struct.unpack(">II", data[16:24])
        return int(width), int(height)
    root = re.search(rb"<svg[^>]*>", data)
    sides = [
        re.search(rb"\s" + side + rb'="([\d.]+)(pt|px|)"', root[0]) if root else None
        for side in (b"width", b"height")
    ]
    if not all(sides):
        return None
    width, height = (round(float(side[1]) * UNITS[side[2]]) for side in sides if side)
    return width, height


def with_table_frames(body: str) -> str:
    """Name the frame of each table by its number, for those who reach it by keyboard."""
    body = EMPTY_HEADING.sub(r"<td\1></td>", STYLE.sub("", body))
    number = 0

    def rewrite(frame: re.Match[str]) -> str:
        nonlocal number
        if "<table" not in body[frame.end() : frame.end() + 200]:
            return frame[0]
        number += 1
        return f'{frame[0][:-2]} table-frame" data-label="Table {number} of this page">'

    return TABLE_FRAME.sub(rewrite, body)


def with_short_summaries(body: str) -> str:
    """Folded code says what it is; whether it is open, the browser says."""
    return FOLDED.sub(lambda m: f"<summary>{NAMES.get(m['what'], 'Code')}</summary>", body)


def without_old_roles(body: str) -> str:
    """The list of references without roles that ARIA has given up, or allows no link in."""
    return re.sub(r' role="(?:doc-biblioentry|list|doc-footnote)"', "", body)


def setup(app: Any) -> dict[str, bool]:
    app.connect("html-page-context", improve, priority=800)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
