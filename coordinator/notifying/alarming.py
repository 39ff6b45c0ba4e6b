# SPDX-License-Identifier: Apache-2.0
"""What everybody is told of an emergency: at each step, and when something about it is owed."""

from coordinator.notifying.addressing import about_of, asked, capacity, everybody, still_missing, tell, when
from coordinator.notifying.notice import Notice, NoticeType
from quorumseal.ceremony.aftermath import Aftermath, Owed
from quorumseal.ceremony.delegating import known_as
from quorumseal.ceremony.entries import Entry, EntryType
from quorumseal.ceremony.lifecycle import Ceremony
from quorumseal.ceremony.statement_document import read_statement
from quorumseal.ceremony.statements import Choice, Decision

_ENDS = {
    EntryType.REJECTED: "was rejected",
    EntryType.EXPIRED: "has expired",
    EntryType.CANCELLED: "was cancelled",
    EntryType.SUPERSEDED: "was replaced by another request",
}


def notices_of_emergency(ceremony: Ceremony, entry: Entry) -> list[Notice]:
    """Return what an entry of an emergency tells; ``ceremony`` is as it stands after it."""
    what = f"the emergency for {about_of(ceremony.request.statement).release}"
    match entry.type:
        case EntryType.OPENED:
            return _invoked(ceremony, entry)
        case EntryType.DECIDED:
            return _joined(ceremony, entry, what)
        case EntryType.WINDOW_OPENED if ceremony.window_ends is not None:
            headline = f"{what} has its people: anybody may veto it until {when(ceremony.window_ends)}"
            return _all(ceremony, entry, NoticeType.BREAK_GLASS_FLOOR, headline, verb="break-glass veto")
        case EntryType.WINDOW_BROKEN:
            headline = f"{what} has too few people again"
            return _all(
                ceremony,
                entry,
                NoticeType.BREAK_GLASS_UNMET,
                headline,
                still_missing(ceremony, at=entry.at),
            )
        case EntryType.VETOED:
            headline = f"{ceremony.stopped_by} vetoed {what}"
            return _all(ceremony, entry, NoticeType.BREAK_GLASS_VETOED, headline)
        case EntryType.PROVISIONAL:
            return _provisional(ceremony, entry)
        case EntryType.REPORTED:
            signer = read_statement(entry.envelope.payload).context.signer
            return _all(ceremony, entry, NoticeType.BREAK_GLASS_REPORTED, f"{signer} reported on {what}")
        case kind if kind in _ENDS:
            return _all(ceremony, entry, NoticeType.BREAK_GLASS_ENDED, f"{what} {_ENDS[kind]}")
        case _:
            return []


def notices_of_aftermath(ceremony: Ceremony, mark: Aftermath) -> list[Notice]:
    """Return what everybody hears when something is owed after an emergency, or it is too late for it."""
    about = about_of(ceremony.request.statement)
    match mark.owed, mark.too_late:
        case Owed.RATIFICATION, False:
            kind, verb = NoticeType.BREAK_GLASS_RATIFY, "ratify"
            headline = f"{about.release} is provisional: ratify it before {when(mark.until)}, or it lapses"
        case Owed.RATIFICATION, True:
            kind, verb = NoticeType.BREAK_GLASS_LAPSED, "show"
            headline = f"{about.release} has lapsed: nobody ratified the emergency by {when(mark.until)}"
        case Owed.REPORT, False:
            kind, verb = NoticeType.BREAK_GLASS_REPORT_DUE, "break-glass report"
            headline = f"the report on the emergency for {about.release} is due by {when(mark.until)}"
        case _:
            kind, verb = NoticeType.BREAK_GLASS_REPORT_DUE, "break-glass report"
            headline = f"the report on the emergency for {about.release} is late, since {when(mark.until)}"
    return tell(
        ceremony, everybody(ceremony), kind, cause=str(mark), at=mark.at, headline=headline, verb=verb
    )


def notices_of_ratification(ceremony: Ceremony, entry: Entry) -> list[Notice]:
    """Return what everybody hears when the regular quorum has ratified an emergency."""
    headline = f"{about_of(ceremony.request.statement).release} is ratified: the emergency's release stands"
    return _all(ceremony, entry, NoticeType.BREAK_GLASS_RATIFIED, headline)


def _invoked(ceremony: Ceremony, entry: Entry) -> list[Notice]:
    request, able = ceremony.request.statement, asked(ceremony, at=entry.at)
    emergency = request.emergency
    assert emergency is not None  # noqa: S101 - the caller knows that it is one
    headline = f"{request.context.signer} breaks the glass for {about_of(request).release}"
    sentences = (
        f"Reason: {emergency.reason}, incident {emergency.incident}.",
        f"It needs {emergency.people} people until {when(request.deadline)}.",
    )
    notices = []
    for person in sorted(everybody(ceremony)):
        verb = "break-glass join" if person in able else "show"
        notices += tell(
            ceremony,
            [person],
            NoticeType.BREAK_GLASS_INVOKED,
            cause=entry.hash,
            at=entry.at,
            headline=headline,
            sentences=(*sentences, *capacity(ceremony, person, at=entry.at)),
            verb=verb,
        )
    return notices


def _joined(ceremony: Ceremony, entry: Entry, what: str) -> list[Notice]:
    decision = read_statement(entry.envelope.payload)
    assert isinstance(decision, Decision)  # noqa: S101 - nothing else is in such an entry
    did = {Choice.APPROVAL: "joins", Choice.REJECTION: "rejects", Choice.ABSTENTION: "does not join"}
    headline = f"{known_as(ceremony, decision.context.signer)} {did[decision.choice]} {what}"
    return _all(
        ceremony,
        entry,
        NoticeType.BREAK_GLASS_JOINED,
        headline,
        still_missing(ceremony, at=entry.at),
    )


def _provisional(ceremony: Ceremony, entry: Entry) -> list[Notice]:
    emergency = ceremony.request.statement.emergency
    assert emergency is not None  # noqa: S101 - the caller knows that it is one
    headline = f"{about_of(ceremony.request.statement).release} is released provisionally"
    sentences = (
        f"Nobody accepts it any more from {when(emergency.provisional_until)} on.",
        f"It lapses unless it is ratified by {when(emergency.ratify_by)}.",
    )
    kind = NoticeType.BREAK_GLASS_PROVISIONAL
    return _all(ceremony, entry, kind, headline, sentences, verb="ratify")


def _all(
    ceremony: Ceremony,
    entry: Entry,
    kind: NoticeType,
    headline: str,
    sentences: tuple[str, ...] = (),
    *,
    verb: str = "show",
) -> list[Notice]:
    return tell(
        ceremony,
        everybody(ceremony),
        kind,
        cause=entry.hash,
        at=entry.at,
        headline=headline,
        sentences=sentences,
        verb=verb,
    )
