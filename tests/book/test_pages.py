"""Every built page: links, traceability, no outside request, figures with alt text."""

import json
import re
from pathlib import Path

import pytest
import yaml

from grader.course import Course
from grader.master import read_lab
from tests.book import links
from tools import generated, pages

ROOT = Path(__file__).parent.parent.parent
HTML = ROOT / "_build" / "html"
PAGES = generated.built_pages(ROOT)


def path(page: str) -> Path:
    return HTML / "chapters" / f"{page}.html"


def read(page: str) -> links.Page:
    return links.read(path(page))


@pytest.mark.parametrize("page", PAGES)
def test_links_inside_the_book_resolve(page: str) -> None:
    assert links.broken_links(path(page)) == []


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_loaded_from_elsewhere(page: str) -> None:
    outside = [url for url in read(page).loaded if re.match(r"(https?:)?//", url)]
    assert outside == []


@pytest.mark.parametrize("page", PAGES)
def test_images_have_alt_text(page: str) -> None:
    for image in read(page).images:
        alt = image.get("alt")
        assert alt is not None, f"{page}: {image.get('src')}"
        # A figure of the page's own; logos and icons may be decorative.
        if "_images" in (image.get("src") or ""):
            assert len(alt) > 15, f"{page}: {image.get('src')}"
            assert not alt.startswith(".."), f"{page}: {image.get('src')}"


def test_no_trace_or_warning_or_address_in_a_page() -> None:
    for page in PAGES:
        text = (HTML / "chapters" / f"{page}.html").read_text(encoding="utf-8")
        outputs = re.findall(r'<div class="cell_output.*?</div>\s*</div>\s*</div>', text, re.S)
        for output in outputs:
            assert "Traceback" not in output, page
            assert not re.search(r"\bat 0x[0-9a-f]{6,}", output), page
            assert "Warning:" not in output, page
        assert 'class="output stderr' not in text, page


def test_topic_ids_are_unique() -> None:
    text = (ROOT / "curriculum.yml").read_text(encoding="utf-8")
    ids = re.findall(r"^ {4}((?:core|outline|role|tasks|resources)/[a-z0-9/-]+):", text, re.M)
    assert len(ids) == len(set(ids))
    assert len(ids) == len(generated.read_topics(ROOT))
    for topic_id in ids:
        assert re.fullmatch(r"[a-z0-9-]+(/[a-z0-9-]+){2,3}", topic_id), topic_id


TAUGHT = [topic for topic in generated.read_topics(ROOT) if topic.section]


@pytest.mark.parametrize("topic", TAUGHT, ids=[topic.id for topic in TAUGHT])
def test_a_taught_topic_has_its_section_and_questions(topic: generated.Topic) -> None:
    page, _, label = topic.section.partition("#")
    assert page in PAGES
    assert label in read(page).ids
    for question in topic.questions:
        lab, _, name = question.partition("/")
        assert name in read_lab(Course(ROOT).master(lab)).points, question


def test_every_page_and_question_is_mapped() -> None:
    other = yaml.safe_load((ROOT / "curriculum.yml").read_text())["other_pages"]
    taught = {topic.section.partition("#")[0] for topic in TAUGHT}
    assert taught | set(other) == set(PAGES)
    assert not taught & set(other)
    mapped = {question for topic in TAUGHT for question in topic.questions}
    labs = Course(ROOT).lab_names()
    asked = {f"{lab}/{name}" for lab in labs for name in read_lab(Course(ROOT).master(lab)).points}
    assert mapped == asked


def test_every_citation_is_listed() -> None:
    keys = set(re.findall(r"^@\w+\{(\S+),", (ROOT / "references.bib").read_text(), re.M))
    cited: set[str] = set()
    for page in PAGES:
        text = (ROOT / "chapters" / f"{page}.md").read_text(encoding="utf-8")
        for group in re.findall(r"\{cite:?[pt]?s?\}`([^`]+)`", text):
            cited |= {key.strip() for key in group.split(",")}
    assert cited == keys


def test_no_page_is_empty() -> None:
    for page in PAGES:
        text = (HTML / "chapters" / f"{page}.html").read_text(encoding="utf-8")
        article = text[text.index("<article") : text.index("</article>")]
        assert len(re.sub(r"<[^>]+>", " ", article).split()) > 100, page


def test_the_published_table_has_every_page() -> None:
    published = json.loads((ROOT / pages.PUBLISHED).read_text(encoding="utf-8"))["pages"]
    again = "run 'make measure' and commit chapters/pages.json"
    assert {row["page"] for row in published} == {*PAGES, *pages.OF_SPHINX}, again
    for row in published:
        assert not any(row[name] for name in ("outside", "axe", "errors", "links")), again
