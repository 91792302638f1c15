"""Glossary, index, search: every term is defined once, linked where first used, and found."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from docutils import nodes
from docutils.utils import new_document

from tests.book.small import build, write
from tools import generated
from tools.extensions import lasting_words

ROOT = Path(__file__).parent.parent.parent
HTML = ROOT / "_build" / "html"
PAGES = [page for page in generated.built_pages(ROOT) if page != "glossary"]

GLOSSARY = """# Glossary

```{glossary}
drift
  A change.

data drift
  A change of inputs.

population stability index
PSI
  A sum over bins.

p-value
  A probability.

fence
  Never used in a sentence.
```
"""
PAGE = """# What drift is, and fence

## A fence

Look at `drift` and `fence`, [a fence of drift](https://example.org), and $drift$.

```python
fence = drift = PSI
```

| fence |
| --- |
| a fence |

:::{card} A fence
A fence.
:::

:::{dropdown} Go deeper: fence
Small p-values, psi and PSIs.
:::

Fence-like data drift; [a fence]{.no-glossary}. Now drift itself, and Drift again.
Data drift is no *population
stability index*.
"""


class Reader(HTMLParser):
    """Running text of a page's article, and its links to the glossary."""

    SKIPPED = ("h1", "h2", "h3", "h4", "h5", "h6", "pre", "code", "table", "figcaption", "script")
    QUIET = ("sd-summary-title", "math", "admonition-title", "toctree-wrapper", "no-glossary")
    QUIET += ("cell_output", "caption", "launch-links", "question", "citation")

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.open: list[tuple[str, bool]] = []
        self.text = ""
        self.links: list[tuple[str, str]] = []  # what was linked, to which anchor
        self.anchor = ""
        html = path.read_text(encoding="utf-8")
        start = html.index("<article") if "<article" in html else html.index('<div class="body"')
        self.feed(html[start : html.find("</article>") if "<article" in html else None])

    @property
    def quiet(self) -> bool:
        return any(quiet for _, quiet in self.open)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        classes = set((given.get("class") or "").split())
        if tag in ("img", "br", "hr", "input", "source", "path", "link", "meta"):
            return
        if "glossary-term" in classes:
            self.anchor = (given["href"] or "").partition("#")[2]
            assert given.get("title"), given
        card = "sd-card" in classes and "sd-dropdown" not in classes
        other_link = tag == "a" and "glossary-term" not in classes
        quiet = tag in self.SKIPPED or bool(classes & set(self.QUIET)) or other_link or card
        self.open.append((tag, quiet))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open[-1][0] != tag and tag in dict(self.open):
            self.open.pop()
        if self.open and self.open[-1][0] == tag:
            self.open.pop()
        if tag == "a":
            self.anchor = ""

    def handle_data(self, data: str) -> None:
        if self.anchor:
            self.links.append((data, self.anchor))
        # What is cut out parts what stands before it from what stands after it.
        self.text += "\0" if self.quiet else data


def read_glossary(html: str) -> dict[str, list[str]]:
    """Names of each entry of the built glossary, by the anchor of the first."""
    found = {}
    for group in re.findall(r"((?:<dt id=\"term-.*?</dt>\s*)+)<dd>", html, re.S):
        terms = re.findall(r'<dt id="(.*?)">(.*?)<a class="headerlink"', group, re.S)
        found[terms[0][0]] = [re.sub(r"<.*?>", "", name) for _, name in terms]
    return found


def used(entries: dict[str, list[str]], text: str) -> set[str]:
    """The entries of which a text uses a name that is no part of a longer one."""
    names = sorted(((n, a) for a, all_ in entries.items() for n in all_), key=lambda p: -len(p[0]))
    found = set()
    for name, anchor in names:
        pattern = r"[\s-]+".join(
            re.escape(part) if part.isupper() else f"(?i:{re.escape(part)})"
            for part in re.split("[ -]", name)
        )
        text, count = re.subn(rf"(?<![\w-]){pattern}(?:e?s)?(?![\w-])", "\0", text)
        found |= {anchor} if count else set()
    return found


@pytest.fixture
def small(tmp_path: Path) -> Path:
    index = "# Start\n\n```{toctree}\npage\nglossary\n```\n"
    write(tmp_path, {"index": index, "page": PAGE, "glossary": GLOSSARY})
    return tmp_path


def test_first_uses_in_running_text_are_linked_and_nothing_else(small: Path) -> None:
    out, warned = build(small, "glossary_links")
    assert warned == ""
    assert Reader(out / "chapters" / "page.html").links == [
        ("p-values", "term-p-value"),
        ("PSIs", "term-population-stability-index"),
        ("data drift", "term-data-drift"),
        ("drift", "term-drift"),
    ]
    html = (out / "chapters" / "page.html").read_text()
    assert 'title="A change of inputs."' in html
    assert Reader(out / "chapters" / "glossary.html").links == []


def test_the_check_of_linked_terms_can_fail(small: Path) -> None:
    out, _ = build(small)
    entries = read_glossary((out / "chapters" / "glossary.html").read_text())
    page = Reader(out / "chapters" / "page.html")
    assert page.links == []
    assert {"term-drift", "term-data-drift", "term-p-value"} <= used(entries, page.text)
    assert "term-fence" not in used(entries, page.text)


def test_a_changed_definition_reaches_pages_that_did_not_change(small: Path) -> None:
    build(small, "glossary_links")
    write(small, {"glossary": GLOSSARY.replace("A change of inputs.", "Inputs that changed.")})
    out, _ = build(small, "glossary_links")
    assert 'title="Inputs that changed."' in (out / "chapters" / "page.html").read_text()


def test_search_keeps_its_terms_when_another_page_changes(small: Path) -> None:
    for extensions, kept in (((), False), (("search_entries",), True)):
        build(small, *extensions)
        write(small, {"page": PAGE + f"\nMore, {kept}.\n"})
        out, _ = build(small, *extensions)
        assert ("psi" in search_index(out)["indexentries"]) == kept


def test_search_leaves_out_what_varies() -> None:
    def cell(tag: str, shown: str) -> nodes.container:
        parts = [
            nodes.container("", nodes.paragraph(text=text), classes=[part])
            for part, text in (("cell_input", "stopwatch"), ("cell_output", shown))
        ]
        return nodes.container("", *parts, classes=["cell", tag])

    page = new_document("page")
    page += [cell("tag_varies", "4711"), cell("tag_other", "0815")]
    indexed: list[str] = []
    builder = SimpleNamespace(index_page=lambda _, page, __: indexed.extend(page.astext().split()))
    lasting_words.index_lasting_words(SimpleNamespace(builder=builder))
    builder.index_page("page", page, "Title")
    assert indexed == ["stopwatch", "stopwatch", "0815"]
    assert "4711" in page.astext()


def search_index(html: Path) -> Any:
    text = (html / "searchindex.js").read_text(encoding="utf-8")
    return json.loads(text[text.index("{") : text.rindex("}") + 1])


@pytest.mark.parametrize("page", PAGES)
def test_every_term_a_page_uses_is_linked_once(page: str) -> None:
    entries = read_glossary((HTML / "chapters" / "glossary.html").read_text(encoding="utf-8"))
    reader = Reader(HTML / "chapters" / f"{page}.html")
    anchors = [anchor for _, anchor in reader.links]
    assert len(anchors) == len(set(anchors))
    assert set(anchors) == used(entries, reader.text)


def test_a_term_has_one_definition_of_one_or_two_sentences() -> None:
    html = (HTML / "chapters" / "glossary.html").read_text(encoding="utf-8")
    entries = read_glossary(html)
    names = [name.lower() for names in entries.values() for name in names]
    assert len(names) == len(set(names)) > 40
    definitions = re.findall(r"<dd><p>(.*?)</p>\s*</dd>", html, re.S)
    assert len(definitions) == len(entries)
    for definition in definitions:
        text = re.sub(r"<.*?>", "", definition)
        assert 1 <= len(re.findall(r"[.)](?:\s|$)(?=[A-Z]|$)", text)) <= 2, text


@pytest.mark.parametrize("name", ["PSI", "KS", "MMD", "AUC", "population stability index"])
def test_search_finds_a_method_by_its_names(name: str) -> None:
    index = search_index(HTML)
    found = index["indexentries"][name.lower()]
    pages = {index["docnames"][page]: anchor for page, anchor, main in found if main}
    assert pages["chapters/glossary"].startswith("term-")


def test_the_index_is_in_the_contents_and_its_links_resolve() -> None:
    assert 'href="../genindex.html"' in (HTML / "chapters" / "index.html").read_text()
    html = (HTML / "genindex.html").read_text(encoding="utf-8")
    links = re.findall(r'<a href="(chapters/[^"#]+)#([^"]+)"', html)
    assert len(links) > 60
    pages = {page: (HTML / page).read_text(encoding="utf-8") for page, _ in links}
    for page, anchor in links:
        assert f'id="{anchor}"' in pages[page], f"{page}#{anchor}"
