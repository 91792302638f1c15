"""The bibliography: each entry has what its kind needs, and none stands there twice."""

import re
from collections import Counter
from html import unescape
from pathlib import Path

import pytest
from pybtex.database import BibliographyData, parse_file, parse_string

ROOT = Path(__file__).parent.parent.parent
NEEDS = {"article": "journal", "book": "publisher", "inproceedings": "booktitle"}
NEEDS |= {"phdthesis": "school", "techreport": "institution"}


def problems(library: BibliographyData) -> list[str]:
    """What entries lack, and what two of them share."""
    found, seen = [], Counter[str]()
    for key, entry in library.entries.items():
        wanted = ["title", "year", *filter(None, [NEEDS.get(entry.type)])]
        found += [f"{key} has no {field}" for field in wanted if not entry.fields.get(field)]
        if not entry.persons.get("author") and not entry.fields.get("organization"):
            found.append(f"{key} has neither author nor organization")
        if not entry.fields.get("url") and not entry.fields.get("doi"):
            found.append(f"{key} has neither url nor doi")
        if not re.fullmatch(r"(19|20)\d\d", entry.fields.get("year", "")):
            found.append(f"{key}: its year is no year")
        title = re.sub(r"\W+", "", entry.fields.get("title", "")).lower()
        seen.update({f"title {title}", f"url {entry.fields.get('url', key)}"})
    return found + [f"{what} stands there twice" for what, times in seen.items() if times > 1]


def test_each_entry_has_what_its_kind_needs() -> None:
    library = parse_file(str(ROOT / "references.bib"), bib_format="bibtex")
    assert len(library.entries) > 10
    assert problems(library) == []


SOUND = "@article{a1,author={A. B},title={T},journal={J},year={2020},url={https://x.org}}"


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ("author={A. B},", "", "a1 has neither author nor organization"),
        ("title={T},", "", "a1 has no title"),
        ("journal={J},", "", "a1 has no journal"),
        ("year={2020}", "year={soon}", "a1: its year is no year"),
        (",url={https://x.org}", "", "a1 has neither url nor doi"),
        ("}}", "}}" + SOUND.replace("a1", "a2"), "title t stands there twice"),
    ],
)
def test_a_broken_entry_is_found(good: str, bad: str, said: str) -> None:
    assert problems(parse_string(SOUND, "bibtex")) == []
    assert said in problems(parse_string(SOUND.replace(good, bad), "bibtex"))


def test_every_entry_is_on_the_page_of_references() -> None:
    page = ROOT / "_build" / "html" / "chapters" / "references.html"
    html = unescape(page.read_text(encoding="utf-8"))
    library = parse_file(str(ROOT / "references.bib"), bib_format="bibtex")
    for key, entry in library.entries.items():
        assert entry.fields["url"] in html, key
