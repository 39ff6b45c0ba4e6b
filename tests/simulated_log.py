# SPDX-License-Identifier: Apache-2.0
"""A log in memory: takes entries, gives the parts and bundles that a coordinator would."""

import base64
from collections.abc import Collection, Iterable, Sequence

from quorumseal.ceremony.changing import policy_adopted_by
from quorumseal.ceremony.entries import Entry, policy_entry
from quorumseal.ceremony.standing_chain import adopt, replay_standing
from quorumseal.ceremony.statements import SeenCheckpoint
from quorumseal.tlog import (
    Checkpoint,
    Frontier,
    hash_text,
    leaf_hash,
    prove_consistency,
    prove_inclusion,
    sign_checkpoint,
    signature_on,
)
from quorumseal.verifier.bundle import Adopted, Bundle, PolicyVersion, write_bundle
from quorumseal.verifier.part import Part, seen_checkpoints
from quorumseal.verifier.trust import Trust
from tests.changing import Side
from tests.organisation import NOW, Organisation


class SimulatedLog:
    """Entries, tree nodes and roots of every size, founded with the organisation's policy."""

    def __init__(self, organisation: Organisation) -> None:
        self.organisation = organisation
        self.entries: list[bytes] = []
        self.roots = [Frontier().root()]
        self._frontier = Frontier()
        self._nodes: dict[tuple[int, int], bytes] = {}
        founding = policy_entry(organisation.policy, at=NOW, seq=0, prev=None)
        self.standing = replay_standing([founding.payload])
        self.versions: list[PolicyVersion] = [organisation.policy.envelope]
        self.append([founding])

    def append(self, entries: Iterable[Entry]) -> None:
        """Add entries at the end."""
        for entry in entries:
            self._frontier, nodes = self._frontier.append(leaf_hash(entry.payload))
            self._nodes.update({(level, index): node for level, index, node in nodes})
            self.entries.append(entry.payload)
            self.roots.append(self._frontier.root())

    @property
    def size(self) -> int:
        """How many entries there are."""
        return len(self.entries)

    @property
    def trust(self) -> Trust:
        """What a consumer of the organisation pins."""
        return Trust(
            organisation=self.organisation.name, policy=self.organisation.policy.digest, minimum_version=1
        )

    def node(self, level: int, index: int) -> bytes:
        """Return a stored node."""
        return self._nodes[level, index]

    def checkpoint(self, size: int | None = None) -> bytes:
        """Sign the checkpoint of a size."""
        size = self.size if size is None else size
        return sign_checkpoint(
            Checkpoint(self.organisation.origin, size, self.roots[size]), self.organisation.log_key
        )

    def seen(self, size: int | None = None) -> SeenCheckpoint:
        """Return how a statement names the checkpoint of a size."""
        size = self.size if size is None else size
        keys = [self.organisation.log_key.public]
        signature = signature_on(self.checkpoint(size), self.organisation.origin, keys)
        return SeenCheckpoint(
            size=size,
            root=hash_text(self.roots[size]),
            signature=base64.b64encode(signature).decode() if size else "",
        )

    def part(self, entries: Sequence[Entry], *, size: int | None = None, also: Collection[int] = ()) -> Part:
        """Return a ceremony with its proof, up to the checkpoint of its last entry's size."""
        payloads = tuple(entry.payload for entry in entries)
        index = self.entries.index(payloads[-1])
        size = index + 1 if size is None else size
        sizes = {seen.size for seen in seen_checkpoints(payloads) if 0 < seen.size <= size} | set(also)
        return Part(
            entries=payloads,
            index=index,
            inclusion=tuple(prove_inclusion(index, size, self.node)),
            checkpoint=self.checkpoint(size),
            consistency={s: tuple(prove_consistency(s, size, self.node)) for s in sorted(sizes)},
        )

    def bundle(self, entries: Sequence[Entry]) -> bytes:
        """Return the bundle that a coordinator would publish."""
        return write_bundle(Bundle(policies=tuple(self.versions), parts=(self.part(entries),)))

    def adopt(self, change: Side, acceptance: Side) -> None:
        """Take in the two ceremonies of a policy change, and the policy that they agree on."""
        policy = policy_adopted_by(change.chain.ceremony, acceptance.chain.ceremony)
        assert policy is not None
        self.append(change.entries)
        self.append(acceptance.entries)
        self.versions.append(self.adopted(policy.payload, change, acceptance))
        self.standing, entry = adopt(self.standing, policy, acceptance.chain.last_at)
        self.append([entry])

    def adopted(self, payload: bytes, change: Side, acceptance: Side) -> Adopted:
        """Return a policy version as a bundle carries it; the change was logged first."""
        parts = self.part(change.entries), self.part(acceptance.entries, also=[self.end(change.entries)])
        return Adopted(payload=payload, change=parts[0], acceptance=parts[1])

    def end(self, entries: Sequence[Entry]) -> int:
        """Return the size of the log when the last of some entries was written."""
        return self.entries.index(entries[-1].payload) + 1
