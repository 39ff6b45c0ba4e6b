# SPDX-License-Identifier: Apache-2.0
"""Every refusal names the path, what was expected and what came; what nobody asked for refuses the whole."""

from collections.abc import Callable
from enum import StrEnum

import pytest

from quorumseal.strict_json import (
    Fields,
    InvalidFieldError,
    JsonValue,
    MissingFieldError,
    StrictJsonError,
    UnknownFieldError,
)


class Kind(StrEnum):
    RELEASE = "release"
    RATIFICATION = "ratification"


REQUEST: dict[str, JsonValue] = {
    "kind": "release",
    "product": "editor",
    "size": 3,
    "drill": False,
    "roles": ["engineering", "security"],
    "subjects": [{"name": "editor.tar.gz", "digest": {"sha256": "00"}}],
    "policy": {"version": 7},
    "format": 0,
    "anything": [1, None, {"x": "y"}],
}


def test_every_field_is_read_by_its_type() -> None:
    fields = Fields(REQUEST, "request")
    assert fields.choice("kind", Kind) is Kind.RELEASE
    assert fields.text("product") == "editor"
    assert fields.integer("size", at_least=1, at_most=3) == 3
    assert fields.flag("drill") is False
    assert fields.texts("roles") == ["engineering", "security"]
    (subject,) = fields.objects("subjects")
    assert subject.text("name") == "editor.tar.gz"
    assert subject.object("digest").text("sha256") == "00"
    policy = fields.optional_object("policy")
    assert policy is not None
    assert policy.optional_integer("version") == 7
    fields.constant("format", 0)
    assert fields.value("anything") == [1, None, {"x": "y"}]
    assert fields.names() == tuple(REQUEST)
    fields.done()


def test_an_absent_optional_field_is_none() -> None:
    fields = Fields({})
    assert fields.optional_text("note") is None
    assert fields.optional_integer("size") is None
    assert fields.optional_object("policy") is None
    assert "note" not in fields
    fields.done()


Reader = Callable[[Fields], object]

REFUSED: list[tuple[str, JsonValue, Reader, str]] = [
    ("number for text", {"name": 7}, lambda f: f.text("name"), "name: expected a text, got 7"),
    ("null for text", {"name": None}, lambda f: f.text("name"), "name: expected a text, got null"),
    (
        "null for an optional text",
        {"name": None},
        lambda f: f.optional_text("name"),
        "name: expected a text, got null",
    ),
    ("text for number", {"size": "3"}, lambda f: f.integer("size"), 'size: expected an integer, got "3"'),
    ("true for number", {"size": True}, lambda f: f.integer("size"), "size: expected an integer, got true"),
    ("negative", {"size": -1}, lambda f: f.integer("size"), "size: expected an integer, 0 or more, got -1"),
    (
        "too small",
        {"size": 0},
        lambda f: f.integer("size", at_least=1),
        "size: expected an integer, 1 or more, got 0",
    ),
    (
        "too large",
        {"size": 9},
        lambda f: f.optional_integer("size", at_least=1, at_most=8),
        "size: expected an integer, 1 to 8, got 9",
    ),
    ("number for flag", {"drill": 0}, lambda f: f.flag("drill"), "drill: expected true or false, got 0"),
    (
        "list for object",
        {"policy": []},
        lambda f: f.object("policy"),
        "policy: expected an object, got a list",
    ),
    (
        "null for object",
        {"policy": None},
        lambda f: f.optional_object("policy"),
        "policy: expected an object, got null",
    ),
    ("object for list", {"roles": {}}, lambda f: f.texts("roles"), "roles: expected a list, got an object"),
    ("text for list", {"roles": "ab"}, lambda f: f.texts("roles"), 'roles: expected a list, got "ab"'),
    ("number in texts", {"roles": ["a", 1]}, lambda f: f.texts("roles"), "roles[1]: expected a text, got 1"),
    (
        "text in objects",
        {"subjects": [{}, "x"]},
        lambda f: f.objects("subjects"),
        'subjects[1]: expected an object, got "x"',
    ),
    (
        "a fault deep inside",
        {"subjects": [{"digest": {"sha256": 1}}]},
        lambda f: f.objects("subjects")[0].object("digest").text("sha256"),
        "subjects[0].digest.sha256: expected a text, got 1",
    ),
    (
        "outside a closed set",
        {"kind": "Release"},
        lambda f: f.choice("kind", Kind),
        'kind: expected one of release, ratification, got "Release"',
    ),
    ("another constant", {"format": 1}, lambda f: f.constant("format", 0), "format: expected 0, got 1"),
    ("false for zero", {"format": False}, lambda f: f.constant("format", 0), "format: expected 0, got false"),
    ("true for one", {"format": True}, lambda f: f.constant("format", 1), "format: expected 1, got true"),
    ("constant text", {"_type": "x"}, lambda f: f.constant("_type", "y"), '_type: expected "y", got "x"'),
    (
        "controls and bidi in a value",
        {"size": "\x1b[2J\u202e"},
        lambda f: f.integer("size"),
        'size: expected an integer, got "\\u001b[2J\\u202e"',
    ),
    (
        "controls in a name",
        {"a\x1b b": 1},
        lambda f: f.text("a\x1b b"),
        '["a\\u001b b"]: expected a text, got 1',
    ),
]


