"""Specifications, submissions and results as text: tasks travel to workers and back as JSON."""

import base64
import binascii
import json
import math
from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from grader.engine.model import Result, Specification, Submission
from grader.errors import CourseError

Record = TypeVar("Record")


def to_json(record: Any) -> str:
    """A dataclass as JSON text, bytes in base64; the same text for the same value."""
    return json.dumps(_encode(record), sort_keys=True, separators=(",", ":"))


def from_json(kind: type[Record], text: str) -> Record:
    """The dataclass `kind` that `to_json` wrote; CourseError where anything is of another type."""
    try:
        decoded: Record = _decode(kind, json.loads(text), kind.__name__)
    except RecursionError:
        raise CourseError(f"a {kind.__name__} is nested too deeply; grade again.") from None
    except ValueError as error:
        raise CourseError(f"a {kind.__name__} arrived damaged: {error}; grade again.") from None
    return decoded


def spec_from_json(text: str) -> Specification:
    return from_json(Specification, text)


def submission_to_json(submission: Submission) -> str:
    return to_json(submission)


def submission_from_json(text: str) -> Submission:
    return from_json(Submission, text)


def result_to_json(result: Result) -> str:
    return to_json(result)


def result_from_json(text: str) -> Result:
    return from_json(Result, text)


def _encode(value: Any) -> Any:
    if is_dataclass(value):
        hints = get_type_hints(type(value))
        return {
            # What is typed Any is JSON already, and may be deeper than we could walk.
            field.name: getattr(value, field.name)
            if hints[field.name] == dict[str, Any]
            else _encode(getattr(value, field.name))
            for field in fields(value)
        }
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, dict):
        return {key: _encode(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_encode(item) for item in value]
    return value


def _decode(kind: Any, value: Any, where: str) -> Any:
    """The value as `kind`; ValueError that names the place where it is none."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if is_dataclass(kind):
        return _decode_record(kind, value, where)
    if origin is UnionType:
        return None if value is None else _decode(inner[0], value, where)
    if origin is dict:
        pairs = _typed(dict, value, where).items()
        return {key: _decode(inner[1], item, f"{where}[{key!r}]") for key, item in pairs}
    if origin in (list, tuple):
        return _decode_items(origin, inner, value, where)
    if kind is bytes:
        return _decode_bytes(value, where)
    if kind is float:
        return _decode_float(value, where)
    return _typed(kind, value, where)


def _decode_record(kind: Any, value: Any, where: str) -> Any:
    hints = get_type_hints(kind)
    if _typed(dict, value, where).keys() != hints.keys():
        raise ValueError(f"{where} has other fields than {', '.join(sorted(hints))}")
    return kind(**{name: _decode(hints[name], value[name], f"{where}.{name}") for name in hints})


def _decode_items(origin: Any, inner: tuple[Any, ...], value: Any, where: str) -> Any:
    items = _typed(list, value, where)
    if origin is tuple and inner[-1] is not Ellipsis and len(items) != len(inner):
        raise ValueError(f"{where} has {len(items)} items, not {len(inner)}")
    return origin(_decode(inner[0], item, f"{where}[{n}]") for n, item in enumerate(items))


def _decode_bytes(value: Any, where: str) -> bytes:
    try:
        return base64.b64decode(_typed(str, value, where), validate=True)
    except binascii.Error:
        raise ValueError(f"{where} is no base64") from None


def _decode_float(value: Any, where: str) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise ValueError(f"{where} is no finite number")
    return float(value)


def _typed(kind: type[Any], value: Any, where: str) -> Any:
    """The value itself, where it is exactly of this type (True is no integer)."""
    if type(value) is not kind:
        raise ValueError(f"{where} is {type(value).__name__}, not {kind.__name__}")
    return value
