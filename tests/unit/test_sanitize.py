"""What is stored and shown of a learner's notebook holds no script and no hidden test."""

import base64
import html
import io
import json
import random
import re
import time
from html.parser import HTMLParser
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import nbgrader.server_extensions.formgrader as formgrader
import numpy as np
import pandas as pd
import pytest
from nbconvert import HTMLExporter
from nbconvert.filters.ansi import ansi2html
from nbconvert.filters.markdown_mistune import InvalidNotebook
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

from grader.engine.markup import clean_html
from grader.engine.plaintext import MOST_TEXT
from grader.engine.sanitize import (
    MOST_OUTPUTS,
    hidden_removed,
    sanitize_markdown,
    sanitize_outputs,
)

# Each acts in the browser by a way of its own; {} is what it would run.
HTML_VECTORS = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></sCrIpT>",
    "<script\n>alert(1)",
    "<<script>alert(1)//<</script>",
    "<img src=x onerror=alert(1)>",
    "<img/src=x/onerror=alert(1)//",
    "<img src=`x`onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x></svg>",
    '<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>',
    "<math><mtext><table><mglyph><style><!--</style><img src onerror=alert(1)>",
    '<math href="javascript:alert(1)">x</math>',
    "<iframe src=javascript:alert(1)></iframe>",
    '<iframe srcdoc="&lt;script&gt;alert(1)&lt;/script&gt;"></iframe>',
    '<object data="data:text/html,<script>alert(1)</script>"></object>',
    "<embed src=javascript:alert(1)>",
    '<a href="javascript:alert(1)">x</a>',
    '<a href="jAvAsCrIpT&colon;alert(1)">x</a>',
    '<a href="java\tscr\nipt:alert(1)">x</a>',
    '<a href="&#x6A;avascript:alert(1)">x</a>',
    '<a href="\x01javascript:alert(1)">x</a>',
    '<a href="data:text/html,<script>alert(1)</script>">x</a>',
    '<a href="vbscript:msgbox(1)">x</a>',
    '<form action="javascript:alert(1)"><button>x</button></form>',
    "<input autofocus onfocus=alert(1)>",
    "<details open ontoggle=alert(1)>x</details>",
    "<video><source onerror=alert(1)></video>",
    "<body onload=alert(1)>",
    '<meta http-equiv="refresh" content="0;url=javascript:alert(1)">',
    '<base href="//evil.example/">',
    '<link rel=stylesheet href="//evil.example/x.css">',
    "<style>@import '//evil.example/x.css';</style>",
    '<p style="background:url(//evil.example/x)">x</p>',
    '<p style="color:expression(alert(1))">x</p>',
    '<p style="position:fixed;top:0;left:0;width:100%;height:100%">x</p>',
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    '<p title="<!--"><img alt="--><img src=x onerror=alert(1)>">',
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[><img src=x onerror=alert(1)>]]>",
    "<template><img src=x onerror=alert(1)></template>",
    "<textarea></textarea><img src=x onerror=alert(1)>",
    "</div></div></div></body><script>alert(1)</script>",
    '<input id="mean-test" class="score" value="2">',
    '<div id="mean-test" class="score full-credit">x</div>',
    '<img src="/hub/logout">',
    '<img src="//evil.example/seen.png">',
]
MARKDOWN_VECTORS = [
    *HTML_VECTORS,
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java&#115;cript:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](<javascript:alert(1)>)",
    "[x](javascript\\:alert(1))",
    "[x]\n\n[x]: javascript:alert(1)",
    "<javascript:alert(1)>",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](vbscript:msgbox(1))",
    "![x](javascript:alert(1))",
    '![x](y"onerror="alert(1))',
    "![x](/hub/logout)",
    '![x](y "z" onerror=alert(1))',
    "```mermaid\n<img src=x onerror=alert(1)>\n```",
    "~~~ mermaid\n</pre><script>alert(1)</script>\n~~~",
    '```x"onmouseover=alert(1)\ny\n```',
    "$$</div><script>alert(1)</script>$$",
    "$<img src=x onerror=alert(1)>$",
    "\\begin{a}<script>alert(1)</script>\\end{a}",
    "\\\\(<img src=x onerror=alert(1)>\\\\)",
    "# <img src=x onerror=alert(1)>",
    '# "><script>alert(1)</script>',
    "| a |\n|---|\n| <img src=x onerror=alert(1)> |",
    "`<b>`<img src=x onerror=alert(1)>",
    "$$\n```\n$$\n<script>alert(1)</script>\n```",
    "![x](attachment:missing.png)",
    "$\\href{javascript:alert(1)}{x}$",
]

