"""Sphinx extension: pages with a figure to play with (see the package `playable`) load its script.

The drawing library is no part of this: the script asks for it when a reader first touches.
"""

from typing import Any

from docutils import nodes

MARK = '<script type="application/json" class="playable">'


def add_script(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Add script and style to a page that carries a figure's data, and to no other."""
    if doctree is not None and any(MARK in raw.astext() for raw in doctree.findall(nodes.raw)):
        app.add_css_file("playable.css")
        app.add_js_file("playable.js", loading_method="defer")


def setup(app: Any) -> dict[str, bool]:
    app.connect("html-page-context", add_script)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
