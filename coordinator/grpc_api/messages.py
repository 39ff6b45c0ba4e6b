# SPDX-License-Identifier: Apache-2.0
"""Between the wire's messages and values.  Reading is strict: what is odd is refused, never mended."""

from collections.abc import AsyncIterator, Callable, Collection, Iterable
from enum import StrEnum
from functools import lru_cache
from typing import TypeVar

from google.protobuf.message import DecodeError, Message
from google.protobuf.unknown_fields import UnknownFieldSet

from coordinator.grpc_api.errors import GarbageError, MessageFieldError, UnknownMessageFieldError
from coordinator.values import (
    MAX_TEXT_BYTES,
    SALT_BYTES,
    Annex,
    CeremonyRecord,
    CeremonySummary,
    Head,
    LogEvent,
    Organisation,
    Publication,
    Receipt,
    Recorded,
    StandingRecord,
    Started,
)
from quorumseal.ceremony import values
from quorumseal.client.values import EnrolmentRecord, FoundingRecord
from quorumseal.signatures import Envelope, JointEnvelope
from quorumseal.strict_json import MAX_INTEGER, write
from quorumseal.v1 import coordinator_pb2 as wire
from quorumseal.verifier.bundle import PolicyVersion, version_json
from quorumseal.verifier.part import Part

MAX_ANNEXES = 4
MAX_FILTERS = 16
MAX_PAGE_SIZE = 200
MAX_PAGE_TOKEN = 256

_Message = TypeVar("_Message", bound=Message)
_Decoded = TypeVar("_Decoded")
_Choice = TypeVar("_Choice", bound=StrEnum)


def parse(kind: type[_Message], data: bytes) -> _Message:
    """Return the message that the bytes are, or refuse them."""
    message = decoded(kind.FromString, data, kind.DESCRIPTOR.name)
    _require_known_fields(message)
    return message


def decoded(decode: Callable[[bytes], _Decoded], data: bytes, name: str) -> _Decoded:
    """Return what the bytes are, or refuse them."""
    try:
        return decode(data)
    except DecodeError:
        raise GarbageError(
            f"expected a {name}, got {len(data)} bytes that are none",
            hint="compare the versions of client and coordinator",
        ) from None


async def parse_each(kind: type[_Message], stream: AsyncIterator[bytes]) -> AsyncIterator[_Message]:
    """Read a stream of messages."""
    async for data in stream:
        yield parse(kind, data)


def read_envelope(data: bytes) -> Envelope:
    """Read the signed statement that a call hands in."""
    return Envelope.read(data)


def read_annex(annex: wire.Annex) -> Annex:
    """Read the text that a statement commits to."""
    size = len(annex.text.encode())
    if len(annex.salt) != SALT_BYTES or not 1 <= size <= MAX_TEXT_BYTES:
        raise MessageFieldError(
            f"reason: expected a salt of {SALT_BYTES} bytes and a text of 1 to {MAX_TEXT_BYTES} bytes, "
            f"got {len(annex.salt)} and {size}"
        )
    return Annex(salt=annex.salt, text=annex.text)


def read_size(field: str, size: int) -> int:
    """Read a size or index of the log."""
    if size > MAX_INTEGER:
        raise MessageFieldError(f"{field}: expected at most {MAX_INTEGER}, got {size}")
    return size


def read_choices(field: str, texts: Iterable[str], choices: type[_Choice]) -> frozenset[_Choice]:
    """Read a filter; empty means all."""
    given = list(texts)
    if len(given) > MAX_FILTERS:
        raise MessageFieldError(f"{field}: expected at most {MAX_FILTERS}, got {len(given)}")
    try:
        return frozenset(choices(text) for text in given)
    except ValueError:
        odd = next(text for text in given if text not in list(choices))
        raise MessageFieldError(f"{field}: expected {', '.join(choices)}, got {odd[:64]!a}") from None


def read_page(page_size: int, page_token: str) -> tuple[int, str]:
    """Read how much of a list is asked for, and after what."""
    if page_size > MAX_PAGE_SIZE or len(page_token) > MAX_PAGE_TOKEN:
        raise MessageFieldError(
            f"page_size: expected at most {MAX_PAGE_SIZE} and a token of at most {MAX_PAGE_TOKEN} "
            f"characters, got {page_size} and {len(page_token)}"
        )
    return page_size, page_token


def organisation_message(organisation: Organisation) -> wire.GetOrganisationResponse:
    """Write the organisation."""
    return wire.GetOrganisationResponse(
        policies=[version_bytes(version) for version in organisation.versions],
        checkpoint=organisation.checkpoint,
        now=values.instant_text(organisation.now),
    )


def started_message(started: Started) -> wire.StartResponse:
    """Write which ceremony a request has."""
    return wire.StartResponse(
        ceremony=started.ceremony, created=started.created, receipt=receipt_message(started.receipt)
    )