LIVE_TAGS = frozenset(
    re.findall(
        r"\w+",
        "script iframe object embed svg math form button textarea select base link meta style"
        " template video audio source frame frameset applet noscript title body html head",
    )
)


class Finder(HTMLParser):
    """Whatever may act, load or spoof in a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in LIVE_TAGS:
            self.found.append(tag)
        for name, value in attrs:
            plain = re.sub(r"[\x00-\x20]", "", value or "").lower()
            if name.startswith("on") or name in ("srcdoc", "action", "formaction", "xlink:href"):
                self.found.append(f"{tag} {name}")
            if re.match(r"(java|vb)script:|data:(?!image/(png|jpeg))|file:", plain):
                self.found.append(f"{tag} {name}={plain[:30]}")
            if (tag, name) == ("img", "src") and plain.startswith("/"):
                self.found.append(f"img {plain}")
            if name == "style" and re.search(r"url|expression|position", plain):
                self.found.append(f"{tag} style={plain}")
            if name in ("id", "class") and ("mean-test" in plain or "full-credit" in plain):
                self.found.append(f"{tag} {name}={plain}")


def found_in(text: str) -> list[str]:
    finder = Finder()
    finder.feed(text)
    finder.close()
    return finder.found


@pytest.fixture(scope="module", params=["classic", "lab"])
def render(request):
    """A notebook's page, by the template that formgrader's and feedback's extend, and by lab's."""
    exporter = HTMLExporter(template_name=request.param)
    return lambda cells: exporter.from_notebook_node(new_notebook(cells=cells))[0]


def page_body(page: str) -> str:
    """The page without what the template itself brings: all its scripts and styles are there."""
    return (
        page[page.index("<body") :].split(">", 1)[1].replace("</body>", "").replace("</html>", "")
    )


def test_vectors_do_act_without_sanitizing():
    """What finds nothing must be able to find."""
    acting = [vector for vector in HTML_VECTORS if found_in(vector)]
    assert len(acting) >= 40
    assert len(set(MARKDOWN_VECTORS)) == len(MARKDOWN_VECTORS) >= 60


@pytest.mark.parametrize("vector", HTML_VECTORS)
def test_html_is_clean(vector):
    for around in (
        "{}",
        "<table><tr><td>{}</td></tr></table>",
        "<p>a{}b",
        "&lt;{}",
        "<b title='{}'>",
    ):
        assert found_in(clean_html(around.format(vector))) == []


def test_rendered_page_holds_nothing_that_acts(render):
    """Markdown, raw cells, code, and every kind of output, as a page shows them."""
    base = found_in(page_body(render([])))
    cells = [new_markdown_cell(sanitize_markdown(vector)) for vector in MARKDOWN_VECTORS]
    cells += [new_raw_cell(sanitize_markdown(vector)) for vector in MARKDOWN_VECTORS]
    cells += [new_code_cell(vector) for vector in MARKDOWN_VECTORS]
    for vector in MARKDOWN_VECTORS:
        data = dict.fromkeys(
            (
                "text/plain",
                "text/html",
                "text/markdown",
                "text/latex",
                "image/svg+xml",
                "image/png",
                "application/javascript",
                "application/json",
                "text/vnd.mermaid",
                "application/vnd.jupyter.widget-view+json",
                vector,
            ),
            vector,
        )
        outputs = []
        for mime in data:
            one = {mime: data[mime]}
            meta = {
                mime: {"isolated": True, "width": vector, "alt": vector},
                "filenames": {mime: vector},
            }
            outputs.append({"output_type": "display_data", "data": one, "metadata": meta})
        outputs += [
            {"output_type": "stream", "name": vector, "text": vector},
            {"output_type": "error", "ename": vector, "evalue": vector, "traceback": [vector]},
            {
                "output_type": "execute_result",
                "execution_count": vector,
                "data": data,
                "metadata": {},
            },
            {"output_type": vector},
        ]
        cells.append(new_code_cell("pass", outputs=sanitize_outputs(outputs, [])))
    nbformat.validate(new_notebook(cells=cells))
    body = page_body(render(cells))
    template = found_in(page_body(render([new_code_cell("x"), new_markdown_cell("x")])))
    assert [thing for thing in found_in(body) if thing not in set(base + template)] == []
    for container in ("div", "body"):  # no cell closes what is around it
        assert len(re.findall(f"<{container}[ >]", body)) == body.count(f"</{container}>")


def test_nbconverts_own_sanitizing_is_not_enough():
    """Why this module exists: with `sanitize_html` an image's width still carries a handler, a
    missing attachment fails the page, and formgrader's template renders Markdown without it."""
    exporter = HTMLExporter(template_name="classic", sanitize_html=True)
    size = {"image/png": {"width": "1 onload=alert(1)"}}
    image = new_output("display_data", {"image/png": png()}, metadata=size)
    cell = new_code_cell("x", outputs=[image])
    page = exporter.from_notebook_node(new_notebook(cells=[cell]))[0]
    assert "img onload" in found_in(page_body(page))
    with pytest.raises(InvalidNotebook):
        cell = new_markdown_cell("![x](attachment:missing.png)")
        exporter.from_notebook_node(new_notebook(cells=[cell]))
    folder = Path(formgrader.__path__[0])
    text = (folder / "templates/formgrade/index.html.j2").read_text(encoding="utf-8")
    assert "cell.source  | markdown2html | strip_files_prefix }}" in text
    assert "clean_html" not in text


