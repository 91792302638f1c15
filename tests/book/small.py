"""A small book in a folder, built by Sphinx with extensions of ours."""

import shutil
from io import StringIO
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.console import nocolor
from sphinx.util.docutils import docutils_namespace

ROOT = Path(__file__).parent.parent.parent
BASIC = ["myst_parser", "sphinx_design"]


def build(folder: Path, *extensions: str, **config: object) -> tuple[Path, str]:
    """Build the pages in `folder`; return the folder of HTML, and what Sphinx warned of."""
    out = folder / "_build" / "html"
    settings: dict[str, object] = {
        "extensions": [*BASIC, *(f"tools.extensions.{name}" for name in extensions)],
        "myst_enable_extensions": ["attrs_inline", "colon_fence", "dollarmath"],
        "exclude_patterns": ["_build"],
        "source_suffix": {".md": "markdown"},
    }
    return out, run_sphinx(folder, out, settings | config)


def run_sphinx(source: Path, out: Path, settings: dict[str, object]) -> str:
    """Build `source` in this process; return what Sphinx warned of.

    The settings name a `source_suffix`: Sphinx keeps what another build made of its default.
    """
    warnings = StringIO()
    nocolor()
    with docutils_namespace():
        app = Sphinx(
            str(source),
            None,
            str(out),
            str(out.parent / "doctrees"),
            "html",
            confoverrides={"root_doc": "chapters/index", "html_theme": "basic"} | settings,
            status=None,
            warning=warnings,
        )
        app.build()
    return warnings.getvalue()


def configure(root: Path) -> None:
    """Give a folder the course's configuration and extensions, without pages, labs and topics."""
    (root / "chapters").mkdir(parents=True)
    for name in ("_config.yml", "references.bib"):
        shutil.copyfile(ROOT / name, root / name)
    for name in ("_static", "_templates", "tools"):
        (root / name).symlink_to(ROOT / name)
    (root / "curriculum.yml").write_text("subjects: {}\n")
    (root / "chapters" / "verified.json").write_text("[]")


def write(folder: Path, pages: dict[str, str]) -> None:
    """Write pages by their paths under chapters/."""
    for name, text in pages.items():
        path = folder / "chapters" / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
