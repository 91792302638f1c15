"""Sphinx extension: load each script of a page once, and thebe not at all.

Jupyter Book's extensions name MathJax and thebe twice on some pages, and the second copy of either
stops with an error in the browser. The course offers no live code from a public server, so thebe
(which comes from a CDN) is left out altogether.
"""

from typing import Any


def tidy(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Keep the first of equal scripts, in their order, without thebe's."""
    kept: dict[str, Any] = {}
    for script in context["script_files"]:
        key = str(script.filename or script.attributes.get("body", ""))
        if "thebe" not in key.lower():
            kept.setdefault(key, script)
    context["script_files"] = list(kept.values())


def setup(app: Any) -> dict[str, bool]:
    app.connect("html-page-context", tidy, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
