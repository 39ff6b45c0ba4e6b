# SPDX-License-Identifier: Apache-2.0
"""What the lists say about a ceremony, derived from its chain and from nothing else."""

from coordinator.storage import CeremonyRow, Earlier
from quorumseal.ceremony.admission import Known, identity
from quorumseal.ceremony.chain import Chain
from quorumseal.ceremony.entries import read_entry
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.statement_document import read_statement
from quorumseal.ceremony.statements import Request


def ceremony_row(chain: Chain, opened_index: int, concluded_index: int | None) -> CeremonyRow:
    """Return the projection of a ceremony."""
    request = chain.ceremony.request
    statement = request.statement
    return CeremonyRow(
        ceremony=chain.id,
        product=statement.product,
        version=statement.version,
        kind=statement.kind,
        state=chain.ceremony.state,
        requester=request.signer,
        identity=identity(statement),
        request=request.digest,
        opened_at=statement.opened_at,
        deadline=statement.deadline,
        ended_at=chain.ceremony.ended_at,
        opened_index=opened_index,
        concluded_index=concluded_index,
    )


def known(earlier: Earlier) -> Known:
    """Return what the rules of admission ask about an earlier ceremony."""
    statement = read_statement(read_entry(earlier.opening).envelope.payload)
    assert isinstance(statement, Request)  # noqa: S101 - it opened a ceremony
    return Known(
        ceremony=earlier.row.ceremony,
        identity=earlier.row.identity,
        request=earlier.row.request,
        state=State(earlier.row.state),
        subjects=statement.subjects,
    )
