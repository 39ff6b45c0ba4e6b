# SPDX-License-Identifier: Apache-2.0
"""The files that a ceremony travels in: a round trip, and one refusal for each way to spoil them."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from quorumseal.ceremony.statements import Choice
from quorumseal.client.values import MAX_TEXT_BYTES, Annex
from quorumseal.offline.files import (
    MAX_ANNEXES,
    MAX_FILE_BYTES,
    MAX_POLICIES,
    MAX_STATEMENTS,
    CarriedRequest,
    CarriedStatements,
    KnownOrganisation,
    read_organisation,
    read_request_file,
    read_statements_file,
    write_organisation,
    write_request_file,
    write_statements_file,
)
from quorumseal.refusal import Refusal
from tests.burning import BURNING, emergency_request
from tests.organisation import REASON, SALT, Organisation
from tests.simulated_log import SimulatedLog

ACME = Organisation()
REQUEST = ACME.sign_request()
ANNEX = Annex(salt=SALT, text=REASON)
REJECTION = ACME.seal(ACME.decision("carol", REQUEST, Choice.REJECTION))
KNOWN = KnownOrganisation(policies=(ACME.policy.envelope,), checkpoint=SimulatedLog(ACME).checkpoint())
CARRIED = CarriedRequest(known=KNOWN, request=REQUEST.envelope)
SAID = CarriedStatements(statements=(REJECTION,), annexes=(ANNEX,))


def test_each_file_reads_as_it_was_written() -> None:
    burning = CarriedRequest(
        known=KnownOrganisation(policies=(BURNING.policy.envelope,)),
        request=BURNING.seal(emergency_request()),
        annexes=(ANNEX,),
    )
    for carried in (CARRIED, burning):
        assert read_request_file(write_request_file(carried)) == carried
    assert read_statements_file(write_statements_file(SAID)) == SAID
    assert read_organisation(write_organisation(KNOWN)) == KNOWN


def spoilt(data: bytes, spoil: Callable[[dict[str, Any]], object]) -> bytes:
    document = json.loads(data)
    spoil(document)
    return json.dumps(document).encode()


def put(field: str, value: object) -> Callable[[dict[str, Any]], object]:
    return lambda document: document.update({field: value})


def repeated(field: str, times: int) -> Callable[[dict[str, Any]], object]:
    return lambda document: document.update({field: document[field] * times})


def of_annex(field: str, value: object) -> Callable[[dict[str, Any]], object]:
    return lambda document: document["annexes"][0].update({field: value})


BAD_STATEMENTS = {
    "another type": (put("type", "https://quorumseal.dev/offline/request/v1"), "offline.format"),
    "no type": (lambda d: d.pop("type"), "json.missing_field"),
    "a newer format": (put("format", 1), "statement.newer_format"),
    "a field that nobody knows": (put("note", "approve quickly"), "json.unknown_field"),
    "no statements": (put("statements", []), "json.invalid_field"),
    "too many statements": (repeated("statements", MAX_STATEMENTS + 1), "json.invalid_field"),
    "a statement that is a text": (put("statements", ["approved"]), "json.invalid_field"),
    "a statement with two signatures": (
        lambda d: d["statements"][0].update(signatures=d["statements"][0]["signatures"] * 2),
        "envelope.signature_count",
    ),
    "a payload that is no statement": (
        lambda d: d["statements"][0].update(payload="e30="),
        "json.missing_field",
    ),
    "a text that nobody committed to": (of_annex("text", "it is fine"), "offline.loose_text"),
    "the right text under another salt": (of_annex("salt", "00" * 32), "offline.loose_text"),
    "a salt in capitals": (of_annex("salt", SALT.hex().upper()[:-2] + "AB"), "json.invalid_field"),
    "a short salt": (of_annex("salt", "07"), "json.invalid_field"),
    "a text past its bound": (of_annex("text", "ä" * (MAX_TEXT_BYTES // 2 + 1)), "json.invalid_field"),
    "too many texts": (repeated("annexes", MAX_ANNEXES + 1), "json.invalid_field"),
    "no list of texts": (lambda d: d.pop("annexes"), "json.missing_field"),
}


@pytest.mark.parametrize("what", BAD_STATEMENTS)
def test_a_spoilt_file_of_statements_is_refused(what: str) -> None:
    spoil, code = BAD_STATEMENTS[what]
    with pytest.raises(Refusal) as refused:
        read_statements_file(spoilt(write_statements_file(SAID), spoil))
    assert refused.value.code == code


BAD_REQUESTS = {
    "statements in its place": (
        put("type", "https://quorumseal.dev/offline/statements/v1"),
        "offline.format",
    ),
    "no policies": (put("policies", []), "json.invalid_field"),
    "too many policies": (repeated("policies", MAX_POLICIES + 1), "json.invalid_field"),
    "a checkpoint that is no text": (put("checkpoint", None), "json.invalid_field"),
    "a request that is a text": (put("request", "please"), "json.invalid_field"),
    "a text that the request does not commit to": (
        put("annexes", [{"salt": SALT.hex(), "text": REASON}]),
        "offline.loose_text",
    ),
}


@pytest.mark.parametrize("what", BAD_REQUESTS)
def test_a_spoilt_file_of_a_request_is_refused(what: str) -> None:
    spoil, code = BAD_REQUESTS[what]
    with pytest.raises(Refusal) as refused:
        read_request_file(spoilt(write_request_file(CARRIED), spoil))
    assert refused.value.code == code


def test_a_file_is_bounded_whatever_is_in_it() -> None:
    with pytest.raises(Refusal) as refused:
        read_statements_file(b'"' + b"a" * MAX_FILE_BYTES + b'"')
    assert refused.value.code == "json.too_large"


def test_a_policy_chain_with_more_in_it_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        read_organisation(spoilt(write_organisation(KNOWN), put("more", 1)))
    assert refused.value.code == "json.unknown_field"
