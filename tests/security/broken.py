"""Broken submissions: what can be wrong with a notebook as a file, and what grading makes of it.

Each kind takes a good notebook's bytes and breaks them. It is either graded, with the answers
named here (those of the good notebook where none are) and a repair that holds `says`; or refused
with a sentence that holds `says`. For other projects: only `SPEC` and `GOOD` are this one's.
"""

import gzip
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from grader.engine.model import NotebookSpec, TrustedCell

STUB = 'def mean(values):\n    """The mean."""\n    raise NotImplementedError()'
STUB_TOP = 'def top(values):\n    """The largest."""\n    raise NotImplementedError()'
WORDS = "Why is the mean not robust?\n\n*Write your answer here.*"
TEST = (
    "assert mean([1, 3]) == 2\n### BEGIN HIDDEN TESTS\nassert mean([5]) == 5  # secret\n"
    "### END HIDDEN TESTS"
)
TEST_TOP = "assert top([1, 3]) == 3"

SPEC = NotebookSpec(
    "mini-mean",
    (
        TrustedCell("given-1", "code", "import math", locked=True),
        TrustedCell("mean", "code", STUB, solution=True),
        TrustedCell("mean-test", "code", TEST, points=2.0, grade=True, locked=True),
        TrustedCell("given-2", "code", "data = [1, 2, 3]", locked=True),
        TrustedCell("top", "code", STUB_TOP, solution=True),
        TrustedCell("top-test", "code", TEST_TOP, points=3.0, grade=True, locked=True),
        TrustedCell("words", "markdown", WORDS, points=4.0, grade=True, solution=True),
        TrustedCell("words-rubric", "markdown", "A person grades this.", locked=True),
    ),
)
ANSWERS = {
    "mean": 'def mean(values):\n    """The mean."""\n    return sum(values) / len(values)',
    "top": 'def top(values):\n    """The largest."""\n    return max(values)',
    "words": "Why is the mean not robust?\n\nOne value moves it as far as it likes.",
}

Notebook = dict[str, Any]


def _good() -> Notebook:
    cells: list[Notebook] = [plain("# Welcome", "markdown", "c0")]
    for cell in SPEC.cells:
        visible = cell.source.split("\n### BEGIN")[0]
        meta = {
            "grade": cell.grade,
            "grade_id": cell.grade_id,
            "locked": cell.locked,
            "schema_version": 3,
            "solution": cell.solution,
            "task": False,
            "cell_type": cell.cell_type,
            "checksum": "0" * 32,
        } | ({"points": cell.points} if cell.grade else {})
        source = ANSWERS.get(cell.grade_id, visible)
        new = plain(source, cell.cell_type, f"mini-mean-{cell.grade_id}")
        cells.append(new | {"metadata": {"nbgrader": meta}})
        if cell.grade_id == "mean":
            cells.append(plain("helper = 1", "code", "c1"))
    cells.append(plain("*The end.*", "markdown", "c2"))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def plain(source: str, cell_type: str = "code", cell_id: str = "plain") -> Notebook:
    """A cell of the learner's own."""
    cell = {"cell_type": cell_type, "id": cell_id, "metadata": {}, "source": source}
    return cell | {"execution_count": None, "outputs": []} if cell_type == "code" else cell


GOOD = json.dumps(_good()).encode()


@dataclass(frozen=True)
class Broken:
    """A kind of broken file: refused, or graded with these answers (None: the stub)."""

    name: str
    breaks: Callable[[bytes], bytes]
    says: str = ""
    refused: bool = False
    answers: dict[str, str | None] = field(default_factory=dict)
    extra: tuple[str, ...] = ("# Welcome", "helper = 1", "*The end.*")  # the learner's own cells


def edited(change: Callable[[Notebook], Any]) -> Callable[[bytes], bytes]:
    """The good notebook with a change to its JSON data."""

    def breaks(raw: bytes) -> bytes:
        notebook = json.loads(raw)
        change(notebook)
        return json.dumps(notebook).encode()

    return breaks


def cell_of(notebook: Notebook, grade_id: str) -> Notebook:
    """The cell that claims this grade_id."""
    return next(c for c in notebook["cells"] if _claim(c) == grade_id)


def _claim(cell: Notebook) -> Any:
    return cell["metadata"].get("nbgrader", {}).get("grade_id")


def _at(notebook: Notebook, grade_id: str) -> int:
    return [_claim(cell) for cell in notebook["cells"]].index(grade_id)


def _copy(notebook: Notebook, grade_id: str, source: str) -> None:
    cell = cell_of(notebook, grade_id)
    notebook["cells"].insert(_at(notebook, grade_id) + 1, cell | {"source": source})


