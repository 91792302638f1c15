"""The whole book as one PDF: its built pages in one document, printed by Chromium.

It is printed twice: the first time tells on which page each entry of the contents stands.
"""

import html
import posixpath
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pypdf
import yaml
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from tools import generated  # noqa: E402

PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
FOOTER = (
    '<div style="width: 100%; font: 8pt sans-serif; color: #545b64; text-align: center">'
    '<span class="pageNumber"></span></div>'
)
HEADING = re.compile(
    r'<section[^>]*\bid="([^"]+)"[^>]*>\s*(?:<span[^>]*></span>)*<h([12])>(.*?)</h'
)
ATTRIBUTE = re.compile(
    r'\b(id|for|href|src|aria-labelledby|aria-describedby|aria-controls)="([^"]*)"'
)
SHELL = """<!DOCTYPE html>
<html lang="en" data-theme="light" data-mode="light">
<head>
<meta charset="utf-8">
<title>{title}</title>
<link rel="stylesheet" href="../html/_static/book.css">
{scripts}
</head>
<body>
<main class="bd-article">
<div class="pdf-title"><p class="name">{title}</p><p>{author}</p></div>
<nav class="pdf-contents" aria-label="Contents">
<h1>Contents</h1>
{contents}
</nav>
{pages}
</main>
</body>
</html>
"""


@dataclass(frozen=True)
class Entry:
    """A heading that the contents name: where it is, how deep, and its words as HTML."""

    anchor: str
    level: int
    title: str


def make(root: Path) -> Path:
    """Print the book that lies built in `root`; return the PDF."""
    book = root / "_build" / "html"
    folder = root / "_build" / "pdf"
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"chapters/{name}.html" for name in generated.built_pages(root)]
    texts = {name: (book / name).read_text(encoding="utf-8") for name in names}
    entries = [entry for name in names for entry in headings(name, texts[name], names)]
    document, target = folder / "book.html", folder / "book.pdf"
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    numbers: Mapping[str, int] = {}
    for _ in range(2):
        document.write_text(assemble(config, texts, entries, numbers), encoding="utf-8")
        print_document(document, target)
        numbers = page_numbers(target)
        lost = [entry.title for entry in entries if entry.anchor not in numbers]
        if lost:
            sys.exit(
                f"The PDF has no place for '{lost[0]}': its id is not found; rename the heading."
            )
    return target


def headings(name: str, text: str, names: list[str]) -> Iterator[Entry]:
    """The title of a page and of its sections."""
    for anchor, level, title in HEADING.findall(text):
        words = re.sub(r'<a class="headerlink".*?</a>', "", title)
        yield Entry(prefix(name, names) + anchor, int(level), re.sub(r"</?a\b[^>]*>", "", words))


def prefix(name: str, names: list[str]) -> str:
    """What tells the ids of a page from those of the others."""
    return f"page-{names.index(name) + 1}-"


def assemble(
    config: Mapping[str, str],
    texts: Mapping[str, str],
    entries: list[Entry],
    numbers: Mapping[str, int],
) -> str:
    """The document: title, contents, pages."""
    names = list(texts)
    pages = "\n".join(
        f'<div class="pdf-page">{body(name, texts[name], names)}</div>' for name in names
    )
    scripts = [
        re.sub(r'src="[./]*_static/', 'src="../html/_static/', script)
        for text in texts.values()
        for script in re.findall(r"<script[^>]*>[^<]*</script>", text)
        if "window.MathJax" in script or "_static/mathjax/" in script
    ]
    return SHELL.format(
        title=html.escape(config["title"]),
        author=html.escape(config["author"]),
        scripts="\n".join(dict.fromkeys(scripts)),
        contents=contents(entries, numbers),
        pages=pages,
    )


def contents(entries: list[Entry], numbers: Mapping[str, int]) -> str:
    """A list of pages, with their sections; a number is three digits wide before it is known."""
    lines = ["<ol>"]
    inside = False
    for entry in entries:
        number = f'<span class="number">{numbers.get(entry.anchor, 888)}</span>'
        link = f'<a href="#{entry.anchor}"><span>{entry.title}</span>{number}</a>'
        if entry.level == 1:
            lines.append(f"{'</ol></li>' if inside else ''}<li>{link}<ol>")
            inside = True
        else:
            lines.append(f"<li>{link}</li>")
    return "\n".join([*lines, "</ol></li></ol>" if inside else "</ol>"])


def body(name: str, text: str, names: list[str]) -> str:
    """The article of a page, its ids and links made fit for one document, nothing folded."""
    start = text.index('<article class="bd-article">') + len('<article class="bd-article">')
    article = text[start : text.rindex("</article>")]
    article = re.sub(r' loading="lazy"', "", article)
    article = re.sub(r"<details(?![^>]*\bhide\b)(?![^>]*\bopen\b)", "<details open", article)
    own = prefix(name, names)

    def rewrite(found: re.Match[str]) -> str:
        attribute, value = found[1], found[2]
        if attribute in ("href", "src"):
            return f'{attribute}="{address(value, name, names)}"'
        return f'{attribute}="{" ".join(own + part for part in value.split())}"'

    return f'<a id="{own}"></a>{ATTRIBUTE.sub(rewrite, article)}'


def address(value: str, name: str, names: list[str]) -> str:
    """Where a link of a page leads, from the document in _build/pdf."""
    if re.match(r"[a-z]+:", value):
        return value
    path, _, anchor = value.partition("#")
    target = posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) if path else name
    if target in names:
        return f"#{prefix(target, names)}{anchor}"
    return f"../html/{target}" + (f"#{anchor}" if anchor else "")


def chromium() -> str | None:
    """Path of the Chromium on this machine, None where there is none."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


def print_document(document: Path, target: Path) -> None:
    """Let Chromium typeset the mathematics and print."""
    program = chromium()
    if program is None:
        sys.exit(
            "The PDF needs Chromium, which is not installed: install it (Debian: apt install "
            "chromium) and run 'make pdf' again."
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(document.as_uri(), wait_until="load")
        page.evaluate("() => window.MathJax && MathJax.startup.promise")
        page.evaluate("() => document.fonts.ready")
        page.pdf(
            path=target,
            prefer_css_page_size=True,
            print_background=True,
            display_header_footer=True,
            header_template="<span></span>",
            footer_template=FOOTER,
            tagged=True,
            outline=True,
        )
        browser.close()


def page_numbers(target: Path) -> dict[str, int]:
    """The page, from 1, on which each linked anchor stands."""
    reader = pypdf.PdfReader(target)
    return {
        name.removeprefix("/"): (reader.get_destination_page_number(place) or 0) + 1
        for name, place in reader.named_destinations.items()
    }


if __name__ == "__main__":
    made = make(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT)
    print(f"{len(pypdf.PdfReader(made).pages)} pages: {made.relative_to(Path.cwd())}")