@pytest.mark.parametrize(
    ("value", "reader", "message"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_a_field_of_another_type_is_refused(value: JsonValue, reader: Reader, message: str) -> None:
    with pytest.raises(InvalidFieldError) as refusal:
        reader(Fields(value, "request"))
    assert str(refusal.value) == f"request{'' if message.startswith('[') else '.'}{message}"
    assert refusal.value.code == "json.invalid_field"


def test_a_very_long_value_is_cut_in_the_refusal() -> None:
    with pytest.raises(InvalidFieldError) as refusal:
        Fields({"size": "x" * 1000}).integer("size")
    assert len(str(refusal.value)) < 120


def test_a_document_that_is_no_object_is_refused() -> None:
    with pytest.raises(InvalidFieldError, match="document: expected an object, got a list"):
        Fields([])


def test_a_missing_field_is_refused_by_its_path() -> None:
    with pytest.raises(MissingFieldError, match=r"request\.policy\.version: expected this field"):
        Fields({"policy": {}}, "request").object("policy").integer("version")


def test_a_rule_of_the_caller_is_refused_in_the_same_words() -> None:
    fields = Fields({"opened": "yesterday"}, "request")
    error = fields.invalid("opened", "a time such as 2026-11-20T14:07:00.000Z")
    assert str(error) == 'request.opened: expected a time such as 2026-11-20T14:07:00.000Z, got "yesterday"'
    assert error.code == "json.invalid_field"


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"a": 1, "b": 2}, "request.b"),
        ({"a": {"x": 1}}, "request.a.x"),
        ({"a": [{}, {"x": 1}]}, r"request.a\[1\].x"),
        ({"a": 1, "": 2}, r'request\[""\]'),
    ],
)
def test_a_field_that_nobody_read_refuses_the_whole(value: dict[str, JsonValue], path: str) -> None:
    fields = Fields(value, "request")
    match value["a"]:
        case dict():
            fields.object("a")
        case list():
            fields.objects("a")
        case _:
            fields.integer("a")
    with pytest.raises(UnknownFieldError, match=path) as refusal:
        fields.done()
    assert refusal.value.code == "json.unknown_field"


def test_all_fields_that_nobody_read_can_be_named_at_once_with_what_was_meant() -> None:
    fields = Fields({"product": "x", "verzion": "1", "other": {"zzz": 1}}, "request")
    assert fields.text("product") == "x"
    assert "version" not in fields
    fields.object("other")
    first, second = fields.unknown()
    assert (str(first).partition(":")[0], first.hint.partition("?")[0]) == (
        "request.verzion",
        "did you mean version",
    )
    assert (str(second).partition(":")[0], second.hint[:15]) == ("request.other.zzz", "a newer version")


def test_asking_whether_a_field_is_there_does_not_make_it_known() -> None:
    fields = Fields({"note": "x"})
    assert "note" in fields
    assert fields.names() == ("note",)
    with pytest.raises(StrictJsonError, match=r"document\.note"):
        fields.done()
