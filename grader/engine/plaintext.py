"""Plain text of a learner's: colors but no other control sequence, and no hidden line."""

import html
import json
import re
from functools import lru_cache

MOST_TEXT = 50_000  # characters of one text
HIDDEN = "[hidden]"
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f\x80-\x9f\ud800-\udfff\ufeff]")
_ESCAPE = re.compile(
    "\x1b(?:(?P<color>\\[(?:[0-9]{1,3}(?:;[0-9]{1,3}){0,9})?m)"  # a color
    "|\\[[0-?]*[ -/]*[@-~]?"  # any other control sequence
    "|[\\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\\\)?"  # a title, a hyperlink, a string
    "|.?)"
)
# nbconvert fails on a 38 or 48 (extended color) that nothing follows.
_COLOR_OK = re.compile(
    r"\[(?:(?:(?!0*[34]8[;m])\d{1,3}|[34]8;5;\d{1,3}|[34]8;2;\d{1,3};\d{1,3};\d{1,3})(?:;(?!m)|(?=m)))*m"
)
_SHORTEST_SECRET = 13


def clean_text(text: str, secrets: tuple[str, ...]) -> str:
    """Text with colors but no other control sequences, and no secrets."""
    text = text[: 20 * MOST_TEXT]
    text = _CONTROL.sub("", _ESCAPE.sub(_color, text) if "\x1b" in text else text)
    if "\r" in text:  # a progress bar writes over its own line
        text = "\n".join(
            line.rsplit("\r", 1)[-1] for line in text.replace("\r\n", "\n").split("\n")
        )
    return _without_secrets(text, secrets)


def _color(escape: re.Match[str]) -> str:
    """A color as nbconvert can read it (it fails on an incomplete one), or nothing."""
    color = escape["color"]
    return escape[0] if color and _COLOR_OK.fullmatch(color) else ""


def cut(text: str) -> str:
    """The text, or its head and tail and how much was between."""
    if len(text) <= MOST_TEXT:
        return text
    head, tail = MOST_TEXT * 4 // 5, MOST_TEXT // 5
    left_out = len(text) - head - tail
    # A color cut in two would be shown as text, hence none of them are left.
    return _ESCAPE.sub("", f"{text[:head]}\n[{left_out} characters left out]\n{text[-tail:]}")


def _without_secrets(text: str, secrets: tuple[str, ...]) -> str:
    forms = _forms(secrets)
    if "\x1b" in text:  # a traceback colors each word of a line
        plain = _ESCAPE.sub("", text)
        if any(form in plain for form in forms):
            text = plain
    for form in forms:
        if form in text:
            text = text.replace(form, HIDDEN)
    return text


@lru_cache(maxsize=256)
def _forms(secrets: tuple[str, ...]) -> tuple[str, ...]:
    """Each secret line as it is, and as repr, JSON and HTML write it; the longest first."""
    forms = set()
    for line in {secret.strip() for secret in secrets}:
        if len(line) < _SHORTEST_SECRET:
            continue
        escaped = line.replace("\\", "\\\\")
        forms |= {line, escaped, escaped.replace("'", "\\'"), escaped.replace('"', '\\"')}
        forms |= {repr(line)[1:-1], ascii(line)[1:-1], json.dumps(line)[1:-1]}
        forms |= {html.escape(line), html.escape(line, quote=False)}
    return tuple(sorted(forms, key=len, reverse=True))
