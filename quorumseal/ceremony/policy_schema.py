# SPDX-License-Identifier: Apache-2.0
"""A JSON Schema of ``policy.toml``, for editors: what the reader accepts is valid, unknown fields are not.

It says less than the reader, which also knows what a policy means; ``policy check`` has the last word.
"""

import json
from typing import assert_never

from quorumseal.ceremony.calendar import DAYS
from quorumseal.ceremony.log_witnesses import MOST_COSIGNATURES
from quorumseal.ceremony.policy import MOST_ROLES, MOST_SEATS, SignerKind
from quorumseal.ceremony.policy_guide import GUIDE, Form, Leaf, Named, Node, Role, Rows, Table
from quorumseal.signatures import Scheme
from quorumseal.strict_json import JsonValue

SCHEMA_NAME = "policy.schema.json"
DIRECTIVE = f"#:schema ./{SCHEMA_NAME}"
"""The first line of a policy.toml, by which taplo and the editors that use it find the schema beside it."""

_NAME = r"^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$"
_ORIGIN = "^[A-Za-z0-9]([A-Za-z0-9._/:~-]{0,126}[A-Za-z0-9])?$"
_DURATION = "([0-9]{1,6}w)?([0-9]{1,6}d)?([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?"
_WORKING = "[1-9][0-9]{0,3}b[dh]"
_INSTANT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ].*)?$"


def policy_schema() -> bytes:
    """Return the schema as a document."""
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "policy.toml of Quorumseal",
        **_schema(GUIDE),
    }
    return (json.dumps(schema, indent=2, ensure_ascii=False) + "\n").encode()


def _schema(node: Node) -> dict[str, JsonValue]:
    match node:
        case Leaf(about=about, form=form):
            return {"description": about, **_value(form)}
        case Named(about=about, each=each, names=names):
            return {"description": about, **_named(_each(each), names)}
        case Rows(about=about, each=table):
            return {"description": about, "type": "array", "minItems": 1, "items": _schema(table)}
        case Table(about=about, fields=fields):
            return {
                "description": about,
                "type": "object",
                "properties": {name: _schema(field) for name, field in fields.items()},
                "required": [name for name, field in fields.items() if not _optional(field)],
                "additionalProperties": False,
            }
        case never:
            assert_never(never)


def _each(node: Table | Role) -> dict[str, JsonValue]:
    return {"anyOf": [_value(Form.NAMES), _schema(node.table)]} if isinstance(node, Role) else _schema(node)


def _optional(node: Node) -> bool:
    if isinstance(node, Leaf):
        return node.example is not None
    return node.optional if isinstance(node, Rows) else bool(node.sample)


def _named(each: JsonValue, names: Form = Form.NAME) -> dict[str, JsonValue]:
    pattern = _ORIGIN if names is Form.ORIGIN else _NAME
    return {"type": "object", "propertyNames": {"pattern": pattern}, "additionalProperties": each}


def _value(form: Form) -> dict[str, JsonValue]:
    match form:
        case Form.FORMAT:
            return {"const": 0}
        case Form.NAME:
            return _text(_NAME)
        case Form.NAMES:
            return _list(_text(_NAME))
        case Form.DAYS:
            return {**_list({"enum": [*DAYS]}), "minItems": 1}
        case Form.DIGEST:
            return _text("^sha256:[0-9a-f]{64}$")
        case Form.DIGESTS:
            return {"type": "array", "items": _value(Form.DIGEST)}
        case Form.VERSION:
            return {"type": "integer", "minimum": 1}
        case Form.SIZE:
            return {"type": "integer", "minimum": 0}
        case Form.INSTANT:
            return _text(_INSTANT)
        case Form.DATES:
            return _list(_text(_INSTANT))
        case Form.DURATION:
            return {**_text(f"^{_DURATION}$"), "minLength": 2}
        case Form.SPAN:
            return {**_text(f"^({_DURATION}|{_WORKING})$"), "minLength": 2}
        case Form.HOUR:
            return _text("^[0-2][0-9]:[0-5][0-9]$")
        case Form.ZONE:
            return _text("^[A-Za-z][A-Za-z0-9_+/-]{0,63}$")
        case Form.ORIGIN:
            return _text(_ORIGIN)
        case Form.BASE64:
            return _text("^[A-Za-z0-9+/]+={0,2}$")
        case Form.PEM:
            return _text("-----BEGIN CERTIFICATE-----")
        case Form.FLAG:
            return {"type": "boolean"}
        case Form.KIND:
            return {"enum": [*SignerKind]}
        case Form.SCHEME:
            return {"enum": [*Scheme]}
        case Form.REJECTION:
            return {"anyOf": [{"enum": ["veto", "count"]}, _value(Form.NAMES)]}
        case Form.STAGES:
            return {"type": "array", "items": {**_value(Form.NAMES), "minItems": 1}}
        case Form.COUNTS:
            count: JsonValue = {"type": "integer", "minimum": 1, "maximum": MOST_SEATS}
            return {**_named(count), "minProperties": 1, "maxProperties": MOST_ROLES}
        case Form.COSIGNATURES:
            return {"type": "integer", "minimum": 0, "maximum": MOST_COSIGNATURES}
        case Form.COSIGNER:
            return _text("^[^+\\s]+[+][0-9a-f]{8}[+]B[A-Za-z0-9+/]{43}$")
        case never:
            assert_never(never)


def _text(pattern: str) -> dict[str, JsonValue]:
    return {"type": "string", "pattern": pattern}


def _list(each: JsonValue) -> dict[str, JsonValue]:
    return {"type": "array", "uniqueItems": True, "items": each}