def _remove(grade_id: str) -> Callable[[bytes], bytes]:
    return edited(lambda nb: nb["cells"].pop(_at(nb, grade_id)))


def _each(change: Callable[[Notebook], Any]) -> Callable[[bytes], bytes]:
    return edited(lambda nb: [change(cell) for cell in nb["cells"]])


def _meta(of: str, /, **values: object) -> Callable[[bytes], bytes]:
    return edited(lambda nb: cell_of(nb, of)["metadata"]["nbgrader"].update(values))


def _cell(grade_id: str, **values: object) -> Callable[[bytes], bytes]:
    return edited(lambda nb: cell_of(nb, grade_id).update(values))


def _top(**values: object) -> Callable[[bytes], bytes]:
    return edited(lambda nb: nb.update(values))


def _strip(cell: Notebook) -> None:
    cell["metadata"] = {}
    cell.pop("id")


def _strip_and_edit(notebook: Notebook) -> None:
    """As after a rewrite elsewhere: no metadata, and answers that keep nothing of the stub."""
    cell_of(notebook, "mean")["source"] = "from statistics import fmean as mean"
    cell_of(notebook, "words")["source"] = "An outlier."
    notebook["cells"] = [c for c in notebook["cells"] if c["source"] != "helper = 1"]
    for cell in notebook["cells"]:
        _strip(cell)


