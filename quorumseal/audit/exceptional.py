# SPDX-License-Identifier: Apache-2.0
"""What about a ceremony is out of the ordinary, so that an auditor looks at it whatever the sample says."""

from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum, unique

from quorumseal.audit.answer import Exhibit, exhibit_of
from quorumseal.audit.population import Audited, PlacedEntry
from quorumseal.ceremony.entries import EntryType
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import Kind, SignerKind
from quorumseal.ceremony.statements import (
    Cancellation,
    CheckOutcome,
    Choice,
    Decision,
    Extension,
    Mode,
    Statement,
    Veto,
)
from quorumseal.ceremony.values import instant_text
from quorumseal.terminal.durations import duration_text

HASTY = timedelta(minutes=1)
"""An approval that the log has so soon after the request was there to be seen is called hasty."""


@unique
class ExceptionKind(StrEnum):
    """Which exception it is; the weightiest first."""

    EMERGENCY = "emergency"
    VETOED = "vetoed"
    TAKEN_BACK = "taken-back"
    FALLEN = "fallen"
    UNCHECKED = "unchecked"
    REJECTED = "rejected"
    WINDOW_BROKEN = "window-broken"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    LATE = "late"
    CANCELLED = "cancelled"
    EXTENDED = "extended"
    HASTY = "hasty"
    STOOD_IN = "stood-in"


WEIGHT = {kind: number for number, kind in enumerate(ExceptionKind)}

_BY_ENTRY = {
    EntryType.VETOED: (ExceptionKind.VETOED, "was vetoed"),
    EntryType.REJECTED: (ExceptionKind.REJECTED, "was rejected"),
    EntryType.EXPIRED: (ExceptionKind.EXPIRED, "expired without its quorum"),
    EntryType.CANCELLED: (ExceptionKind.CANCELLED, "was cancelled"),
    EntryType.WINDOW_BROKEN: (ExceptionKind.WINDOW_BROKEN, "lost its people while it could be vetoed"),
    EntryType.EXTENDED: (ExceptionKind.EXTENDED, "got more time"),
    EntryType.LATE: (ExceptionKind.LATE, "got a decision after its deadline, which does not count"),
}
_NOT_LOOKED_AT = frozenset({CheckOutcome.FAIL, CheckOutcome.WAIVED, CheckOutcome.UNKNOWN})


def exceptions_of(audited: Audited, *, hasty: timedelta = HASTY) -> tuple[Exhibit, ...]:
    """Return everything about a ceremony that is out of the ordinary, in the order of the log."""
    found = [*_asked(audited), *_happened(audited), *_fell(audited), *_decided(audited, hasty)]
    return tuple(sorted(found, key=lambda each: (each.entries, WEIGHT[ExceptionKind(each.kind)])))


def texts_of(audited: Audited, *commitments: tuple[str, str | None]) -> tuple[tuple[str, str], ...]:
    """Return the texts that are here of those that people committed to, each with who wrote it."""
    return tuple((who, audited.texts[said]) for who, said in commitments if said and said in audited.texts)


def _asked(audited: Audited) -> Iterator[Exhibit]:
    request, opening = audited.request, audited.entries[0]
    if request.mode is Mode.BREAK_GLASS and request.emergency is not None:
        emergency = request.emergency
        yield exhibit_of(
            audited,
            f"{request.context.signer} broke the glass ({emergency.reason}, {emergency.incident}), "
            f"{emergency.people} people; it is {audited.state}",
            *(opening, *_ended(audited)),
            exception=True,
            kind=ExceptionKind.EMERGENCY,
            digests=(audited.signed.digest,),
            texts=texts_of(
                audited, (request.context.signer, request.why), (request.context.signer, emergency.impact)
            ),
        )
    if request.kind is Kind.REVOCATION and audited.state is State.APPROVED:
        yield exhibit_of(
            audited,
            f"takes a release back, asked for by {request.context.signer}",
            *(opening, *_ended(audited)),
            exception=True,
            kind=ExceptionKind.TAKEN_BACK,
            digests=(request.subjects[0].digest,),
            texts=texts_of(audited, (request.context.signer, request.why)),
        )


