"""What the book's build costs against plain `jupyter-book build`, in one run (`make bench`)."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.book.small import configure
from tests.conftest import ROOT
from tools import execute

BIN = Path(sys.executable).parent
PAGES = 40
MOST = 0.4
PAGE = """---
jupytext:
  text_representation: {{extension: .md, format_name: myst}}
kernelspec: {{display_name: Python 3, language: python, name: python3}}
---

# Page {number}

```{{code-cell}} ipython3
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
```

```{{code-cell}} ipython3
rows = pd.DataFrame(np.random.default_rng({number}).normal(size=(1000, 3)))
rows.describe().round(2)
```

```{{code-cell}} ipython3
_ = plt.plot(rows.cumsum())
```
"""


def light_book(root: Path, pages: int) -> Path:
    """A book of light pages with this course's configuration."""
    names = [f"page-{number:02}" for number in range(pages)]
    configure(root)
    for number, name in enumerate(names):
        (root / "chapters" / f"{name}.md").write_text(PAGE.format(number=number))
    rest = "".join(f"  - file: chapters/{name}\n" for name in names[1:])
    (root / "_toc.yml").write_text(
        f"format: jb-book\nroot: chapters/{names[0]}\nchapters:\n{rest}"
    )
    return root


def real_book(root: Path) -> Path:
    """The course's own sources, without anything built."""
    ignored = shutil.ignore_patterns("_build", ".venv", ".git", "source", "work", ".*_cache")
    shutil.copytree(ROOT, root, ignore=ignored)
    return root


def seconds(*command: str, root: Path) -> float:
    """How long a build takes; it must succeed."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    started = time.perf_counter()
    done = subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return time.perf_counter() - started


def ours(root: Path) -> float:
    return seconds(sys.executable, str(ROOT / "tools" / "book.py"), str(root), root=root)


def plain(root: Path) -> float:
    return seconds(str(BIN / "jupyter-book"), "build", ".", root=root)


def read_from_disk() -> None:
    """Import what builds import, or whichever build goes first would pay for the reading."""
    imports = "import jupyter_book, lender, playable, sklearn.ensemble"
    subprocess.run([sys.executable, "-c", imports], check=True)


def test_a_cold_build_against_plain_jupyter_book(tmp_path: Path) -> None:
    read_from_disk()
    own_s, plain_s = (
        ours(light_book(tmp_path / "a", PAGES)),
        plain(light_book(tmp_path / "b", PAGES)),
    )
    print(f"\n{PAGES} light pages, cold: {own_s:.0f} s to {plain_s:.0f} s, {own_s / plain_s:.2f}")
    assert own_s <= MOST * plain_s


def test_the_real_book_against_plain_jupyter_book(tmp_path: Path) -> None:
    book = real_book(tmp_path / "a")
    read_from_disk()
    own_s = ours(book)
    shutil.rmtree(book / "_build" / "html")
    for memory in (".jupyter_cache", ".doctrees"):
        shutil.rmtree(book / "_build" / memory)
    plain_s = plain(book)
    print(f"\nthis book, cold: {own_s:.0f} s to {plain_s:.0f} s, {own_s / plain_s:.2f}")


@pytest.mark.parametrize("pages", [10, PAGES])
def test_one_changed_page(tmp_path: Path, pages: int) -> None:
    """Beyond rendering, its time does not depend on how many pages there are."""
    book = light_book(tmp_path / "book", pages)
    execute.execute(book)
    changed = book / "chapters" / "page-03.md"
    changed.write_text(changed.read_text().replace("1000", "2000"))
    started = time.perf_counter()
    assert execute.execute(book) == 1
    print(f"\none changed page of {pages}: executed in {time.perf_counter() - started:.1f} s")


DATES = re.compile(r"\w{3} \d{1,2}, \d{4}|\d{4}-\d{2}-\d{2}")


def test_two_cold_builds_are_equal(tmp_path: Path) -> None:
    """But for dates, and the output of cells that are tagged `varies`."""
    built = []
    for name in ("a", "b"):
        book = real_book(tmp_path / name)
        ours(book)
        built.append(published(book / "_build" / "html"))
        shutil.rmtree(book)
    first, second = built
    assert set(first) == set(second)
    assert [name for name in first if first[name] != second[name]] == []
    print(f"\ntwo cold builds: {len(first)} files equal")


VARYING = re.compile(
    r'<div class="cell [^"]*tag_varies.*?(?=<div class="cell |<section|</section>)', re.S
)


def published(html: Path) -> dict[str, bytes]:
    """Each file of the built book, pages without dates and without what may vary."""
    files, varying = {}, set()
    for path in sorted(html.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            if path.suffix == ".html":
                text = content.decode()
                for cell in VARYING.findall(text):
                    varying |= set(re.findall(r"_images/[0-9a-f]+\.\w+", cell))
                content = DATES.sub("", VARYING.sub("", text)).encode()
            files[path.relative_to(html).as_posix()] = content
    return {name: content for name, content in files.items() if name not in varying}
