"""How a page is run, downloaded and edited: each link leads to something that exists."""

import json
import re
import zipfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from sphinx.errors import ExtensionError

from tests.book.small import build, write
from tools import downloads, generated, kernels
from tools.extensions.launch_links import Link, block, lab_of, links, repository

ROOT = Path(__file__).parent.parent.parent
HTML = ROOT / "_build" / "html"
PAGES = generated.built_pages(ROOT)
ADDRESS = "https://github.com/example/course"
FIXTURE = repository(ADDRESS, "main")
FRONT = "---\nkernelspec: {display_name: Python 3, name: python3}\n---\n"
NOTEBOOK = FRONT + "\n# A page\n\n```{code-cell}\n1 + 1\n```\n"


def problems(root: Path, link: Link) -> list[str]:
    """What is wrong with a link of the published course."""
    parts = urlsplit(link.address)
    if link.kind == "edit":
        target = root / unquote(parts.path).removeprefix("/example/course/edit/main/")
        return [] if target.is_file() else [f"{target} does not exist"]
    if link.kind == "binder":
        opened = unquote(unquote(parts.query.removeprefix("urlpath="))).removeprefix("lab/tree/")
        if opened != link.path or parts.path != "/v2/gh/example/course/main":
            return [f"{link.address} does not open {link.path}"]
        return [] if made_by_binder(root, opened) else [f"no step of binder/ makes {opened}"]
    return [] if (HTML / link.path).is_file() else [f"{link.path} is not in the built book"]


def made_by_binder(root: Path, opened: str) -> bool:
    """Whether binder/postBuild (rehearsed in tests/workflow/test_binder.py) makes a file."""
    inside = opened.removeprefix("work/")
    if inside.startswith("pages/"):
        name = inside.removeprefix("pages/").removesuffix(".ipynb")
        return name in downloads.main_pages(root)
    return inside != opened and (root / "labs" / inside).is_file()


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_the_published_course_leads_somewhere(page: str) -> None:
    found = links(ROOT, page, FIXTURE)
    assert "edit" in {link.kind for link in found}
    for link in found:
        assert problems(ROOT, link) == []


def test_pages_with_cells_and_labs_can_be_run_and_downloaded() -> None:
    runnable = {
        p for p in PAGES if {"binder", "download"} <= {k.kind for k in links(ROOT, p, FIXTURE)}
    }
    labs = {page for page in PAGES if lab_of(ROOT, page)}
    assert runnable == labs | set(downloads.main_pages(ROOT))
    assert {lab_of(ROOT, page) for page in labs} == {
        path.name for path in (ROOT / "labs").iterdir()
    }


def test_the_check_of_links_can_fail() -> None:
    assert FIXTURE
    good = links(ROOT, "monitoring/lab-data-drift", FIXTURE)
    for link in good:
        other = link.address.replace("drift", "drfit")
        broken = Link(link.kind, link.text, link.path.replace("drift", "drfit"), other)
        assert problems(ROOT, link) == []
        assert problems(ROOT, broken) != []


def test_a_lab_s_page_without_a_lab_is_named(tmp_path: Path) -> None:
    with pytest.raises(ExtensionError, match=r"chapters/monitoring/lab-x.md .*labs/monitoring-x"):
        lab_of(tmp_path, "monitoring/lab-x")


@pytest.mark.parametrize("url", ["example/course", "https://example.org/a/b", "github.com/a/b"])
def test_an_address_that_cannot_be_used_is_named(url: str) -> None:
    with pytest.raises(ExtensionError, match=r"repository\.url"):
        repository(url, "main")


def test_a_branch_and_spaces_are_quoted() -> None:
    other = repository(ADDRESS + ".git", "a/b")
    assert other
    assert other.binder("work/a b.ipynb") == (
        "https://mybinder.org/v2/gh/example/course/a%2Fb?urlpath=lab%2Ftree%2Fwork%2Fa%2520b.ipynb"
    )
    assert other.edit("x y.md") == "https://github.com/example/course/edit/a/b/x%20y.md"


def small(folder: Path) -> Path:
    write(folder, {"index": "# Start\n", "core/page": NOTEBOOK, "core/lab-one": "# A lab\n"})
    lab = folder / "labs" / "core-one"
    (lab / "given").mkdir(parents=True)
    (lab / "core-one.ipynb").write_text("{}")
    (lab / "given" / "data.csv").write_text("a\n1\n")
    return folder


