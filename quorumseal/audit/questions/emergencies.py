# SPDX-License-Identifier: Apache-2.0
"""Every emergency: why, who joined, what became of it, who ratified it, who reported."""

from collections.abc import Iterator
from datetime import datetime

from quorumseal.audit.answer import Answer, Exhibit, counted, exhibit_of
from quorumseal.audit.exceptional import texts_of
from quorumseal.audit.leading_on import lead_on
from quorumseal.audit.population import Audited, Period, PlacedEntry, Population
from quorumseal.ceremony.aftermath import Owed, owed_until
from quorumseal.ceremony.entries import EntryType
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.statements import Choice, Decision, Mode, Report, Veto
from quorumseal.ceremony.values import instant_text

QUESTION = "Which emergencies were there, why, and were they ratified and reported on?"


def ask(population: Population, period: Period) -> Answer:
    """Tell every emergency, and what is owed after it by the end of the period."""
    touching = population.within(period).ceremonies
    emergencies = [each for each in touching if each.request.mode is Mode.BREAK_GLASS]
    exhibits = tuple(exhibit for each in emergencies for exhibit in _told(each, population, as_of=period.end))
    used = sum(each.state is State.PROVISIONAL for each in emergencies)
    owed = sum(each.exception for each in exhibits)
    return Answer(
        question=QUESTION,
        says=f"{counted(len(emergencies), 'emergency', 'emergencies')}, {used} of which released something; "
        + (
            f"{counted(owed, 'thing')} after them {'is' if owed == 1 else 'are'} late or missing"
            if owed
            else "nothing after them is late or missing"
        ),
        exhibits=exhibits,
        looked_at=(("ceremonies", len(touching)), ("emergencies", len(emergencies))),
        limits=(
            "Whether it was one: the reason is what people wrote, and their texts can be erased.",
            "Whether people read what they were told: of a delivery there is the coordinator's word.",
        ),
        next=lead_on(exhibits, "audit", "show", emergencies[0].id)
        if emergencies
        else ("audit", "ask", "policy-changes"),
    )


def _told(audited: Audited, population: Population, *, as_of: datetime) -> Iterator[Exhibit]:
    request, opening = audited.request, audited.entries[0]
    assert request.emergency is not None  # noqa: S101 - of this mode none is without
    asked, emergency = request.context.signer, request.emergency
    told = sum(each.entry.type is EntryType.DELIVERED for each in audited.entries)
    yield exhibit_of(
        audited,
        f"invoked by {asked} because of {emergency.reason} ({emergency.incident}), for "
        f"{emergency.people} people, provisional until {instant_text(emergency.provisional_until)}; "
        f"{counted(told, 'delivery', 'deliveries')} of notices on record",
        opening,
        digests=(audited.signed.digest,),
        texts=texts_of(audited, (asked, request.why), (asked, emergency.impact)),
    )
    for entry, statement in audited.statements:
        match statement:
            case Decision(context=context, choice=Choice.APPROVAL):
                yield exhibit_of(audited, f"{context.signer} joined", entry)
            case Decision(context=context, choice=choice, reason=reason):
                texts = texts_of(audited, (context.signer, reason))
                yield exhibit_of(audited, f"{context.signer} decided: {choice}", entry, texts=texts)
            case Veto(context=context, reason=reason):
                texts = texts_of(audited, (context.signer, reason))
                yield exhibit_of(audited, f"{context.signer} vetoed it", entry, texts=texts)
            case Report(context=context, text=text):
                yield _report(audited, entry, context.signer, text)
            case _:
                pass
    yield from _aftermath(audited, population, as_of)


def _report(audited: Audited, entry: PlacedEntry, signer: str, text: str) -> Exhibit:
    rule, ended = audited.ceremony.emergency, audited.ended_at
    late = rule is not None and ended is not None and entry.entry.at >= ended + rule.report
    says = f"{signer} reported{', late' if late else ''}"
    return exhibit_of(audited, says, entry, exception=late, texts=texts_of(audited, (signer, text)))


def _aftermath(audited: Audited, population: Population, as_of: datetime) -> Iterator[Exhibit]:
    ended = audited.concluded
    if ended is None:
        yield exhibit_of(audited, "it is still open")
        return
    if audited.state is not State.PROVISIONAL:
        yield exhibit_of(audited, f"it released nothing: {audited.state}", ended)
        return
    ratified = _ratification(audited, population)
    if ratified is not None:
        by = ratified.concluded or ratified.entries[0]
        says = f"ratified by the full quorum in ceremony {ratified.id}"
        yield exhibit_of(audited, says, by, digests=(ratified.signed.digest,))
    for owed, until in owed_until(audited.ceremony, ratified=ratified is not None).items():
        late = until <= as_of
        says = {
            Owed.RATIFICATION: "it lapsed: nobody ratified it"
            if late
            else "it is not ratified yet, and may be",
            Owed.REPORT: "nobody reported on it" if late else "a report on it is owed",
        }[owed]
        says = f"{says} {'by' if late else 'until'} {instant_text(until)}"
        yield exhibit_of(audited, says, ended, exception=late)


def _ratification(audited: Audited, population: Population) -> Audited | None:
    return next(
        (
            each
            for each in population.ceremonies
            if each.request.ratified is not None
            and each.request.ratified.request == audited.signed.digest
            and each.state is State.APPROVED
        ),
        None,
    )
