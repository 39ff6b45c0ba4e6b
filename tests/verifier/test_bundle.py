# SPDX-License-Identifier: Apache-2.0
"""A bundle has one form: every field known, every proof once, every hash in one spelling."""

from collections.abc import Callable
from itertools import product

import pytest

from quorumseal.ceremony import values
from quorumseal.ceremony.errors import ValueFormatError
from quorumseal.refusal import Refusal
from quorumseal.strict_json import JsonValue, UnknownFieldError, read
from quorumseal.verifier.bundle import (
    MAX_BUNDLE_BYTES,
    bundle_name,
    make_bundle,
    read_bundle,
    write_bundle,
)
from tests.forging import LARGEST, Path, edited, fields, objects, paths, value_at, verdict, without
from tests.organisation import Organisation, ceremony_number
from tests.verifier.published import published

SEALED = published(Organisation(), "alice", "bob", "carol", "rita")
BUNDLE = SEALED.bundle
PART: Path = ("parts", 0)


@pytest.mark.parametrize(
    ("what", "name"),
    [
        (("widget", "1.0"), "widget@1.0.quorumseal.json"),
        (("widget", "pro-1.0"), "widget@pro-1.0.quorumseal.json"),
        (("widget-pro", "1.0"), "widget-pro@1.0.quorumseal.json"),
        (("widget", "1.0-rc.1+5", "release"), "widget@1.0-rc.1+5.quorumseal.json"),
        (("widget", "1.0", "release-revocation"), "widget@1.0@release-revocation.quorumseal.json"),
    ],
)
def test_a_bundle_is_named_after_product_version_and_kind(what: tuple[str, ...], name: str) -> None:
    assert bundle_name(*what) == name


def test_a_provisional_bundle_has_a_name_of_its_own() -> None:
    ceremony = ceremony_number(1)
    name = bundle_name("widget", "1.0", provisional=ceremony)
    assert name == f"widget@1.0@provisional@{ceremony}.quorumseal.json"


def test_each_reapproval_of_a_version_has_its_number_in_its_name() -> None:
    assert bundle_name("widget", "1.0", "re-approval", number=2) == "widget@1.0@re-approval@2.quorumseal.json"


def test_no_two_releases_share_a_bundle_name() -> None:
    """Every short word of the characters that names and versions join parts with, in each place."""
    words = {"".join(word) for length in (1, 2, 3, 4, 5) for word in product("a.-", repeat=length)}
    names = {word for word in words if _is(values.name, word)}
    versions = {word for word in words if _is(values.version, word)}
    releases = [*product(names, versions), *product(names, versions, ["a", "re-approval"])]
    assert len(releases) > 10_000
    assert len({bundle_name(*release) for release in releases}) == len(releases)


@pytest.mark.parametrize("read", [values.name, values.version])
def test_what_parts_a_bundle_name_is_in_no_product_version_or_kind(read: Callable[[str], str]) -> None:
    with pytest.raises(ValueFormatError):
        read("a@a")


def _is(read: Callable[[str], str], text: str) -> bool:
    try:
        return read(text) == text
    except ValueFormatError:
        return False


def test_a_bundle_makes_the_round_trip() -> None:
    bundle = read_bundle(BUNDLE)
    assert write_bundle(bundle) == BUNDLE
    assert bundle == make_bundle([SEALED.organisation.policy], SEALED.log.part(SEALED.entries))
    assert len(bundle.parts[0].consistency) == 4


@pytest.mark.parametrize("path", objects(BUNDLE), ids=str)
def test_an_unknown_field_is_refused_wherever_it_stands(path: Path) -> None:
    with pytest.raises(UnknownFieldError):
        read_bundle(edited(BUNDLE, (*path, "nobody_knows_this"), 1))


@pytest.mark.parametrize("path", [p for p in fields(BUNDLE) if p[-1] != "keyid"], ids=str)
def test_no_field_can_be_left_out(path: Path) -> None:
    with pytest.raises(Refusal, match="without it"):
        read_bundle(without(BUNDLE, path))


@pytest.mark.parametrize("path", [p for p in paths(BUNDLE) if p], ids=str)
def test_a_value_of_another_type_is_a_refusal_and_nothing_else(path: Path) -> None:
    stands = value_at(read(BUNDLE), path)
    others: list[JsonValue] = [None, True, -1, "", "é", [], {}, [{}], [None]]
    for other in others:
        if type(other) is not type(stands):
            with pytest.raises(Refusal):
                SEALED.verify(edited(BUNDLE, path, other))


HASH = "ab" * 32
MALFORMED: dict[str, tuple[Path, JsonValue, str]] = {
    "another type": (("type",), "https://quorumseal.dev/bundle/v2", "json.invalid_field"),
    "a newer format": (("format",), 1, "statement.newer_format"),
    "no ceremony": (("parts",), [], "bundle.format"),
    "a hash in capitals": ((*PART, "inclusion", 0), HASH.upper(), "json.invalid_field"),
    "a hash cut short": ((*PART, "inclusion", 0), HASH[:-2], "json.invalid_field"),
    "a hash with spaces": ((*PART, "inclusion", 0), "ab " * 21 + "a", "json.invalid_field"),
    "a hash of other letters": ((*PART, "inclusion", 0), "xy" * 32, "json.invalid_field"),
    "an index before the first": ((*PART, "index"), -1, "json.invalid_field"),
    "a proof from nothing": ((*PART, "consistency", 0, "size"), 0, "json.invalid_field"),
    "a proof twice": ((*PART, "consistency", 1, "size"), 6, "json.invalid_field"),
    "proofs out of order": ((*PART, "consistency", 0, "size"), 999, "json.invalid_field"),
    "no policy": (("policies",), [], "bundle.format"),
    "a policy that nobody signed": (("policies", 0, "signatures"), [], "envelope.signature_count"),
    "a signature of a policy twice": (
        ("policies", 0, "signatures"), [{"sig": "AA=="}, {"sig": "AA=="}], "envelope.signature_order",
    ),
    "a payload type of something else": (
        ("policies", 0, "payloadType"), "text/plain", "envelope.payload_type",
    ),
    "a signature in loose base64": (
        ("policies", 0, "signatures", 0, "sig"), "AB==", "envelope.base64",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_bundle_is_refused_with_its_own_code(case: str) -> None:
    path, value, code = MALFORMED[case]
    assert verdict(lambda: read_bundle(edited(BUNDLE, path, value))) == code


def test_a_bundle_has_at_most_so_many_ceremonies() -> None:
    part = value_at(read(BUNDLE), PART)
    assert verdict(lambda: read_bundle(edited(BUNDLE, ("parts",), [part] * 256))) == "accepted"
    assert verdict(lambda: read_bundle(edited(BUNDLE, ("parts",), [part] * 257))) == "bundle.format"


def test_a_bundle_has_a_largest_size() -> None:
    assert LARGEST > MAX_BUNDLE_BYTES
    assert verdict(lambda: read_bundle(BUNDLE + b" " * MAX_BUNDLE_BYTES)) == "json.too_large"


def test_a_bundle_nested_too_deep_is_refused() -> None:
    assert verdict(lambda: read_bundle(b"[" * 100_000)) == "json.too_deep"
