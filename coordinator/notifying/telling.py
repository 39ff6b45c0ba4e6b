# SPDX-License-Identifier: Apache-2.0
"""Who is told what when: from entries to notices, without input, output or a clock.

Texts that people wrote freely are annexes, which are not read here: a notice leaves the house.
"""

from collections.abc import Iterable
from datetime import datetime

from coordinator.notifying.addressing import about_of, asked, capacity, still_missing, tell, when
from coordinator.notifying.alarming import notices_of_emergency, notices_of_ratification
from coordinator.notifying.losing import notices_of_loss
from coordinator.notifying.notice import Notice, NoticeType
from coordinator.storage import OutboxRow
from coordinator.values import PublicationState
from quorumseal.ceremony.delegating import known_as
from quorumseal.ceremony.entries import Entry, EntryType
from quorumseal.ceremony.lifecycle import Ceremony
from quorumseal.ceremony.statement_document import read_statement
from quorumseal.ceremony.statements import Choice, Decision, Delegation, Extension, Request

_DID = {
    Choice.APPROVAL: "approves",
    Choice.REJECTION: "rejects",
    Choice.ABSTENTION: "abstains from",
}


def notices_of(ceremony: Ceremony, entries: Iterable[Entry]) -> list[Notice]:
    """Return what a ceremony's newest entries tell; ``ceremony`` is as it stands after them."""
    return [notice for entry in entries for notice in _notices(ceremony, entry)]


def notices_of_publication(request: Request, row: OutboxRow, *, at: datetime) -> list[Notice]:
    """Return what an attempt to publish tells the requester: that it is done, or, once, that it is not."""
    about, done = about_of(request), row.state == PublicationState.PUBLISHED
    waits = row.state == PublicationState.AWAITING_WITNESSES
    if waits or (not done and row.attempts > 1):
        return []
    return [
        Notice(
            type=NoticeType.PUBLISHED if done else NoticeType.UNPUBLISHED,
            recipient=requester,
            about=about,
            cause=row.destination,
            at=at,
            headline=f"{about.release} is {'published' if done else 'approved, but not published yet'}",
            sentences=(row.detail,) if done else (row.detail, "The coordinator tries again by itself."),
            command=f"quorumseal {'show' if done else 'release publish'} {about.ceremony}",
        )
        for requester in sorted(request.requesters)
    ]


def _notices(ceremony: Ceremony, entry: Entry) -> list[Notice]:
    match entry.type:
        case EntryType.LATE:
            return _decided(ceremony, entry)
        case EntryType.EXTENDED:
            return _extended(ceremony, entry)
        case EntryType.DELEGATED:
            return _delegated(ceremony, entry)
        case EntryType.KEY_REVOKED | EntryType.SUSPENDED:
            return notices_of_loss(ceremony, entry)
        case _ if ceremony.emergency is not None:
            return notices_of_emergency(ceremony, entry)
        case EntryType.OPENED:
            return _opened(ceremony, entry)
        case EntryType.DECIDED:
            return _decided(ceremony, entry)
        case EntryType.APPROVED | EntryType.REJECTED | EntryType.EXPIRED:
            return _concluded(ceremony, entry)
        case EntryType.CANCELLED | EntryType.SUPERSEDED:
            return _withdrawn(ceremony, entry)
        case _:  # what nobody has to hear of at once
            return []


def _opened(ceremony: Ceremony, entry: Entry) -> list[Notice]:
    return [
        notice
        for person in sorted(asked(ceremony, at=entry.at))
        for notice in _asked(ceremony, entry, person)
    ]


def _asked(ceremony: Ceremony, entry: Entry, person: str) -> list[Notice]:
    request = ceremony.request.statement
    first = ceremony.open_roles(at=entry.at)
    now = any(person in need.members and need.role in first for need in ceremony.needs)
    later = (f"Your turn comes after {' and '.join(sorted(first))}.",) if ceremony.rule.stages else ()
    return tell(
        ceremony,
        [person],
        NoticeType.OPENED,
        cause=entry.hash,
        at=entry.at,
        headline=f"{_requester(request)} asks you to review {about_of(request).release} "
        f"until {when(ceremony.deadline)}",
        sentences=(*capacity(ceremony, person, at=entry.at), *(() if now else later)),
        verb="review",
    )


