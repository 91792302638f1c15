"""Outputs of an executed notebook, fit to be stored and shown: no script, no hidden test."""

import base64
import binascii
import struct
from collections.abc import Callable
from functools import partial
from typing import Any

import nbformat

from grader.engine.markdown import sanitize_markdown
from grader.engine.markup import MOST_HTML, clean_html, sanitize_latex
from grader.engine.plaintext import clean_text, cut

__all__ = ["hidden_removed", "sanitize_markdown", "sanitize_outputs"]

MOST_IMAGE = 3_000_000  # characters of base64
MOST_OUTPUTS = 100  # of one cell

_MAGIC = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}
_MOST_PIXELS = 50_000_000

Clean = Callable[[str], str]


def sanitize_outputs(outputs: list[Any], secrets: list[str]) -> list[Any]:
    """The outputs that may be kept; lines of `secrets` are replaced wherever they occur."""
    clean = partial(clean_text, secrets=tuple(secrets))
    kept = [new for output in outputs[:MOST_OUTPUTS] if (new := _output(output, clean))]
    if len(outputs) > MOST_OUTPUTS:
        note = f"[{len(outputs) - MOST_OUTPUTS} more outputs left out]\n"
        kept.append({"output_type": "stream", "name": "stderr", "text": note})
    return [nbformat.from_dict(output) for output in kept]


def hidden_removed(source: str, delimiters: tuple[str, str]) -> str:
    """A trusted test as it may be shown: one comment for each hidden region."""
    begin, end = delimiters
    lines, inside = [], False
    for line in source.split("\n"):
        if begin in line and not inside:
            inside = True
            indent = line[: len(line) - len(line.lstrip())]
            lines.append(f"{indent}# hidden tests ran here")
        elif end in line:
            inside = False
        elif not inside:
            lines.append(line)
    return "\n".join(lines)


def _output(output: Any, clean: Clean) -> dict[str, Any] | None:
    kind = output.get("output_type") if isinstance(output, dict) else None
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        return {
            "output_type": kind,
            "name": name,
            "text": cut(clean(_joined(output.get("text")))),
        }
    if kind == "error":
        lines = output.get("traceback")
        trace = "\n".join(map(_joined, lines)) if isinstance(lines, list) else ""
        return {
            "output_type": kind,
            "ename": clean(_joined(output.get("ename")))[:200],
            "evalue": cut(clean(_joined(output.get("evalue")))),
            "traceback": cut(clean(trace)).split("\n"),
        }
    if kind not in ("execute_result", "display_data"):
        return None
    data, metadata = output.get("data"), output.get("metadata")
    result = {"output_type": kind, **_bundle(data if isinstance(data, dict) else {}, clean)}
    result["metadata"] = _sizes(metadata, result["data"])
    if kind == "execute_result":
        count = output.get("execution_count")
        result["execution_count"] = count if type(count) is int else None
    return result


def _bundle(data: dict[Any, Any], clean: Clean) -> dict[str, Any]:
    """What is safe of each known type; a note where nothing is left."""
    cleaners: dict[str, Clean] = {
        "text/plain": lambda text: cut(clean(text)),
        "text/html": lambda text: clean_html(clean(text)) if len(text) <= MOST_HTML else "",
        "text/markdown": lambda text: sanitize_markdown(clean(text)),
        "text/latex": lambda text: sanitize_latex(cut(clean(text))),
        "image/png": partial(_image, mime="image/png"),
        "image/jpeg": partial(_image, mime="image/jpeg"),
    }
    kept: dict[str, str] = {}
    left_out = []
    for mime, cleaner in cleaners.items():
        text = _joined(data.get(mime))
        if text and (safe := cleaner(text)):
            kept[mime] = safe
        elif text:
            left_out.append(f"[{mime} left out, too large or not valid]")
    if not kept and not left_out and data:
        names = ", ".join(sorted(ascii(str(mime)[:40]) for mime in list(data)[:5]))
        left_out = [f"[output of type {names} left out]"]
    if left_out or not kept:
        kept["text/plain"] = "\n".join([*filter(None, [kept.get("text/plain")]), *left_out])
    return {"data": kept}


def _sizes(metadata: Any, kept: dict[str, Any]) -> dict[str, Any]:
    """The size at which an image is shown; anything else of the metadata may act."""
    sizes: dict[str, Any] = {}
    for mime in _MAGIC:
        given = metadata.get(mime) if isinstance(metadata, dict) and mime in kept else None
        if isinstance(given, dict):
            numbers = {key: given.get(key) for key in ("width", "height")}
            good = {k: n for k, n in numbers.items() if type(n) is int and 0 < n <= 4000}
            sizes |= {mime: good} if good else {}
    return sizes


def _joined(value: Any) -> str:
    if isinstance(value, list):
        return "".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""


def _image(text: str, mime: str) -> str:
    """The base64 of an image that is what it says to be, of a sane size; "" for another."""
    if len(text) > MOST_IMAGE:
        return ""
    compact = "".join(text.split())
    try:
        image = base64.b64decode(compact, validate=True)
    except (binascii.Error, ValueError):
        return ""
    if not image.startswith(_MAGIC[mime]):
        return ""
    if mime == "image/png":
        if len(image) < 24:
            return ""
        width, height = struct.unpack(">II", image[16:24])
        if width * height > _MOST_PIXELS:
            return ""
    return compact
