# SPDX-License-Identifier: Apache-2.0
"""Who is told what when: from entries to notices, without input, output or a clock.

Texts that people wrote freely are annexes, which are not read here: a notice leaves the house.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from coordinator.notifying.notice import About, Notice, NoticeType
from coordinator.storage import OutboxRow
from coordinator.values import PublicationState
from quorumseal.ceremony.entries import Entry, EntryType
from quorumseal.ceremony.lifecycle import Ceremony
from quorumseal.ceremony.quorum import explain
from quorumseal.ceremony.statement_document import read_statement
from quorumseal.ceremony.statements import Cancellation, Choice, Decision, Request
from quorumseal.terminal import instant_text

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
    if not done and row.attempts > 1:
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


def about_of(request: Request) -> About:
    """Return what notices about a request are about."""
    return About(
        log=request.context.log,
        ceremony=request.ceremony,
        product=request.product,
        version=request.version,
    )


def asked(ceremony: Ceremony) -> frozenset[str]:
    """Return everybody who can count, and so was asked."""
    return frozenset[str]().union(*(need.members for need in ceremony.needs))


def _notices(ceremony: Ceremony, entry: Entry) -> list[Notice]:
    match entry.type:
        case EntryType.OPENED:
            return _opened(ceremony, entry)
        case EntryType.DECIDED | EntryType.LATE:
            return _decided(ceremony, entry)
        case EntryType.APPROVED | EntryType.REJECTED | EntryType.EXPIRED:
            return _concluded(ceremony, entry)
        case EntryType.CANCELLED | EntryType.SUPERSEDED:
            return _withdrawn(ceremony, entry)
        case _:  # what nobody has to hear of at once
            return []


def _opened(ceremony: Ceremony, entry: Entry) -> list[Notice]:
    request = ceremony.request.statement
    about, deadline = about_of(request), instant_text(request.deadline, zone=UTC)
    return [
        Notice(
            type=NoticeType.OPENED,
            recipient=member,
            about=about,
            cause=entry.hash,
            at=entry.at,
            headline=f"{_requester(request)} asks you to review {about.release} until {deadline}",
            sentences=(
                f"You can count for {' or '.join(n.role for n in ceremony.needs if member in n.members)}.",
            ),
            command=f"quorumseal review {about.ceremony}",
        )
        for member in sorted(asked(ceremony))
    ]


def _decided(ceremony: Ceremony, entry: Entry) -> list[Notice]:
    decision = read_statement(entry.envelope.payload)
    assert isinstance(decision, Decision)  # noqa: S101 - nothing else is in such an entry
    late = entry.type is EntryType.LATE
    about = about_of(ceremony.request.statement)
    what = f"{decision.context.signer} {_DID[decision.choice]} {about.release}"
    return [
        Notice(
            type=NoticeType.DECIDED,
            recipient=requester,
            about=about,
            cause=entry.hash,
            at=entry.at,
            headline=f"{what}, too late to count" if late else what,
            sentences=() if late else explain(ceremony.tally(at=entry.at)),
            command=f"quorumseal why {about.ceremony}",
        )
        for requester in sorted(ceremony.request.statement.requesters)
    ]


def _concluded(ceremony: Ceremony, entry: Entry) -> list[Notice]:
    request = ceremony.request.statement
    about, sentences = about_of(request), tuple(_reasons(ceremony, entry))
    return [
        Notice(
            type=NoticeType.CONCLUDED,
            recipient=each,
            about=about,
            cause=entry.hash,
            at=entry.at,
            headline=f"{about.release} {'has' if entry.type is EntryType.EXPIRED else 'is'} {entry.type}",
            sentences=sentences,
            command=f"quorumseal show {about.ceremony}",
        )
        for each in sorted(asked(ceremony) | request.requesters)
    ]


def _reasons(ceremony: Ceremony, entry: Entry) -> Iterable[str]:
    if entry.type is EntryType.REJECTED:
        return (f"{' and '.join(sorted(ceremony.rejecters))} rejected it.",)
    return explain(ceremony.tally(at=entry.at))


def _withdrawn(ceremony: Ceremony, entry: Entry) -> list[Notice]:
    request = ceremony.request.statement
    about = about_of(request)
    if entry.type is EntryType.CANCELLED:
        cancellation = read_statement(entry.envelope.payload)
        assert isinstance(cancellation, Cancellation)  # noqa: S101 - nothing else is in such an entry
        why = f"{cancellation.context.signer} cancelled the request."
    else:
        why = "A newer request took its place."
    return [
        Notice(
            type=NoticeType.WITHDRAWN if each not in request.requesters else NoticeType.CONCLUDED,
            recipient=each,
            about=about,
            cause=entry.hash,
            at=entry.at,
            headline=f"{about.release} is {entry.type}: there is nothing left to decide",
            sentences=(why,),
            command=f"quorumseal show {about.ceremony}",
        )
        for each in sorted(asked(ceremony) | request.requesters)
    ]


def _requester(request: Request) -> str:
    signer = request.context.signer
    return f"{signer} for {request.on_behalf_of}" if request.on_behalf_of else signer