def _delegated(ceremony: Ceremony, entry: Entry) -> list[Notice]:
    """Ask a deputy from the delegation on."""
    delegation = read_statement(entry.envelope.payload)
    assert isinstance(delegation, Delegation)  # noqa: S101 - nothing else is in such an entry
    return _asked(ceremony, entry, delegation.deputy)


def _extended(ceremony: Ceremony, entry: Entry) -> list[Notice]:
    extension = read_statement(entry.envelope.payload)
    assert isinstance(extension, Extension)  # noqa: S101 - nothing else is in such an entry
    release = about_of(ceremony.request.statement).release
    return tell(
        ceremony,
        asked(ceremony, at=entry.at) | ceremony.request.statement.requesters,
        NoticeType.EXTENDED,
        cause=entry.hash,
        at=entry.at,
        headline=f"{extension.context.signer} extends {release} until {when(extension.deadline)}",
        sentences=still_missing(ceremony, at=entry.at),
        verb="why",
    )


def _decided(ceremony: Ceremony, entry: Entry) -> list[Notice]:
    decision = read_statement(entry.envelope.payload)
    assert isinstance(decision, Decision)  # noqa: S101 - nothing else is in such an entry
    late = entry.type is EntryType.LATE
    release = about_of(ceremony.request.statement).release
    what = f"{known_as(ceremony, decision.context.signer)} {_DID[decision.choice]} {release}"
    return tell(
        ceremony,
        ceremony.request.statement.requesters | ({decision.context.signer} if late else frozenset()),
        NoticeType.DECIDED,
        cause=entry.hash,
        at=entry.at,
        headline=f"{what}, too late to count" if late else what,
        sentences=() if late else still_missing(ceremony, at=entry.at),
        verb="why",
    )


def _concluded(ceremony: Ceremony, entry: Entry) -> list[Notice]:
    request = ceremony.request.statement
    has = "has" if entry.type is EntryType.EXPIRED else "is"
    if request.ratified is not None and entry.type is EntryType.APPROVED:
        return notices_of_ratification(ceremony, entry)
    return tell(
        ceremony,
        asked(ceremony, at=entry.at) | request.requesters,
        NoticeType.CONCLUDED,
        cause=entry.hash,
        at=entry.at,
        headline=f"{about_of(request).release} {has} {entry.type}",
        sentences=tuple(_reasons(ceremony, entry)),
    )


def _reasons(ceremony: Ceremony, entry: Entry) -> Iterable[str]:
    if entry.type is EntryType.REJECTED:
        return (f"{' and '.join(sorted(ceremony.rejecters))} rejected it.",)
    return still_missing(ceremony, at=entry.at)


def _withdrawn(ceremony: Ceremony, entry: Entry) -> list[Notice]:
    request = ceremony.request.statement
    why = "A newer request took its place."
    if entry.type is EntryType.CANCELLED:
        why = f"{read_statement(entry.envelope.payload).context.signer} cancelled the request."
    people = asked(ceremony, at=entry.at)
    return [
        notice
        for kind, recipients in (
            (NoticeType.WITHDRAWN, people - request.requesters),
            (NoticeType.CONCLUDED, request.requesters),
        )
        for notice in tell(
            ceremony,
            recipients,
            kind,
            cause=entry.hash,
            at=entry.at,
            headline=f"{about_of(request).release} is {entry.type}: there is nothing left to decide",
            sentences=(why,),
        )
    ]


def _requester(request: Request) -> str:
    signer = request.context.signer
    return f"{signer} for {request.on_behalf_of}" if request.on_behalf_of else signer
