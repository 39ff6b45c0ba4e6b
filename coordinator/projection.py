# SPDX-License-Identifier: Apache-2.0
"""What the lists say about a ceremony, derived from its chain and from nothing else."""

from coordinator.storage import CeremonyRow, Earlier
from quorumseal.ceremony.admission import Known, identity
from quorumseal.ceremony.chain import Chain
from quorumseal.ceremony.deciding import next_due
from quorumseal.ceremony.emergencies import PastEmergency
from quorumseal.ceremony.entries import read_entry
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.statement_document import read_statement
from quorumseal.ceremony.statements import Request


def ceremony_row(chain: Chain, opened_index: int | None, concluded_index: int | None) -> CeremonyRow:
    """Return the projection of a ceremony; indices that are not known are those that it had before."""
    request = chain.ceremony.request
    statement = request.statement
    return CeremonyRow(
        ceremony=chain.id,
        product=statement.product,
        version=statement.version,
        kind=statement.kind,
        mode=statement.mode,
        state=chain.ceremony.state,
        requester=request.signer,
        identity=identity(statement),
        request=request.digest,
        opened_at=statement.opened_at,
        deadline=chain.ceremony.deadline,
        due_at=next_due(chain.ceremony),
        ended_at=chain.ceremony.ended_at,
        stopped_by=chain.ceremony.stopped_by,
        report_due=chain.ceremony.report_due,
        opened_index=opened_index,
        concluded_index=concluded_index,
    )


def past_emergency(row: CeremonyRow) -> PastEmergency:
    """Return what the limits of emergencies ask about an earlier one."""
    return PastEmergency(
        ceremony=row.ceremony,
        product=row.product,
        version=row.version,
        state=State(row.state),
        opened_at=row.opened_at,
        vetoed_by=row.stopped_by,
        report_due=row.report_due,
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
