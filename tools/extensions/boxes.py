"""Sphinx extension: a box is known by its title, and looks the same on every page."""

from typing import Any

from docutils import nodes

# How a title begins -> the class that its box gets.
KINDS = {
    "After this page": "aims",
    "Before you start": "aims",
    "Predict first": "predict",
    "Oracle": "oracle",
}
LOOKS = {
    "note",
    "tip",
    "hint",
    "important",
    "seealso",
    "warning",
    "caution",
    "attention",
    "danger",
}


def name_boxes(app: Any, doctree: nodes.document, page: str) -> None:
    """Put the class that belongs to the title in the place of those that only gave a color."""
    for box in doctree.findall(nodes.admonition):
        title = next(iter(box.findall(nodes.title)), None)
        kind = kind_of(title.astext()) if title else ""
        if kind:
            others = [each for each in box["classes"] if each not in LOOKS]
            box["classes"] = [*others, kind]


def kind_of(title: str) -> str:
    """The class for a title, or nothing."""
    return next((kind for start, kind in KINDS.items() if title.startswith(start)), "")


def setup(app: Any) -> dict[str, bool]:
    app.connect("doctree-resolved", name_boxes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
