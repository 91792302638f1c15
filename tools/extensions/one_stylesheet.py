"""Sphinx extension: our page templates, one style sheet, and no file that no page asks for.

A page loads `_static/book.css`: the style sheets in `_static/style/`, then those in `_static/`,
the one for print last, without comments. What the theme and other extensions put beside it is
taken out of the built folder.
"""

import hashlib
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SEARCH = {"doctools.js", "documentation_options.js", "language_data.js", "searchtools.js"}


def use_templates(app: Any, config: Any) -> None:
    """Ours come before the theme's."""
    config.templates_path.insert(0, str(ROOT / "_templates"))


def bundle(folder: Path) -> str:
    """The style sheets of a folder as one; addresses in them are relative to that folder."""
    # The course's own come first, so that others can build on them; what is for print comes last.
    paths = sorted(
        [*folder.glob("*.css"), *folder.glob("style/*.css")],
        key=lambda path: (path.name == "print.css", path.parent.name != "style", path.name),
    )
    return "\n".join(compact(path.read_text(encoding="utf-8")) for path in paths)


def compact(css: str) -> str:
    """Without comments and indentation."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.S)
    return "\n".join(line.strip() for line in css.splitlines() if line.strip())


def version(css: str) -> str:
    """What changes with the style sheet, so that no browser keeps an old one."""
    return hashlib.sha256(css.encode()).hexdigest()[:8]


def name_version(
    app: Any, page: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    context["stylesheet_version"] = version(bundle(Path(app.confdir) / "_static"))


def finish(app: Any, failure: Exception | None) -> None:
    """Write the style sheet; take out what the theme and other extensions put beside it."""
    if failure or app.builder.name != "html":
        return
    static = Path(app.outdir) / "_static"
    for name in foreign(app) - SEARCH:
        (static / name).unlink(missing_ok=True)
    for path in (*static.glob("*.css"), *static.glob("style/*.css")):
        path.unlink()
    for path in sorted(static.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    (static / "book.css").write_text(bundle(Path(app.confdir) / "_static"), encoding="utf-8")


def foreign(app: Any) -> set[str]:
    """Static files, by name, that are not the course's own."""
    own = Path(app.confdir) / "_static"
    folders = [Path(folder) / "static" for folder in app.builder.theme.get_theme_dirs()]
    folders += [Path(app.confdir) / folder for folder in app.config.html_static_path]
    return {
        path.relative_to(folder).as_posix().removesuffix("_t")
        for folder in folders
        if folder != own
        for path in folder.rglob("*")
        if path.is_file()
    }


def setup(app: Any) -> dict[str, bool]:
    app.connect("config-inited", use_templates)
    app.connect("html-page-context", name_version)
    app.connect("build-finished", finish, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
