# SPDX-License-Identifier: Apache-2.0
"""One row per malformation: each document is refused for its own reason, and its sound neighbour is read."""

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorumseal.strict_json import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_INTEGER,
    JsonValue,
    StrictJsonError,
    read,
)

REFUSED = [
    ("nothing at all", b"", "json.malformed"),
    ("only blanks", b" \n\t\r ", "json.malformed"),
    ("a word", b"approve", "json.malformed"),
    ("a capital True", b"True", "json.malformed"),
    ("an unfinished object", b'{"a": 1', "json.malformed"),
    ("an unfinished list", b"[1, 2", "json.malformed"),
    ("an unfinished text", b'"abc', "json.malformed"),
    ("a text that ends in a backslash", b'"abc\\"', "json.malformed"),
    ("a comma before the end of an object", b'{"a": 1,}', "json.malformed"),
    ("a comma before the end of a list", b"[1,]", "json.malformed"),
    ("a missing comma", b'{"a": 1 "b": 2}', "json.malformed"),
    ("a key without quotes", b"{a: 1}", "json.malformed"),
    ("a key that is a number", b"{1: 1}", "json.malformed"),
    ("single quotes", b"{'a': 1}", "json.malformed"),
    ("a comment", b'{"a": 1 /* one */}', "json.malformed"),
    ("a line break inside a text", b'"a\nb"', "json.malformed"),
    ("a NUL inside a text", b'"a\x00b"', "json.malformed"),
    ("an escape that JSON does not have", b'"\\x41"', "json.malformed"),
    ("a short unicode escape", b'"\\u12"', "json.malformed"),
    ("a unicode escape with a sign", b'"\\u+041"', "json.malformed"),
    ("a unicode escape with an underscore", b'"\\u0_41"', "json.malformed"),
    ("mismatched brackets", b'{"a": [1}]', "json.malformed"),
    ("only closing brackets", b"]" * 40, "json.malformed"),
    ("a number with a plus", b"+1", "json.malformed"),
    ("a bare minus", b"-", "json.malformed"),
    ("a vertical tab as blank", b"\x0b1", "json.malformed"),
    ("a no-break space as blank", "\u00a01".encode(), "json.malformed"),
    ("a full-width digit", "\uff11".encode(), "json.malformed"),
    ("a leading zero", b"01", "json.trailing_data"),
    ("a hexadecimal number", b"0x10", "json.trailing_data"),
    ("two values", b"{} {}", "json.trailing_data"),
    ("a value and a comma", b"1,", "json.trailing_data"),
    ("a value and a NUL", b"1\x00", "json.trailing_data"),
    ("lines of values", b"1\n2\n", "json.trailing_data"),
    ("the same key twice", b'{"m": 2, "m": 1}', "json.duplicate_key"),
    ("the same key twice with equal values", b'{"m": 1, "m": 1}', "json.duplicate_key"),
    ("the same key in two spellings", b'{"m": 2, "\\u006d": 1}', "json.duplicate_key"),
    ("the same key twice far inside", b'[{"a": {"b": [{"m": 2, "n": 0, "m": 1}]}}]', "json.duplicate_key"),
    ("the empty key twice", b'{"": 2, "": 1}', "json.duplicate_key"),
    ("a fraction", b"1.5", "json.not_an_integer"),
    ("a whole number with a point", b"1.0", "json.not_an_integer"),
    ("an exponent", b"1e3", "json.not_an_integer"),
    ("a huge exponent", b"1e999999999", "json.not_an_integer"),
    ("a fraction far inside", b'{"a": [{"b": -0.0}]}', "json.not_an_integer"),
    ("minus zero", b"-0", "json.not_an_integer"),
    ("NaN", b'{"m": NaN}', "json.not_an_integer"),
    ("Infinity", b"[Infinity]", "json.not_an_integer"),
    ("minus Infinity", b"[-Infinity]", "json.not_an_integer"),
    ("2^53", b"9007199254740992", "json.integer_range"),
    ("minus 2^53", b"-9007199254740992", "json.integer_range"),
    ("2^64", b"18446744073709551616", "json.integer_range"),
    ("ten thousand digits", b"9" * 10_000, "json.integer_range"),
    ("a lone high surrogate", b'"\\ud800"', "json.lone_surrogate"),
    ("a lone low surrogate", b'"\\udfff"', "json.lone_surrogate"),
    ("a pair the wrong way round", b'"\\ude00\\ud83d"', "json.lone_surrogate"),
    ("a lone surrogate before a letter", b'"\\ud83dx"', "json.lone_surrogate"),
    ("a lone surrogate in a key", b'{"\\udead": 1}', "json.lone_surrogate"),
    ("a lone surrogate deep in a list", b'{"a": [1, [true, "\\ud800"]]}', "json.lone_surrogate"),
    ("a letter and a combining accent", '"e\u0301"'.encode(), "json.not_normalised"),
    ("the same, escaped", b'"e\\u0301"', "json.not_normalised"),
    ("the Angstrom sign", '"\u212b"'.encode(), "json.not_normalised"),
    ("a decomposed key", '{"a\u0308": 1}'.encode(), "json.not_normalised"),
    ("accents in the wrong order", '"q\u0307\u0323"'.encode(), "json.not_normalised"),
    ("a byte order mark", b"\xef\xbb\xbf{}", "json.byte_order_mark"),
    ("UTF-16 with its mark", "{}".encode("utf-16"), "json.not_utf8"),
    ("UTF-16 without a mark", "{}".encode("utf-16-le"), "json.malformed"),
    ("Latin-1", '"\xe9"'.encode("latin-1"), "json.not_utf8"),
    ("an overlong slash", b'"\xc0\xaf"', "json.not_utf8"),
    ("a surrogate in UTF-8", b'"\xed\xa0\x80"', "json.not_utf8"),
    ("a code point past the last", b'"\xf4\x90\x80\x80"', "json.not_utf8"),
    ("a cut-off character", b'"\xe2\x82', "json.not_utf8"),
    ("33 lists", b"[" * 33 + b"]" * 33, "json.too_deep"),
    ("33 objects", b'{"a":' * 33 + b"1" + b"}" * 33, "json.too_deep"),
    ("33 levels, some of each", b'[{"a":' * 16 + b"[1]" + b"}]" * 16, "json.too_deep"),
    ("a hundred thousand lists, never closed", b"[" * 100_000, "json.too_deep"),
    ("depth hidden behind a quote that is escaped", b'["\\"",' * 33, "json.too_deep"),
    ("depth hidden behind backslashes", b'["\\\\",' * 33, "json.too_deep"),
    ("one byte too many", b"[" + b" " * (MAX_BYTES - 1) + b"]", "json.too_large"),
]


