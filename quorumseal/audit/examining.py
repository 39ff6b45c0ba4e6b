# SPDX-License-Identifier: Apache-2.0
"""Everything that is wrong with a copy of a log; and what there was, where nothing is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from quorumseal.audit.defect import Defect
from quorumseal.audit.errors import TextUnknownError
from quorumseal.audit.log_copy import LogCopy
from quorumseal.audit.population import Audited, Population
from quorumseal.audit.replaying import Replay
from quorumseal.audit.tree_check import check_tree
from quorumseal.ceremony.commitments import commitments
from quorumseal.ceremony.entries import EntryType
from quorumseal.ceremony.recovery import read_recovery
from quorumseal.verifier.trust import Trust

Progress = Callable[[int, int], None]
"""Told now and then how many entries were replayed, and of how many."""
_EVERY = 256


def _nobody(done: int, total: int) -> None:
    del done, total


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What an examination came to."""

    entries: int
    ceremonies: int
    defects: tuple[Defect, ...]
    population: Population | None
    """None unless everything is as the rules make it."""


def examine(copy: LogCopy, trust: Trust, *, progress: Progress = _nobody) -> Examined:
    """Derive the tree again, verify every signature, and make every decision of the coordinator again."""
    replay, total = Replay(trust), len(copy.earlier) + len(copy.entries)
    for done, (index, payload) in enumerate(copy.indexed()):
        if not done % _EVERY:
            progress(done, total)
        replay.take(index, payload)
    replay.finish()
    progress(total, total)
    policies = replay.standing.policies if replay.standing else ()
    recoveries = [
        (each.index, read_recovery(each.entry.body))
        for each in replay.entries.get(None, ())
        if each.entry.type is EntryType.RECOVERED
    ]
    checkpoint, defects = check_tree(copy, [each.policy.log for each in reversed(policies)], recoveries)
    ceremonies = [_with_texts(each, copy) for each in replay.audited()]
    defects = [*replay.defects, *defects, *_unknown_texts(copy, ceremonies)]
    population = None
    if checkpoint is not None and replay.standing is not None and not defects:
        population = Population(
            checkpoint=checkpoint,
            policies=policies,
            begins=tuple(replay.begins),
            standing=replay.standing,
            standing_entries=tuple(replay.entries[None]),
            ceremonies=tuple(ceremonies),
            complete_from=copy.first,
        )
    return Examined(
        entries=total, ceremonies=len(replay.chains), defects=tuple(defects), population=population
    )


def populate(copy: LogCopy, trust: Trust, *, progress: Progress = _nobody) -> Population:
    """Return what there was; raise the first thing that is wrong."""
    examined = examine(copy, trust, progress=progress)
    if examined.population is None:
        raise examined.defects[0].refusal
    return examined.population


def _with_texts(audited: Audited, copy: LogCopy) -> Audited:
    annexes = copy.annexes.get(audited.id, ())
    return replace(audited, texts={each.commitment: each.text for each in annexes}) if annexes else audited


def _unknown_texts(copy: LogCopy, ceremonies: list[Audited]) -> Iterator[Defect]:
    """Give the texts that no statement commits to."""
    by_id = {each.id: each for each in ceremonies}
    for ceremony in sorted(copy.annexes):
        audited = by_id.get(ceremony)
        bound = frozenset[str]().union(*(commitments(s) for _, s in audited.statements)) if audited else ()
        for annex in copy.annexes[ceremony]:
            if annex.commitment not in bound:
                unknown = TextUnknownError(
                    f"expected texts that statements of ceremony {ceremony} commit to, got another one"
                )
                yield Defect(unknown, None, ceremony)
