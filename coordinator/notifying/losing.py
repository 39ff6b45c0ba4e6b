# SPDX-License-Identifier: Apache-2.0
"""What is told of a revoked key or a suspension: in each ceremony that it reaches, to everybody concerned."""

from coordinator.notifying.addressing import about_of, asked, everybody, still_missing, tell, when
from coordinator.notifying.notice import Notice, NoticeType
from quorumseal.ceremony.entries import Entry
from quorumseal.ceremony.lifecycle import Ceremony
from quorumseal.ceremony.revoking import owner_of
from quorumseal.ceremony.statement_document import read_statement
from quorumseal.ceremony.statements import KeyRevocation, Suspension


def notices_of_loss(ceremony: Ceremony, entry: Entry) -> list[Notice]:
    """Return what an entry that takes trust away tells; ``ceremony`` is as it stands after it."""
    act = read_statement(entry.envelope.payload)
    assert isinstance(act, KeyRevocation | Suspension)  # noqa: S101 - nothing else is in such an entry
    if isinstance(act, KeyRevocation):
        person, kind = owner_of(act.key, [ceremony.policy]), NoticeType.KEY_REVOKED
        what = f"a key of {person} is revoked since {when(ceremony.revoked[act.key].since)}"
    else:
        person, kind = act.person, NoticeType.SUSPENDED
        what = f"{person} is suspended until {when(ceremony.suspended[person].until)}"
    gone = sorted(set(ceremony.fallen.values()) - ceremony.decisions.keys())
    fell = (f"What {' and '.join(gone)} decided does not count any more.",) if gone else ()
    concerned = asked(ceremony, at=entry.at) | ceremony.request.statement.requesters | {person}
    return tell(
        ceremony,
        everybody(ceremony) if ceremony.emergency else concerned,
        kind,
        cause=entry.hash,
        at=entry.at,
        headline=f"{about_of(ceremony.request.statement).release}: {what}",
        sentences=(*fell, *still_missing(ceremony, at=entry.at)),
        verb="why",
    )
