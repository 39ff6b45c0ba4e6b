# SPDX-License-Identifier: Apache-2.0
"""What an operator who holds the database and the log's key can make of a log: all but what people sign."""

from collections.abc import Sequence

from quorumseal.ceremony.entries import Entry, EntryType, write_entry
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.signatures import Envelope, PrivateKey
from quorumseal.strict_json import JsonValue
from quorumseal.tlog import (
    Checkpoint,
    Frontier,
    leaf_hash,
    prove_consistency,
    prove_inclusion,
    sign_checkpoint,
)
from quorumseal.verifier.bundle import make_bundle, write_bundle
from quorumseal.verifier.part import Part, seen_checkpoints


class ForgedLog:
    """Any entries at all, as a log with proofs and a signed checkpoint of every size."""

    def __init__(self, entries: Sequence[bytes], origin: str, key: PrivateKey) -> None:
        self._entries = list(entries)
        self._origin = origin
        self._key = key
        self._nodes: dict[tuple[int, int], bytes] = {}
        self._roots = [Frontier().root()]
        frontier = Frontier()
        for payload in entries:
            frontier, nodes = frontier.append(leaf_hash(payload))
            self._nodes.update({(level, index): node for level, index, node in nodes})
            self._roots.append(frontier.root())

    def part(self, ceremony: Sequence[Entry]) -> Part:
        """Prove a ceremony by its last entry, to a checkpoint signed right behind it."""
        payloads = tuple(entry.payload for entry in ceremony)
        index = self._entries.index(payloads[-1])
        size = index + 1
        seen = {checkpoint.size for checkpoint in seen_checkpoints(payloads)}
        return Part(
            entries=payloads,
            index=index,
            inclusion=tuple(prove_inclusion(index, size, self._node)),
            checkpoint=sign_checkpoint(Checkpoint(self._origin, size, self._roots[size]), self._key),
            consistency={
                old: tuple(prove_consistency(old, size, self._node))
                for old in sorted(seen)
                if 0 < old <= size
            },
        )

    def bundle(self, policy: SignedPolicy, ceremony: Sequence[Entry]) -> bytes:
        """Make the file that would be published."""
        return write_bundle(make_bundle([policy], self.part(ceremony)))

    def _node(self, level: int, index: int) -> bytes:
        return self._nodes[level, index]


def linked(entries: Sequence[Entry]) -> list[Entry]:
    """Number and chain entries anew, from the opening on, as if nothing else had ever been between them."""
    chain: list[Entry] = []
    for entry in entries:
        prev = chain[-1].hash if chain else None
        chain.append(
            write_entry(
                entry.type, entry.body, at=entry.at, ceremony=entries[0].ceremony, seq=len(chain), prev=prev
            )
        )
    return chain


def recorded(envelope: Envelope, like: Entry) -> Entry:
    """Make an entry that records a decision at the time of another entry; ``linked`` gives it its place."""
    return _entry(EntryType.DECIDED, {"envelope": envelope.to_json()}, like)


def declared_approved(seats: Sequence[tuple[str, Sequence[str]]], like: Entry) -> Entry:
    """Make an entry that says who met the quorum, whether they did or not."""
    return _entry(
        EntryType.APPROVED, {"seats": [{"role": role, "signers": [*people]} for role, people in seats]}, like
    )


def rewritten(log: Sequence[bytes], honest: Sequence[Entry], forged: Sequence[Entry]) -> list[bytes]:
    """Put a forged ceremony in an honest one's place; every other entry of the log stays."""
    old = {entry.payload for entry in honest}
    new = iter([entry.payload for entry in forged])
    kept: list[bytes] = []
    for payload in log:
        if payload not in old:
            kept.append(payload)
        elif (replacement := next(new, None)) is not None:
            kept.append(replacement)
    return [*kept, *new]


def _entry(kind: EntryType, body: dict[str, JsonValue], like: Entry) -> Entry:
    return write_entry(kind, body, at=like.at, ceremony=like.ceremony, seq=like.seq, prev=like.prev)
