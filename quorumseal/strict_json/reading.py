# SPDX-License-Identifier: Apache-2.0
"""Bytes to values, strictly, and values to canonical bytes.

The standard library's C scanner does the work; its hooks and four checks around it close what it leaves open
(it keeps the last of two equal keys, knows NaN, passes lone surrogates, and recurses as deep as it is told).
"""

import json
from collections import Counter
from collections.abc import Callable
from itertools import accumulate
from typing import NoReturn, TypeAlias
from unicodedata import is_normalized

from quorumseal.strict_json.errors import (
    ByteOrderMarkError,
    DuplicateKeyError,
    IntegerRangeError,
    LoneSurrogateError,
    MalformedJsonError,
    NotAnIntegerError,
    NotNormalisedError,
    NotUtf8Error,
    StrictJsonError,
    TooDeepError,
    TooLargeError,
    TrailingDataError,
)

JsonValue: TypeAlias = dict[str, "JsonValue"] | list["JsonValue"] | str | int | bool | None

MAX_BYTES = 1 << 20
MAX_DEPTH = 32
MAX_INTEGER = 2**53 - 1  # beyond it a reader that uses doubles sees another number (RFC 8259, section 6)

_WHITESPACE = " \t\n\r"
_BRACKETS = b"[]{}"
_STEP: Callable[[int], int] = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}.__getitem__
_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in _BRACKETS)
_SHOWN = 40
_LAST_OF_ONE_UNIT = "\uffff"


def read(data: bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> JsonValue:
    """Return the one value that ``data`` holds, or refuse it."""
    if not 1 <= max_depth <= MAX_DEPTH:
        raise ValueError(f"max_depth must be 1 to {MAX_DEPTH}, got {max_depth}")
    if len(data) > max_bytes:
        raise TooLargeError(f"expected at most {max_bytes} bytes of JSON, got {len(data)}")
    if data.startswith(b"\xef\xbb\xbf"):
        raise ByteOrderMarkError(
            "expected JSON without a byte order mark, got one", hint="save the file as plain UTF-8"
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotUtf8Error(f"expected UTF-8, got byte 0x{data[error.start]:02x} at {error.start}") from None
    _check_depth(data, max_depth)
    try:
        value, end = _DECODER.raw_decode(text, len(text) - len(text.lstrip(_WHITESPACE)))
    except json.JSONDecodeError as error:
        raise MalformedJsonError(
            f"expected JSON, got a fault at line {error.lineno} column {error.colno}: {error.msg}"
        ) from None
    if text[end:].strip(_WHITESPACE):
        raise TrailingDataError(
            f"expected one JSON value, got more after its end: {text[end : end + _SHOWN]!a}"
        )
    if not text.isascii() or "\\u" in text:
        _check_texts(value)
    return value  # type: ignore[no-any-return]  # raw_decode is typed Any; the hooks leave only JsonValue


def write(value: JsonValue) -> bytes:
    """Return the canonical bytes (RFC 8785) of ``value``; reading them gives ``value`` again."""
    try:
        text = _ENCODER.encode(value)
        if max(text) > _LAST_OF_ONE_UNIT:
            text = _ENCODER_AS_IT_IS.encode(_sorted(value))
        data = text.encode()
        same = read(data, max_bytes=len(data)) == value
    except (ValueError, TypeError, AttributeError, RecursionError, StrictJsonError) as error:
        raise ValueError(
            f"expected a value that strict JSON can carry, got one that it cannot: {error}"
        ) from error
    if not same:
        raise ValueError("expected text keys and lists, got others: they would be read back as another value")
    return data


def _sorted(value: JsonValue) -> JsonValue:
    """Return the value with its keys in the order of their UTF-16 units (RFC 8785, section 3.2.3).

    Code points have that order, too, as long as each takes one unit.
    """
    match value:
        case list():
            return [_sorted(item) for item in value]
        case dict():
            keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
            return {key: _sorted(value[key]) for key in keys}
        case _:
            return value


def _check_depth(data: bytes, max_depth: int) -> None:
    """Refuse deep nesting before the scanner recurses into it.

    Up to the first fault of a malformed text this sees what the scanner sees, so the scanner stops no deeper.
    """
    if data.count(b"[") + data.count(b"{") <= max_depth:
        return
    if b"\\" in data:
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    brackets = b"".join(data.split(b'"')[::2]).translate(None, _NOT_BRACKETS)
    depth = max(accumulate(map(_STEP, brackets)), default=0)
    if depth > max_depth:
        raise TooDeepError(f"expected at most {max_depth} levels of objects and lists, got {depth}")


def _check_texts(value: JsonValue) -> None:
    """Refuse texts that cannot be written as UTF-8 or are not normalised; depth is bounded by now."""
    match value:
        case str():
            if not value.isascii():
                _check_text(value)
        case list():
            for item in value:
                _check_texts(item)
        case dict():
            for key, item in value.items():
                _check_texts(key)
                _check_texts(item)


def _check_text(text: str) -> None:
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise LoneSurrogateError(
            f"expected whole characters, got half of a surrogate pair in {text[:_SHOWN]!a}"
        )
    if not is_normalized("NFC", text):
        raise NotNormalisedError(
            f"expected text in Unicode Normalization Form C, got {text[:_SHOWN]!a}",
            hint="normalise the text to NFC before it is signed or sent",
        )


def _object(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise DuplicateKeyError(f"expected each field once, got {twice[:_SHOWN]!a} twice in one object")
    return fields


def _integer(digits: str) -> int:
    if digits == "-0":
        _not_an_integer(digits)
    # The length goes first: converting very long numbers is slow and then refused by Python itself.
    if len(digits) > len(str(-MAX_INTEGER)) or abs(int(digits)) > MAX_INTEGER:
        raise IntegerRangeError(f"expected an integer within ±{MAX_INTEGER}, got {digits[:_SHOWN]}")
    return int(digits)


def _not_an_integer(number: str) -> NoReturn:
    raise NotAnIntegerError(
        f"expected a plain integer, got {number[:_SHOWN]}",
        hint="numbers are written without point or exponent",
    )


_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
_ENCODER_AS_IT_IS = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_not_an_integer, parse_constant=_not_an_integer
)
