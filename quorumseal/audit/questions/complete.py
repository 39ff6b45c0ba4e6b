# SPDX-License-Identifier: Apache-2.0
"""Is this everything that there was?"""

from quorumseal.audit.answer import Answer, Exhibit, counted, name_of
from quorumseal.audit.census import census, state_at
from quorumseal.audit.coverage import every_entry, gaps
from quorumseal.audit.population import Period, Population
from quorumseal.ceremony.values import instant_text
from quorumseal.tlog import hash_text

QUESTION = "Is this every ceremony of the period?"


def ask(population: Population, period: Period) -> Answer:
    """Count every entry under the root of the checkpoint, and every ceremony that they amount to."""
    counts, checkpoint = census(population, period), population.checkpoint
    last = max(every_entry(population), key=lambda each: each.index)
    tree = Exhibit(
        says=f"every entry up to size {checkpoint.size} of log {checkpoint.origin} hashes to the root that "
        f"its checkpoint names: none is missing, added or altered",
        at=last.entry.at,
        entries=(population.complete_from, last.index),
        digests=(hash_text(checkpoint.root),),
    )
    sums = Exhibit(
        says=f"{counts.entries_of_ceremonies} entries of ceremonies, {counts.entries_of_none} of none and "
        f"{counts.entries_before} before this copy are the log's {counts.size}",
        at=last.entry.at,
        entries=(last.index,),
        exception=not counts.adds_up,
    )
    missing = tuple(
        Exhibit(says=gap, at=period.begin, entries=(), exception=True) for gap in gaps(population, period)
    )
    listed = tuple(
        Exhibit(
            says=f"{name_of(each)}: {state_at(each, period.end)}, "
            f"opened {instant_text(each.opened_at)} by {each.request.context.signer}",
            at=each.opened_at,
            entries=tuple(entry.index for entry in each.entries),
            ceremony=each.id,
            digests=(each.signed.digest,),
        )
        for each in population.within(period).ceremonies
    )
    whole = not missing and counts.adds_up
    says = f"{counted(counts.ceremonies, 'ceremony', 'ceremonies')} touched the period"
    return Answer(
        question=QUESTION,
        says=f"yes: {says}, and the tree proves that there was no other"
        if whole
        else f"not shown: {says}, as far as this copy goes",
        exhibits=(*missing, tree, sums, *listed),
        looked_at=(("entries", counts.size - counts.entries_before), ("ceremonies", counts.ceremonies)),
        limits=(
            "What was released without asking: compare with what is out there.",
            "Whether others are shown another log: compare this checkpoint with one that a witness holds.",
        ),
        next=("audit", "ask", "unapproved", "--listing", "SHA256SUMS"),
    )
