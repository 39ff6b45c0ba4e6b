# SPDX-License-Identifier: Apache-2.0
"""Look at what the coordinator says, and believe what can be recomputed.

Each look verifies, in this order: the policy chain from the trust file, not older than one seen before; the
ceremony, replayed through the rules from its own entries; the log's checkpoint, which must extend the newest
one that this agent has verified; and that nothing shown before is missing now.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from quorumseal.ceremony.chain import Chain
from quorumseal.ceremony.commitments import commitments
from quorumseal.ceremony.entries import read_entry
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import Log
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.standing import Standing
from quorumseal.ceremony.standing_chain import StandingChain, replay_standing
from quorumseal.ceremony.statement_document import read_statement
from quorumseal.ceremony.statements import Statement
from quorumseal.client.values import Publication
from quorumseal.tlog import NoteSignatureError
from quorumseal.verifier.part import verify_logged, verify_part
from signer_agent.agent import Agent
from signer_agent.checkpoints import Signature
from signer_agent.comparing import accept, compare_named, connect_met, newest_known
from signer_agent.errors import HiddenEntriesError, OtherAnswerError
from signer_agent.history import observe_history, pinned_by
from signer_agent.journal import NO_CEREMONY
from signer_agent.versions import log_in_force

_Answer = TypeVar("_Answer")
_Statement = TypeVar("_Statement", bound=Statement)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One ceremony as it verifiably stands; its request is the object that is shown and decided on."""

    policy: SignedPolicy
    """The one that its request names."""
    newest: SignedPolicy
    """The one in force."""
    chain: Chain
    entries: tuple[bytes, ...]
    """What the chain was replayed from."""
    head: Signature
    reasons: Mapping[str, str]
    """The texts that its statements commit to, by their commitment."""
    publications: tuple[Publication, ...] = ()
    """The coordinator's word."""

    @property
    def opened_at(self) -> datetime:
        """When the log says that it was opened."""
        return read_entry(self.entries[0]).at

    @property
    def statements(self) -> tuple[Statement, ...]:
        """Everything that was signed in it, in the log's order."""
        return signed_in(self.entries)

    def signed(self, kind: type[_Statement]) -> tuple[_Statement, ...]:
        """Return the statements of one kind, in the log's order."""
        return tuple(statement for statement in self.statements if isinstance(statement, kind))


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedStanding:
    """Absences and delegations as they verifiably stand."""

    policy: SignedPolicy
    chain: StandingChain
    head: Signature

    @property
    def standing(self) -> Standing:
        """What stands."""
        return self.chain.standing


def signed_in(entries: Sequence[bytes]) -> tuple[Statement, ...]:
    """Return the statements that verified entries hold."""
    read = (read_entry(payload) for payload in entries)
    return tuple(read_statement(entry.envelope.payload) for entry in read if entry.signed)


def observe_policy(agent: Agent) -> SignedPolicy:
    """Return the organisation's policy, verified from the trust file and not older than any seen before."""
    return observe_history(agent).newest


def observe_head(agent: Agent, policy: SignedPolicy) -> Signature:
    """Return the log's newest checkpoint, verified to extend the newest one known and all that were met."""

    def ask(log: Log) -> Signature:
        known = newest_known(agent, log)
        answer = (
            agent.connection.consistency(known.checkpoint.size, 0, known.note)
            if known
            else agent.connection.consistency(0)
        )
        head = accept(agent, log, known, answer.checkpoint, answer.proof)
        connect_met(agent, log)
        return head

    return by_log_in_force(agent, policy, ask)


def observe(agent: Agent, ceremony: str, newest: SignedPolicy | None = None) -> Observation:
    """Return one ceremony, verified; whoever knows the policy in force says so."""
    newest = newest or observe_policy(agent)
    try:
        return _observe(agent, ceremony, newest)
    except NoteSignatureError:  # if the log's key has rotated since, the next version says so
        later = observe_policy(agent)
        if later.digest == newest.digest:
            raise
        return _observe(agent, ceremony, later)


def _observe(agent: Agent, ceremony: str, newest: SignedPolicy) -> Observation:
    log = newest.policy.log
    known = newest_known(agent, log)
    record = agent.connection.ceremony(ceremony, known.checkpoint.size if known else 0)
    policy = pinned_by(agent, record, newest)
    chain = verify_part(record.part, policy, log).chain
    if chain.id != ceremony:
        raise OtherAnswerError(f"expected ceremony {ceremony}, got {chain.id}")
    head = accept(agent, log, known, record.part.checkpoint, record.consistency)
    connect_met(agent, log)
    compare_named(agent, log, head, record.part)
    _require_all_shown(agent.journal.shown(ceremony), chain.hashes, f"ceremony {chain.id}")
    bound = frozenset[str]().union(*map(commitments, signed_in(record.part.entries)))
    agent.journal.keep_shown(
        chain.ceremony.request,
        record.part.entries,
        ended=chain.ceremony.state is not State.OPEN,
        at=agent.now(),
    )
    return Observation(
        policy=policy,
        newest=newest,
        chain=chain,
        entries=record.part.entries,
        head=head,
        reasons={a.commitment: a.text for a in record.annexes if a.commitment in bound},
        publications=tuple(record.publications),
    )


def observe_standing(agent: Agent) -> ObservedStanding:
    """Return who is away and who stands in for whom, verified like a ceremony."""
    policy = observe_policy(agent)
    log = policy.policy.log
    known = newest_known(agent, log)
    record = agent.connection.standing(known.checkpoint.size if known else 0)
    chain = replay_standing(record.part.entries)
    if chain.policies[-1].digest != policy.digest:
        raise OtherAnswerError(
            f"expected policy version {policy.policy.version} ({policy.digest}) to be the log's newest, "
            f"got {chain.policies[-1].digest}",
            hint="the coordinator tells two tales: tell your auditor; nothing was signed",
        )
    verify_logged(record.part, log)
    head = accept(agent, log, known, record.part.checkpoint, record.consistency)
    connect_met(agent, log)
    compare_named(agent, log, head, record.part)
    _require_all_shown(agent.journal.shown(NO_CEREMONY), chain.hashes, "no ceremony")
    agent.journal.keep_standing(record.part.entries, at=agent.now())
    return ObservedStanding(policy=policy, chain=chain, head=head)


def by_log_in_force(agent: Agent, policy: SignedPolicy, ask: Callable[[Log], _Answer]) -> _Answer:
    """Ask by what the policy in force says of the log; if its key has rotated since, by the next version."""
    log = log_in_force(agent, policy)
    try:
        return ask(log)
    except NoteSignatureError:
        later = observe_policy(agent).policy.log
        if later == log:
            raise
        return ask(later)


def _require_all_shown(shown: Mapping[int, str], hashes: Sequence[str], what: str) -> None:
    """Refuse a chain from which entries that were shown before are gone."""
    for seq, entry in shown.items():
        if tuple(hashes[seq : seq + 1]) != (entry,):
            raise HiddenEntriesError(
                f"expected entry {seq} of {what} to be {entry}, which this agent has seen, "
                f"got {hashes[seq] if seq < len(hashes) else 'none'}",
                hint="the coordinator hides what it showed before, or tells two tales; nothing was signed",
            )
