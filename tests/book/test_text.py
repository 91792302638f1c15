"""The text of pages, labs and hints: spelling, words, headings, cells, figures, skeleton.

Each check is tried on a text that is broken in one place (the fixtures stand first), then on all
that the course holds.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools import generated, text

ROOT = Path(__file__).parent.parent.parent
RULES = yaml.safe_load((ROOT / "tools" / "prose.yml").read_text(encoding="utf-8"))
PAGES = sorted((ROOT / "chapters").rglob("*.md"))
READMES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
MASTERS = sorted((ROOT / "solutions").glob("*/lab.py"))
BANKS = sorted((ROOT / "solutions").glob("*/*_answers.py"))
NOTEBOOKS = sorted((ROOT / "labs").rglob("*.ipynb"))
TAUGHT = {topic.section.partition("#")[0] for topic in generated.read_topics(ROOT)} - {""}
CONTENT = [ROOT / "chapters" / f"{page}.md" for page in sorted(TAUGHT)]

SOUND = """---
kernelspec: {name: python3}
---

# Drift

One sentence on why anyone should care.

:::{admonition} After this page you can
- **name** the cause of a false alarm;
- **choose** a window;
- **compute** a distance and **check** it.

*Prerequisites*: {doc}`x`. *Time*: 10 minutes. *Lab*: {doc}`y`.
:::

## A problem

```{code-cell} ipython3
values = [1, 2]
```

```{code-cell} ipython3
---
tags: [hide-input]
mystnb:
  image:
    alt: A line that rises from one to two and then stays where it is.
  figure:
    caption: The values against the day. They rise once and never again.
---
fig, ax = plt.subplots()
```

## In production

## Check yourself

## Summary

- A line.

## What's next

## Further reading

