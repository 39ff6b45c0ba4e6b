# SPDX-License-Identifier: Apache-2.0
"""Sign what was shown, put it on record, send it, and believe only a receipt that proves it is in the log.

1. ``sign_and_store``: under the lock, the envelope is in the journal before it exists anywhere else.
2. ``send``: a timestamp beside a decision, where the settings ask for one; then the same bytes, as often as
   it takes; the coordinator answers a repetition with the same entry.
3. The receipt is verified, then stored.

Between any two of these the program may die.  What was stored is sent again; nothing is signed again.
"""

from functools import partial

from quorumseal.ceremony.admission import identity
from quorumseal.ceremony.commands import Command, Record, command_of
from quorumseal.ceremony.deciding import decide as judge
from quorumseal.ceremony.entries import Entry, EntryType, read_entry
from quorumseal.ceremony.errors import CeremonyError, KeyNotValidError, KeyRevokedError
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import Kind, Log
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.request_errors import CeremonyExistsError
from quorumseal.ceremony.revoking import own_revocation
from quorumseal.ceremony.signed import authenticate, signed_as
from quorumseal.ceremony.statements import (
    Absence,
    Cancellation,
    Decision,
    Delegation,
    Extension,
    KeyRevocation,
    Report,
    Request,
    StandingAct,
    Statement,
    Suspension,
    Veto,
    Withdrawal,
)
from quorumseal.ceremony.timestamping import stamp_of
from quorumseal.ceremony.values import instant_text
from quorumseal.client.errors import CoordinatorUnreachableError
from quorumseal.client.values import Annex, Receipt, Started
from quorumseal.signatures import PrivateKey
from quorumseal.signatures.dsse import sign
from quorumseal.strict_json import write
from quorumseal.tlog import leaf_hash, verify_inclusion
from quorumseal.verifier.part import open_log_checkpoint
from signer_agent.agent import Agent
from signer_agent.comparing import connect
from signer_agent.drafting import Draft
from signer_agent.errors import DecidedMeanwhileError, NoReceiptError, NotARosterKeyError, ReceiptError
from signer_agent.fork import require_unblocked
from signer_agent.journal import ceremony_of
from signer_agent.observing import Observation, by_log_in_force
from signer_agent.recollection import Stored
from signer_agent.stamping import with_timestamp
from signer_agent.versions import log_in_force

_ENTRY_TYPES: dict[type[Statement], tuple[EntryType, ...]] = {
    Request: (EntryType.OPENED,),
    Decision: (EntryType.DECIDED, EntryType.LATE),
    Cancellation: (EntryType.CANCELLED,),
    Extension: (EntryType.EXTENDED,),
    Veto: (EntryType.VETOED,),
    Report: (EntryType.REPORTED,),
    Absence: (EntryType.ABSENT,),
    Delegation: (EntryType.DELEGATED,),
    Withdrawal: (EntryType.WITHDRAWN,),
    KeyRevocation: (EntryType.KEY_REVOKED,),
    Suspension: (EntryType.SUSPENDED,),
}


def sign_and_store(agent: Agent, draft: Draft, key: PrivateKey, policy: SignedPolicy) -> Stored:
    """Sign the draft's bytes and put them on record; the only place where anything is signed."""
    require_roster_key(agent, key, policy)
    statement = draft.statement
    if isinstance(statement, KeyRevocation) and key.public.key_id == statement.key:
        raise own_revocation(statement.key, agent.name, policy.policy)
    if key.public.key_id in draft.revoked:
        raise KeyRevokedError(
            f"expected a key of {agent.name} that signs this, got {key.public.key_id}, which does not"
        )
    with agent.home.exclusive():
        require_unblocked(agent.home)
        ceremony = ceremony_of(statement)
        if signed := agent.journal.signed_about_release(ceremony) - draft.after if ceremony else None:
            raise DecidedMeanwhileError(
                f"expected nothing signed about the release of ceremony {ceremony} since it was "
                f"reviewed, got {min(signed)}",
                hint="review it again; what was signed is in the journal and will be sent",
            )
        envelope = sign(draft.payload, key)
        return agent.journal.store(statement, draft.product, envelope, draft.annexes, at=agent.now())


def require_roster_key(agent: Agent, key: PrivateKey, policy: SignedPolicy) -> None:
    """Refuse a key that the policy does not call this signer's, or not now."""
    for known in policy.policy.signer(agent.name).keys:
        if known.key == key.public:
            if known.valid_at(agent.now()):
                return
            raise KeyNotValidError(
                f"expected a key that is valid now, got one valid from {instant_text(known.valid_from)} "
                f"to {instant_text(known.valid_until)}",
                hint="ask for a policy version with your new key",
            )
    raise NotARosterKeyError(
        f"expected a key of {agent.name} in policy version {policy.policy.version}, got {key.public.key_id}",
        hint="is this the key file that the policy was made with?",
    )


def send(agent: Agent, stored: Stored, policy: SignedPolicy) -> Stored:
    """Send what was signed, and return it with its receipt; raise where there is none."""
    stored = with_timestamp(stored, policy, agent.journal, agent.stamping)
    try:
        receipt, state = _submit(agent, stored)
        entry = by_log_in_force(agent, policy, partial(verify_receipt, receipt, stored))
        connect(agent, log_in_force(agent, policy), receipt.checkpoint)
    except CoordinatorUnreachableError as reason:
        raise _no_receipt(agent, stored, reason) from reason
    if entry.type is EntryType.LATE:
        state = str(State.EXPIRED)
    return agent.journal.keep_receipt(stored.digest, receipt, entry, state)


