# SPDX-License-Identifier: Apache-2.0
"""Strict JSON (docs/spec/encodings.md, JSON), and objects that hold what is specified and nothing else."""

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar

from tests.second_verifier.refusing import Refused, need

MIB = 1 << 20
_MARKS = re.compile(r'"(?:[^"\\]|\\.)*(?:"|$)|[\[\]{}]', re.DOTALL)
"""A text, or what opens and closes."""
GREATEST = 2**53 - 1
LEVELS = 32

T = TypeVar("T")
Read: TypeAlias = Callable[[Any], T]


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    need(len(found) == len(pairs), "json.duplicate_key")
    return found


def _no_number(text: str) -> Any:
    raise Refused("json.not_an_integer", text)


def _integer(text: str) -> int:
    need(text != "-0", "json.not_an_integer", text)
    need(len(text) < 20 and abs(int(text)) <= GREATEST, "json.integer_range", text[:30])
    return int(text)


def _too_deep(text: str) -> bool:
    if text.count("[") + text.count("{") <= LEVELS:
        return False
    depth = deepest = 0
    for mark in _MARKS.findall(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(mark, 0)
        deepest = max(deepest, depth)
    return deepest > LEVELS


def _texts(value: Any) -> None:
    match value:
        case str() if not value.isascii():
            need(not any(0xD800 <= ord(c) <= 0xDFFF for c in value), "json.lone_surrogate")
            need(unicodedata.is_normalized("NFC", value), "json.not_normalised")
        case list():
            for item in value:
                _texts(item)
        case dict():
            for key, item in value.items():
                _texts(key)
                _texts(item)


def strict(data: bytes, *, at_most: int) -> Any:
    """The one value of a document."""
    need(len(data) <= at_most, "json.too_large")
    need(not data.startswith(b"\xef\xbb\xbf"), "json.byte_order_mark")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as bad:
        raise Refused("json.not_utf8") from bad
    need(not _too_deep(text), "json.too_deep")
    reader = json.JSONDecoder(
        object_pairs_hook=_pairs, parse_float=_no_number, parse_constant=_no_number, parse_int=_integer
    )
    blanks = " \t\n\r"
    try:
        value, end = reader.raw_decode(text, len(text) - len(text.lstrip(blanks)))
    except json.JSONDecodeError as bad:
        raise Refused("json.malformed") from bad
    need(not text[end:].strip(blanks), "json.trailing_data")
    _texts(value)
    return value


def canonical(value: Any) -> bytes:
    """RFC 8785; there are no fractions, so only the order of keys (UTF-16) is left to do."""

    def ordered(value: Any) -> Any:
        match value:
            case dict():
                keys = sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
                return {key: ordered(value[key]) for key in keys}
            case list():
                return [ordered(item) for item in value]
        return value

    return json.dumps(ordered(value), ensure_ascii=False, separators=(",", ":")).encode()


def fields(
    value: Any, must: Mapping[str, Read[Any]], may: Mapping[str, Read[Any]] | None = None
) -> dict[str, Any]:
    """An object with exactly these fields, each read; an optional one that is absent is ``None``."""
    may = may or {}
    need(isinstance(value, dict), "json.invalid_field", f"expected an object, got {value!r:.60}")
    for name in must:
        need(name in value, "json.missing_field", name)
    for name in value:
        need(name in must or name in may, "json.unknown_field", name)
    read = {name: reader(value[name]) for name, reader in must.items()}
    return read | {name: reader(value[name]) if name in value else None for name, reader in may.items()}


def items(reader: Read[T], least: int = 0, most: int = 1 << 20) -> Read[tuple[T, ...]]:
    """A list of ``least`` to ``most``."""

    def read(value: Any) -> tuple[T, ...]:
        need(isinstance(value, list) and least <= len(value) <= most, "json.invalid_field", f"{value!r:.60}")
        return tuple(reader(item) for item in value)

    return read


def integer(least: int = 0, most: int = GREATEST) -> Read[int]:
    """An integer; truth values are none."""

    def read(value: Any) -> int:
        need(type(value) is int and least <= value <= most, "json.invalid_field", f"{value!r:.60}")
        return int(value)

    return read


def text(value: Any) -> str:
    """Any text."""
    need(isinstance(value, str), "json.invalid_field", f"{value!r:.60}")
    return str(value)


def truth(value: Any) -> bool:
    """``true`` or ``false``."""
    need(isinstance(value, bool), "json.invalid_field", f"{value!r:.60}")
    return bool(value)


def exactly(wanted: Any, code: str = "json.invalid_field") -> Read[Any]:
    """This value and no other, of the same type."""

    def read(value: Any) -> Any:
        need(type(value) is type(wanted) and value == wanted, code, f"expected {wanted!r}, got {value!r:.60}")
        return value

    return read


def one_of(*words: str, code: str = "json.invalid_field") -> Read[str]:
    """One of a closed set of words."""

    def read(value: Any) -> str:
        need(isinstance(value, str) and value in words, code, f"{value!r:.60}")
        return str(value)

    return read


def anything(value: Any) -> Any:
    """Read later."""
    return value
