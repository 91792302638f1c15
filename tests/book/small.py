"""A small book in a folder, built by Sphinx with extensions of ours."""

from io import StringIO
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

BASIC = ["myst_parser", "sphinx_design"]


def build(folder: Path, *extensions: str, **config: object) -> tuple[Path, str]:
    """Build the pages in `folder`; return the folder of HTML, and what Sphinx warned of."""
    warnings = StringIO()
    out = folder / "_build" / "html"
    overrides: dict[str, object] = {
        "extensions": [*BASIC, *(f"tools.extensions.{name}" for name in extensions)],
        "myst_enable_extensions": ["attrs_inline", "colon_fence", "dollarmath"],
        "exclude_patterns": ["_build"],
        # Named, as Sphinx keeps what another build in this process made of its default.
        "source_suffix": {".md": "markdown"},
        "root_doc": "chapters/index",
        "html_theme": "basic",
    }
    with docutils_namespace():
        app = Sphinx(
            str(folder),
            None,
            str(out),
            str(folder / "_build" / "doctrees"),
            "html",
            confoverrides=overrides | config,
            status=None,
            warning=warnings,
        )
        app.build()
    return out, warnings.getvalue()


def write(folder: Path, pages: dict[str, str]) -> None:
    """Write pages by their paths under chapters/."""
    for name, text in pages.items():
        path = folder / "chapters" / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
