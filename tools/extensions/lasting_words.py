"""Sphinx extension: the search leaves out what cells tagged `varies` show.

These are measured times and random names, which no reader would look for and the next build
would not have.
"""

from typing import Any

from docutils import nodes


def index_lasting_words(app: Any) -> None:
    """Let the builder index pages without that output."""
    if not hasattr(app.builder, "index_page"):
        return
    index_page = app.builder.index_page

    def index(name: str, page: nodes.document, title: str) -> None:
        index_page(name, without_varying(page), title)

    app.builder.index_page = index


def without_varying(page: nodes.document) -> nodes.document:
    """A copy of the page, or the page itself where nothing varies."""
    if not any(varies(node) for node in page.findall(nodes.container)):
        return page
    copy = page.deepcopy()
    for cell in filter(varies, list(copy.findall(nodes.container))):
        for part in list(cell.findall(nodes.container)):
            if "cell_output" in part["classes"]:
                part.parent.remove(part)
    return copy


def varies(node: nodes.Element) -> bool:
    return "tag_varies" in node["classes"]


def setup(app: Any) -> dict[str, bool]:
    app.connect("builder-inited", index_lasting_words)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