def _ended(audited: Audited) -> tuple[PlacedEntry, ...]:
    return (audited.concluded,) if audited.concluded else ()


def _happened(audited: Audited) -> Iterator[Exhibit]:
    for each in audited.entries:
        if each.entry.type is EntryType.SUPERSEDED:
            by = str(each.entry.body["by"])
            yield _exhibit(
                audited, each, ExceptionKind.SUPERSEDED, "gave way to another request", digests=(by,)
            )
        elif each.entry.type in _BY_ENTRY:
            kind, says = _BY_ENTRY[each.entry.type]
            cause = _cause(audited, each)
            who, why = _who_and_why(cause)
            yield _exhibit(audited, each, kind, says + who, texts=texts_of(audited, *why))


def _cause(audited: Audited, ended: PlacedEntry) -> Statement | None:
    """Return the statement of an entry, or of the rejection before it, which it follows from."""
    if ended.statement is not None:
        return ended.statement
    before = audited.entries[ended.entry.seq - 1].statement if ended.entry.seq else None
    follows = isinstance(before, Decision) and before.choice is Choice.REJECTION
    return before if follows and ended.entry.type is EntryType.REJECTED else None


def _who_and_why(statement: Statement | None) -> tuple[str, tuple[tuple[str, str | None], ...]]:
    match statement:
        case Extension(context=context, deadline=deadline):
            return f" by {context.signer}, until {instant_text(deadline)}", ()
        case (
            Decision(context=context, reason=reason)
            | Cancellation(context=context, reason=reason)
            | Veto(context=context, reason=reason)
        ):
            return f", by {context.signer}", ((context.signer, reason),)
        case _:
            return "", ()


def _fell(audited: Audited) -> Iterator[Exhibit]:
    """Give the decisions that stood until a key was revoked, or somebody suspended."""
    losses = [e for e in audited.entries if e.entry.type in (EntryType.KEY_REVOKED, EntryType.SUSPENDED)]
    fallen = audited.ceremony.fallen
    for digest, signer in sorted(fallen.items(), key=lambda item: (item[1], item[0])):
        yield _exhibit(
            audited,
            losses[0],
            ExceptionKind.FALLEN,
            f"what {signer} decided does not stand any more",
            digests=(digest,),
        )


def _decided(audited: Audited, hasty: timedelta) -> Iterator[Exhibit]:
    for each, statement in audited.statements:
        if not isinstance(statement, Decision):
            continue
        who = statement.context.signer
        if statement.choice is Choice.APPROVAL:
            not_passed = [check for check in statement.checks if check.outcome in _NOT_LOOKED_AT]
            for check in not_passed:
                says = f"{who} approved with the check {check.name} {_OUTCOMES[check.outcome]}"
                yield _exhibit(audited, each, ExceptionKind.UNCHECKED, says)
            taken = each.entry.at - audited.opened_at
            if taken < hasty and audited.policy.policy.signers[who].kind is SignerKind.PERSON:
                says = f"{who} approved {duration_text(taken)} after it was opened"
                yield _exhibit(audited, each, ExceptionKind.HASTY, says)
        if statement.delegation is not None:
            says = f"{who} decided in the place of somebody else"
            yield _exhibit(audited, each, ExceptionKind.STOOD_IN, says, digests=(statement.delegation,))


_OUTCOMES = {
    CheckOutcome.FAIL: "failed",
    CheckOutcome.WAIVED: "waived",
    CheckOutcome.UNKNOWN: "not known",
}


def _exhibit(
    audited: Audited,
    entry: PlacedEntry,
    kind: ExceptionKind,
    says: str,
    *,
    digests: tuple[str, ...] = (),
    texts: tuple[tuple[str, str], ...] = (),
) -> Exhibit:
    return exhibit_of(audited, says, entry, exception=True, kind=kind, digests=digests, texts=texts)