- {cite:t}`x`: what it is good for.
"""


def named(paths: list[Path]) -> dict[str, Any]:
    return {"argvalues": paths, "ids": [str(path.relative_to(ROOT)) for path in paths]}


def check_words(source: str) -> list[str]:
    return text.words(text.prose(source), RULES)


def check_headings(source: str) -> list[str]:
    return text.headings(text.prose(source))


def check_figures(source: str) -> list[str]:
    return text.figures(source, least=1)


CHECKS = [check_words, check_headings, text.shape, check_figures, text.skeleton]
BROKEN: list[tuple[Callable[[str], list[str]], str, str, str]] = [
    (check_words, "One sentence", "One baseline period", "the course says 'reference'"),
    (check_words, "One sentence", "One\nfalse\nalert", "the course says 'false alarm'"),
    (check_words, "The values against", "Simply the values against", "'Simply'; leave it out"),
    (check_words, "A line that", "A powerful line that", "'powerful'; leave it out"),
    (check_words, "One sentence", "In today's world", "leave it out"),
    (check_words, "why anyone", "why a dataset", "data set"),
    (check_headings, "## A problem", "### A problem", "skips a level"),
    (check_headings, "## A problem", "# A problem", "a page has one title"),
    (check_headings, "# Drift\n", "Drift\n", "a page has one title"),
    (text.shape, "values = [1, 2]", "\n".join(["x = 1"] * 13), "a cell of 13 lines"),
    (text.shape, "values = [1, 2]", "\n".join(["x = 1"] * 5), "the median cell has 5 lines"),
    (text.shape, "values = [1, 2]", f"x = '{'-' * 80}'", "86 columns"),
    (check_figures, "A line that rises from one to two and then stays where it is.", "..", "alt"),
    (check_figures, "    caption: The values", "    title: The values", "without caption"),
    (check_figures, "plt.subplots()", "None, None", "0 figures"),
    (text.skeleton, "After this page you can", "Aims", "no box"),
    (text.skeleton, "- **choose** a window;\n", "", "fewer than three aims"),
    (text.skeleton, " *Time*: 10 minutes.", "", "lacks '*Time*: '"),
    (text.skeleton, " *Lab*: {doc}`y`.", "", "lacks '*Lab*: '"),
    (text.skeleton, "## Check yourself\n\n", "", "the page ends with"),
    (text.skeleton, "- A line.\n", "- A line.\n" * 6, "the summary has 6 lines"),
    (text.skeleton, "- A line.\n", "", "the summary has 0 lines"),
    (text.skeleton, "`x`: what it is good for.", "`x`", "does not say what it is good for"),
]


@pytest.mark.parametrize("check", CHECKS)
def test_a_sound_page_passes(check: Callable[[str], list[str]]) -> None:
    assert check(SOUND) == []


@pytest.mark.parametrize(("check", "good", "bad", "said"), BROKEN)
def test_a_broken_page_is_found(
    check: Callable[[str], list[str]], good: str, bad: str, said: str
) -> None:
    assert good in SOUND
    problems = check(SOUND.replace(good, bad))
    assert any(said in problem for problem in problems), problems
    assert all(re.match(r"line \d+: .", problem) for problem in problems)


def test_a_problem_names_its_line() -> None:
    source = SOUND.replace("## Summary\n", "## Summary\n\nIt is crucial.\n")
    [problem] = check_words(source)
    line = int(problem.partition(":")[0].removeprefix("line "))
    assert source.split("\n")[line - 1] == "It is crucial."


def test_code_mathematics_and_names_in_code_are_no_prose() -> None:
    quiet = "# x\n\n`just` $just$ {ref}`just` [x](just)\n\n```python\njust\n```\n"
    assert check_words(quiet) == []
    assert len(check_words(quiet + "\n```{note}\njust\n```\n")) == 1


def test_hints_and_a_lab_s_markdown_are_prose() -> None:
    lab = "# %% [markdown]\n# # A lab\n#\n# Just do it.\n\n# %% test: x, 1 point\njust = 1\n"
    lab += 'assert just, (\n    "simply wrong"\n)\n'
    found = text.words(text.lab_prose(lab), RULES)
    assert found == ["line 4: 'Just'; leave it out", "line 9: 'simply'; leave it out"]
    bank = "# %% x: y\n# misconception: obviously so\n# hint: of course\njust = 1\n"
    assert len(text.words(text.bank_prose(bank), RULES)) == 2


@pytest.mark.parametrize("path", **named(PAGES + READMES))
def test_words_and_headings_of_a_page(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    if path.name == "glossary.md":  # it names synonyms so that the search finds them
        assert check_headings(source) == []
    else:
        assert check_words(source) + check_headings(source) == []


@pytest.mark.parametrize("path", **named(PAGES))
def test_cells_and_figures_of_a_page(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert text.shape(source) + text.figures(source) == []


@pytest.mark.parametrize("path", **named(CONTENT))
def test_a_content_page_has_all_its_parts(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert text.skeleton(source) + text.figures(source, least=2) == []


@pytest.mark.parametrize("path", **named(MASTERS))
def test_words_and_headings_of_a_lab(path: Path) -> None:
    lines = text.lab_prose(path.read_text(encoding="utf-8"))
    assert text.words(lines, RULES) + text.headings(lines) == []


@pytest.mark.parametrize("path", **named(BANKS))
def test_words_of_misconceptions_and_hints(path: Path) -> None:
    assert text.words(text.bank_prose(path.read_text(encoding="utf-8")), RULES) == []


def test_each_word_that_is_preferred_is_a_term_of_the_glossary() -> None:
    page = (ROOT / "chapters" / "glossary.md").read_text(encoding="utf-8")
    assert set(RULES["instead"]) <= text.glossary_names(page)


def misspelled(paths: list[Path]) -> str:
    command = [sys.executable, "-m", "codespell_lib", *map(str, paths)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    return done.stdout + done.stderr


def test_spelling() -> None:
    assert misspelled([*PAGES, *READMES, *MASTERS, *BANKS, ROOT / "references.bib"]) == ""


@pytest.mark.parametrize("word", ["recieve", "colour", "normalisation"])
def test_a_misspelled_or_british_word_is_found(word: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"A {word} here.\n")
    assert word in misspelled([page])


@pytest.mark.parametrize("path", **named(NOTEBOOKS))
def test_a_committed_notebook_holds_no_output(path: Path) -> None:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert text.stored_output(notebook) == []
    code = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    code["execution_count"] = 1
    assert len(text.stored_output(notebook)) == 1


def test_no_other_notebook_is_committed() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "*.ipynb"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    if listed.returncode:
        pytest.skip("this is no clone of the repository")
    committed = {ROOT / name for name in listed.stdout.split()}
    for path in committed - set(NOTEBOOKS):
        assert text.stored_output(json.loads(path.read_text(encoding="utf-8"))) == [], path
