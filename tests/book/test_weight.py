"""What a page loads: little, once, nothing before its text. Figures that both modes can show."""

import gzip
import itertools
import re
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from numpy.typing import NDArray

from tools import generated
from tools.extensions import (
    boxes,
    one_stylesheet,
    percent_signs,
    readable_outputs,
    short_words,
    tidy_scripts,
)

ROOT = Path(__file__).parent.parent.parent
HTML = ROOT / "_build" / "html"
STYLE = ROOT / "_static" / "style"
PAGES = generated.built_pages(ROOT)
FIRST_LOAD = 1_000_000
GZIPPED = {".html", ".css", ".js", ".svg"}
FONT_STYLES = {"fa-solid", "fa-regular", "fa-brands"}
# Of sphinx-design: they say something about size or weight that needs no rule here.
PLAIN = (
    "sd-sphinx-override",
    "sd-w-",
    "sd-mb-",
    "sd-shadow",
    "sd-container",
    "sd-g-",
    "sd-octicon",
)


def text_of(page: str) -> str:
    return (HTML / "chapters" / f"{page}.html").read_text(encoding="utf-8")


def icons_without_drawing(text: str) -> set[str]:
    """Font Awesome's classes in a page for which icons.css has nothing."""
    drawn = set(re.findall(r"\.(fa-[a-z0-9-]+)", (STYLE / "icons.css").read_text("utf-8")))
    classes = re.findall(r'class="([^"]*)"', text)
    used = {name for each in classes for name in each.split() if name.startswith("fa-")}
    return used - drawn - FONT_STYLES


@pytest.mark.parametrize("page", PAGES)
def test_every_icon_is_drawn(page: str) -> None:
    assert icons_without_drawing(text_of(page)) == set()


def test_icons_that_scripts_put_in_are_drawn() -> None:
    script = (ROOT / "_static" / "book.js").read_text("utf-8")
    names = " ".join(f"fa-{name}" for name in re.findall(r'icon\([^)]*?"([a-z-]+)"', script))
    assert names
    assert icons_without_drawing(f'<i class="{names}">') == set()


def test_an_icon_that_is_not_drawn_is_noticed() -> None:
    assert icons_without_drawing('<i class="fa-solid fa-dragon">') == {"fa-dragon"}


def needless(text: str) -> list[str]:
    """What a page loads too early, or for nothing."""
    scripts = re.findall(r"<script\b[^>]*\bsrc=[^>]*>", text)
    found = [tag for tag in scripts if "defer" not in tag]
    found += [tag for tag in scripts if "searchindex" in tag]
    if 'class="math' not in text:
        found += [tag for tag in scripts if "mathjax" in tag]
    sheets = re.findall(r'<link rel="stylesheet"[^>]*>', text)
    found += sheets[1:]
    images = re.findall(r"<img\b[^>]*_images/[^>]*>", text)
    found += [tag for tag in images if 'loading="lazy"' not in tag]
    found += [tag for tag in images if "width=" not in tag or "height=" not in tag]
    return found


@pytest.mark.parametrize("page", PAGES)
def test_a_page_loads_nothing_needless(page: str) -> None:
    assert needless(text_of(page)) == []


@pytest.mark.parametrize(
    "tag",
    [
        '<script src="_static/book.js"></script>',
        '<script defer src="searchindex.js"></script>',
        '<script defer src="_static/mathjax/tex-mml-chtml.js"></script>',
        '<link rel="stylesheet" href="a.css"><link rel="stylesheet" href="b.css">',
        '<img src="_images/a.svg" width="1" height="1">',
        '<img loading="lazy" src="_images/a.svg">',
    ],
)
def test_what_is_needless_is_noticed(tag: str) -> None:
    assert len(needless(tag)) == 1


def first_load(page: Path) -> int:
    """Bytes of a page with what it names and does not load late, and every font of it, gzipped."""
    text = page.read_text(encoding="utf-8")
    eager = re.sub(r'<img\b[^>]*loading="lazy"[^>]*>', "", text)
    names = re.findall(
        r'<(?:script|img|link rel="(?:stylesheet|icon)")[^>]*?(?:src|href)="([^"]+)"', eager
    )
    files = {page} | {(page.parent / name.partition("?")[0]).resolve() for name in names}
    files |= set((HTML / "_static" / "fonts").glob("*.woff2"))
    if any("mathjax" in name for name in names):
        files |= set((HTML / "_static" / "mathjax").rglob("MathJax_[MZ][a-z]*-*.woff"))
    return sum(transferred(path) for path in files if path.is_file())