def read_annexes(annexes: Collection[wire.Annex]) -> tuple[Annex, ...]:
    """Read the texts that a request commits to."""
    if len(annexes) > MAX_ANNEXES:
        raise MessageFieldError(f"annexes: expected at most {MAX_ANNEXES}, got {len(annexes)}")
    return tuple(read_annex(annex) for annex in annexes)


def decided_message(recorded: Recorded) -> wire.DecideResponse:
    """Write that a decision is recorded."""
    return wire.DecideResponse(receipt=receipt_message(recorded.receipt), state=recorded.state)


def acted_message(recorded: Recorded) -> wire.ActResponse:
    """Write that an act is recorded."""
    return wire.ActResponse(receipt=receipt_message(recorded.receipt), state=recorded.state)


def receipt_message(receipt: Receipt) -> wire.Receipt:
    """Write the proof that an entry is in the log."""
    return wire.Receipt(
        entry=receipt.entry,
        index=receipt.index,
        inclusion=receipt.inclusion,
        checkpoint=receipt.checkpoint,
    )


def ceremony_message(record: CeremonyRecord) -> wire.GetCeremonyResponse:
    """Write a ceremony with its proof and its texts."""
    return wire.GetCeremonyResponse(
        part=_part_message(record.part),
        consistency=record.consistency,
        annexes=[wire.Annex(salt=annex.salt, text=annex.text) for annex in record.annexes],
        publications=[publication_message(publication) for publication in record.publications],
        opened_index=record.opened_index,
        opened_inclusion=record.opened_inclusion,
        named=_named_messages(record.part),
    )


def standing_message(record: StandingRecord) -> wire.GetStandingResponse:
    """Write the entries of no ceremony with their proof."""
    return wire.GetStandingResponse(
        part=_part_message(record.part),
        consistency=record.consistency,
        named=_named_messages(record.part),
    )


def _named_messages(part: Part) -> list[wire.NamedCheckpoint]:
    return [wire.NamedCheckpoint(size=size, consistency=proof) for size, proof in part.consistency.items()]


def _part_message(part: Part) -> wire.Part:
    return wire.Part(
        entries=part.entries, index=part.index, inclusion=part.inclusion, checkpoint=part.checkpoint
    )


def summary_message(summary: CeremonySummary) -> wire.CeremonySummary:
    """Write one line of a list."""
    return wire.CeremonySummary(
        ceremony=summary.ceremony,
        product=summary.product,
        version=summary.version,
        kind=summary.kind,
        state=summary.state,
        requester=summary.requester,
        opened_at=values.instant_text(summary.opened_at),
        deadline=values.instant_text(summary.deadline),
        ended_at="" if summary.ended_at is None else values.instant_text(summary.ended_at),
        mode=summary.mode,
        publication=summary.publication,
    )


def publication_message(publication: Publication) -> wire.Publication:
    """Write a bundle's way to one destination."""
    return wire.Publication(
        destination=publication.destination, state=publication.state, detail=publication.detail
    )


@lru_cache(maxsize=256)
def event_bytes(event: LogEvent) -> bytes:
    """Write what goes to every follower: once, however many of them there are."""
    if isinstance(event, Head):
        return wire.FollowResponse(head=wire.Head(size=event.size)).SerializeToString()
    return wire.FollowResponse(
        entry=wire.LoggedEntry(index=event.index, entry=event.entry)
    ).SerializeToString()


def version_bytes(version: PolicyVersion) -> bytes:
    """Write a policy version as JSON: the first once, however many ask for it."""
    return _founding_bytes(version) if isinstance(version, JointEnvelope) else write(version_json(version))


@lru_cache(maxsize=16)
def _founding_bytes(version: JointEnvelope) -> bytes:
    return write(version_json(version))


def _require_known_fields(message: Message) -> None:
    if len(UnknownFieldSet(message)):
        raise UnknownMessageFieldError(
            f"expected the fields of {message.DESCRIPTOR.name} that this coordinator knows, got others",
            hint="compare the versions of client and coordinator",
        )
    for _, value in message.ListFields():
        if isinstance(value, Message):
            _require_known_fields(value)


def enrolment_message(record: EnrolmentRecord) -> wire.Enrolment:
    """Write an enrolment."""
    return wire.Enrolment(envelope=record.envelope, at=values.instant_text(record.at), founder=record.founder)


def founding_message(record: FoundingRecord) -> wire.Founding:
    """Write how far the founding is."""
    return wire.Founding(
        payload=record.payload,
        signed=record.signed,
        missing=record.missing,
        unenrolled=record.unenrolled,
        enrolments=[enrolment_message(each) for each in record.enrolments],
        founded=record.founded,
        policy=record.policy,
        checkpoint=record.checkpoint,
    )