HONEST_MARKDOWN = [
    "# Title\n\nText with *emphasis*, `code < 3` and a [link](https://example.org/a?b=c&d=e).",
    "If a < b & c > d, then $a^2 < b$ and\n\n$$\n\\sum_i x_i \\le 1\n$$\n",
    "```python\nif a < b:\n    print('<script>')\n```\n\n> quoted\n\n- [x] done\n- [ ] open",
    "| a | b |\n|---|---|\n| 1 | 2 |\n\nA <b>bold</b> <br> word, H<sub>2</sub>O.",
    "![plot](images/plot.png) and ![remote](https://example.org/x.png)",
    "<!-- a note -->\nSee [the other page](../other.ipynb#part) and <https://example.org>.",
    "A description of the script, the data: and the file.",
]


@pytest.mark.parametrize("source", HONEST_MARKDOWN)
def test_honest_markdown_is_kept_as_it_is(source):
    assert sanitize_markdown(source) == source


@pytest.mark.parametrize(
    "macro", ["\\href", "\\\\href", "\\&bsol;href", "&#92;href", "\\<x>href", "&#x5c;cssId"]
)
def test_math_makes_no_links(macro):
    """MathJax's Safe mode forbids them too, where a page loads it."""
    for text in (sanitize_markdown(f"${macro}{{x}}$"), clean_html(f"<p>${macro}{{x}}$</p>")):
        assert not re.search(r"\\(href|cssId)", html.unescape(html.unescape(text)))
    latex = shown({"text/latex": f"${macro}{{x}}$"}).data["text/latex"]
    assert "\\href" not in latex


def test_unsafe_markdown_still_shows_its_text(render):
    source = "**Note** <script>x</script> [go](javascript:alert(1))"
    text = re.sub(
        r"<[^>]+>", "", page_body(render([new_markdown_cell(sanitize_markdown(source))]))
    )
    assert "**Note** <script>x</script> [go](javascript:alert(1))" in html.unescape(text)


def texts(table: str) -> list[str]:
    """What a table's cells say."""
    return [html.unescape(text) for text in re.findall(r"<t[dh][^>]*>([^<]*)</t[dh]>", table)]


def test_pandas_tables_survive():
    frame = pd.DataFrame({("a", "x"): [1, 2], ("a", "<b>"): ["<i>", "&"]}, index=["r", "s"])
    for table in (frame, frame["a"], pd.DataFrame(np.eye(70)), frame.groupby(("a", "x")).count()):
        raw = table._repr_html_()
        clean = clean_html(raw)
        assert texts(clean) == texts(raw) and len(texts(raw)) >= 6
        assert 'class="dataframe"' in clean and "<style" not in clean
    styled = '<td style="text-align: right; color: red; position: fixed; cursor: url(x)">1</td>'
    assert "position" not in clean_html(f"<table><tr>{styled}</tr></table>")
    good = '<td style="text-align: right; color: red;">1</td>'
    assert "color: red" in clean_html(f"<table><tr>{good}</tr></table>")


