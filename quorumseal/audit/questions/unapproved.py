# SPDX-License-Identifier: Apache-2.0
"""What was released without a ceremony, and what was approved but is not out there?"""

from collections.abc import Collection, Iterator, Mapping, Sequence

from quorumseal.audit.answer import Answer, Exhibit, counted, exhibit_of, name_of
from quorumseal.audit.leading_on import lead_on
from quorumseal.audit.listing import Listed
from quorumseal.audit.population import Audited, Period, Population
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import Kind

QUESTION = "What was released without a ceremony, and what was approved but is not there?"
_RELEASES = frozenset({Kind.RELEASE, Kind.RATIFICATION, Kind.RE_APPROVAL})
_GOOD = frozenset({State.APPROVED, State.PROVISIONAL})


def ask(population: Population, period: Period, listing: Collection[Listed]) -> Answer:
    """Hold what is listed against all approvals, and the approvals of the period against what is listed."""
    known = _by_digest(population)
    taken_back = _taken_back(population)
    out_there = tuple(
        exhibit for each in sorted(listing) for exhibit in _listed(each, known, taken_back, period)
    )
    touching = population.within(period).ceremonies
    approved = [each for each in touching if each.request.kind is Kind.RELEASE and each.state in _GOOD]
    digests = {each.digest for each in listing}
    absent = tuple(
        exhibit_of(
            each,
            f"{each.state}, but {subject.name} is not listed",
            *([each.concluded] if each.concluded else []),
            exception=True,
            kind="absent",
            digests=(subject.digest,),
        )
        for each in approved
        if each.signed.digest not in taken_back
        for subject in each.request.subjects
        if subject.digest not in digests
    )
    without = sum(each.exception for each in out_there)
    return Answer(
        question=QUESTION,
        says=f"{counted(without, 'artifact')} of {len(listing)} listed "
        f"{'is' if without == 1 else 'are'} out there without an approval that stands; "
        f"{counted(len(absent), 'approved artifact')} "
        f"{'is' if len(absent) == 1 else 'are'} not listed",
        exhibits=(
            *(each for each in out_there if each.exception),
            *absent,
            *(each for each in out_there if not each.exception),
        ),
        looked_at=(("listed artifacts", len(listing)), ("approved releases", len(approved))),
        limits=(
            "What the listing leaves out: other registries, mirrors, and what was there and is gone.",
            "Whether a listed name leads to the bytes that its digest names: fetch it, and hash it.",
        ),
        next=lead_on(out_there, "audit", "ask", "complete"),
    )


def _by_digest(population: Population) -> Mapping[str, Sequence[Audited]]:
    """Return every ceremony about an artifact, by its digest."""
    known: dict[str, list[Audited]] = {}
    for each in population.ceremonies:
        if each.request.kind in _RELEASES:
            for digest in dict.fromkeys(subject.digest for subject in each.request.subjects):
                known.setdefault(digest, []).append(each)
    return known


def _taken_back(population: Population) -> frozenset[str]:
    """Return the requests of releases that were taken back."""
    return frozenset(
        subject.digest
        for each in population.ceremonies
        if each.request.kind is Kind.REVOCATION and each.state is State.APPROVED
        for subject in each.request.subjects
    )


def _listed(
    listed: Listed, known: Mapping[str, Sequence[Audited]], taken_back: Collection[str], period: Period
) -> Iterator[Exhibit]:
    about = known.get(listed.digest, ())
    good = [each for each in about if each.state in _GOOD and not _gone(each, taken_back)]
    if lasting := [each for each in good if each.state is State.APPROVED]:
        yield _exhibit(listed, lasting[-1], "approved")
    elif good:
        emergency = good[-1].request.emergency
        over = emergency is not None and emergency.provisional_until <= period.end
        says = "released by an emergency" + (" that nobody ratified in time" if over else ", provisionally")
        yield _exhibit(listed, good[-1], says, exception=over)
    elif about:
        back = any(_gone(each, taken_back) for each in about)
        says = "taken back, and still there" if back else f"asked for, and never approved: {about[-1].state}"
        yield _exhibit(listed, about[-1], says, exception=True)
    else:
        yield Exhibit(
            says=f"{listed.name}: no ceremony was ever about it",
            at=period.end,
            entries=(),
            exception=True,
            kind="unapproved",
            digests=(listed.digest,),
        )


def _gone(audited: Audited, taken_back: Collection[str]) -> bool:
    """Whether a release was taken back, or the one that a later ceremony is about."""
    earlier = audited.request.earlier
    return audited.signed.digest in taken_back or (earlier is not None and earlier.request in taken_back)


def _exhibit(listed: Listed, audited: Audited, says: str, *, exception: bool = False) -> Exhibit:
    names = [subject.name for subject in audited.request.subjects if subject.digest == listed.digest]
    other = "" if listed.name in names else f", as {names[0]}"
    return Exhibit(
        says=f"{listed.name}: {says} ({name_of(audited)}{other})",
        at=audited.entries[-1].entry.at,
        entries=(audited.entries[0].index, audited.entries[-1].index),
        exception=exception,
        kind="unapproved" if exception else "approved",
        ceremony=audited.id,
        digests=(listed.digest,),
    )
