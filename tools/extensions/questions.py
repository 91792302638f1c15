"""Sphinx extension: `{question}` boxes that answer, with keys that the build checks.

The page holds everything: options, key and explanations work without a script and in print;
`_static/questions.js` adds the check. What is wrong with a question is kept with the page in
Sphinx's memory, so that a second build fails like the first.
"""

import json
import re
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from tools import questions
from tools.questions import Option, letter

PROGRESS = "chapters/progress"
_LOG = logging.getLogger(__name__)


class element(nodes.General, nodes.Element):
    """An HTML element of its own: `tag`, with the attributes in `html`."""


def tag(name: str, /, *classes: str, **html: str) -> element:
    """An element; an underscore in an attribute's name stands for a hyphen."""
    attributes = {key.replace("_", "-"): value for key, value in html.items()}
    return element("", tag=name, html=attributes, classes=list(classes))


class Question(SphinxDirective):
    """A question of one kind (choice, several, number) with its options."""

    required_arguments = 1
    has_content = True
    option_spec: ClassVar = {
        name: lambda text: (text or "").strip()
        for name in ("name", "aim", "computed", "tolerance", "unit", "hint")
    }

    def run(self) -> list[nodes.Node]:
        kind, name = self.arguments[0], self.options.get("name", "")
        text, options, stray = questions.split(list(self.content))
        problems = questions.structure_problems(kind, name, text, options, stray)
        tolerance = 0.0
        if not problems:
            problems, tolerance = self.check_key(kind, options)
        self.problems = problems
        box = tag("fieldset", "question", data_kind=kind, data_name=name)
        box["ids"] = [name] if name else []
        box["question"] = {
            "name": name,
            "kind": kind,
            "aim": self.options.get("aim", ""),
            "checked": kind == "number" or "computed" in self.options,
            "line": self.lineno,
            "problems": problems,
        }
        if not problems:
            box += self.asked(text)
            if kind == "number":
                box["html"]["data-tolerance"] = f"{tolerance:.10g}"
                box += self.number_field()
            else:
                box += self.choices(kind, options)
            box += self.answers(kind, options, tolerance)
        return [box]

    def check_key(self, kind: str, options: list[Option]) -> tuple[list[str], float]:
        """What is wrong with the key, and the tolerance of a number."""
        data = self.glued()
        if kind != "number":
            key = self.options.get("computed")
            problem = questions.key_problem(options, data, key) if key is not None else ""
            return [problem] if problem else [], 0.0
        unit = self.options.get("unit", "")
        found = [questions.read_value(option, data, unit) for option in options]
        if any(found):
            return [problem for problem in found if problem], 0.0
        right = next(option.value for option in options if option.right)
        tolerance = questions.read_tolerance(self.options.get("tolerance", ""), right)
        return questions.number_problems(options, tolerance), tolerance

    def glued(self) -> dict[str, str]:
        """What the page's cells have glued, as plain text."""
        document = self.state.document
        if "nb_renderer" not in document:
            return {}
        data = document["nb_renderer"].renderer.nb_client.glue_data
        return {key: str(one["data"].get("text/plain", "")) for key, one in data.items()}

    def parse(self, lines: list[str], line: int) -> list[nodes.Node]:
        box = nodes.Element()
        block = StringList(lines, self.get_source_info()[0])
        self.state.nested_parse(block, self.content_offset + line, box)
        return list(box.children)

    def phrase(self, lines: list[str], line: int) -> list[nodes.Node]:
        """Lines as one phrase; a label cannot hold more."""
        blocks = self.parse(lines, line)
        if len(blocks) == 1 and isinstance(blocks[0], nodes.paragraph):
            return list(blocks[0].children)
        self.problems.append(
            f"the option '{lines[0]}' is more than a phrase; put lists and code in the question"
        )
        return []

    def asked(self, text: list[str]) -> list[nodes.Node]:
        """The legend, which is the first paragraph, and what follows it."""
        legend = tag("legend")
        number = self.env.new_serialno("question") + 1
        legend += nodes.strong("", f"Question {number}.")
        legend += nodes.Text(" ")
        blocks = self.parse(text, 0)
        if blocks and isinstance(blocks[0], nodes.paragraph):
            legend += list(blocks.pop(0).children)
        return [legend, *blocks]

    def choices(self, kind: str, options: list[Option]) -> nodes.Node:
        box = tag("div", "question-choices")
        sort = "radio" if kind == "choice" else "checkbox"
        for index, option in enumerate(options):
            label = tag("label", "question-choice")
            # Firefox would restore what was ticked; the script restores what was checked.
            label += tag("input", type=sort, name=self.options["name"], autocomplete="off")
            label += nodes.inline("", letter(index), classes=["question-letter"])
            label += nodes.Text(" ")
            words = tag("span")
            words += self.phrase(option.label, option.line)
            label += words
            box += label
        return box

    def number_field(self) -> nodes.Node:
        label = tag("label", "question-field")
        label += nodes.Text("Your answer ")
        label += tag("input", type="text", inputmode="decimal", autocomplete="off", size="12")
        unit = self.options.get("unit", "")
        if unit:
            label += nodes.inline("", unit, classes=["question-unit"])
        return label

    def answers(self, kind: str, options: list[Option], tolerance: float) -> nodes.Node:
        box = tag("details", "question-answers")
        summary = tag("summary")
        summary += nodes.Text("Answer and explanations")
        box += summary
        hint = self.options.get("hint", "")
        if hint:
            part = tag("div", "question-hint")
            part += self.parse([f"*Hint*: {hint}"], 0)
            box += part
        for index, option in enumerate(options):
            html = {"data_right": "yes" if option.right else "no"}
            if kind == "number":
                html["data_value"] = f"{option.value:.10g}"
                said = self.number_said(option, tolerance)
            else:
                said = f"{letter(index)} is {'right' if option.right else 'wrong'}."
            part = tag("div", "question-answer", **html)
            part += nodes.paragraph("", "", nodes.strong("", said), classes=["question-said"])
            explained = tag("div", "question-why")
            explained += self.parse(option.explanation, option.line + len(option.label))
            part += explained
            box += part
        return box

    def number_said(self, option: Option, tolerance: float) -> str:
        value = f"{option.shown} {self.options.get('unit', '')}".strip()
        if option.right:
            return f"{value} is right (accepted within {tolerance:.3g})."
        return f"{value} is wrong."


