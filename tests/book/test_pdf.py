"""The PDF of a small book: every entry of its contents names the page on which the heading is."""

import shutil
from pathlib import Path

import pypdf
import pytest

from tests.book.thread import in_thread
from tools import pdf

PAGES = {
    "index": [("A small book", "Words. " * 40), ("Its purpose", "More words. " * 900)],
    "one": [("First page", "Text. " * 900), ("A section", "Text. " * 700)],
    "two": [("Second page", "Text. " * 300), ("A last section", "Text.")],
}
ARTICLE = """<html><body><article class="bd-article">
<section id="top">
<h1>{0}<a class="headerlink" href="#top">#</a></h1><p>{1} <a href="two.html#sub">ahead</a></p>
<section id="sub">
<h2>{2}<a class="headerlink" href="#sub">#</a></h2><p>{3}</p>
</section></section></article></body></html>"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A book as if built: three pages, and the style sheet that prints them."""
    folder = tmp_path_factory.mktemp("book")
    built = folder / "_build" / "html"
    (built / "chapters").mkdir(parents=True)
    (built / "_static").mkdir()
    shutil.copyfile(pdf.ROOT / "_static" / "style" / "print.css", built / "_static" / "book.css")
    (folder / "_config.yml").write_text("title: A small book\nauthor: Nobody\n")
    (folder / "_toc.yml").write_text(
        "root: chapters/index\nchapters: [{file: chapters/one}, {file: chapters/two}]\n"
    )
    for name, ((title, text), (section, more)) in PAGES.items():
        (built / "chapters" / f"{name}.html").write_text(
            ARTICLE.format(title, text, section, more)
        )
    return folder


@pytest.fixture(scope="module")
def book(root: Path) -> pypdf.PdfReader:
    if pdf.chromium() is None:
        pytest.skip("chromium is not installed")
    return pypdf.PdfReader(in_thread(pdf.make, root))


def wrong_numbers(book: pypdf.PdfReader, titles: list[str]) -> list[str]:
    """Headings that are not on the page that the contents name for them."""
    listed = book.pages[1].extract_text().splitlines()
    numbers = {}
    for line in listed:
        words, _, number = line.rpartition(" ")
        if number.isdigit():
            numbers[words.strip()] = int(number)
    return [
        title
        for title in titles
        if title not in book.pages[numbers.get(title, 1) - 1].extract_text().splitlines()
    ]


def test_the_contents_name_the_right_pages(book: pypdf.PdfReader) -> None:
    titles = [title for sections in PAGES.values() for title, _ in sections]
    assert len(book.pages) > 6
    assert wrong_numbers(book, titles) == []


def test_a_wrong_number_is_noticed(book: pypdf.PdfReader) -> None:
    assert wrong_numbers(book, ["No such section"]) == ["No such section"]


def test_links_and_bookmarks_lead_to_the_headings(book: pypdf.PdfReader) -> None:
    places = {
        name: book.get_destination_page_number(to) for name, to in book.named_destinations.items()
    }
    assert "A last section" in book.pages[places["/page-3-sub"] or 0].extract_text()
    titles = [each.title for each in book.outline if not isinstance(each, list)]
    assert titles == ["Contents", "A small book", "First page", "Second page"]


def test_pages_are_numbered_at_the_foot(book: pypdf.PdfReader) -> None:
    for number, page in enumerate(book.pages, start=1):
        assert page.extract_text().splitlines()[-1].strip() == str(number)


def test_ids_and_links_of_pages_are_kept_apart() -> None:
    names = ["chapters/a.html", "chapters/b/c.html"]
    assert pdf.address("../a.html#x", names[1], names) == "#page-1-x"
    assert pdf.address("#x", names[1], names) == "#page-2-x"
    assert pdf.address("../../_images/f.svg", names[1], names) == "../html/_images/f.svg"
    assert pdf.address("https://example.org/a#b", names[0], names) == "https://example.org/a#b"


def test_without_chromium_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(SystemExit, match="apt install chromium"):
        pdf.print_document(tmp_path / "a.html", tmp_path / "a.pdf")
