# SPDX-License-Identifier: Apache-2.0
"""The witness in ``agent run``: it vouches for one history of the log, and never for less after more.

It cosigns the newest checkpoint at once when a ceremony concludes, otherwise at most once a minute.  What it
is about to cosign is on the disk before the cosignature exists: in the journal, and in a file beside it that
is there still when the journal is restored from a backup.  The larger of both is what it goes by.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from quorumseal.ceremony.log_witnesses import witness_name
from quorumseal.ceremony.policy import Log
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.refusal import Refusal
from quorumseal.signatures import PrivateKey
from quorumseal.tlog import TlogError, Witness, cosign
from quorumseal.tlog.cosignature import add_lines
from quorumseal.tlog.note import MAX_NOTE_BYTES
from quorumseal.tlog.witnessing import Submission, admit, nothing_seen
from signer_agent.agent import Agent
from signer_agent.checkpoints import Signature, verified_before
from signer_agent.comparing import require_extended
from signer_agent.errors import CosignedElsewhereError, LogBehindError, WitnessMemoryError
from signer_agent.fork import require_unblocked
from signer_agent.home import write_whole
from signer_agent.journal import Journal
from signer_agent.observing import observe_head
from signer_agent.versions import log_in_force

COSIGN_EVERY = timedelta(minutes=1)


@dataclass(slots=True)
class Cosigning:
    """One agent's witness, while it runs."""

    agent: Agent
    key: PrivateKey
    """The witness key, which never approves."""
    send: Callable[[bytes], object]
    """Hands a note with a cosignature to the coordinator."""
    _tried_at: datetime | None = field(default=None, init=False)
    _sent: bytes = field(default=b"", init=False)
    _refused: str = field(default="", init=False)

    def listed(self, policy: SignedPolicy) -> bool:
        """Whether the policy knows this key as the witness of this signer."""
        name = witness_name(policy.policy.organisation, self.agent.name)
        return Witness(name, self.key.public) in policy.policy.witnesses

    def tend(self, policy: SignedPolicy, *, concluded: int = 0) -> Signature | None:
        """Cosign the newest checkpoint where that is due; return it.

        ``concluded`` is the size from which the log holds a conclusion: then it is due at once, unless a
        checkpoint that covers it was cosigned already.
        """
        at, log = self.agent.now(), log_in_force(self.agent, policy)
        kept = kept_by_witness(self.agent, log)
        if concluded and kept is not None and kept.size >= concluded and kept.note == self._sent:
            return None
        if not concluded and self._tried_at is not None and at - self._tried_at < COSIGN_EVERY:
            return None
        self._tried_at = at
        if not self.listed(policy):
            return None
        require_unblocked(self.agent.home)
        head = observe_head(self.agent, policy)
        if head.note == self._sent:
            return None
        self._follow(log, kept, head)
        name = witness_name(policy.policy.organisation, self.agent.name)
        line = cosign(head.checkpoint, self.key, name, at=at)
        self.send(add_lines(head.note, [line]))
        self._sent = head.note
        return head

    def is_news(self, refusal: Refusal | None) -> bool:
        """Whether a refusal is another one than that before; one that stays is told once."""
        before, self._refused = self._refused, "" if refusal is None else refusal.code
        return self._refused not in ("", before)

    def _follow(self, log: Log, kept: Signature | None, head: Signature) -> None:
        """See that the head extends what was cosigned last, and put it on record in its place."""
        agent = self.agent
        old = nothing_seen(log.origin) if kept is None else kept.checkpoint
        if head.size < old.size:
            raise LogBehindError(
                f"expected a log of {old.size} entries or more, which this witness has cosigned, "
                f"got one of {head.size}",
                hint="nothing smaller is cosigned; if it stays so, the coordinator has lost entries",
            )
        proof = () if kept is None else require_extended(agent, log, kept, head, None, head)
        submission = Submission(old_size=old.size, proof=proof, checkpoint=head.note)
        admit(old, submission, [log.key_at(head.size)])
        self._record(head)

    def _record(self, head: Signature) -> None:
        agent, memory = self.agent, self.agent.journal.log
        if _file(agent) != head.note:
            with agent.home.exclusive():
                write_whole(agent.home.cosigned_file, head.note)
        before = memory.cosigned(head.checkpoint.origin)
        if before != head.note and not memory.keep_cosigned(
            head.checkpoint, head.note, instead_of=before, at=agent.now()
        ):
            raise CosignedElsewhereError(
                f"expected to cosign {head.size} entries after those before, but something else of this home "
                "has cosigned more",
                hint="see that one `agent run` works in this home, and no copy of it elsewhere",
            )


def kept_by_witness(agent: Agent, log: Log) -> Signature | None:
    """Return what was cosigned last, by the journal or by the file beside it, whichever knows more."""
    return larger_cosigned(agent.journal, _file(agent), log)


def larger_cosigned(journal: Journal, beside: bytes | None, log: Log) -> Signature | None:
    """Return the larger of what the journal and the file beside it hold."""
    try:
        kept = [verified_before(note, log) for note in (journal.log.cosigned(log.origin), beside) if note]
    except TlogError as reason:
        raise WitnessMemoryError(
            f"expected what this witness cosigned last, got: {reason}",
            hint="restore state/cosigned from a backup; or have another witness key listed",
        ) from reason
    return max(kept, key=lambda signature: signature.size, default=None)


def _file(agent: Agent) -> bytes | None:
    try:
        with agent.home.cosigned_file.open("rb") as stream:
            return stream.read(MAX_NOTE_BYTES + 1)
    except FileNotFoundError:
        return None
