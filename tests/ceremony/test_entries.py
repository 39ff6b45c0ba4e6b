# SPDX-License-Identifier: Apache-2.0
"""A log entry has one spelling; what is not canonical, not known or not whole is refused."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from quorumseal.ceremony.entries import (
    CONCLUSIONS,
    MAX_ENTRY_BYTES,
    TYPES,
    Entry,
    EntryType,
    policy_entry,
    policy_of,
    read_entry,
    write_entry,
)
from quorumseal.ceremony.errors import EntryFormatError
from quorumseal.ceremony.policy_document import MAX_POLICY_BYTES
from quorumseal.refusal import Refusal
from quorumseal.signatures import JointEnvelope
from quorumseal.signatures.dsse import MAX_SIGNATURES, sign
from quorumseal.strict_json import JsonValue, UnknownFieldError, read
from tests.forging import Path, edited, fields, paths, value_at, verdict, without
from tests.organisation import NOW, Organisation

ACME = Organisation()
CAROL = ACME.key("carol")
_, ENTRIES = ACME.run("alice", "bob", "carol", "rita")
STANDING = policy_entry(ACME.policy, at=NOW, seq=0, prev=None)
PAYLOAD = ENTRIES[1].payload


@pytest.mark.parametrize("entry", [STANDING, *ENTRIES], ids=lambda entry: str(entry.type))
def test_an_entry_makes_the_round_trip(entry: Entry) -> None:
    assert read_entry(entry.payload) == entry


def test_every_event_has_a_type_and_seven_types_conclude() -> None:
    assert set(TYPES.values()) | {EntryType.POLICY, EntryType.ABSENT, EntryType.RECOVERED} == set(EntryType)
    assert {
        "approved",
        "provisional",
        "vetoed",
        "rejected",
        "expired",
        "cancelled",
        "superseded",
    } == CONCLUSIONS


def test_each_entry_names_the_one_before() -> None:
    assert [entry.prev for entry in ENTRIES] == [None, *(entry.hash for entry in ENTRIES[:-1])]
    assert [entry.seq for entry in ENTRIES] == [*range(6)]


@pytest.mark.parametrize("path", [p for p in fields(PAYLOAD) if len(p) == 1], ids=str)
def test_no_field_can_be_left_out(path: Path) -> None:
    with pytest.raises(Refusal, match="without it"):
        read_entry(without(PAYLOAD, path))


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(UnknownFieldError):
        read_entry(edited(PAYLOAD, ("note",), "x"))


MALFORMED: dict[str, tuple[Path, JsonValue, str]] = {
    "an unknown type": (("type",), "overruled", "statement.newer_format"),
    "a newer version": (("v",), 1, "statement.newer_format"),
    "an instant without milliseconds": (("at",), "2026-11-20T14:00:00Z", "value.format"),
    "a ceremony that is none": (("ceremony",), "1", "value.format"),
    "a ceremony as a number": (("ceremony",), 1, "json.invalid_field"),
    "a place before the first": (("seq",), -1, "json.invalid_field"),
    "a hash that is none": (("prev",), "", "value.format"),
    "a hash as a flag": (("prev",), False, "json.invalid_field"),
    "a body that is a list": (("body",), [], "json.invalid_field"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_entry_is_refused_with_its_own_code(case: str) -> None:
    path, value, code = MALFORMED[case]
    assert verdict(lambda: read_entry(edited(PAYLOAD, path, value))) == code


@pytest.mark.parametrize(
    "spelling",
    [PAYLOAD + b"\n", b" " + PAYLOAD, PAYLOAD.replace(b'"seq"', b'"\\u0073eq"')],
    ids=["a newline", "a space", "an escape"],
)
def test_an_entry_that_is_not_canonical_is_refused(spelling: bytes) -> None:
    assert verdict(lambda: read_entry(spelling)) == "entry.format"


def test_an_entry_has_a_largest_size() -> None:
    assert verdict(lambda: read_entry(PAYLOAD + b" " * MAX_ENTRY_BYTES)) == "json.too_large"


def test_a_value_of_another_type_is_a_refusal_and_nothing_else() -> None:
    others: list[JsonValue] = [None, True, -1, "", "é", [], {}]
    for path in paths(PAYLOAD):
        stands = value_at(read(PAYLOAD), path)
        read_elsewhere = path[:1] == ("body",) or path in {("ceremony",), ("prev",)}
        for other in others:
            if path and type(other) is not type(stands):
                code = verdict(partial(read_entry, edited(PAYLOAD, path, other)))
                assert code != "accepted" or read_elsewhere


def test_the_envelope_of_an_entry_without_one_is_refused() -> None:
    assert verdict(lambda: ENTRIES[-1].envelope) == "json.invalid_field"


def test_a_standing_entry_holds_the_policy_with_its_signatures() -> None:
    later = policy_entry(ACME.policy, at=NOW + timedelta(days=1), seq=1, prev=STANDING.hash)
    assert policy_of(later) == ACME.policy
    assert (later.ceremony, later.type) == (None, EntryType.POLICY)
    more = read_entry(edited(STANDING.payload, ("body", "note"), 1))
    with pytest.raises(UnknownFieldError):
        policy_of(more)


def test_the_largest_policy_fits_an_entry_with_the_most_founders() -> None:
    signed = [sign(bytes(MAX_POLICY_BYTES), CAROL)]
    signed += [replace(signed[0], signature=number.to_bytes(72)) for number in range(1, MAX_SIGNATURES)]
    body: dict[str, JsonValue] = {"envelope": JointEnvelope.of(signed).to_json()}
    entry = write_entry(EntryType.POLICY, body, at=NOW, ceremony=None, seq=0, prev=None)
    assert read_entry(entry.payload) == entry


def test_an_entry_that_nobody_could_read_is_not_written() -> None:
    with pytest.raises(EntryFormatError, match="at most"):
        write_entry(
            EntryType.REJECTED, {"note": "x" * MAX_ENTRY_BYTES}, at=NOW, ceremony=None, seq=0, prev=None
        )