def _old_format(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["input"] = cell.pop("source")
            cell["language"] = "python"
    notebook["cells"][0] |= {"cell_type": "heading", "level": 1, "source": "Welcome"}
    notebook["worksheets"] = [{"cells": notebook.pop("cells"), "metadata": {}}]
    notebook["nbformat"] = 3


def _two_versions(notebook: Notebook) -> None:
    _old_format(notebook)
    for cell in notebook["worksheets"][0]["cells"]:
        cell.pop("metadata")
    notebook["nbformat"] = 2


def _shuffle(notebook: Notebook) -> None:
    helpers = ("# Welcome", "helper = 1", "*The end.*")
    notebook["cells"] = [c for c in notebook["cells"] if c["source"] not in helpers]
    random.Random(3).shuffle(notebook["cells"])


def _claim_test_first(notebook: Notebook) -> None:
    """A cell that claims to be a test, to run in its place or before it."""
    cell = plain("mean = lambda values: 2")
    cell["metadata"] = cell_of(notebook, "mean-test")["metadata"]
    notebook["cells"].insert(0, cell)


def _swap_claims(notebook: Notebook) -> None:
    answer, test = cell_of(notebook, "mean"), cell_of(notebook, "mean-test")
    answer["metadata"], test["metadata"] = test["metadata"], answer["metadata"]
    answer.pop("id"), test.pop("id")


def _text(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    return lambda raw: raw.replace(old, new, 1)


_LIST = ["def mean(values):\r\n", "    return 7"]
_MIMES: Notebook = {"text/plain": [["a"]], "text/html": {"text/html": {"text/html": []}}}

BROKEN = (
    # the file
    Broken("empty file", lambda raw: b"", "is empty", refused=True),
    Broken("blank file", lambda raw: b" \n\t\n", "is empty", refused=True),
    Broken("only zero bytes", lambda raw: bytes(4096), "is empty", refused=True),
    Broken("truncated", lambda raw: raw[: len(raw) // 2], "cut off", refused=True),
    Broken("not JSON", lambda raw: b"print('hello')", "not valid JSON", refused=True),
    Broken("merge conflict", lambda raw: b"<<<<<<< HEAD\n" + raw, "JSON at line 1", refused=True),
    Broken("two notebooks in a row", lambda raw: raw + raw, "not valid JSON", refused=True),
    Broken("a JSON list", lambda raw: b"[" + raw + b"]", "not a notebook", refused=True),
    Broken("a JSON string", lambda raw: b'"notebook"', "not a notebook", refused=True),
    Broken("gzip bytes", gzip.compress, "gzip archive", refused=True),
    Broken("zip bytes", lambda raw: b"PK\x03\x04" + raw, "zip archive", refused=True),
    Broken("UTF-16", lambda raw: raw.decode().encode("utf-16"), "UTF-16", refused=True),
    Broken("Latin-1", _text(b"hello", b"") and _text(b"One", b"\xe9"), "UTF-8", refused=True),
    Broken("60 MB", lambda raw: raw + b" " * 60_000_000, "60 MB", refused=True),
    Broken("UTF-8 with a BOM", lambda raw: b"\xef\xbb\xbf" + raw),
    Broken("zero bytes at its end", lambda raw: raw + b"\0\0", "not valid JSON", refused=True),
    # the JSON
    Broken("deep nesting", lambda raw: b"[" * 100_000, "nested too deeply", refused=True),
    Broken(
        "deep nesting in metadata",
        _text(
            b'"metadata": {', b'"metadata": {"a": ' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b","
        ),
        "nested too deeply",
        refused=True,
    ),
    Broken("millions of values", lambda raw: b"[" + b"[]," * 3_000_000 + b"0]", "too many", True),
    Broken("NaN in metadata", _meta("mean-test", points=float("nan")), "'mean-test' had other"),
    Broken("infinity in metadata", _top(metadata={"x": float("-inf")})),
    Broken(
        "huge integer as version", _text(b'"nbformat": 4', b'"nbformat": ' + b"9" * 9999), "inf"
    ),
    Broken("huge exponent as points", _text(b'"points": 2.0', b'"points": 1e99999'), "had other"),
    Broken("duplicate keys", _text(b"{", b'{"cells": [], "cells": null, '), ""),
    # the format
    Broken("format 2", edited(_two_versions), "old notebook format"),
    Broken("format 3", edited(_old_format), "old notebook format"),
    Broken("format 99", _top(nbformat=99), "version 99 read as 4"),
    Broken("format as a list", _top(nbformat=[4] * 1000), "version 'list' read as 4"),
    Broken("no format", edited(lambda nb: nb.pop("nbformat")), "version 'NoneType' read as 4"),
    Broken("minor format 1000", _top(nbformat_minor=1000)),
    Broken("no metadata", edited(lambda nb: nb.pop("metadata"))),
    Broken("metadata null", _top(metadata=None)),
    Broken("no cells", _top(cells=[]), "holds no cells", refused=True),
    Broken("cells null", _top(cells=None), "holds no cells", refused=True),
    Broken("cells missing", edited(lambda nb: nb.pop("cells")), "holds no cells", refused=True),
    Broken("cells an object", _top(cells={"0": {}}), "holds no cells", refused=True),
    Broken(
        "cells that are numbers", edited(lambda nb: nb["cells"].extend([1, None])), "not a cell"
    ),
    Broken("100,000 cells", _top(cells=[{}] * 100_000), "100000 cells", refused=True),
    Broken(
        "another notebook", _top(cells=[plain("x = 1")]), "none of the release's", refused=True
    ),
    # the kernel
    Broken("another kernel", _top(metadata={"kernelspec": {"name": "conda-env"}}), "'conda-env'"),
    Broken("R", _top(metadata={"language_info": {"name": "R"}}), "language 'R' replaced"),
    Broken("kernel name of 10 kB", _top(metadata={"kernelspec": {"name": "\x1b" * 9999}}), "..."),
    # cells
    Broken(
        "cell without source",
        edited(lambda nb: cell_of(nb, "mean").pop("source")),
        "no readable source",
        answers={"mean": ""},
    ),
    Broken("source a number", _cell("mean", source=5), "no readable", answers={"mean": ""}),
    Broken(
        "source of 2 MB",
        _cell("mean", source="#" * 2_000_000),
        "holds 2000000 characters",
        refused=True,
    ),
    Broken(
        "CRLF line ends",
        _cell("mean", source=_LIST),
        answers={"mean": "def mean(values):\n    return 7"},
    ),
    Broken(
        "lone surrogate",
        _cell("mean", source="x = '\ud800'"),
        "no text",
        answers={"mean": "x = '\ufffd'"},
    ),
    Broken(
        "split surrogates",
        _cell("mean", source=["x = '\ud83d", "\ude00'"]),
        answers={"mean": "x = '\U0001f600'"},
    ),
    Broken("zero in source", _cell("mean", source="x\0"), "no text", answers={"mean": "x\ufffd"}),
    Broken("cell type a list", _cell("mean", cell_type=["code"]), "no known type"),
    Broken("no cell types", _each(lambda cell: cell.pop("cell_type")), "no known type"),
    Broken("answer turned Markdown", _cell("mean", cell_type="markdown"), "'mean' was markdown"),
    Broken("test turned raw", _cell("mean-test", cell_type="raw"), "'mean-test' was raw"),
    Broken("test turned unknown", _cell("mean-test", cell_type="html"), "'mean-test' was raw"),
    Broken("words turned code", _cell("words", cell_type="code"), "'words' was code"),
    Broken("test edited", _cell("mean-test", source="pass"), "'mean-test' was edited"),
    Broken("missing test", _remove("mean-test"), "'mean-test' was missing"),
    Broken("missing given cell", _remove("given-1"), "'given-1' was missing"),
    Broken("missing answer", _remove("mean"), "'mean' was missing", answers={"mean": None}),
    Broken(
        "answer rewritten in a new cell",
        edited(lambda nb: cell_of(nb, "mean").update(metadata={}, id="new")),
        "'mean' recognized by its content",
    ),
    Broken(
        "only answers",
        edited(lambda nb: nb.update(cells=[cell_of(nb, "top")])),
        "'mean' was",
        answers={"mean": None, "words": None},
        extra=(),
    ),
    Broken(
        "two copies of an answer",
        edited(lambda nb: _copy(nb, "mean", "def mean(values):\n    return 9")),
        "'mean' occurred 2 times",
        answers={"mean": "def mean(values):\n    return 9"},
        extra=("# Welcome", ANSWERS["mean"], "helper = 1", "*The end.*"),
    ),
    Broken(
        "an answer and a copy of its stub",
        edited(lambda nb: _copy(nb, "mean", STUB)),
        "'mean' occurred 2 times",
        extra=("# Welcome", STUB, "helper = 1", "*The end.*"),
    ),
    Broken(
        "duplicate test",
        edited(lambda nb: _copy(nb, "mean-test", "pass")),
        "'mean-test' occurred 2",
    ),
    Broken(
        "edited copy of a given cell",
        edited(lambda nb: _copy(nb, "given-2", "data = [9]")),
        "'given-2' occurred 2",
        extra=("# Welcome", "helper = 1", "data = [9]", "*The end.*"),
    ),
    Broken("shuffled", edited(_shuffle), "another order", extra=()),
    Broken(
        "reversed",
        edited(lambda nb: nb["cells"].reverse()),
        "another order",
        extra=("*The end.*", "# Welcome", "helper = 1"),
    ),
    Broken("a cell that claims a test", edited(_claim_test_first), "'mean-test' occurred 2"),
    Broken(
        "answer and test claim each other",
        edited(_swap_claims),
        "'mean-test' was edited",
        answers={"mean": "assert mean([1, 3]) == 2"},
    ),
    # metadata
    Broken("metadata stripped", _each(lambda cell: cell.update(metadata={})), "by its cell's id"),
    Broken("metadata and ids stripped", _each(_strip), "recognized by its text"),
    Broken(
        "stripped and rewritten",
        edited(_strip_and_edit),
        "'mean' recognized by its content",
        answers={"mean": "from statistics import fmean as mean", "words": "An outlier."},
        extra=("# Welcome", "*The end.*"),
    ),
    Broken("metadata lists", _each(lambda cell: cell.update(metadata=[1]))),
    Broken(
        "nbgrader's metadata a string", _each(lambda cell: cell.update(metadata={"nbgrader": "x"}))
    ),
    Broken("points changed", _meta("mean-test", points=1000), "'mean-test' had other points"),
    Broken("points a string", _meta("mean-test", points="2.0"), "'mean-test' had other points"),
    Broken("grade flag off", _meta("mean-test", grade=False), "'mean-test' had other points"),
    Broken("locked flag off", _meta("given-1", locked=False), "'given-1' had other points"),
    Broken("solution flag on a test", _meta("mean-test", solution=True), "'mean-test' had other"),
    Broken("solution flag off", _meta("mean", solution=False), "'mean' had other points"),
    Broken("schema_version 99", _meta("mean-test", schema_version=99)),
    Broken(
        "schema_version missing",
        edited(lambda nb: cell_of(nb, "mean")["metadata"]["nbgrader"].pop("schema_version")),
    ),
    Broken("grade_id a list", _meta("mean", grade_id=["mean"]), "by its cell's id"),
    Broken("grade_id unknown", _meta("mean", grade_id="../../etc/passwd"), "by its cell's id"),
    Broken("cell ids duplicated", _each(lambda cell: cell.update(id="same"))),
    Broken("cell ids absent", _each(lambda cell: cell.pop("id"))),
    Broken("cell ids objects", _each(lambda cell: cell.update(id={"a": [1]}))),
    Broken(
        "cell tagged to be left out",
        _each(lambda cell: cell["metadata"].update(tags=["skip-execution", "remove-cell"])),
    ),
    Broken(
        "attachments", _each(lambda cell: cell.update(attachments={"a.svg": {"image/svg+xml": 5}}))
    ),
    Broken(
        "outputs that are no outputs",
        _each(lambda cell: cell.update(outputs=[{"data": _MIMES}, 7])),
    ),
    Broken("outputs null", _each(lambda cell: cell.update(outputs=None))),
)
