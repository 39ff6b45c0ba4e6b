# SPDX-License-Identifier: Apache-2.0
"""One ceremony, live: a lane for each role, what happened, what is signed, and its proofs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from coordinator.errors import UnknownCeremonyError
from coordinator.storage import CeremonyRow, EntryRow
from coordinator.values import Publication
from coordinator.web.asked import Asked
from coordinator.web.context import WebContext
from coordinator.web.page import File, Page
from coordinator.web.showing.happenings import Happening, happenings
from coordinator.web.showing.lanes import Lane, Track, lanes_of, listed, track_of
from coordinator.web.showing.proofs import Proof, proof_of
from quorumseal.ceremony.chain import Chain
from quorumseal.ceremony.lifecycle import Ceremony, State
from quorumseal.ceremony.policy import GOVERNED
from quorumseal.ceremony.quorum import explain
from quorumseal.ceremony.record import QuorumRecord, quorum_record, to_json
from quorumseal.ceremony.statements import Request
from quorumseal.strict_json import write
from quorumseal.terminal import distance_text, duration_text

_ENDED: Final = {
    State.APPROVED: "It is approved",
    State.PROVISIONAL: "It is provisional",
    State.REJECTED: "It was rejected",
    State.EXPIRED: "It expired",
    State.CANCELLED: "It was cancelled",
    State.SUPERSEDED: "Another ceremony took its place",
}
_BUNDLED: Final = (State.APPROVED, State.PROVISIONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """An instant that matters, for those who plan and for those who record."""

    name: str
    at: datetime
    allowed: timedelta
    """After the opening."""
    still: bool
    """Whether it means anything yet: what only an open ceremony has to keep is over with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """What somebody wrote for signers and auditors alone."""

    about: str
    said: str | None
    """None where it was erased: the commitment to it stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OneCeremony:
    """The page."""

    row: CeremonyRow
    title: str
    request: Request
    record: QuorumRecord
    state: str
    answer: str
    limits: tuple[Limit, ...]
    lanes: tuple[Lane, ...]
    track: Track
    staged: bool
    texts: tuple[Text, ...]
    evidence: Mapping[str, int]
    """How large each file of it is that is stored, by its digest."""
    happened: tuple[Happening, ...]
    publications: tuple[Publication, ...]
    proof: Proof
    has_bundle: bool


def read(context: WebContext, asked: Asked) -> OneCeremony:
    """Read the page."""
    asked.allow()
    row, rows = _found(context, asked.ceremony())
    chain, at = context.policies.replay(rows), context.now()
    policy = context.policies.named(chain.ceremony.request.statement.context.policy.digest)
    record = quorum_record([each.payload for each in rows], policy)
    texts = {each.commitment: each.text for each in context.storage.ceremonies.annexes(row.ceremony)}
    request = record.request.statement
    return OneCeremony(
        row=row,
        title=title_of(request),
        request=request,
        record=record,
        state=str(chain.ceremony.state),
        answer=answer_of(chain, record, at=at),
        limits=tuple(_limits(chain.ceremony)),
        lanes=lanes_of(chain.ceremony, context.policies.chain.standing, at=at),
        track=track_of(chain.ceremony, at=at),
        staged=bool(chain.ceremony.rule.stages) and chain.ceremony.emergency is None,
        texts=tuple(_texts(request, texts)),
        evidence=context.storage.evidence.sizes({each.digest for each in request.evidence}),
        happened=tuple(happenings(rows, record, texts)),
        publications=context.reader.publications(row.ceremony),
        proof=proof_of(context, rows[-1].index),
        has_bundle=chain.ceremony.state in _BUNDLED and request.kind not in GOVERNED,
    )


def title_of(request: Request) -> str:
    """Say what a ceremony is about."""
    if request.kind in GOVERNED:
        return f"Policy version {request.version}"
    return f"{request.product} {request.version}"


def answer_of(chain: Chain, record: QuorumRecord, *, at: datetime) -> str:
    """Say in one sentence how it stands."""
    ceremony = chain.ceremony
    if ceremony.state is State.OPEN:
        return _open_answer(ceremony, at=at)
    said = _ENDED[ceremony.state]
    if ceremony.stopped_by:
        return f"{said}: {ceremony.stopped_by} vetoed it."
    if ceremony.state in _BUNDLED:
        seats = "; ".join(f"{role} by {listed(people)}" for role, _, people in record.seats)
        return f"{said}: {seats}."
    if ceremony.state is State.REJECTED:
        return f"{said} by {listed(sorted(ceremony.rejecters)) or 'nobody who still counts'}."
    if ceremony.state is State.EXPIRED:
        after = duration_text(ceremony.deadline - record.request.statement.opened_at)
        return f"{said} {after} after its opening: {'; '.join(record.missing)}."
    return f"{said}."


def _open_answer(ceremony: Ceremony, *, at: datetime) -> str:
    if ceremony.window_ends is not None:
        ends = distance_text(ceremony.window_ends, at)
        return f"Its quorum is met; it can be vetoed until the window ends, {ends}."
    if at >= ceremony.deadline:
        return "Its deadline has passed: nothing counts any more, and its expiry is being written."
    count = ceremony.tally(at=at)
    missing = "; ".join(explain(count))
    left = f"{duration_text(ceremony.deadline - at)} are left"
    lost = "" if count.reachable else ", and those who have not decided are too few"
    return f"It waits: {missing}{lost}. {left[0].upper()}{left[1:]}."


def _limits(ceremony: Ceremony) -> Iterator[Limit]:
    """Yield what an open ceremony has to keep, or when an ended one did; then what outlives it."""
    request, still = ceremony.request.statement, ceremony.state is State.OPEN
    emergency = request.emergency if still or ceremony.state is State.PROVISIONAL else None
    found: list[tuple[str, datetime | None, bool]] = [
        ("ended", ceremony.ended_at, True),
        ("provisional until", emergency.provisional_until if emergency else None, True),
        ("to be ratified by", emergency.ratify_by if emergency else None, True),
        ("report due", None if ceremony.reports else ceremony.report_due, True),
        ("deadline", ceremony.deadline, still),
        ("deadline before it was moved", request.deadline if ceremony.extensions else None, still),
        ("hard stop", request.hard_stop, still),
        ("veto window ends", ceremony.window_ends, still),
    ]
    if still:
        found = [*found[4:], *found[:4]]
    for name, when, matters in found:
        if when is not None:
            yield Limit(name=name, at=when, allowed=when - request.opened_at, still=matters)


def _texts(request: Request, texts: Mapping[str, str]) -> Iterator[Text]:
    if request.why:
        yield Text(about="Why", said=texts.get(request.why))
    if request.emergency:
        yield Text(about="What it does to whom", said=texts.get(request.emergency.impact))


def _found(context: WebContext, ceremony: str) -> tuple[CeremonyRow, Sequence[EntryRow]]:
    row = context.storage.ceremonies.get(ceremony)
    rows = context.storage.log.chains([ceremony]).get(ceremony) if row else None
    if row is None or not rows:
        raise UnknownCeremonyError(f"expected a ceremony of this log, got {ceremony}", hint="see the list")
    return row, rows


def bundle(context: WebContext, asked: Asked) -> File:
    """Return the bundle, as it is published."""
    ceremony = asked.ceremony()
    row, _ = _found(context, ceremony)
    name = f"{row.product}@{row.version}.quorumseal.json"
    return File(name=name, media_type="application/json", data=context.reader.bundle(ceremony))


def entries(context: WebContext, asked: Asked) -> File:
    """Return the entries byte for byte, one on a line."""
    row, rows = _found(context, asked.ceremony())
    data = b"".join(each.payload + b"\n" for each in rows)
    return File(name=f"{row.ceremony}.entries.jsonl", media_type="application/jsonl", data=data)


def record(context: WebContext, asked: Asked) -> File:
    """Return the quorum record as JSON."""
    row, rows = _found(context, asked.ceremony())
    policy = context.policies.named(
        context.policies.replay(rows).ceremony.request.statement.context.policy.digest
    )
    data = write(to_json(quorum_record([each.payload for each in rows], policy)))
    return File(name=f"{row.ceremony}.record.json", media_type="application/json", data=data)


PAGE: Final = Page(path="/ceremonies/{ceremony}", here="ceremonies", template="ceremony.html", read=read)
