"""Sphinx extension: pages with a figure to play with (see the package `playable`) load its script.

The script loads the vendored library for readers who touch a figure.
"""

from typing import Any

from docutils import nodes

MARK = '<script type="application/json" class="playable">'


def add_script(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Add the script to a page that carries a figure's data."""
    if doctree is not None and any(MARK in raw.astext() for raw in doctree.findall(nodes.raw)):
        app.add_js_file("playable.js", loading_method="defer")


def setup(app: Any) -> dict[str, bool]:
    app.connect("html-page-context", add_script)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
