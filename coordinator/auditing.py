# SPDX-License-Identifier: Apache-2.0
"""Hold everything in a database against its log: the log itself, its tree, its checkpoints, the lists.

Only what the coordinator has to do (deliveries, reminders, claims) is not judged: the log says nothing of it.
"""

from collections.abc import Iterator

from coordinator.policies import Policies
from coordinator.projection import ceremony_row
from coordinator.reading import LogReader
from coordinator.storage import CeremonyRow, EntryRow, Storage, WholeLog
from coordinator.storage.rows import to_milliseconds
from quorumseal.audit.defect import Defect
from quorumseal.audit.errors import TableDiffersError
from quorumseal.audit.examining import Examined, Progress, examine
from quorumseal.audit.log_copy import LogCopy
from quorumseal.audit.population import Audited, Population
from quorumseal.audit.tree_check import roots_of
from quorumseal.ceremony.annex import Annex
from quorumseal.ceremony.entries import PUBLISHED, read_entry
from quorumseal.ceremony.policy import GOVERNED
from quorumseal.refusal import Refusal
from quorumseal.tlog import Frontier, leaf_hash
from quorumseal.verifier.errors import CosignaturesMissingError
from quorumseal.verifier.part import open_log_checkpoint
from quorumseal.verifier.published import judge_published
from quorumseal.verifier.trust import Trust


def examine_database(
    database: str, trust: Trust, *, progress: Progress
) -> tuple[Examined, tuple[Defect, ...]]:
    """Return what is wrong with the log of a database, and what else in it is not what the log makes it."""
    storage = Storage(database, make_tables=False)
    try:
        return examine_storage(storage, trust, progress=progress)
    finally:
        storage.close()


def examine_storage(
    storage: Storage, trust: Trust, *, progress: Progress
) -> tuple[Examined, tuple[Defect, ...]]:
    """Do so with a database that is open, and that nobody writes meanwhile."""
    whole = storage.whole()
    copy = copy_of(whole)
    examined = examine(copy, trust, progress=progress)
    defects = [*_misfiled(whole), *_tree(whole, copy), *_texts(whole), *_evidence(whole)]
    if examined.population is not None:
        defects += _checkpoints(whole, copy, examined.population)
        defects += _lists(storage.ceremonies.all(), examined.population)
    if examined.population is not None and not defects:
        defects += _bundles(storage, examined.population, trust)
    return examined, tuple(defects)


def copy_of(whole: WholeLog) -> LogCopy:
    """Return what an auditor would hold of a log."""
    annexes: dict[str, tuple[Annex, ...]] = {}
    for row in whole.annexes:
        annexes[row.ceremony] = (*annexes.get(row.ceremony, ()), Annex(salt=row.salt, text=row.text))
    return LogCopy(
        entries=[row.payload for row in whole.entries],
        checkpoint=whole.checkpoints[-1].note if whole.checkpoints else b"",
        annexes=annexes,
    )


def _misfiled(whole: WholeLog) -> Iterator[Defect]:
    """Give the entries that are stored as something else than they say."""
    for index, row in enumerate(whole.entries):
        try:
            entry = read_entry(row.payload)
        except Refusal:
            continue  # whoever replays it says so
        if row != EntryRow(index, entry.type, entry.ceremony, entry.seq, entry.payload):
            yield _differs(
                f"entry {index} to be stored as what it says it is",
                f"entry {row.index}, {row.type} {row.seq} of {row.ceremony}",
                index,
            )


def _tree(whole: WholeLog, copy: LogCopy) -> Iterator[Defect]:
    """Give where the stored tree, or the head, is not that of the entries."""
    frontier, nodes = Frontier().extend(leaf_hash(payload) for payload in copy.entries)
    made = {(node.level, node.index): node.hash for node in nodes}
    for place in sorted(made.keys() | whole.nodes.keys()):
        if made.get(place) != whole.nodes.get(place):
            yield _differs("tree nodes as the entries make them", f"another at level {place[0]}, {place[1]}")
    expected = frontier.size, frontier.root(), _written_at(whole)
    if whole.head != expected:
        got = "none" if whole.head is None else f"one of {whole.head[0]}, of another root or time"
        yield _differs(f"a head of {frontier.size} entries", got)


def _written_at(whole: WholeLog) -> int:
    """Return when the newest entry was written, in milliseconds; of one that cannot be read, no time."""
    try:
        return to_milliseconds(read_entry(whole.entries[-1].payload).at)
    except (Refusal, IndexError):
        return -1


def _texts(whole: WholeLog) -> Iterator[Defect]:
    for row in whole.annexes:
        if Annex(salt=row.salt, text=row.text).commitment != row.commitment:
            yield _differs(f"the text that {row.commitment} commits to", "another", ceremony=row.ceremony)


def _evidence(whole: WholeLog) -> Iterator[Defect]:
    for digest, (found, length, size) in whole.evidence.items():
        if (digest, size) != (found, length):
            yield _differs(f"evidence {digest} of {size} bytes", f"{found} of {length}")


def _checkpoints(whole: WholeLog, copy: LogCopy, population: Population) -> Iterator[Defect]:
    """Give the stored checkpoints that are not of this log, and the conclusions that have none."""
    logs = [policy.policy.log for policy in reversed(population.policies)]
    roots = roots_of(copy, {row.size for row in whole.checkpoints})
    for row in whole.checkpoints:
        try:
            signed = open_log_checkpoint(row.note, *logs)
        except Refusal as refusal:
            yield Defect(refusal)
            continue
        if (signed.size, signed.root) != (row.size, row.root) or roots.get(row.size) != row.root:
            yield _differs(f"the checkpoint of size {row.size} with the root of its entries", "another")
    sizes = {row.size for row in whole.checkpoints}
    for audited in population.ceremonies:
        conclusion = audited.concluded
        if conclusion is not None and conclusion.index + 1 not in sizes:
            yield _differs("a checkpoint signed at the conclusion", "none", conclusion.index, audited.id)


def _lists(rows: list[CeremonyRow], population: Population) -> Iterator[Defect]:
    listed = {row.ceremony: row for row in rows}
    expected = {each.id: _row(each) for each in population.ceremonies}
    for ceremony in sorted(listed.keys() | expected.keys()):
        if listed.get(ceremony) != expected.get(ceremony):
            yield _differs("the lists to say what the log does", "something else", ceremony=ceremony)


def _row(audited: Audited) -> CeremonyRow:
    conclusion = audited.concluded
    return ceremony_row(audited.chain, audited.entries[0].index, conclusion.index if conclusion else None)


def _bundles(storage: Storage, population: Population, trust: Trust) -> Iterator[Defect]:
    """Give the bundles that would not verify, with the timestamps and cosignatures that are stored."""
    reader = LogReader(storage, Policies(storage))
    for audited in population.ceremonies:
        conclusion = audited.concluded
        if conclusion is None or conclusion.entry.type not in PUBLISHED or audited.request.kind in GOVERNED:
            continue
        try:
            judge_published(reader.bundle(audited.id), audited.request, trust, now=conclusion.entry.at)
        except CosignaturesMissingError:
            continue  # they lie beside the log, and it waits for them
        except Refusal as refusal:
            yield Defect(refusal, conclusion.index, audited.id)


def _differs(expected: str, got: str, index: int | None = None, ceremony: str | None = None) -> Defect:
    return Defect(TableDiffersError(f"expected {expected}, got {got}"), index, ceremony)
