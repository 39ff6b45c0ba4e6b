# SPDX-License-Identifier: Apache-2.0
"""Between the wire's messages and the client's values."""

from collections.abc import Iterable

from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.values import instant
from quorumseal.client.errors import UnexpectedAnswerError
from quorumseal.client.values import (
    Acted,
    Annex,
    CeremonyRecord,
    CeremonySummary,
    Decided,
    EnrolmentRecord,
    FoundingRecord,
    Head,
    LogEvent,
    LoggedEntry,
    Nudged,
    OrganisationRecord,
    Page,
    Presence,
    Publication,
    Receipt,
    StandingRecord,
    Started,
)
from quorumseal.strict_json import MAX_INTEGER
from quorumseal.v1 import coordinator_pb2 as wire
from quorumseal.verifier.part import Part


def annex_message(annex: Annex | None) -> wire.Annex | None:
    """Write a text that a statement commits to."""
    return None if annex is None else wire.Annex(salt=annex.salt, text=annex.text)


def organisation_of(message: wire.GetOrganisationResponse) -> OrganisationRecord:
    """Read the organisation."""
    return OrganisationRecord(
        policies=tuple(message.policies),
        checkpoint=message.checkpoint,
        now=instant(message.now),
    )


def receipt_of(message: wire.Receipt) -> Receipt:
    """Read a receipt."""
    return Receipt(
        entry=message.entry,
        index=message.index,
        inclusion=tuple(message.inclusion),
        checkpoint=message.checkpoint,
    )


def started_of(message: wire.StartResponse) -> Started:
    """Read which ceremony a request has."""
    return Started(ceremony=message.ceremony, created=message.created, receipt=receipt_of(message.receipt))


def decided_of(message: wire.DecideResponse) -> Decided:
    """Read what became of a decision."""
    return Decided(receipt=receipt_of(message.receipt), state=_state_of(message.state))


def acted_of(message: wire.ActResponse) -> Acted:
    """Read what became of an act."""
    return Acted(receipt=receipt_of(message.receipt), state=_state_of(message.state))


def nudged_of(message: wire.NudgeResponse) -> Nudged:
    """Read who was reminded."""
    return Nudged(told=tuple(message.told), next_at=instant(message.next_at))


def _state_of(text: str) -> str:
    if text not in list(State):
        raise UnexpectedAnswerError(
            f"expected the state of a ceremony, got {text[:64]!a}",
            hint="compare the versions of this program and the coordinator",
        )
    return text


def ceremony_of(message: wire.GetCeremonyResponse) -> CeremonyRecord:
    """Read a ceremony with its proof."""
    return CeremonyRecord(
        part=_part_of(message.part, named=message.named),
        consistency=tuple(message.consistency),
        annexes=tuple(Annex(salt=annex.salt, text=annex.text) for annex in message.annexes),
        publications=tuple(publication_of(publication) for publication in message.publications),
        opened_index=message.opened_index,
        opened_inclusion=tuple(message.opened_inclusion),
    )


def standing_of(message: wire.GetStandingResponse) -> StandingRecord:
    """Read the entries of no ceremony with their proof."""
    return StandingRecord(
        part=_part_of(message.part, named=message.named), consistency=tuple(message.consistency)
    )


def _part_of(part: wire.Part, *, named: Iterable[wire.NamedCheckpoint]) -> Part:
    return Part(
        entries=tuple(part.entries),
        index=part.index,
        inclusion=tuple(part.inclusion),
        checkpoint=part.checkpoint,
        consistency={each.size: tuple(each.consistency) for each in named},
    )


def publication_of(message: wire.Publication) -> Publication:
    """Read a bundle's way to one destination."""
    return Publication(destination=message.destination, state=message.state, detail=message.detail)


def page_of(message: wire.ListCeremoniesResponse) -> Page:
    """Read one page of a list."""
    return Page(
        ceremonies=tuple(_summary_of(summary) for summary in message.ceremonies),
        next_token=message.next_page_token,
    )


def _summary_of(message: wire.CeremonySummary) -> CeremonySummary:
    return CeremonySummary(
        ceremony=message.ceremony,
        product=message.product,
        version=message.version,
        kind=message.kind,
        state=message.state,
        requester=message.requester,
        opened_at=instant(message.opened_at),
        deadline=instant(message.deadline),
        ended_at=instant(message.ended_at) if message.ended_at else None,
        mode=message.mode,
        publication=message.publication,
    )


def event_of(message: wire.FollowResponse) -> LogEvent:
    """Read what a stream brings."""
    match message.WhichOneof("event"):
        case "entry":
            return LoggedEntry(_size(message.entry.index), message.entry.entry)
        case "head":
            return Head(_size(message.head.size))
        case _:
            raise UnexpectedAnswerError(
                "expected an entry or the log's size, got neither",
                hint="compare the versions of this program and the coordinator",
            )


def _size(number: int) -> int:
    """Return a size or index that a log can have: what comes after it is asked for with one more."""
    if number > MAX_INTEGER:
        raise UnexpectedAnswerError(
            f"expected at most {MAX_INTEGER} entries of a log, got number {number}",
            hint="ask the coordinator's operator what it sends",
        )
    return number


def presence_of(message: wire.Presence) -> Presence:
    """Read whose agent is connected."""
    return Presence(signer=message.signer, since=instant(message.since))


def enrolment_of(message: wire.Enrolment) -> EnrolmentRecord:
    """Read an enrolment."""
    return EnrolmentRecord(envelope=message.envelope, at=instant(message.at), founder=message.founder)


def founding_of(message: wire.Founding) -> FoundingRecord:
    """Read how far the founding is."""
    return FoundingRecord(
        payload=message.payload,
        signed=tuple(message.signed),
        missing=tuple(message.missing),
        unenrolled=tuple(message.unenrolled),
        enrolments=tuple(enrolment_of(each) for each in message.enrolments),
        founded=message.founded,
        policy=message.policy,
        checkpoint=message.checkpoint,
    )
