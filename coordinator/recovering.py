# SPDX-License-Identifier: Apache-2.0
"""Bring back the lost end of a log from what agents handed back: byte for byte, in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from coordinator.anchor import Anchor
from coordinator.errors import LogKeyError, NothingLostError, RecoveryError, RewoundError
from coordinator.log_keys import LogKeys
from coordinator.outbox import due_bundles
from coordinator.piecing import Pieced, piece_together
from coordinator.policies import Policies
from coordinator.projection import ceremony_row
from coordinator.storage import (
    AnnexRow,
    Append,
    CeremonyRow,
    CheckpointRow,
    EntryRow,
    LogHead,
    ShownRow,
    Storage,
)
from quorumseal.ceremony.commitments import commitments
from quorumseal.ceremony.entries import CONCLUSIONS, PUBLISHED, Entry, EntryType, policy_of, read_entry
from quorumseal.ceremony.policy import Kind, Log
from quorumseal.ceremony.policy_document import adopted_policy
from quorumseal.ceremony.recovery import Extent, Recovery
from quorumseal.ceremony.standing_chain import StandingChain, recover, replay_standing
from quorumseal.ceremony.statement_document import read_statement
from quorumseal.ceremony.values import digest_of, whole_milliseconds
from quorumseal.tlog import Checkpoint, Node, hash_text, leaf_hash, sign_checkpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What was brought back, and what of it was not there to be brought back."""

    recovery: Recovery
    append: Append
    left_out: tuple[str, ...]
    texts_missing: int
    """How many texts of statements nobody handed back."""
    evidence_missing: tuple[str, ...]
    """The digests of files that requests name and this coordinator does not have."""
    unsigned: int
    """How many checkpoints were not signed again, because their key is not held any more."""


class RecoveredPolicies(Policies):
    """Policies as they are once the lost end is back."""

    def __init__(self, storage: Storage, chain: StandingChain, openings: Sequence[Entry]) -> None:
        super().__init__(storage)
        self.keep(chain)
        for opening in openings:
            payload = str(opening.body.get("policy", "")).encode()
            if payload:
                self._proposals[digest_of(payload)] = adopted_policy(payload, ("", ""))


def recover_log(
    storage: Storage,
    log_keys: LogKeys,
    *,
    at: datetime,
    certain: int = 0,
    without_unheard: bool = False,
    destinations: Sequence[str] = (),
) -> Recovered:
    """Write the lost end of the log; ``certain`` is how far it is known to have reached, by its anchor."""
    prepared = prepare(
        storage,
        log_keys,
        at=at,
        certain=certain,
        without_unheard=without_unheard,
        destinations=destinations,
    )
    storage.append(prepared.append)
    return prepared


def prepare(
    storage: Storage,
    log_keys: LogKeys,
    *,
    at: datetime,
    certain: int,
    without_unheard: bool,
    destinations: Sequence[str],
) -> Recovered:
    """Return everything that is to be written; refuse where anything of the log is still missing."""
    head, shown = storage.log.head(), storage.rewound.shown()
    largest = _largest(shown, head)
    pieced = piece_together(head.frontier, largest.size, largest.root, storage.rewound.handed_back())
    _check_shown(storage, head, shown, pieced)
    rows = _rows(pieced.payloads, head.size)
    entries = [read_entry(row.payload) for row in rows]
    before = [row.payload for row in storage.log.standing()]
    standing = replay_standing([*before, *(e.payload for e in entries if e.ceremony is None)])
    unheard = [] if certain >= largest.size else _unheard(storage, standing, pieced)
    if unheard and not without_unheard:
        raise RecoveryError(
            f"expected to have heard everybody's agent, since any may have seen a log of more than "
            f"{largest.size} entries, got nothing from {', '.join(unheard)}",
            hint="have them start their agents; or go on without: --without-unheard",
        )
    recovery = Recovery(
        before=Extent(head.size, hash_text(head.root)),
        after=Extent(largest.size, hash_text(largest.root)),
        handed_back=pieced.handed_back,
        unheard=tuple(unheard),
    )
    last = max(whole_milliseconds(at), entries[-1].at)
    standing, own = recover(standing, recovery, last)
    written = [*rows, EntryRow(largest.size, own.type, None, own.seq, own.payload)]
    after, nodes, checkpoints, unsigned = _grow(head, standing, [*entries, own], log_keys)
    opened, moved = _ceremonies(storage, RecoveredPolicies(storage, standing, _openings(entries)), rows)
    texts, missing = _texts(storage, entries)
    digests = _evidence(entries)
    return Recovered(
        recovery=recovery,
        append=Append(
            before=head,
            after=LogHead(frontier=after.frontier, root=after.root, at=last),
            entries=written,
            nodes=nodes,
            checkpoints=checkpoints,
            opened=opened,
            moved=moved,
            annexes=texts,
            outbox=due_bundles(_published(rows, [*opened, *moved]), destinations, at=last),
            evidence=digests,
            recovers=True,
        ),
        left_out=pieced.left_out,
        texts_missing=missing,
        evidence_missing=tuple(each for each in digests if storage.evidence.size(each) is None),
        unsigned=unsigned,
    )


def _largest(shown: Sequence[ShownRow], head: LogHead) -> ShownRow:
    if not shown:
        raise NothingLostError(
            f"expected a log that has lost entries, got one of {head.size} that has all that anybody showed",
            hint="rehearse instead, with a backup",
        )
    if shown[0].size <= head.size:
        raise _forked(shown[0])
    return shown[0]