@pytest.mark.parametrize("url", ["", ADDRESS])
def test_binder_and_editing_appear_once_the_course_has_an_address(
    url: str, tmp_path: Path
) -> None:
    theme = {"repository_url": url, "repository_branch": "main"}
    out, _ = build(
        small(tmp_path), "launch_links", html_theme="sphinx_book_theme", html_theme_options=theme
    )
    for page in ("core/page", "core/lab-one"):
        html = (out / "chapters" / f"{page}.html").read_text(encoding="utf-8")
        box = html[html.index('class="launch-links"') :]
        assert ("mybinder.org" in box) == bool(url)
        assert (f"{ADDRESS}/edit/main/chapters/{page}.md" in box) == bool(url)
        for address in re.findall(r'href="(\.\./[^"]+)" download', box):
            assert (out / "chapters" / page).parent.joinpath(address).resolve().is_file()
    assert "make lab LAB=core-one" in box
    start = (out / "chapters" / "index.html").read_text(encoding="utf-8")
    assert ("launch-links" in start) == bool(url)


def test_downloads_are_whole_and_the_same_each_time(tmp_path: Path) -> None:
    lab = small(tmp_path) / "labs" / "core-one"
    downloads.write_labs(tmp_path, tmp_path / "out")
    first = (tmp_path / "out" / "core-one.zip").read_bytes()
    (lab / "core-one.ipynb").touch()
    assert downloads.lab_zip(lab) == first
    with zipfile.ZipFile(tmp_path / "out" / "core-one.zip") as archive:
        assert archive.namelist() == ["core-one/core-one.ipynb", "core-one/given/data.csv"]
        assert archive.read("core-one/given/data.csv") == b"a\n1\n"
    assert downloads.notebook_pages(tmp_path) == ["core/page"]
    assert downloads.page_notebook(NOTEBOOK) == downloads.page_notebook(NOTEBOOK)


@pytest.mark.parametrize("page", downloads.notebook_pages(ROOT))
def test_a_page_s_notebook_is_valid_and_holds_all_its_cells(page: str) -> None:
    path = HTML / "downloads" / "pages" / f"{page}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    source = (ROOT / "chapters" / f"{page}.md").read_text(encoding="utf-8")
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(code) == source.count("\n```{code-cell}")
    named = json.loads(path.read_text())["metadata"]["kernelspec"]["name"]
    assert named == downloads.kernel_of(ROOT / "chapters" / f"{page}.md")
    assert named == kernels.MAIN or named in kernels.names(ROOT)


def test_the_built_book_offers_what_its_address_allows() -> None:
    html = (HTML / "chapters" / "monitoring" / "lab-data-drift.html").read_text(encoding="utf-8")
    assert "make lab LAB=monitoring-data-drift" in html[html.index('class="launch-links"') :]
    config = (ROOT / "_config.yml").read_text(encoding="utf-8")
    assert ("mybinder.org" in html) == ('repository: {url: ""' not in config)


def test_the_block_is_a_region_with_a_name() -> None:
    link = Link("download", "a <b>", "downloads/x.zip")
    shown = block([link], "", "", lambda path, _: f"../{path}")
    assert 'aria-labelledby="launch-links"' in shown
    assert '<a href="../downloads/x.zip" download>a &lt;b&gt;</a>' in shown
    assert block([], "", "", lambda path, _: path) == ""


def test_a_page_on_a_kernel_of_its_own_is_not_for_binder_and_says_what_it_needs(
    tmp_path: Path,
) -> None:
    write(tmp_path, {"core/own": NOTEBOOK.replace("python3", "own"), "core/page": NOTEBOOK})
    assert downloads.main_pages(tmp_path) == ["core/page"]
    assert {link.kind for link in links(tmp_path, "core/own", FIXTURE)} == {"download", "edit"}
    found = links(tmp_path, "core/own", FIXTURE)
    assert "<code>make kernel-own</code>" in block(found, "", "own", lambda path, _: path)
    assert "make kernel" not in block(found, "", "python3", lambda path, _: path)