def verify_receipt(receipt: Receipt, stored: Stored, log: Log) -> Entry:
    """Return the entry of a receipt: ours byte for byte, in the log, under the log's signature."""
    entry = read_entry(receipt.entry)
    expected = _ENTRY_TYPES[type(stored.statement)]
    if entry.type not in expected or (entry.ceremony or "") != stored.ceremony:
        raise ReceiptError(
            f"expected a receipt for an entry {' or '.join(expected)} of {stored.ceremony or 'no ceremony'}, "
            f"got one for {entry.type} of {entry.ceremony or 'none'}",
            hint="the coordinator did not acknowledge what was sent; run the same command again",
        )
    if entry.envelope != stored.envelope:
        raise ReceiptError(
            f"expected a receipt for the envelope that was sent ({stored.digest}), got one for another",
            hint="the coordinator did not acknowledge what was sent; run the same command again",
        )
    checkpoint = open_log_checkpoint(receipt.checkpoint, log)
    if receipt.index >= checkpoint.size:
        raise ReceiptError(
            f"expected an entry within the checkpoint's {checkpoint.size}, got index {receipt.index}"
        )
    verify_inclusion(
        leaf_hash(receipt.entry), receipt.index, checkpoint.size, receipt.inclusion, checkpoint.root
    )
    return entry


def verify_opening(receipt: Receipt, ceremony: str, stored: Stored, policy: SignedPolicy) -> None:
    """See that a ceremony was opened before by a request for the same as the stored one; raise if not."""
    entry = read_entry(receipt.entry)
    earlier = signed_as(Request, authenticate(entry.envelope, policy)).statement
    assert isinstance(stored.statement, Request)  # noqa: S101 - asked for requests alone
    if (
        entry.type is not EntryType.OPENED
        or entry.ceremony != ceremony
        or identity(earlier) != identity(stored.statement)
    ):
        raise ReceiptError(
            f"expected ceremony {ceremony} to be about the request that was sent, got one about another",
            hint="the coordinator did not acknowledge what was sent; run the same command again",
        )


def settle(agent: Agent, stored: Stored, observation: Observation) -> Stored:
    """Bring what was signed and has no receipt to its end: a receipt, or the reason why it can have none.

    What a clock that ran ahead signed is only early: the log may take it once that instant has come, so it is
    judged as if it had.
    """
    chain, signed_at = observation.chain, stored.statement.context.signed_at
    if stored.digest not in chain.statements:
        try:
            at = max(agent.now(), chain.last_at, signed_at)
            judge(chain.ceremony, _command(stored, observation.policy), at=at)
        except CeremonyError as refusal:
            agent.journal.make_void(stored.digest, refusal.code)
            raise
    return send(agent, stored, observation.policy)


def submit_request(agent: Agent, stored: Stored) -> Started:
    """Send a request, and return the answer, which nothing was verified of."""
    try:
        return agent.connection.start(
            write(stored.envelope.to_json()), stored.annexes, _proposed(agent, stored)
        )
    except CoordinatorUnreachableError as reason:
        raise _no_receipt(agent, stored, reason) from reason


def _submit(agent: Agent, stored: Stored) -> tuple[Receipt, str]:
    data = write(stored.envelope.to_json())
    match stored.statement:
        case Decision():
            decided = agent.connection.decide(data, _only(stored.annexes), stored.timestamp)
            return decided.receipt, decided.state
        case Request():
            started = agent.connection.start(data, stored.annexes, _proposed(agent, stored))
            return started.receipt, str(State.OPEN)
        case Cancellation() | Extension() | Veto() | Report():
            acted = agent.connection.act(data, _only(stored.annexes))
            return acted.receipt, acted.state
        case Absence() | Delegation() | Withdrawal() | KeyRevocation() | Suspension():
            return agent.connection.stand(data), ""


def _proposed(agent: Agent, stored: Stored) -> bytes | None:
    """Return the policy that goes with the request to change it."""
    request = stored.statement
    if isinstance(request, Request) and request.kind is Kind.POLICY_CHANGE:
        return agent.home.proposal(request.subjects[0].digest)
    return None


def _only(annexes: tuple[Annex, ...]) -> Annex | None:
    """Return the text of a statement that commits to one at most."""
    return annexes[0] if annexes else None


def _command(stored: Stored, policy: SignedPolicy) -> Command:
    signed = authenticate(stored.envelope, policy)
    if isinstance(stored.statement, Request):
        raise CeremonyExistsError(
            f"expected ceremony {stored.ceremony} to be about request {stored.digest}, got another's",
            hint="somebody else took its id: start again, an id is made anew each time",
        )
    if isinstance(stored.statement, StandingAct):
        raise TypeError("what is signed outside any ceremony asks nothing of one")
    if isinstance(stored.statement, Decision):
        decision = signed_as(Decision, signed)
        stamp = stamp_of(stored.timestamp, decision, policy.policy) if stored.timestamp else None
        return Record(decision, stamp)
    kind = type(stored.statement)
    return command_of(signed_as(kind, signed))


def _no_receipt(agent: Agent, stored: Stored, reason: CoordinatorUnreachableError) -> NoReceiptError:
    return NoReceiptError(
        f"expected a receipt for what {agent.name} signed ({stored.digest}), got: {reason}",
        hint="it is in the journal: run the same command again, which sends it and signs nothing anew"
        + (f" ({reason.hint})" if reason.hint else ""),
    )