@pytest.mark.parametrize(("document", "code"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_malformed_document_is_refused_for_its_own_reason(document: bytes, code: str) -> None:
    with pytest.raises(StrictJsonError) as refusal:
        read(document)
    assert refusal.value.code == code
    assert str(refusal.value).isascii() or "±" in str(refusal.value)
    assert len(str(refusal.value)) < 250


READ: list[tuple[str, bytes, JsonValue]] = [
    ("an object", b'{"a": 1, "b": [true, false, null]}', {"a": 1, "b": [True, False, None]}),
    ("blanks around", b"\r\n\t {} \n", {}),
    ("the largest integer", str(MAX_INTEGER).encode(), MAX_INTEGER),
    ("the smallest integer", str(-MAX_INTEGER).encode(), -MAX_INTEGER),
    ("zero", b"0", 0),
    ("a surrogate pair", b'"\\ud83d\\ude00"', "\U0001f600"),
    ("composed letters", '"\u00e9"'.encode(), "\u00e9"),
    ("an escaped letter", b'"\\u0041\\n"', "A\n"),
    ("a byte order mark inside a text", '"\ufeff"'.encode(), "\ufeff"),
    ("the same key in two objects", b'[{"a": 1}, {"a": 2}]', [{"a": 1}, {"a": 2}]),
    ("brackets in texts have no depth", b'["' + b"[{" * 50 + b'"]', ["[{" * 50]),
    ("brackets behind escaped quotes have none", b'["\\"' + b"[" * 50 + b'\\\\"]', ['"' + "[" * 50 + "\\"]),
    ("many shallow lists", b"[" + b"[]," * 99 + b"[]]", [[] for _ in range(100)]),
]


@pytest.mark.parametrize(("document", "value"), [row[1:] for row in READ], ids=[row[0] for row in READ])
def test_a_sound_document_is_read(document: bytes, value: JsonValue) -> None:
    assert read(document) == value


def test_the_deepest_document_is_read_and_one_level_more_is_not() -> None:
    value = read(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    for _ in range(MAX_DEPTH - 1):
        assert isinstance(value, list)
        (value,) = value
    assert value == []
    with pytest.raises(StrictJsonError, match="at most 2 levels of objects and lists, got 3"):
        read(b'[[{"a": 1}]]', max_depth=2)


def test_a_document_of_exactly_the_allowed_size_is_read() -> None:
    assert read(b'"abcd"', max_bytes=6) == "abcd"
    with pytest.raises(StrictJsonError, match="at most 5 bytes of JSON, got 6"):
        read(b'"abcd"', max_bytes=5)


@pytest.mark.parametrize("depth", [0, -1, MAX_DEPTH + 1, 10_000])
def test_a_depth_that_could_exhaust_the_stack_is_a_mistake_of_the_caller(depth: int) -> None:
    with pytest.raises(ValueError, match="max_depth must be 1 to 32"):
        read(b"[]", max_depth=depth)


def test_reading_the_deepest_document_needs_little_of_the_stack() -> None:
    document = b'{"e\\u00e9":' * MAX_DEPTH + b'"\\u00e9"' + b"}" * MAX_DEPTH
    limit = sys.getrecursionlimit()
    depth, frame = 0, sys._getframe()
    while frame.f_back is not None:
        depth, frame = depth + 1, frame.f_back
    sys.setrecursionlimit(depth + 3 * MAX_DEPTH)
    try:
        value = read(document)
    finally:
        sys.setrecursionlimit(limit)
    assert isinstance(value, dict)


def test_the_refusal_of_a_malformed_document_says_where() -> None:
    with pytest.raises(StrictJsonError, match="line 2 column 7"):
        read(b'{"a": 1,\n "b": !}')


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_read_or_refused_and_nothing_else(data: bytes) -> None:
    try:
        value = read(data)
    except StrictJsonError:
        return
    assert value == json.loads(data)


@given(st.text(alphabet='[]{}",:\\u0019 aNdé', max_size=120))
def test_whatever_is_read_is_what_the_standard_library_reads(text: str) -> None:
    try:
        value = read(text.encode())
    except StrictJsonError:
        return
    assert value == json.loads(text)


@given(st.lists(st.sampled_from(["[", "]", "{", "}", '"', "\\", ",", "a"]), min_size=33, max_size=400))
def test_the_depth_check_never_lets_the_scanner_go_deeper_than_it_counted(pieces: list[str]) -> None:
    deepest = depth = 0
    inside = escaped = False
    for piece in pieces:  # a plain reading of the same text, one character at a time
        if inside:
            inside, escaped = escaped or piece != '"', piece == "\\" and not escaped
        elif piece == "\\":
            break  # the scanner stops here as well
        else:
            inside = piece == '"'
            depth += (piece in "[{") - (piece in "]}")
            deepest = max(deepest, depth)
    if deepest > MAX_DEPTH:
        with pytest.raises(StrictJsonError) as refusal:
            read("".join(pieces).encode())
        assert refusal.value.code == "json.too_deep"
