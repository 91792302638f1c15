"""Sphinx extension: an `{exercise}` box, its solution (executed cells and all) behind a toggle.

A cell cannot stand inside a directive, so the solution is what stands between `{solution-start}`
and `{solution-end}`, right after the exercise.
"""

from typing import Any

from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from tools.extensions.questions import tag

_LOG = logging.getLogger(__name__)


class border(nodes.General, nodes.Element):
    """Where a solution starts or ends, until the transform has moved it."""


class Exercise(SphinxDirective):
    """A task with a title, larger than a question and smaller than a lab."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True

    def run(self) -> list[nodes.Node]:
        box = nodes.admonition(classes=["exercise"])
        words, messages = self.state.inline_text(f"Exercise: {self.arguments[0]}", self.lineno)
        box += nodes.title("", "", *words)
        self.state.nested_parse(self.content, self.content_offset, box)
        self.set_source_info(box)
        return [box, *messages]


class Border(SphinxDirective):
    """Start or end of a solution."""

    def run(self) -> list[nodes.Node]:
        mark = border(end=self.name == "solution-end")
        self.set_source_info(mark)
        return [mark]


class MoveSolutions(SphinxTransform):
    """Move what stands between the borders into the exercise before them."""

    default_priority = 400

    def apply(self, **_: Any) -> None:
        for box in list(self.document.findall(nodes.admonition)):
            if "exercise" in box["classes"]:
                _take_solution(box)
        for mark in list(self.document.findall(border)):
            _LOG.warning(
                "a solution %s here without its other end or without an exercise before it; "
                "write {exercise}, {solution-start}, the solution, {solution-end}.",
                "ends" if mark["end"] else "starts",
                location=mark,
            )
            mark.parent.remove(mark)


def _take_solution(box: nodes.admonition) -> None:
    siblings = box.parent.children
    first = box.parent.index(box) + 1
    marks = [i for i in range(first, len(siblings)) if isinstance(siblings[i], border)]
    ends = [siblings[i]["end"] for i in marks[:2]]  # type: ignore[index]
    if marks[:1] != [first] or ends != [False, True]:
        _LOG.warning(
            "this exercise has no solution; write {solution-start} right after it, the "
            "solution, then {solution-end}.",
            location=box,
        )
        return
    last = marks[1]
    solution = tag("details", "solution")
    summary = tag("summary")
    summary += nodes.Text("Solution")
    solution += [summary, *siblings[first + 1 : last]]
    if len(solution) == 1:
        _LOG.warning("this solution is empty; write it before {solution-end}.", location=box)
    del box.parent[first : last + 1]
    box += solution


def setup(app: Any) -> dict[str, Any]:
    app.setup_extension("tools.extensions.questions")
    app.add_node(border)
    app.add_directive("exercise", Exercise)
    app.add_directive("solution-start", Border)
    app.add_directive("solution-end", Border)
    app.add_transform(MoveSolutions)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
