# SPDX-License-Identifier: Apache-2.0
"""Whether entries are those that the log's checkpoints cover."""

from collections.abc import Iterator, Mapping, Sequence

from quorumseal.audit.defect import Defect
from quorumseal.audit.errors import HistoryDiffersError, TreeDiffersError
from quorumseal.audit.log_copy import LogCopy
from quorumseal.ceremony.policy import Log
from quorumseal.ceremony.recovery import Recovery
from quorumseal.refusal import Refusal
from quorumseal.tlog import HASH_SIZE, Checkpoint, Frontier, hash_text, leaf_hash, verify_inclusion
from quorumseal.verifier.part import open_log_checkpoint


def check_tree(
    copy: LogCopy, logs: Sequence[Log], recoveries: Sequence[tuple[int, Recovery]] = ()
) -> tuple[Checkpoint | None, list[Defect]]:
    """Return the checkpoint that covers a copy, once it is seen to be signed, and everything wrong with it.

    ``logs`` say who signs for the log, as each policy version has it; without any nothing can be said.
    ``recoveries``, each at its index, say what the log was when it had lost its end.
    """
    if not logs:
        return None, []
    defects: list[Defect] = []
    try:
        checkpoint = open_log_checkpoint(copy.checkpoint, *logs)
    except Refusal as refusal:
        return None, [Defect(refusal)]
    held, unread = _held(copy, logs)
    defects += unread
    try:
        said = {extent.size for _, each in recoveries for extent in (each.before, each.after)}
        roots = roots_of(copy, {checkpoint.size, *(each.size for each in held), *said})
    except TreeDiffersError as refusal:
        return checkpoint, [*defects, Defect(refusal)]
    if copy.size != checkpoint.size or roots.get(checkpoint.size) != checkpoint.root:
        defects.append(
            Defect(
                TreeDiffersError(
                    f"expected {checkpoint.size} entries under the root that the checkpoint names, "
                    f"got {copy.size} under {'another' if copy.size == checkpoint.size else 'their own'}"
                )
            )
        )
    defects += _contradictions(held, copy, roots)
    defects += _untrue(recoveries, roots, copy.first)
    defects += _misplaced(copy, checkpoint)
    return checkpoint, defects


def roots_of(copy: LogCopy, sizes: set[int]) -> Mapping[int, bytes]:
    """Return the root at each of the sizes that the copy reaches, from its beginning on."""
    count = copy.first.bit_count()
    if len(copy.frontier) != count or any(len(node) != HASH_SIZE for node in copy.frontier):
        raise TreeDiffersError(
            f"expected {count} hashes over the {copy.first} entries before the period, "
            f"got {len(copy.frontier)}"
        )
    frontier, roots = Frontier(copy.first, copy.frontier), dict[int, bytes]()
    for size in sorted(size for size in sizes if copy.first <= size <= copy.size):
        leaves = copy.entries[frontier.size - copy.first : size - copy.first]
        frontier, _ = frontier.extend(leaf_hash(payload) for payload in leaves)
        roots[size] = frontier.root()
    return roots


def _held(copy: LogCopy, logs: Sequence[Log]) -> tuple[list[Checkpoint], list[Defect]]:
    checkpoints, defects = list[Checkpoint](), list[Defect]()
    for note in copy.held:
        try:
            checkpoints.append(open_log_checkpoint(note, *logs))
        except Refusal as refusal:
            defects.append(Defect(refusal))
    return checkpoints, defects


def _contradictions(
    held: Sequence[Checkpoint], copy: LogCopy, roots: Mapping[int, bytes]
) -> Iterator[Defect]:
    for checkpoint in held:
        if checkpoint.size > copy.size:
            yield Defect(
                HistoryDiffersError(
                    f"expected the {checkpoint.size} entries that a checkpoint held elsewhere names, "
                    f"got {copy.size}",
                    hint="the log lost entries, or the copy leaves them out; ask for a newer copy first",
                )
            )
        elif checkpoint.size >= copy.first and roots[checkpoint.size] != checkpoint.root:
            yield Defect(
                HistoryDiffersError(
                    f"expected the root that a checkpoint held elsewhere names at size {checkpoint.size}, "
                    "got another"
                )
            )


def _untrue(
    recoveries: Sequence[tuple[int, Recovery]], roots: Mapping[int, bytes], first: int
) -> Iterator[Defect]:
    """Give the recoveries that say what the log never was; what lies before the period is not here."""
    for index, recovery in recoveries:
        for extent in (recovery.before, recovery.after):
            if extent.size < first:
                continue
            root = roots.get(extent.size)
            if extent.size > index or root is None or extent.root != hash_text(root):
                untrue = HistoryDiffersError(
                    f"expected a recovery that names what the log was at size {extent.size}, got another root"
                )
                yield Defect(untrue, index)


def _misplaced(copy: LogCopy, checkpoint: Checkpoint) -> Iterator[Defect]:
    """Give the entries from before the period that the log does not have where they say."""
    before = -1
    for each in copy.earlier:
        try:
            if not before < each.index < copy.first:
                raise TreeDiffersError(
                    f"expected entries from before index {copy.first} in their order, "
                    f"got {each.index} after {before}"
                )
            before = each.index
            verify_inclusion(
                leaf_hash(each.payload), each.index, checkpoint.size, each.inclusion, checkpoint.root
            )
        except Refusal as refusal:
            yield Defect(refusal, each.index)
