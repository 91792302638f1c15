"""Sphinx extension: link each glossary term to its definition where a page first uses it.

An entry of the glossary may have several names (a method and its abbreviation); the first use of
any of them is linked, once per page, in running text only. The definition is the link's tooltip.
"""

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx_design.dropdown import dropdown_title

LINK_CLASS = "glossary-term"
# Here a term is a name, a heading or a part of something else, and no use in a sentence.
NOT_TEXT = (
    addnodes.compact_paragraph,
    addnodes.pending_xref,
    dropdown_title,
    nodes.Invisible,
    nodes.Titular,
    nodes.caption,
    nodes.citation,
    nodes.footnote,
    nodes.legend,
    nodes.literal,
    nodes.literal_block,
    nodes.math,
    nodes.math_block,
    nodes.raw,
    nodes.reference,
    nodes.table,
)


@dataclass(frozen=True)
class Entry:
    """One entry of the glossary: its names, where it stands, what it says."""

    names: tuple[str, ...]
    page: str
    anchor: str
    definition: str


def entries_of(page: str, doctree: nodes.document) -> list[Entry]:
    """The entries that a page's glossaries define."""
    found = []
    for glossary in doctree.findall(addnodes.glossary):
        for item in glossary.findall(nodes.definition_list_item):
            terms = [child for child in item.children if isinstance(child, nodes.term)]
            [definition] = [c for c in item.children if isinstance(c, nodes.definition)]
            names = tuple(term.astext() for term in terms)
            text = " ".join(definition.astext().split())
            found.append(Entry(names, page, terms[0]["ids"][0], text))
    return found


def glossary(env: Any) -> tuple[Entry, ...]:
    """The entries of the book's glossaries."""
    objects = env.get_domain("std").objects
    pages = sorted({page for (kind, _), (page, _) in objects.items() if kind == "term"})
    return tuple(entry for page in pages for entry in entries_of(page, env.get_doctree(page)))


def word(text: str) -> str:
    """A pattern for one word of a name: abbreviations as they are, others in any case."""
    return re.escape(text) if text.isupper() else f"(?i:{re.escape(text)})"


@functools.lru_cache(maxsize=1)
def uses_of(entries: tuple[Entry, ...]) -> tuple[re.Pattern[str], list[Entry]]:
    """A pattern for all names, the longest first, and the entry that each of its groups means."""
    named = [(name, entry) for entry in entries for name in entry.names]
    named.sort(key=lambda pair: (-len(pair[0]), pair[0]))
    parts = [r"[\s-]+".join(map(word, re.split(r"[\s-]+", name))) for name, _ in named]
    pattern = "|".join(f"({part})(?:e?s)?" for part in parts)
    return re.compile(rf"(?<![\w-])(?:{pattern})(?![\w-])"), [entry for _, entry in named]


def is_text(node: nodes.Element) -> bool:
    """Whether a node holds sentences; an author excludes a part with the class no-glossary."""
    if isinstance(node, NOT_TEXT):
        return False
    marks: set[str] = set(node.get("classes", []))
    # A card is a link as a whole (sphinx-design's toggles are cards, too, and no links).
    card = "sd-card" in marks and "sd-dropdown" not in marks
    # A question asks, and must not answer; a toggle's summary is its name.
    quiet = bool(marks & {"question", "no-glossary"}) or node.get("tag") == "summary"
    return not (card or quiet)


def running_text(node: nodes.Node) -> Iterator[nodes.Text]:
    """The texts below a node, in reading order, that belong to sentences."""
    if isinstance(node, nodes.Text):
        yield node
    elif isinstance(node, nodes.Element) and is_text(node):
        join_texts(node)
        for child in list(node.children):
            yield from running_text(child)


def join_texts(node: nodes.Element) -> None:
    """Make one text of neighboring ones: MyST parts a sentence where a line ends."""
    joined: list[nodes.Node] = []
    for child in node.children:
        if joined and isinstance(child, nodes.Text) and isinstance(joined[-1], nodes.Text):
            joined[-1] = nodes.Text(str(joined[-1]) + str(child))
        else:
            joined.append(child)
    if len(joined) < len(node.children):
        node.children = []
        node.extend(joined)


def link_terms(app: Any, doctree: nodes.document, page: str) -> None:
    """Link the first use of each entry on a page."""
    entries: tuple[Entry, ...] = app.env.linked_glossary
    if not entries or page in {entry.page for entry in entries}:
        return
    pattern, meant = uses_of(entries)
    linked: set[Entry] = set()
    for text in list(running_text(doctree)):
        plain, parts, end = str(text), [], 0
        for use in pattern.finditer(plain):
            entry = meant[(use.lastindex or 0) - 1]
            if entry in linked:
                continue
            linked.add(entry)
            parts += [nodes.Text(plain[end : use.start()]), link(app, page, entry, use.group())]
            end = use.end()
        if parts:
            text.parent.replace(text, [*parts, nodes.Text(plain[end:])])


def link(app: Any, page: str, entry: Entry, text: str) -> nodes.reference:
    """A link from a page to an entry."""
    target = f"{app.builder.get_relative_uri(page, entry.page)}#{entry.anchor}"
    return nodes.reference(
        "",
        text,
        internal=True,
        refuri=target,
        reftitle=entry.definition,
        classes=[LINK_CLASS],
    )


def keep_glossary(app: Any, env: Any) -> list[str]:
    """Keep the entries for the pages, all of which are written again when they have changed."""
    now = glossary(env)
    before = getattr(env, "linked_glossary", now)
    env.linked_glossary = now
    return [] if now == before else sorted(env.all_docs)


def setup(app: Any) -> dict[str, bool]:
    app.connect("doctree-resolved", link_terms, priority=900)
    app.connect("env-updated", keep_glossary)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
