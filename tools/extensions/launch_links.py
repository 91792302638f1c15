"""Sphinx extension: under each page, how to run it, download it and edit it.

Binder and "edit this page" need the course's public address, `repository` in _config.yml. While
its url is empty, pages offer downloads and local commands only. Jupyter Book's own launch buttons
are not used: they open a page's file where it lies, know nothing of labs, and unfold by script.
"""

import re
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sphinx.errors import ExtensionError

from tools import downloads, kernels

GITHUB = re.compile(r"https://github\.com/([\w.-]+)/([\w.-]+?)(?:\.git)?/?")


@dataclass(frozen=True)
class Repository:
    """Where the course is published; `name` is OWNER/NAME on GitHub."""

    name: str
    branch: str

    def edit(self, path: str) -> str:
        """Address of the form that edits a file."""
        return f"https://github.com/{self.name}/edit/{quote(self.branch)}/{quote(path)}"

    def binder(self, path: str) -> str:
        """Address that opens a file in a JupyterLab on mybinder.org."""
        opened = quote(f"lab/tree/{quote(path)}", safe="")
        image = f"{self.name}/{quote(self.branch, safe='')}"
        return f"https://mybinder.org/v2/gh/{image}?urlpath={opened}"


@dataclass(frozen=True)
class Link:
    """A link of the block; `path` lies in the built book, the Binder image or the repository."""

    kind: str  # download, binder, edit
    text: str
    path: str
    address: str = ""


def repository(url: str, branch: str) -> Repository | None:
    """The published repository, None while there is none."""
    if not url:
        return None
    match = GITHUB.fullmatch(url)
    if not match:
        raise ExtensionError(
            f"_config.yml: repository.url is {url!r}; "
            "write https://github.com/OWNER/NAME or leave it empty."
        )
    return Repository(f"{match[1]}/{match[2]}", branch or "main")


def lab_named(page: str) -> str:
    """The lab that a page's path names, or '': section/lab-name is the page of section-name."""
    path = Path(page)
    kind, _, name = path.name.partition("-")
    return f"{path.parent.name}-{name}" if kind == "lab" else ""


def lab_of(root: Path, page: str) -> str:
    """The lab whose page this is, '' for other pages.

    Raises:
        ExtensionError: the lab that the page names was not released.
    """
    lab = lab_named(page)
    if lab and not (root / "labs" / lab / f"{lab}.ipynb").exists():
        raise ExtensionError(
            f"chapters/{page}.md is the page of a lab, but labs/{lab}/{lab}.ipynb does not exist; "
            "release the lab or rename the page."
        )
    return lab


def links(root: Path, page: str, published: Repository | None) -> list[Link]:
    """The links under a page, whose name is its path under chapters/ without suffix."""
    lab, source, opened = lab_of(root, page), f"chapters/{page}.md", ""
    kernel = downloads.kernel_of(root / source)
    found = []
    if lab:
        opened = f"work/{lab}/{lab}.ipynb"
        found.append(Link("download", "notebook and data (zip)", f"downloads/{lab}.zip"))
    elif kernel:
        # The Binder image has the main kernel only.
        opened = f"work/pages/{page}.ipynb" if kernel == kernels.MAIN else ""
        found.append(Link("download", "notebook", f"downloads/pages/{page}.ipynb"))
        found.append(Link("download", "Markdown source", f"_sources/{source}"))
    if published and opened:
        found.append(Link("binder", "Open in Binder", opened, published.binder(opened)))
    if published:
        found.append(Link("edit", "Edit this page", source, published.edit(source)))
    return found


def block(found: list[Link], lab: str, kernel: str, pathto: Any) -> str:
    """HTML of the block under a page, from its links, the lab whose page it is and its kernel."""
    shown: dict[str, str] = {}
    for link in found:
        inside = link.kind == "download"
        address = pathto(link.path, 1) if inside else link.address
        anchor = f'<a href="{escape(address)}"{" download" * inside}>{escape(link.text)}</a>'
        shown[link.kind] = " or the ".join(filter(None, [shown.get(link.kind), anchor]))
    local = f"<code>make lab LAB={escape(lab)}</code>" if lab else ""
    then = "to run where the course is installed"
    if not lab:
        then = "to open, from <code>work/</code>, in the JupyterLab of <code>make start</code>"
    if kernel not in ("", kernels.MAIN):
        then += f"; it needs a kernel of its own: <code>make kernel-{escape(kernel)}</code>"
    sentences = {
        "binder": "{}: it runs in your browser, and is ready within minutes.",
        "local": "In JupyterLab on this machine: {}, in the repository's folder.",
        "download": f"Download the {{}}, {then}.",
        "edit": "{} on GitHub.",
    }
    shown |= {"local": local} if local else {}
    items = [text.format(shown[kind]) for kind, text in sentences.items() if kind in shown]
    if not items:
        return ""
    listed = "\n".join(f"<li>{item}</li>" for item in items)
    return (
        '<section class="launch-links" aria-labelledby="launch-links">\n'
        f'<h2 id="launch-links">Work with this page</h2>\n<ul>\n{listed}\n</ul>\n</section>\n'
    )


def add_block(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Put the block at the end of a page's article."""
    inside = page.removeprefix("chapters/")
    if doctree is None or inside == page:
        return
    root, options = Path(app.srcdir), app.config.html_theme_options
    published = repository(options.get("repository_url", ""), options.get("repository_branch", ""))
    kernel = downloads.kernel_of(root / f"{page}.md")
    context["body"] += block(
        links(root, inside, published), lab_of(root, inside), kernel, context["pathto"]
    )


def write_downloads(app: Any, error: Exception | None) -> None:
    """Copy what the pages offer into the built folder."""
    if error is None and app.builder.format == "html":
        target = Path(app.outdir) / "downloads"
        root = Path(app.srcdir)
        downloads.write_notebooks(root, target / "pages", downloads.notebook_pages(root))
        downloads.write_labs(root, target)


def setup(app: Any) -> dict[str, bool]:
    app.connect("html-page-context", add_block)
    app.connect("build-finished", write_downloads)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
