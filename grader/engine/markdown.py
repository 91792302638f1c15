"""Markdown of a learner's, fit for the browser of a person who grades.

nbconvert's own `sanitize_html` is not enough: formgrader's template ignores it for Markdown, an
image's size in the metadata still carries a handler, learner-given ids and classes stay.
"""

import re
import threading
from functools import lru_cache

from bleach.html5lib_shim import HTMLParser, getTreeWalker  # type: ignore[import-untyped]
from nbconvert.filters.markdown_mistune import markdown2html_mistune

from grader.engine.markup import TAGS, Styles, is_parsable, may_have, sanitize_latex

_one_at_a_time = threading.Lock()
MOST_MARKDOWN = 40_000  # characters

_HARMLESS_ERRORS = frozenset(("non-void-element-with-trailing-solidus",))
# Markdown that can make no element but mistune's own, nor an address with a scheme that acts.
_SUSPECT = re.compile(
    r"[<&\x00-\x08\x0b-\x1f\x7f]|!\[|javascript|vbscript|data\\?:|file\\?:|mermaid", re.I
)
_MERMAID = re.compile(r"^([ \t>]*(?:`{3,}|~{3,})[ \t]*)mermaid", re.MULTILINE)


def sanitize_markdown(source: str) -> str:
    """The source, or one that shows the same text, whose rendering holds nothing that acts."""
    with _one_at_a_time:  # what several threads ask for at once is made once
        return _sanitized(source)


@lru_cache(maxsize=1024)
def _sanitized(source: str) -> str:
    source = sanitize_latex(source)
    if len(source) > MOST_MARKDOWN or source.count("\\\\[") + source.count("\\begin") > 100:
        return _literal(source)
    if not _SUSPECT.search(source) or _is_safe(source):
        return source
    gentle = _MERMAID.sub(r"\1text", source.replace("<", "&lt;").replace("![", "["))
    return gentle if _is_safe(gentle) else _literal(source)


def _literal(source: str) -> str:
    """Each sign that Markdown or HTML could read as more than itself, as an entity."""
    kept = source[:MOST_MARKDOWN] + ("\n[cut here]" if len(source) > MOST_MARKDOWN else "")
    return re.sub(r"[^\w\s]", lambda sign: f"&#{ord(sign[0])};", kept)


def _is_safe(source: str) -> bool:
    """Whether nbconvert's rendering, parsed as a browser does, holds only what is allowed."""
    try:
        html = markdown2html_mistune(source)
    except Exception:  # whatever the renderer raises here, formgrader would raise
        return False
    if not is_parsable(html):
        return False
    parser = HTMLParser(namespaceHTMLElements=False)
    tree = parser.parseFragment(html)
    # What the parser mends may reach out: an end tag closes an element of the page around it, a
    # second <body onload=…> gives the page's body its attributes.
    if any(code not in _HARMLESS_ERRORS for _, code, _ in parser.errors):
        return False
    return all(_token_safe(token) for token in getTreeWalker("etree")(tree))


def _token_safe(token: dict[str, object]) -> bool:
    if token["type"] not in ("StartTag", "EmptyTag"):
        return token["type"] in ("Characters", "SpaceCharacters", "EndTag", "Comment")
    tag, attributes = str(token["name"]), token["data"]
    assert isinstance(attributes, dict)
    names = {name: str(value) for (_, name), value in attributes.items()}
    if tag == "input":  # of a task list
        box = {"type": "checkbox", "class": "task-list-item-checkbox", "disabled": ""}
        return {**box, "checked": ""} | names == {**box, "checked": ""}
    if tag == "img" and names.get("src", "").startswith("https://"):  # a release's figures
        names.pop("src")
    if not Styles().keeps(names.get("style", "")):
        return False
    if tag in ("h1", "h2", "h3", "h4", "h5", "h6"):
        names.pop("id", "")  # nbconvert's anchor
    return tag in TAGS and all(may_have(tag, name, value) for name, value in names.items())