def _check_shown(storage: Storage, head: LogHead, shown: Sequence[ShownRow], pieced: Pieced) -> None:
    """Refuse a log of which somebody shows a checkpoint that it would not contain even then."""
    for row in shown:
        if row.size <= head.size:
            root = storage.log.root_at(row.size)
        else:
            leaves = (leaf_hash(payload) for payload in pieced.payloads[: row.size - head.size])
            root = head.frontier.extend(leaves)[0].root()
        if root != row.root:
            raise _forked(row)


def _forked(row: ShownRow) -> RewoundError:
    return RewoundError(
        f"expected one history, got a signed checkpoint of another from {row.shown_by} (size {row.size}, "
        f"root {hash_text(row.root)})",
        hint="nothing can be recovered into two histories: keep all files, and call your auditor",
    )


def _rows(payloads: Sequence[bytes], start: int) -> list[EntryRow]:
    read = [read_entry(payload) for payload in payloads]
    return [
        EntryRow(start + number, entry.type, entry.ceremony, entry.seq, entry.payload)
        for number, entry in enumerate(read)
    ]


def _unheard(storage: Storage, standing: StandingChain, pieced: Pieced) -> list[str]:
    heard = {row.signer for row in storage.rewound.heard()} | set(pieced.handed_back)
    return sorted(standing.policies[-1].policy.signers.keys() - heard)


def _grow(
    head: LogHead, standing: StandingChain, entries: Sequence[Entry], log_keys: LogKeys
) -> tuple[LogHead, list[Node], list[CheckpointRow], int]:
    """Return the tree with all entries; every size gets its checkpoint, since any may have been signed."""
    frontier, nodes, checkpoints, unsigned = head.frontier, list[Node](), list[CheckpointRow](), 0
    logs = _logs(standing, entries)
    for entry, log in zip(entries, logs, strict=True):
        frontier, more = frontier.extend([leaf_hash(entry.payload)])
        nodes += more
        checkpoint = Checkpoint(log.origin, frontier.size, frontier.root())
        try:
            note = sign_checkpoint(checkpoint, log_keys.at(log, frontier.size))
        except LogKeyError:
            if entry is entries[-1]:
                raise
            unsigned += 1
        else:
            checkpoints.append(CheckpointRow(checkpoint.size, checkpoint.root, note))
    return LogHead(frontier=frontier, root=frontier.root(), at=entries[-1].at), nodes, checkpoints, unsigned


def _logs(standing: StandingChain, entries: Sequence[Entry]) -> list[Log]:
    """Return the log as the policy has it that was in force after each entry.

    What approves a policy and the policy itself were written as one batch, under the new policy's key.
    """
    new = [policy_of(entry).policy.log for entry in entries if entry.type is EntryType.POLICY]
    known = [policy.policy.log for policy in standing.policies]
    current = known[len(known) - len(new) - 1]
    logs = []
    for number, entry in enumerate(entries):
        following = entries[number + 1] if number + 1 < len(entries) else None
        if entry.type is EntryType.POLICY or (following and following.type is EntryType.POLICY):
            current = new[sum(each.type is EntryType.POLICY for each in entries[:number])]
        logs.append(current)
    return logs


def _ceremonies(
    storage: Storage, policies: Policies, rows: Sequence[EntryRow]
) -> tuple[list[CeremonyRow], list[CeremonyRow]]:
    """Replay every ceremony of which an entry was brought back; return the new ones, and the others."""
    names: dict[str, list[EntryRow]] = {}
    for row in rows:
        if row.ceremony is not None:
            names.setdefault(row.ceremony, []).append(row)
    stored = storage.log.chains(names)
    opened, moved = [], []
    for name, new in names.items():
        chain = [*stored.get(name, []), *new]
        concluded = next((row.index for row in chain if EntryType(row.type) in CONCLUSIONS), None)
        replayed = policies.replay(chain)
        if name in stored:
            moved.append(ceremony_row(replayed, None, concluded))
        else:
            opened.append(ceremony_row(replayed, chain[0].index, concluded))
    return opened, moved


def _openings(entries: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in entries if entry.type is EntryType.OPENED]


def _texts(storage: Storage, entries: Sequence[Entry]) -> tuple[list[AnnexRow], int]:
    """Return the texts that statements among the entries commit to, and how many nobody handed back."""
    wanted = {
        (entry.ceremony, commitment)
        for entry in entries
        if entry.ceremony is not None and entry.signed
        for commitment in commitments(read_statement(entry.envelope.payload))
    }
    found = [text for text in storage.rewound.texts() if (text.ceremony, text.commitment) in wanted]
    return found, len(wanted) - len(found)


def _evidence(entries: Sequence[Entry]) -> list[str]:
    statements = (read_statement(entry.envelope.payload) for entry in _openings(entries))
    return sorted({each.digest for statement in statements for each in getattr(statement, "evidence", ())})


def _published(rows: Sequence[EntryRow], ceremonies: Sequence[CeremonyRow]) -> list[tuple[str, Kind]]:
    """Return what was approved in what was lost: where it is published already, it is found to be."""
    ended = {row.ceremony for row in rows if row.type in PUBLISHED}
    return [(row.ceremony, Kind(row.kind)) for row in ceremonies if row.ceremony in ended]


def anchored_size(storage: Storage, log_keys: LogKeys, anchor: Anchor | None) -> int:
    """Return how far the anchor says that the log reached; 0 without one."""
    if anchor is None or (note := anchor.read()) is None:
        return 0
    return anchor.open(note, Policies(storage).newest.policy.log, log_keys.public).size
