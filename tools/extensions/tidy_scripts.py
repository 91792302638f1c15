"""Sphinx extension: the scripts of a page, and no others; none holds up its first paint.

The theme and Jupyter Book's extensions load a dozen scripts for what `_static/book.js` does in one
(menus, copying, toggles, color mode), and Jupyter Book all that lies under `_static`, MathJax a
second time, which stops with an error. What is left: `book.js`, what our extensions add to the
pages that need it, and MathJax where a page has mathematics.
"""

from typing import Any

from sphinx.builders.html._assets import _JavaScript

EVERYWHERE = "book.js"
# Of the theme and of extensions; the search page names those that it needs itself.
LEFT_OUT = (
    *("clipboard", "copybutton", "design-tabs", "doctools", "documentation_options"),
    *("sphinx-book-theme", "sphinx_highlight", "thebe", "togglebutton"),
)
INLINE = ("DOCUMENTATION_OPTIONS", "thebe", "toggle")
MATHEMATICS = ("mathjax", "MathJax")


def leave_to_extensions(app: Any, config: Any) -> None:
    """Have Jupyter Book load one script under `_static` on every page, not all that lie there."""
    config.html_js_files = [file for file in config.html_js_files if file == EVERYWHERE]


def tidy(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Keep each script once, in order, deferred; those of mathematics only where there is some."""
    has_mathematics = 'class="math' in context.get("body", "")
    kept: dict[str, _JavaScript] = {}
    for script in context["script_files"]:
        key = str(script.filename or script.attributes.get("body", ""))
        if is_wanted(key, bool(script.filename), has_mathematics):
            kept.setdefault(key, deferred(script))
    context["script_files"] = list(kept.values())


def is_wanted(key: str, is_file: bool, has_mathematics: bool) -> bool:
    """Whether a page needs the script of this file name, or with this code."""
    if any(word in key for word in MATHEMATICS):
        return has_mathematics
    if is_file and "/" in key.removeprefix("_static/"):
        return False  # a library: a script of ours loads it where it is needed
    return not any(word in key for word in (LEFT_OUT if is_file else INLINE))


def deferred(script: _JavaScript) -> _JavaScript:
    """The same script, run when the page has been read; code within the page runs at once."""
    if not script.filename:
        return script
    attributes = {key: value for key, value in script.attributes.items() if key != "async"}
    attributes["defer"] = "defer"
    return _JavaScript(script.filename, priority=script.priority, **attributes)


def setup(app: Any) -> dict[str, bool]:
    app.connect("config-inited", leave_to_extensions, priority=700)  # Sphinx reads them at 800
    app.connect("html-page-context", tidy, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
