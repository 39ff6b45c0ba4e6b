# SPDX-License-Identifier: Apache-2.0
"""The policies of the log and who is away, as its standing entries hold them."""

from collections.abc import Sequence

from coordinator.errors import LogDamagedError, LogEmptyError, UnknownPolicyError
from coordinator.storage import EntryRow, Storage
from quorumseal.ceremony.chain import Chain, replay_chain
from quorumseal.ceremony.entries import EntryType, read_entry
from quorumseal.ceremony.errors import CeremonyError
from quorumseal.ceremony.policy_document import SignedPolicy, adopted_policy
from quorumseal.ceremony.signed import Signed, authenticate
from quorumseal.ceremony.standing_chain import StandingChain, replay_standing
from quorumseal.ceremony.statement_document import read_statement
from quorumseal.ceremony.statements import Statement
from quorumseal.ceremony.values import digest_of
from quorumseal.signatures import Envelope


class Policies:
    """Every version, oldest first; replaced as a whole when the log has another, so any thread may read."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._proposals: dict[str, SignedPolicy] = {}
        self.reload()

    def reload(self) -> None:
        """Read them from the log, with what else belongs to no ceremony."""
        rows = self._storage.log.standing()
        if not rows:
            raise LogEmptyError(
                "expected a log that begins with a policy, got an empty one",
                hint="found the organisation first: `quorumseal org init`",
            )
        try:
            self.keep(replay_standing(row.payload for row in rows))
        except CeremonyError as refusal:
            raise LogDamagedError(
                f"expected entries of no ceremony that replay, got some that do not: {refusal}",
                hint="stop the coordinator, keep its files, and compare them with a backup",
            ) from refusal

    def keep(self, chain: StandingChain) -> None:
        """Take over what now stands in the log."""
        self.chain = chain

    @property
    def all(self) -> tuple[SignedPolicy, ...]:
        """Every version, oldest first."""
        return self.chain.policies

    @property
    def newest(self) -> SignedPolicy:
        """The one under which ceremonies are opened."""
        return self.chain.policies[-1]

    def named(self, digest: str) -> SignedPolicy:
        """Return the policy with a digest."""
        for policy in reversed(self.all):
            if policy.digest == digest:
                return policy
        if digest not in self._proposals:
            self._look_for(digest)
        if digest in self._proposals:
            return self._proposals[digest]
        raise UnknownPolicyError(
            f"expected a policy of this log (newest: version {self.newest.policy.version}, "
            f"{self.newest.digest}), got {digest}",
            hint="fetch the organisation's policies again",
        )

    def _look_for(self, digest: str) -> None:
        """Find a policy that a change proposed, whatever became of it: its acceptance is under it."""
        for row in self._storage.ceremonies.changes():
            opening = self._storage.log.entry(row.ceremony, 0)
            body = read_entry(opening.payload).body if opening else {}
            payload = str(body.get("policy", "")).encode()
            if digest_of(payload) == digest:
                self._proposals[digest] = adopted_policy(payload, ("", ""))

    def authenticate(self, envelope: Envelope) -> tuple[SignedPolicy, Signed[Statement]]:
        """Authenticate a statement under the policy that it names."""
        named = read_statement(envelope.payload).context.policy.digest
        policy = self.newest if named == self.newest.digest else self.named(named)
        return policy, authenticate(envelope, policy)

    def replay(self, rows: Sequence[EntryRow]) -> Chain:
        """Return the ceremony whose entries these are, judged by the policy that it pinned."""
        opening = read_entry(rows[0].payload)
        if opening.type is not EntryType.OPENED:
            raise LogDamagedError(f"expected entry {rows[0].index} to open a ceremony, got {opening.type}")
        context = read_statement(opening.envelope.payload).context
        return replay_chain((row.payload for row in rows), self.named(context.policy.digest))


class FollowedPolicies(Policies):
    """For those who only read, and hear of no append: another coordinator may have written."""

    def catch_up(self) -> None:
        """Read again what belongs to no ceremony, if there is more of it than before."""
        if self._storage.log.entry(None, len(self.chain.hashes)) is not None:
            self.reload()
