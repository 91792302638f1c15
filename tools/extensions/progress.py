"""Sphinx extension: the table of the page "My progress", every question and lab of the book.

The table is complete without a script; `_static/progress.js` fills in what this reader has done.
"""

from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from tools import generated
from tools.extensions import questions
from tools.extensions.launch_links import lab_named


class progress_table(nodes.General, nodes.Element):
    """Stands for the table until every page is known."""


class ProgressTable(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        return [progress_table()]


def visit(translator: Any, node: progress_table) -> None:
    builder = translator.builder
    here = builder.current_docname
    reports = {one["lab"]: one for one in generated.read_reports(Path(builder.srcdir))}
    rows = []
    for section, pages in by_section(builder.env, reports).items():
        if section:
            title = escape(builder.env.titles[section].astext())
            rows.append(
                f'<tbody><tr class="progress-section"><th scope="rowgroup">{title}</th>'
                '<td class="progress-done"></td><td></td></tr>'
            )
        for page in pages:
            target = builder.get_relative_uri(here, page)
            title = escape(builder.env.titles[page].astext())
            asked = questions.all_questions(builder.env).get(page, [])
            if asked:
                rows.append(page_row(target, title, [one["name"] for one in asked]))
            if lab_named(page) in reports:
                rows.append(lab_row(target, title, reports[lab_named(page)]))
        rows.append("</tbody>")
    book = escape(questions.book_name(translator.builder.app))
    translator.body.append(
        f'<div class="pst-scrollable-table-container"><table class="table progress-table" '
        f'data-book="{book}"><thead><tr><th scope="col">Section, page, lab</th>'
        '<th scope="col">Done</th><th scope="col">Questions</th></tr></thead>'
        f"{''.join(rows)}</table></div>"
    )
    raise nodes.SkipNode


def page_row(target: str, title: str, names: list[str]) -> str:
    links = "".join(
        f'<li><a href="{escape(target)}#{name}" data-question="{name}">{number}</a></li>'
        for number, name in enumerate(names, 1)
    )
    return (
        f'<tr><th scope="row"><a href="{escape(target)}">{title}</a></th>'
        f'<td class="progress-done">{len(names)} questions</td>'
        f'<td><ol class="progress-marks">{links}</ol></td></tr>'
    )


def lab_row(target: str, title: str, report: dict[str, Any]) -> str:
    count, points = report["questions"], report["points"]
    return (
        f'<tr data-lab="{escape(report["lab"])}" data-count="{count}" data-points="{points:g}">'
        f'<th scope="row"><a href="{escape(target)}">{title}</a></th>'
        f'<td class="progress-done">{count} questions, {points:g} points</td><td></td></tr>'
    )


def by_section(env: Any, reports: dict[str, Any]) -> dict[str, list[str]]:
    """Pages with questions or a lab in the book's order, by the page that opens their section."""
    found: dict[str, list[str]] = {}
    for page in reading_order(env, env.config.root_doc):
        if questions.all_questions(env).get(page) or lab_named(page) in reports:
            opens = str(Path(page).parent / "index")
            found.setdefault(opens if opens in env.titles else "", []).append(page)
    return found


def reading_order(env: Any, page: str) -> Iterator[str]:
    yield page
    for child in env.toctree_includes.get(page, []):
        yield from reading_order(env, child)


def add_script(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    if page == questions.PROGRESS:
        book = questions.book_name(app)
        app.add_js_file("progress-store.js", loading_method="defer", **{"data-book": book})
        app.add_js_file("progress.js", loading_method="defer")


def setup(app: Any) -> dict[str, bool]:
    app.setup_extension("tools.extensions.questions")
    app.add_node(progress_table, html=(visit, None))
    app.add_directive("progress", ProgressTable)
    app.connect("html-page-context", add_script)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
