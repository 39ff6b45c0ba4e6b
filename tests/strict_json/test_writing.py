# SPDX-License-Identifier: Apache-2.0
"""What is written is canonical (RFC 8785) and can be read back."""

from typing import cast
from unicodedata import normalize

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from quorumseal.strict_json import MAX_INTEGER, JsonValue, read, write


def _composed(text: str) -> str:
    return normalize("NFC", text)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12).map(
    lambda text: normalize("NFC", text)
)
values: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_what_is_written_reads_back_as_the_same_value(value: JsonValue) -> None:
    assert read(write(value)) == value


@given(values)
def test_the_bytes_are_those_of_the_independent_canonical_writer(value: JsonValue) -> None:
    assert write(value) == rfc8785.dumps(value)


def test_control_characters_are_written_in_the_short_way_where_there_is_one() -> None:
    assert (
        write('\x00\x08\t\n\x0b\x0c\r\x1f"\\/\x7f') == b'"\\u0000\\b\\t\\n\\u000b\\f\\r\\u001f\\"\\\\/\x7f"'
    )


@given(
    st.recursive(
        st.sampled_from(["a", "\ue000", "\uffee", "\U0001f600", "\U0010ffff"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text("a\ue000\uffee\U0001f600\U0010ffff", max_size=3), inner, max_size=5)
        ),
    )
)
def test_the_bytes_are_canonical_where_code_points_and_utf_16_sort_otherwise(value: JsonValue) -> None:
    assert write(value) == rfc8785.dumps(value)


def test_keys_sort_by_utf_16_and_not_by_code_point() -> None:
    assert write({"\uff21": 1, "\U0001f600": 2, "a": 3}) == '{"a":3,"\U0001f600":2,"\uff21":1}'.encode()


CANNOT_BE_WRITTEN: list[tuple[str, object]] = [
    ("a fraction", 1.5),
    ("a whole number that is a float", {"a": 1.0}),
    ("NaN", float("nan")),
    ("an integer past 2^53", [MAX_INTEGER + 1]),
    ("a lone surrogate", "\ud800"),
    ("a decomposed text", "e\u0301"),
    ("bytes", b"abc"),
    ("a number as key", {1: "a"}),
    ("None as key", {None: "a"}),
    ("a tuple, which would come back as a list", (1, 2)),
    ("a number as key beside a text of two units", {1: "\U0001f600"}),
    ("numbers as keys that cannot be sorted with texts", {1: "a", "b": 2}),
]


@pytest.mark.parametrize(
    "value", [row[1] for row in CANNOT_BE_WRITTEN], ids=[row[0] for row in CANNOT_BE_WRITTEN]
)
def test_a_value_that_could_not_be_read_back_is_a_mistake_of_the_caller(value: object) -> None:
    with pytest.raises(ValueError, match=r"^expected "):
        write(cast("JsonValue", value))


def test_nesting_too_deep_for_any_reader_is_a_mistake_of_the_caller() -> None:
    value: JsonValue = []
    for _ in range(32):
        value = [value]
    with pytest.raises(ValueError, match="at most 32 levels"):
        write(value)
    for _ in range(5000):
        value = [value]
    with pytest.raises(ValueError, match="cannot"):
        write(value)
