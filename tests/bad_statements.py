# SPDX-License-Identifier: Apache-2.0
"""Statements that are wrong in one way each, signed properly all the same; and how each is refused."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from quorumseal.ceremony.values import instant_text

Edit = Callable[[dict[str, Any]], bytes]
_MARK = "@what stands here is written as it is@"
HEX = "ab" * 32
FAR = "2099-01-01T00:00:00.000Z"


class Bad(NamedTuple):
    """One row of the table: which statement, what is done to it, and the code that this is refused with."""

    description: str
    about: str
    edit: Edit
    code: str


def put(path: str, value: object) -> Edit:
    """Give a field another value, or one more."""

    def edit(statement: dict[str, Any]) -> bytes:
        *way, last = path.split(".")
        place: Any = statement
        for step in way:
            place = place[int(step) if step.isdigit() else step]
        place[int(last) if last.isdigit() else last] = value
        return json.dumps(statement, ensure_ascii=False, allow_nan=False).encode("utf-8", "surrogatepass")

    return edit


def raw(path: str, text: str) -> Edit:
    """Write a value that no honest program writes."""
    return lambda statement: put(path, _MARK)(statement).replace(f'"{_MARK}"'.encode(), text.encode())


def drop(path: str) -> Edit:
    """Leave a field out."""

    def edit(statement: dict[str, Any]) -> bytes:
        *way, last = path.split(".")
        place: Any = statement
        for step in way:
            place = place[step]
        del place[last]
        return json.dumps(statement).encode()

    return edit


def around(before: bytes = b"", after: bytes = b"") -> Edit:
    """Put bytes before and after a statement."""
    return lambda statement: before + json.dumps(statement).encode() + after


def again(field: str) -> Edit:
    """Name a field of the predicate twice; the second time with the value of the first."""

    def edit(statement: dict[str, Any]) -> bytes:
        value = json.dumps(statement["predicate"][field])
        return raw("predicate.zz", f'0, "{field}": {value}')(statement)

    return edit


def signed_in(*, hours: int) -> Edit:
    """Sign so many hours from now."""

    def edit(statement: dict[str, Any]) -> bytes:
        at = datetime.now(UTC) + timedelta(hours=hours)
        return put("predicate.signed_at", instant_text(at))(statement)

    return edit


def named(name: object) -> list[dict[str, object]]:
    """Return one artifact of a name."""
    return [{"name": name, "digest": {"sha256": HEX}}]


_P = "predicate."
_S = "predicate.subjects"

JSON = [
    Bad("an unknown field", "request", put("colour", "red"), "json.unknown_field"),
    Bad("an unknown field of the predicate", "approval", put(_P + "weight", 2), "json.unknown_field"),
    Bad("an unknown field deep inside", "request", put(_P + "policy.until", FAR), "json.unknown_field"),
    Bad("a field that is missing", "approval", drop(_P + "request"), "json.missing_field"),
    Bad("the same field twice", "approval", again("roles"), "json.duplicate_key"),
    Bad("NaN", "request", raw(_P + "policy.version", "NaN"), "json.not_an_integer"),
    Bad("infinity", "request", raw(_P + "policy.version", "-Infinity"), "json.not_an_integer"),
    Bad("a number that overflows", "request", raw(_P + "policy.version", "1e999"), "json.not_an_integer"),
    Bad("a fraction", "request", raw(_P + "policy.version", "1.0"), "json.not_an_integer"),
    Bad("2 to the 53rd", "request", raw(_P + "checkpoint.size", str(2**53)), "json.integer_range"),
    Bad("five thousand digits", "request", raw(_P + "checkpoint.size", "9" * 5000), "json.integer_range"),
    Bad("a thousand lists inside each other", "request", raw(_S, "[" * 1000 + "]" * 1000), "json.too_deep"),
    Bad(
        "objects inside each other", "approval", raw(_P + "x", '{"a":' * 99 + "1" + "}" * 99), "json.too_deep"
    ),
    Bad("half of a surrogate pair", "request", raw(_P + "ticket", '"\\ud800"'), "json.lone_surrogate"),
    Bad("text that is not UTF-8", "request", put(_P + "ticket", "\ud800"), "json.not_utf8"),
    Bad("text that is not NFC", "request", put(_P + "ticket", "e\u0301"), "json.not_normalised"),
    Bad("a byte order mark", "request", around(b"\xef\xbb\xbf"), "json.byte_order_mark"),
    Bad("something after the end", "approval", around(after=b"{}"), "json.trailing_data"),
    Bad("nothing", "approval", lambda _: b"", "json.malformed"),
    Bad("a list", "approval", lambda _: b"[]", "json.invalid_field"),
    Bad("half of a statement", "approval", lambda s: json.dumps(s).encode()[:200], "json.malformed"),
]
TYPES = [
    Bad("a text for a list", "approval", put(_P + "roles", "engineering"), "json.invalid_field"),
    Bad("a number for a text", "request", put(_P + "product", 7), "json.invalid_field"),
    Bad("a flag for a number", "request", put(_P + "policy.version", True), "json.invalid_field"),
    Bad("null for an object", "request", put(_P + "policy", None), "json.invalid_field"),
    Bad("an object for a digest", "approval", put(_P + "request", {}), "json.invalid_field"),
    Bad("a negative size", "approval", put(_P + "checkpoint.size", -1), "json.invalid_field"),
    Bad("a time without a zone", "request", put(_P + "deadline", "2026-11-21T14:00:00.000"), "value.format"),
    Bad(
        "a time with a leap second",
        "request",
        put(_P + "deadline", "2026-12-31T23:59:60.000Z"),
        "value.format",
    ),
    Bad("an id that is no UUIDv7", "approval", put(_P + "ceremony", "../ceremony"), "value.format"),
    Bad(
        "a predicate of another type",
        "request",
        put("predicateType", "https://slsa.dev/provenance/v1"),
        "statement.newer_format",
    ),
    Bad("a format of the future", "request", put(_P + "format", 1), "statement.newer_format"),
    Bad("a kind of the future", "request", put(_P + "kind", "emergency"), "statement.newer_format"),
    Bad("a mode of the future", "request", put(_P + "mode", "silent"), "statement.newer_format"),
]
DIGESTS = [
    Bad("a digest that is too short", "approval", put(_P + "request", "sha256:ab"), "value.format"),
    Bad("a digest in capitals", "approval", put(_P + "request", "sha256:" + HEX.upper()), "value.format"),
    Bad("a digest of another algorithm", "approval", put(_P + "request", "md5:" + HEX), "value.format"),
    Bad(
        "an artifact with two digests",
        "request",
        put(_S + ".0.digest", {"sha256": HEX, "md5": "00"}),
        "json.unknown_field",
    ),
    Bad(
        "the digest of another request", "approval", put(_P + "request", "sha256:" + HEX), "statement.request"
    ),
    Bad(
        "other artifacts than the request's",
        "approval",
        put("subject", named("widget.tar.gz")),
        "statement.subjects",
    ),
    Bad(
        "a policy that is not this log's",
        "approval",
        put(_P + "policy.digest", "sha256:" + HEX),
        "statement.policy_unknown",
    ),
    Bad(
        "a policy beside the one that is referred to",
        "request",
        put(_P + "policy.digest", "sha256:" + HEX),
        "statement.format",
    ),
    Bad(
        "a checkpoint of another log",
        "approval",
        put(_P + "checkpoint", {"size": 1, "root": "sha256:" + HEX}),
        "statement.checkpoint",
    ),
    Bad("a checkpoint of the future", "approval", put(_P + "checkpoint.size", 10**9), "statement.checkpoint"),
    Bad(
        "a cancellation that has seen nothing",
        "cancellation",
        put(_P + "seen", "sha256:" + HEX),
        "act.entry_not_seen",
    ),
    Bad("a reason that was not sent", "approval", put(_P + "reason", "sha256:" + HEX), "annex.commitment"),
    Bad(
        "a reason other than the one sent",
        "rejection",
        put(_P + "reason", "sha256:" + HEX),
        "annex.commitment",
    ),
    Bad(
        "evidence that nobody sent",
        "request",
        put(
            _P + "evidence",
            [{"kind": "sbom", "name": "s.json", "media_type": "application/json", "digest": "sha256:" + HEX}],
        ),
        "evidence.unknown",
    ),
]
NAMES = [
    Bad("no artifacts", "request", put(_S, []), "json.invalid_field"),
    Bad("an approval of no artifacts", "approval", put("subject", []), "json.invalid_field"),
    Bad("a thousand and one artifacts", "request", put(_S, named("a") * 1_001), "json.invalid_field"),
    Bad("a statement as long as a book", "request", put(_P + "ticket", "x" * 300_000), "json.too_large"),
    *(
        Bad(f"an artifact that is {what}", "request", put(_S, named(name)), "value.format")
        for what, name in (
            ("above its folder", "../widget"),
            ("above its folder, further in", "a/../../widget"),
            ("at the root", "/etc/passwd"),
            ("on another drive", "C:\\widget"),
            ("on another machine", "\\\\host\\widget"),
            ("hidden", ".bashrc"),
            ("an option", "-rf"),
            ("a device", "aux.tar.gz"),
            ("empty", ""),
            ("of an empty segment", "a//b"),
            ("cut off by NUL", "widget\0.exe"),
            ("of two lines", "widget\nwidget2"),
            ("an escape sequence", "\x1b[2Jwidget"),
            ("written backwards", "gz.\u202egpj"),
            ("of look-alikes", "w\u0456dget"),
            ("as long as a book", "w" * 600),
        )
    ),
    Bad(
        "two artifacts that are one where case does not count",
        "request",
        put(_S, named("a") + named("A")),
        "json.invalid_field",
    ),
    Bad("a product with control characters", "request", put(_P + "product", "wid\x07get"), "value.format"),
    Bad("a version that is a path", "request", put(_P + "version", "../1.0"), "value.format"),
    Bad("a version of two lines", "request", put(_P + "version", "1.0\n2.0"), "value.format"),
    Bad("a ticket that clears the screen", "request", put(_P + "ticket", "\x1b[2J"), "value.format"),
    Bad("a ticket that is written backwards", "request", put(_P + "ticket", "OK \u202eKO"), "value.format"),
    Bad("a product that nobody has", "request", put(_P + "product", "gizmo"), "request.product"),
]
PEOPLE = [
    Bad("a role that does not exist", "approval", put(_P + "roles", ["wizards"]), "decision.unknown_role"),
    Bad(
        "a role that the rule does not ask for",
        "approval",
        put(_P + "roles", ["managers"]),
        "decision.unknown_role",
    ),
    Bad("somebody else's role", "approval", put(_P + "roles", ["security"]), "decision.not_a_member"),
    Bad("no role", "approval", put(_P + "roles", []), "json.invalid_field"),
    Bad("one role twice", "approval", put(_P + "roles", ["engineering"] * 2), "json.invalid_field"),
    Bad("a person who does not exist", "request", put(_P + "on_behalf_of", "nobody"), "request.on_behalf_of"),
    Bad(
        "another organisation",
        "approval",
        put(_P + "organisation", "other.example"),
        "statement.organisation",
    ),
    Bad("another log", "approval", put(_P + "log", "log.other.example"), "statement.log"),
    Bad(
        "another ceremony",
        "approval",
        put(_P + "ceremony", "01934000-0000-7000-8000-0000000fffff"),
        "ceremony.unknown",
    ),
    Bad("a signer who is somebody else", "approval", put(_P + "signer", "bob"), "statement.signature"),
    Bad("a signer who does not exist", "approval", put(_P + "signer", "nobody"), "signer.unknown"),
]
TIMES = [
    Bad(
        "a deadline before the opening",
        "request",
        put(_P + "deadline", "2020-01-01T00:00:00.000Z"),
        "request.deadline",
    ),
    Bad("a deadline that never comes", "request", put(_P + "hard_stop", FAR), "request.deadline"),
    Bad("a decision of another century", "approval", put(_P + "signed_at", FAR), "key.not_valid"),
    Bad(
        "a decision of last year",
        "approval",
        put(_P + "signed_at", "2020-01-01T00:00:00.000Z"),
        "key.not_valid",
    ),
    Bad("a decision of the next hour", "approval", signed_in(hours=1), "decision.signed_in_future"),
    Bad("a decision before the question", "approval", signed_in(hours=-1), "decision.signed_before_opening"),
    Bad(
        "a decision that no longer stands",
        "approval",
        put(_P + "not_after", "2026-01-01T00:00:00.000Z"),
        "decision.not_after",
    ),
]
BAD = [*JSON, *TYPES, *DIGESTS, *NAMES, *PEOPLE, *TIMES]
