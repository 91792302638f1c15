"""Sphinx extension: pages with a figure to play with (see the package `playable`) load its script.

Jupyter Book has every page load all that it finds in _static. Script and style of these figures
are kept to the pages that have one, and the vendored library to readers who touch one.
"""

from typing import Any

from docutils import nodes

MARK = '<script type="application/json" class="playable">'
ON_DEMAND = ("playable.", "vendor/plotly/")


def leave_out(app: Any, config: Any) -> None:
    """Take what is loaded on demand out of every page."""
    config.html_js_files = [
        path for path in config.html_js_files if not str(path).startswith(ON_DEMAND)
    ]


def add_script(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Add the script to a page that carries a figure's data."""
    if doctree is not None and any(MARK in raw.astext() for raw in doctree.findall(nodes.raw)):
        app.add_js_file("playable.js", loading_method="defer")


def setup(app: Any) -> dict[str, bool]:
    app.connect("config-inited", leave_out)
    app.connect("html-page-context", add_script)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