def transferred(path: Path) -> int:
    data = path.read_bytes()
    return len(gzip.compress(data)) if path.suffix in GZIPPED else len(data)


@pytest.mark.parametrize("page", PAGES)
def test_the_first_load_is_small(page: str) -> None:
    assert first_load(HTML / "chapters" / f"{page}.html") < FIRST_LOAD


def test_a_heavy_page_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "heavy.woff").write_bytes(b"0" * FIRST_LOAD)
    page = tmp_path / "page.html"
    page.write_text('<img src="heavy.woff">')
    assert first_load(page) > FIRST_LOAD


def test_the_theme_leaves_no_file_that_no_page_asks_for() -> None:
    names = [path.relative_to(HTML).as_posix() for path in (HTML / "_static").rglob("*")]
    theirs = re.compile(r"fontawesome|bootstrap|thebe|locales|webpack|pydata|togglebutton|\.map$")
    assert [name for name in names if theirs.search(name)] == []
    assert [path.name for path in (HTML / "_static").glob("*.css")] == ["book.css"]
    assert theirs.search("_static/scripts/fontawesome.js")


def classes_without_rule(text: str) -> set[str]:
    """sphinx-design's classes in a page that our style sheet does not know."""
    css = (STYLE / "boxes.css").read_text("utf-8")
    used = set(
        re.findall(r"(?<=[\" ])sd-[a-z0-9-]+", " ".join(re.findall(r'class="[^"]*"', text)))
    )
    known = {name for name in used if re.search(rf"\.{name}\b", css) or name.startswith(PLAIN)}
    return (
        used
        - known
        - {
            "sd-row-cols-1",
            "sd-d-flex-row",
            "sd-font-weight-bold",
            "sd-card-text",
            "sd-summary-text",
            "sd-summary-title",
            "sd-card-header",
            "sd-summary-state-marker",
            "sd-summary-chevron-right",
        }
    )


@pytest.mark.parametrize("page", PAGES)
def test_every_part_of_sphinx_design_has_a_style(page: str) -> None:
    assert {
        name for name in classes_without_rule(text_of(page)) if "row-cols" not in name
    } == set()


def test_a_part_without_a_style_is_noticed() -> None:
    assert classes_without_rule('<div class="sd-carousel">') == {"sd-carousel"}


# Figures: contrast in both modes, and for readers who do not see all colors.

Color = NDArray[np.float64]
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
# hue-rotate(180deg), as the CSS specification of filter effects has it.
ROTATE = np.array([[-0.574, 1.43, 0.144], [0.426, 0.43, 0.144], [0.426, 1.43, -0.856]])
# Machado, Oliveira and Fernandes (2009), severity 1: without L, M and S cones.
VISION = {
    "all": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.01182, 0.04294, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.3039],
        ]
    ),
}


def rgb(name: str) -> Color:
    return np.array([int(name.lstrip("#")[i : i + 2], 16) for i in (0, 2, 4)]) / 255


def linear(color: Color) -> Color:
    return np.where(color <= 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4)


def contrast(a: Color, b: Color) -> float:
    """WCAG's contrast ratio."""
    one, other = sorted(float(linear(each) @ TO_XYZ[1]) + 0.05 for each in (a, b))
    return other / one


def in_dark_mode(color: Color) -> Color:
    """What figures.css makes of a color: invert(1) hue-rotate(180deg)."""
    return np.clip(ROTATE @ (1 - color), 0, 1)


