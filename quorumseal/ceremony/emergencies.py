# SPDX-License-Identifier: Apache-2.0
"""An emergency among the others: how many there may be, what a veto costs the next, what a report owes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from quorumseal.ceremony.chain import Chain
from quorumseal.ceremony.emergency import MOST_PER_QUARTER, PEOPLE_AFTER_TROUBLE
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.request_errors import EmergencyLimitError, EmergencyPeopleError
from quorumseal.ceremony.statements import Emergency, Request
from quorumseal.ceremony.values import instant_text

QUARTER = timedelta(days=92)


@dataclass(frozen=True, slots=True, kw_only=True)
class PastEmergency:
    """An earlier emergency of the organisation."""

    ceremony: str
    product: str
    version: str
    state: State
    opened_at: datetime
    vetoed_by: str | None = None
    report_due: datetime | None = None
    """When a report on it is late; none where it is owed no more, or never was."""


def past_emergency(chain: Chain) -> PastEmergency:
    """Return what the limits ask about an emergency, as its chain has it."""
    ceremony, request = chain.ceremony, chain.ceremony.request.statement
    return PastEmergency(
        ceremony=chain.id,
        product=request.product,
        version=request.version,
        state=ceremony.state,
        opened_at=request.opened_at,
        vetoed_by=ceremony.stopped_by,
        report_due=ceremony.report_due,
    )


def admit_emergency(
    request: Request, emergency: Emergency, past: Sequence[PastEmergency], *, at: datetime
) -> frozenset[str]:
    """Return who vetoed earlier emergencies for the same release; refuse one that goes past the limits."""
    for other in past:
        if other.state is State.OPEN:
            raise EmergencyLimitError(
                f"expected no other emergency, got ceremony {other.ceremony} for {other.product} "
                f"{other.version}, which is open",
                hint="there is one emergency at a time: join it, veto it, or wait for its end",
            )
    recent = [
        other
        for other in past
        if other.product == request.product
        and other.state is State.PROVISIONAL
        and at - other.opened_at < QUARTER
    ]
    if len(recent) >= MOST_PER_QUARTER:
        raise EmergencyLimitError(
            f"expected at most {MOST_PER_QUARTER} emergencies for {request.product} in {QUARTER.days} days, "
            f"got one more; the last was opened {instant_text(max(o.opened_at for o in recent))}",
            hint="what happens so often is no emergency: use the regular ceremony",
        )
    vetoed_by = frozenset(
        other.vetoed_by
        for other in past
        if other.vetoed_by and (other.product, other.version) == (request.product, request.version)
    )
    owed = [other.ceremony for other in past if other.report_due and at >= other.report_due]
    if (vetoed_by or owed) and emergency.people < PEOPLE_AFTER_TROUBLE:
        because = (
            f"{' and '.join(sorted(vetoed_by))} vetoed one for this release"
            if vetoed_by
            else f"the report on {owed[0]} is late"
        )
        raise EmergencyPeopleError(
            f"expected an emergency of {PEOPLE_AFTER_TROUBLE} people, since {because}, "
            f"got one of {emergency.people}",
            hint=f"start with --people {PEOPLE_AFTER_TROUBLE}, or file the report first",
        )
    return vetoed_by
