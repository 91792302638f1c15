"""Sphinx extension: a number and its percent sign stay on one line, with one space between them.

Numbers of the code come into the text with a percent sign (from the format `.0%`) or before one.
"""

import re
from typing import Any

from docutils import nodes

SIGN = re.compile(r"(?<=\d)\s?%(?!\w)")
NOT_TEXT = (nodes.literal, nodes.literal_block, nodes.math, nodes.math_block, nodes.raw)


def join_signs(app: Any, doctree: nodes.document, page: str) -> None:
    """Rewrite the page's text; a sign may begin a text of its own, after the number's."""
    before = ""
    for text in list(doctree.findall(nodes.Text)):
        if not isinstance(text.parent, NOT_TEXT):
            joined = joined_signs(before, str(text))
            if joined != text:
                text.parent.replace(text, nodes.Text(joined))
        before = str(text)


def joined_signs(before: str, text: str) -> str:
    """The text that follows another, with no-break spaces before percent signs."""
    last = before[-1:]
    return SIGN.sub("\N{NO-BREAK SPACE}%", last + text)[len(last) :]


def setup(app: Any) -> dict[str, bool]:
    app.connect("doctree-resolved", join_signs)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
