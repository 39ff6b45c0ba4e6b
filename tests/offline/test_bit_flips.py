# SPDX-License-Identifier: Apache-2.0
"""A file with one byte changed on its way is refused, or says what it said: nothing in between, no crash."""

import pytest

from quorumseal.ceremony.signed import authenticate, signed_as
from quorumseal.ceremony.statements import Choice, Request
from quorumseal.client.values import Annex
from quorumseal.offline.assembling import assemble, read_statements
from quorumseal.offline.files import (
    CarriedRequest,
    CarriedStatements,
    KnownOrganisation,
    read_request_file,
    read_statements_file,
    write_request_file,
    write_statements_file,
)
from quorumseal.refusal import Refusal
from tests.organisation import NOW, REASON, SALT, Organisation
from tests.simulated_log import SimulatedLog

ACME = Organisation()
REQUEST = ACME.sign_request()
STATEMENTS = CarriedStatements(
    statements=(ACME.seal(ACME.decision("carol", REQUEST, Choice.REJECTION)),),
    annexes=(Annex(salt=SALT, text=REASON),),
)
CARRIED = CarriedRequest(
    known=KnownOrganisation(policies=(ACME.policy.envelope,), checkpoint=SimulatedLog(ACME).checkpoint()),
    request=REQUEST.envelope,
)


def flipped(data: bytes, position: int, bit: int) -> bytes:
    return data[:position] + bytes([data[position] ^ 1 << bit]) + data[position + 1 :]


@pytest.mark.parametrize("bit", [0, 2, 5, 7])
def test_a_changed_byte_in_what_people_signed_changes_nothing_that_counts(bit: int) -> None:
    data = write_statements_file(STATEMENTS)
    refused = 0
    for position in range(len(data)):
        try:
            read = read_statements_file(flipped(data, position, bit))
            said = read_statements(read.statements, ACME.policy)
        except Refusal:
            refused += 1
            continue
        assert [each.envelope.payload for each in said] == [STATEMENTS.statements[0].payload]
        assert read.annexes == STATEMENTS.annexes
    assert refused > len(data) // 5


@pytest.mark.parametrize("bit", [0, 2, 5, 7])
def test_a_changed_byte_in_a_request_opens_no_other_ceremony(bit: int) -> None:
    data = write_request_file(CARRIED)
    begin = data.index(b'"request"')
    for position in range(begin, len(data)):
        try:
            read = read_request_file(flipped(data, position, bit))
            request = signed_as(Request, authenticate(read.request, ACME.policy))
            made = assemble(ACME.policy, request, (), now=NOW)
        except Refusal:
            continue
        assert made.chain.ceremony.request.statement == REQUEST.statement