def lab(color: Color, vision: Color) -> Color:
    seen = np.clip(vision @ linear(color), 0, 1)
    x = TO_XYZ @ seen / np.array([0.9505, 1.0, 1.089])
    f = np.where(x > 0.008856, np.cbrt(x), 7.787 * x + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def nearest(colors: list[Color]) -> float:
    """The smallest distance between two of the colors, for any of the four kinds of vision."""
    return min(
        float(np.linalg.norm(lab(a, vision) - lab(b, vision)))
        for vision in VISION.values()
        for a, b in itertools.combinations(colors, 2)
    )


def style() -> tuple[list[Color], Color]:
    """The colors of the lines, and of the text, in lender/course.mplstyle."""
    params = mpl.rc_params_from_file(
        ROOT / "lender" / "course.mplstyle", use_default_template=False
    )
    cycle = [rgb(name) for name in params["axes.prop_cycle"].by_key()["color"]]
    return cycle, rgb(params["text.color"])


def background(mode: int) -> Color:
    css = (STYLE / "color.css").read_text("utf-8")
    pair = re.search(r"--pst-color-background: light-dark\((#\w{6}), (#\w{6})\)", css)
    assert pair
    return rgb(pair[mode + 1])


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
def test_a_figure_can_be_read_in_both_modes(mode: int) -> None:
    cycle, text = style()
    colors = [in_dark_mode(color) if mode else color for color in cycle]
    assert min(contrast(color, background(mode)) for color in colors) >= 3
    # The first two also write, beside what they draw.
    assert min(contrast(color, background(mode)) for color in colors[:2]) >= 4.5
    assert contrast(in_dark_mode(text) if mode else text, background(mode)) >= 7
    assert nearest(colors) >= 15


def test_colors_that_are_too_alike_or_too_pale_are_noticed() -> None:
    okabe_ito_yellow = rgb("E69F00")
    assert contrast(okabe_ito_yellow, background(0)) < 3
    assert nearest([rgb("C84E00"), rgb("A08C00")]) < 15


def test_the_filter_is_the_one_that_is_computed_here() -> None:
    assert "filter: invert(1) hue-rotate(180deg)" in (STYLE / "figures.css").read_text("utf-8")


# The extensions that make pages so.


def test_mathematics_is_loaded_where_there_is_some() -> None:
    assert tidy_scripts.is_wanted("mathjax/tex-mml-chtml.js", True, True)
    assert not tidy_scripts.is_wanted("mathjax/tex-mml-chtml.js", True, False)
    assert not tidy_scripts.is_wanted("scripts/sphinx-book-theme.js", True, True)
    assert tidy_scripts.is_wanted("_static/questions.js", True, False)
    assert not tidy_scripts.is_wanted("_static/vendor/plotly/plotly.min.js", True, False)


def test_one_style_sheet_ends_with_what_is_for_print(tmp_path: Path) -> None:
    (tmp_path / "style").mkdir()
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "theirs.css").write_text("z {}")
    (tmp_path / "questions.css").write_text("b {\n  /* Why. */\n  c: d;\n}")
    (tmp_path / "style" / "text.css").write_text("a {}")
    (tmp_path / "style" / "print.css").write_text("p {}")
    css = one_stylesheet.bundle(tmp_path)
    assert css == "a {}\nb {\nc: d;\n}\np {}"
    assert one_stylesheet.version(css) != one_stylesheet.version(css + "q")


def test_an_image_gets_its_size(tmp_path: Path) -> None:
    (tmp_path / "a.svg").write_text('<?xml?><svg height="30pt" version="1.1" width="60pt">')
    body = '<p><img alt="x" src="../_images/a.svg" /></p>'
    changed = readable_outputs.with_image_sizes(body, tmp_path, {"a.svg": "a.svg"})
    assert 'width="80" height="40"' in changed
    assert 'loading="lazy"' in changed
    unknown = readable_outputs.with_image_sizes(body, tmp_path, {})
    assert "width=" not in unknown


def test_tables_are_framed_and_numbered() -> None:
    body = '<div class="output text_html"><table><tr><th></th><th>a</th></tr></table></div>'
    changed = readable_outputs.with_table_frames(body + body)
    assert 'data-label="Table 2 of this page"' in changed
    assert "<th></th>" not in changed
    other = '<div class="output text_html"><p>Words.</p></div>'
    assert readable_outputs.with_table_frames(other) == other


def test_a_box_is_known_by_its_title() -> None:
    assert boxes.kind_of("Oracle: not available at work") == "oracle"
    assert boxes.kind_of("When the method lies") == ""


@pytest.mark.parametrize(
    ("before", "text", "joined"),
    [
        ("", "5 % of 12% or 3\n%", "5_% of 12_% or 3_%"),
        ("3.8", " % to", "_% to"),
        ("3.8", " to 5", " to 5"),
        ("", "a%20b, in % of", "a%20b, in % of"),
        ("", "50%25", "50%25"),
    ],
)
def test_a_percent_sign_stays_with_its_number(before: str, text: str, joined: str) -> None:
    assert percent_signs.joined_signs(before, text) == joined.replace("_", "\N{NO-BREAK SPACE}")


def test_the_index_keeps_what_the_search_will_ask_for() -> None:
    assert short_words.ShortWords({}).stem("KS") == "ks"
    assert short_words.SearchEnglish({}).stem("KS") != "ks"
    assert short_words.ShortWords({}).stem("alarms") == "alarm"


@pytest.mark.parametrize("name", ["psi", "ks", "mmd", "wasserstein"])
def test_a_method_is_found_by_its_name(name: str) -> None:
    index = (HTML / "searchindex.js").read_text(encoding="utf-8")
    terms = index[index.index('"terms"') :]
    assert f'"{name}": ' in terms