def png() -> str:
    file = io.BytesIO()
    plt.figure(figsize=(1, 1)).savefig(file, format="png")
    plt.close("all")
    return base64.b64encode(file.getvalue()).decode()


def shown(data, metadata=None):
    output = {"output_type": "display_data", "data": data, "metadata": metadata or {}}
    return sanitize_outputs([output], [])[0]


def test_images_are_what_they_say():
    image = png()
    lines = image[:100] + "\n" + image[100:] + "\n"
    kept = shown({"image/png": lines}, {"image/png": {"width": 72, "height": "72 onload=x"}})
    assert kept.data == {"image/png": image}
    assert kept.metadata == {"image/png": {"width": 72}}
    bomb = bytearray(base64.b64decode(image))
    bomb[16:24] = b"\x00\x01\x00\x00" * 2
    svg = base64.b64encode(b"<svg onload=alert(1)>").decode()
    for bad in (
        svg,
        image[:-3] + "*",
        "",
        '"><script>',
        base64.b64encode(bomb).decode(),
        image[:16],
    ):
        for mime in ("image/png", "image/jpeg"):
            assert mime not in shown({mime: bad}).data
    assert "image/jpeg" not in shown({"image/jpeg": image}).data


def test_unknown_types_are_named_and_dropped():
    kept = shown({"application/javascript": "alert(1)", "text/x'<b>": "y"})
    named = "[output of type \"text/x'<b>\", 'application/javascript' left out]"
    assert kept.data == {"text/plain": named}
    assert shown({"application/javascript": "alert(1)", "text/plain": "y"}).data == {
        "text/plain": "y"
    }
    assert shown({"image/svg+xml": "<svg/>", "image/png": png()}).data.keys() == {"image/png"}


def test_sizes_are_cut_with_a_note():
    flood = {"output_type": "stream", "name": "stdout", "text": "a\x1b[31mb\n" * 2_000_000}
    started = time.process_time()
    kept = sanitize_outputs(
        [flood] + [stream("x")] * (MOST_OUTPUTS + 4), ["assert f(x) == 1"] * 200
    )
    assert time.process_time() - started < 5
    assert len(kept[0].text) < MOST_TEXT + 100 and "characters left out]" in kept[0].text
    assert "\x1b" not in kept[0].text
    assert len(kept) == MOST_OUTPUTS + 1 and "5 more outputs" in kept[-1].text
    big = shown({"text/html": "<p>" + "x" * 300_000, "text/plain": "small"})
    assert big.data == {"text/plain": "small\n[text/html left out, too large or not valid]"}


