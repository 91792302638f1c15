"""Untrusted bytes to plain cells; CourseError where nothing in them can be graded.

nbformat's own reader, upgrade and validation are left out on purpose: on hostile data they take
seconds and raise whatever the data makes them raise.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from grader.errors import CourseError

MOST_BYTES = 50_000_000
MOST_ITEMS = 4_000_000  # commas and brackets: what bounds the parser's memory
MOST_CELLS = 2_000
MOST_SOURCE = 500_000  # characters of one cell
MOST_SOURCES = 2_000_000  # characters of all cells

_AGAIN = "save it again in JupyterLab and hand that in."
_KNOWN_FILES = {
    b"\x1f\x8b": "a gzip archive",
    b"PK\x03\x04": "a zip archive",
    b"%PDF": "a PDF document",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
}
_TYPES = {"code": "code", "markdown": "markdown", "raw": "raw", "heading": "markdown"}
_UNFIT = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True)
class Found:
    """A cell of the learner's; `claim` and `metadata` are what it says of itself."""

    cell_type: str  # code, markdown or raw
    source: str
    claim: str = ""  # nbgrader's grade_id
    cell_id: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)  # nbgrader's


@dataclass
class Reading:
    """What a file holds, and what had to be mended to read it."""

    cells: list[Found]
    kernel: str = ""
    language: str = ""
    repairs: list[str] = field(default_factory=list)


def shown(value: object) -> str:
    """A learner-given value, fit for a message: repr'd, at most 60 characters."""
    # Only names and small numbers are shown, so that repr is never long or deep.
    text = ascii(value if isinstance(value, str | int | float) else type(value).__name__)
    return text if len(text) <= 60 else text[:57] + "..."


def read(raw: bytes, name: str) -> Reading:
    """The cells of the notebook `name` in `raw`."""
    data = _parse(raw, name)
    if not isinstance(data, dict):
        raise CourseError(f"{name} is JSON but not a notebook; {_AGAIN}")
    reading = Reading([])
    for number, cell in enumerate(_raw_cells(data, name, reading.repairs), 1):
        if isinstance(cell, dict):
            reading.cells.append(_found(cell, number, reading.repairs))
        else:
            reading.repairs.append(f"entry {number} is not a cell, left out")
    _check_sizes(reading.cells, name)
    metadata = _dict(data.get("metadata"))
    reading.kernel = _text(_dict(metadata.get("kernelspec")).get("name"))
    language = _dict(metadata.get("language_info")).get("name")
    reading.language = _text(language or _dict(metadata.get("kernelspec")).get("language"))
    return reading


def _parse(raw: bytes, name: str) -> Any:
    if not raw.strip(b" \t\r\n\0"):
        raise CourseError(f"{name} is empty; {_AGAIN}")
    if len(raw) > MOST_BYTES:
        raise CourseError(
            f"{name} is {len(raw) / 1e6:.0f} MB, more than {MOST_BYTES / 1e6:.0f} MB; "
            "clear its outputs, save it, and hand that in."
        )
    for magic, what in _KNOWN_FILES.items():
        if raw.startswith(magic):
            raise CourseError(f"{name} is {what}, not a notebook; hand in the .ipynb file itself.")
    if sum(raw.count(sign) for sign in (b",", b"[", b"{")) > MOST_ITEMS:
        raise CourseError(f"{name} holds too many values; clear its outputs and save it again.")
    try:
        return json.loads(raw.decode("utf-8-sig"), parse_int=_integer)
    except UnicodeDecodeError:
        raise CourseError(f"{name} is not UTF-8 text; {_AGAIN}") from None
    except RecursionError:
        raise CourseError(f"{name} is nested too deeply to be a notebook; {_AGAIN}") from None
    except ValueError as error:
        where = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise CourseError(f"{name} is not valid JSON{where}, perhaps cut off; {_AGAIN}") from None


def _integer(digits: str) -> int | float:
    """Python refuses to read integers of thousands of digits, and such say nothing here."""
    return int(digits) if len(digits) < 19 else float("inf")


def _raw_cells(data: dict[str, Any], name: str, repairs: list[str]) -> list[Any]:
    version = data.get("nbformat")
    sheets = data.get("worksheets")
    cells = data.get("cells")
    if "cells" not in data and isinstance(sheets, list):  # formats 2 and 3
        repairs.append("read from an old notebook format")
        lists = [_dict(sheet).get("cells") for sheet in sheets]
        cells = [cell for found in lists if isinstance(found, list) for cell in found]
    elif version != 4:
        repairs.append(f"format version {shown(version)} read as 4")
    if not isinstance(cells, list) or not cells:
        raise CourseError(f"{name} holds no cells; hand in the notebook with your answers.")
    if len(cells) > MOST_CELLS:
        raise CourseError(
            f"{name} holds {len(cells)} cells, more than {MOST_CELLS}; delete those you added."
        )
    return cells


def _found(cell: dict[str, Any], number: int, repairs: list[str]) -> Found:
    declared = _text(cell.get("cell_type"))
    nbgrader = _dict(_dict(cell.get("metadata")).get("nbgrader"))
    source = cell.get("source", cell.get("input"))  # format 3 calls code `input`
    text = _joined(source)
    if text is None:
        repairs.append(f"cell {number} had no readable source")
        text = ""
    fit = _fit(text)
    if "\ufffd" in fit and "\ufffd" not in text:
        repairs.append(f"cell {number} had characters that are no text")
    if declared not in _TYPES:
        repairs.append(f"cell {number} had no known type")
    return Found(
        _TYPES.get(declared, "raw"),
        "# " + fit if declared == "heading" else fit,
        _text(nbgrader.get("grade_id")),
        _text(cell.get("id")),
        nbgrader,
    )


def _joined(source: object) -> str | None:
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        return "".join(source)
    return source if isinstance(source, str) else None


def _fit(text: str) -> str:
    """The text as it can be encoded, sent and stored, with plain line ends."""
    if _UNFIT.search(text):
        # A pair of surrogates split over two lines of a list becomes one character again.
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        text = text.replace("\0", "\ufffd")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _check_sizes(cells: list[Found], name: str) -> None:
    sizes = [len(cell.source) for cell in cells]
    where, size = name, sum(sizes)
    if max(sizes, default=0) > MOST_SOURCE:
        size = max(sizes)
        where = f"cell {sizes.index(size) + 1} of {name}"
    elif size <= MOST_SOURCES:
        return
    raise CourseError(
        f"{where} holds {size} characters of source, too many to be typed; "
        "move data that you pasted into a file."
    )


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