def aims(doctree: nodes.document) -> set[str]:
    """The bold verbs of the page's list of what a reader can do after it."""
    return {
        verb.astext()
        for box in doctree.findall(nodes.admonition)
        if "After this page you can" in box.astext()
        for items in box.findall(nodes.bullet_list)
        for verb in items.findall(nodes.strong)
    }


def collect(app: Any, doctree: nodes.document) -> None:
    """Keep a page's questions, and whether their aims are the page's."""
    kept = [node["question"] for node in doctree.findall(element) if "question" in node]
    known = aims(doctree)
    for question in kept:
        question["page"] = app.env.docname
        if question["aim"] not in known:
            question["problems"].append(
                f"its aim '{question['aim']}' is none of this page's "
                f"({', '.join(sorted(known)) or 'it has none'}); name the bold verb of one"
            )
    all_questions(app.env)[app.env.docname] = kept


def report(app: Any, env: Any) -> list[str]:
    """Warn of every problem, at each build; the progress page shows all pages, so write it."""
    places: dict[str, str] = {}
    for page, kept in sorted(all_questions(env).items()):
        for question in kept:
            name = question["name"]
            problems = list(question["problems"])
            if name in places:
                problems.append(f"its name is taken on {places[name]}; give it another")
            elif name:
                places[name] = page
            for problem in problems:
                _LOG.warning(
                    "question '%s': %s.", name, problem, location=(page, question["line"])
                )
    return [PROGRESS] if PROGRESS in env.all_docs else []


def publish(app: Any, error: Exception | None) -> None:
    """Write every question's page, name, kind, aim and check for tables and tests."""
    if error or app.builder.format != "html":
        return
    shown = ("page", "name", "kind", "aim", "checked")
    rows = [
        {key: question[key] for key in shown}
        for page in sorted(all_questions(app.env))
        for question in all_questions(app.env)[page]
    ]
    target = Path(app.outdir) / questions.PUBLISHED
    target.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def book_name(app: Any) -> str:
    """What keeps this book's answers apart from another's in the reader's browser."""
    return re.sub(r"[^a-z0-9]+", "-", app.config.html_title.lower())


def add_files(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Load scripts on pages that ask something."""
    if not all_questions(app.env).get(page):
        return
    app.add_js_file("progress-store.js", loading_method="defer", **{"data-book": book_name(app)})
    where = {}
    if PROGRESS in app.env.all_docs:
        where["data-progress"] = app.builder.get_relative_uri(page, PROGRESS)
    app.add_js_file("questions.js", loading_method="defer", **where)


def forget(app: Any, env: Any, page: str) -> None:
    all_questions(env).pop(page, None)


def merge(app: Any, env: Any, pages: list[str], other: Any) -> None:
    all_questions(env).update(
        {page: all_questions(other)[page] for page in pages if page in all_questions(other)}
    )


def all_questions(env: Any) -> dict[str, list[dict[str, Any]]]:
    """The book's questions by page, as Sphinx's memory keeps them."""
    if not hasattr(env, "course_questions"):
        env.course_questions = {}
    kept: dict[str, list[dict[str, Any]]] = env.course_questions
    return kept


def visit(translator: Any, node: element) -> None:
    if node["tag"] == "input":
        translator.body.append(translator.emptytag(node, "input", "", **node["html"]))
    else:
        translator.body.append(translator.starttag(node, node["tag"], "", **node["html"]))


def depart(translator: Any, node: element) -> None:
    if node["tag"] != "input":
        translator.body.append(f"</{node['tag']}>\n")


def setup(app: Any) -> dict[str, Any]:
    app.add_node(element, html=(visit, depart))
    app.add_directive("question", Question)
    app.connect("doctree-read", collect)
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", merge)
    app.connect("env-updated", report)
    app.connect("html-page-context", add_files)
    app.connect("build-finished", publish)
    return {"env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