@pytest.mark.parametrize(
    "bad",
    [
        "".join(f"<b id={i}><p>" for i in range(2000)),
        "".join(f"<b id={i}></i>" for i in range(2000)),
        "".join(f"<b id={i}></b x><b>" for i in range(2000)),
        "<div>" * 6000,
        "<a><p>" * 2900,
        "<a><p></a>" * 1900,
        "<table><b>" * 1900,
        "<p style='" + "color:red;" * 15000 + "'>",
        "<p " + " ".join(f"a{i}=1" for i in range(20000)) + ">",
        "<" * 6000,
        "&" * 190_000,
        "<p title='" + "&amp" * 40_000 + "'>",
        "<style>" * 6000,
        "<b></p>" * 2000 + "<table><tr><td><i>" * 30,
        "".join(f"<x{i}>" for i in range(5000)),
    ],
)
def test_hostile_html_costs_little(bad):
    started = time.process_time()
    clean_html(bad)
    sanitize_markdown(bad[:39_000])
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    "unit",
    [
        "[",
        "*a ",
        "`",
        "$ ",
        "$$",
        "\\begin{a}",
        "<a ",
        "![a](",
        "|a",
        "\\\\[",
        "](",
        "&#60;",
        "- ",
        ">",
        "[a]: b\n",
        "~~",
        "<!--",
        "__a ",
    ],
)
def test_hostile_markdown_costs_little(unit):
    started = time.process_time()
    sanitize_markdown("<" + unit * (39_000 // len(unit)))
    assert time.process_time() - started < 2


def test_ansi_keeps_colors_that_nbconvert_can_read():
    text = "\x1b[31mred\x1b[0m \x1b[38;5;28;01mgreen\x1b[39;00m \x1b[1;48;2;1;2;3mx\x1b[m"
    assert sanitize_outputs([stream(text)], [])[0].text == text
    acting = "a\x1b[2Jb\x1b]8;;http://evil.example\x1b\\c\x1b]0;title\x07d\x1bPq\x1b\\e\x08\x9b31mf\x1b[38mg"
    assert sanitize_outputs([stream(acting)], [])[0].text == "abcde31mfg"
    assert sanitize_outputs([stream("10%\r20%\r30%\ndone\r\nend")], [])[0].text == "30%\ndone\nend"


def test_ansi_noise_never_breaks_the_page():
    rng = random.Random(0)
    for _ in range(3000):
        noise = "".join(
            rng.choices(
                ["\x1b", "[", "m", ";", "3", "8", "4", "5", "2", "0", "999", "\n", "K", "]", "x"],
                k=30,
            )
        )
        clean = sanitize_outputs([stream(noise)], [])[0].text
        ansi2html(clean)
        assert not re.search("\x1b(?!\\[[0-9;]*m)", clean)


def stream(text: str) -> dict[str, str]:
    return {"output_type": "stream", "name": "stdout", "text": text}


SECRET = """assert mean(["a", 'b\\n', "é"]) == 2 < 3"""


@pytest.mark.parametrize(
    "told",
    [
        SECRET,
        "x = 1\n    " + SECRET + "\ny = 2",
        repr("line one\n" + SECRET + "\nend"),
        repr("it's\n" + SECRET.replace('"', "'")),
        json.dumps("line\n" + SECRET),
        ascii([SECRET]),
        html.escape(SECRET),
        f"<pre>{html.escape(SECRET, quote=False)}</pre>",
        re.sub(r"(\w+)", "\x1b[38;5;28m\\1\x1b[39m", SECRET),
        "".join(f"\x1b[1m{c}" for c in SECRET),
        "\x00".join(SECRET),
    ],
)
def test_hidden_lines_are_told_nowhere(told):
    secrets = ["    " + SECRET, SECRET.replace('"', "'"), "short", "x = 1"]
    outputs = [
        stream(told),
        {"output_type": "error", "ename": told, "evalue": told, "traceback": ["----> 1 " + told]},
        {
            "output_type": "display_data",
            "metadata": {},
            "data": dict.fromkeys(
                ("text/plain", "text/html", "text/markdown", "text/latex"), told
            ),
        },
    ]
    kept = sanitize_outputs(outputs, secrets)
    text = json.dumps(kept)
    assert "[hidden]" in text and text.count("[hidden]") >= 5
    assert "mean" not in text.replace("x = 1", "")


def test_broken_outputs_raise_nothing():
    odd = [None, 5, "x", [], {}, {"a": {"b": [None]}}, ["x", 5], "\ud800", 1e400, True]
    outputs = [None, 7, {}]
    for value in odd:
        for kind in ("stream", "error", "execute_result", "display_data", value):
            outputs.append(
                dict.fromkeys(
                    (
                        "text",
                        "name",
                        "data",
                        "metadata",
                        "ename",
                        "evalue",
                        "traceback",
                        "execution_count",
                    ),
                    value,
                )
                | {"output_type": kind}
            )
        outputs.append(
            {
                "output_type": "display_data",
                "data": {"text/plain": value, "text/html": value, "image/png": value, 5: value},
                "metadata": {"image/png": value},
            }
        )
    kept = sanitize_outputs(outputs, ["x" * 20])
    notebook = new_notebook(cells=[new_code_cell("x", outputs=kept)])
    nbformat.validate(notebook)
    json.dumps(notebook, allow_nan=False).encode()


def test_hidden_tests_become_a_comment():
    hidden = "### BEGIN HIDDEN TESTS\n    assert a\n    ### END HIDDEN TESTS\n"
    source = f"a = 1\nif a:\n    {hidden}b = 2\n{hidden.strip()}"
    shown = hidden_removed(source, ("BEGIN HIDDEN TESTS", "END HIDDEN TESTS"))
    assert shown == "a = 1\nif a:\n    # hidden tests ran here\nb = 2\n# hidden tests ran here"
    assert hidden_removed("x\ny", ("BEGIN", "END")) == "x\ny"
    assert hidden_removed("x\nBEGIN\ny", ("BEGIN", "END")) == "x\n# hidden tests ran here"
