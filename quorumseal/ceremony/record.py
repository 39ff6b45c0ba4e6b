# SPDX-License-Identifier: Apache-2.0
"""The quorum record: the auditor's account of one ceremony, derived from its entries and nothing else.

Whoever makes it replays the entries through the rules first, so a record never says what they do not bear
out.  It names no index and no proof: where the entries stand in the log is another question.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from quorumseal.ceremony.chain import Chain, delegations_in, replay_chain
from quorumseal.ceremony.entries import Entry, EntryType, read_entry
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.quorum import explain
from quorumseal.ceremony.seconding import read_envelopes
from quorumseal.ceremony.signed import Signed, authenticate, signed_as
from quorumseal.ceremony.statement_document import read_statement
from quorumseal.ceremony.statements import (
    Cancellation,
    Check,
    Choice,
    Decision,
    Extension,
    KeyRevocation,
    Report,
    Request,
    Statement,
    Suspension,
    Veto,
)
from quorumseal.ceremony.timestamping import stamp_in
from quorumseal.ceremony.values import instant_text
from quorumseal.signatures import Timestamp
from quorumseal.strict_json import Fields, JsonValue

_LOSSES = frozenset({EntryType.KEY_REVOKED, EntryType.SUSPENDED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What somebody signed: the statement behind an entry."""

    signer: str
    key_id: str
    """The key that made the signature, as found by verifying it."""
    signed_at: datetime
    digest: str
    choice: Choice | None
    """What a decision says; a request and a cancellation are not decisions."""
    roles: tuple[str, ...]
    checks: tuple[Check, ...]
    replaces: str | None
    not_after: datetime | None
    reason: str | None
    """The commitment to a text: why, or what a report says."""
    stands_for: str | None
    """For whom a deputy decided."""
    deadline: datetime | None
    """Until when an extension moved it."""
    fell: bool
    """Whether a decision stood until a key was revoked, or somebody suspended."""
    timestamp: Timestamp | None
    """Who else says by when a decision had been made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """A key that signs no more, or somebody who does not count for a while."""

    key: str | None
    since: datetime | None
    person: str | None
    until: datetime | None
    reason: str
    signers: tuple[str, ...]
    """Who said so, the last one last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One entry of the ceremony."""

    type: EntryType
    at: datetime
    entry: str
    """The entry's hash."""
    act: Act | None
    """None where the entry follows from others or from the clock."""
    superseded_by: str | None
    loss: Loss | None
    told: tuple[str, str] | None
    """Who was told of an emergency, and over which channel, as the coordinator says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuorumRecord:
    """One ceremony from its opening to now."""

    request: Signed[Request]
    policy: SignedPolicy
    rule: str
    state: State
    ended_at: datetime | None
    timeline: tuple[Moment, ...]
    seats: tuple[tuple[str, int, tuple[str, ...]], ...]
    """Each role of the rule, how many it needs, and who was seated in it."""
    missing: tuple[str, ...]
    """Sentences that say what the quorum lacked, or lacks; none once it is met."""


def quorum_record(payloads: Iterable[bytes], policy: SignedPolicy) -> QuorumRecord:
    """Return the account of a ceremony from its entries; refuse what the rules do not bear out."""
    entries = [read_entry(payload) for payload in payloads]
    return record_of(replay_chain((entry.payload for entry in entries), policy), entries, policy)


def record_of(chain: Chain, entries: Iterable[Entry], policy: SignedPolicy) -> QuorumRecord:
    """Return the account of a ceremony that whoever calls has replayed from these entries."""
    ceremony = chain.ceremony
    count = ceremony.tally(at=_counted_at(chain))
    return QuorumRecord(
        request=ceremony.request,
        policy=policy,
        rule=ceremony.rule.name,
        state=ceremony.state,
        ended_at=ceremony.ended_at,
        timeline=tuple(_moments(entries, policy, ceremony.fallen)),
        seats=tuple((role.role, role.threshold, role.seated) for role in count.roles),
        missing=() if count.quorum_met else explain(count),
    )


def to_json(record: QuorumRecord) -> dict[str, JsonValue]:
    """Return the record as plain values; absent things are left out."""
    request = record.request.statement
    value: dict[str, JsonValue] = {
        "organisation": request.context.organisation,
        "log": request.context.log,
        "ceremony": request.ceremony,
        "release": {
            "product": request.product,
            "version": request.version,
            "kind": str(request.kind),
            "mode": str(request.mode),
            "subjects": [{"name": subject.name, "digest": subject.digest} for subject in request.subjects],
        },
        "request": record.request.digest,
        "requester": request.context.signer,
        "policy": {"version": record.policy.policy.version, "digest": record.policy.digest},
        "rule": record.rule,
        "opened_at": instant_text(request.opened_at),
        "deadline": instant_text(request.deadline),
        "state": str(record.state),
        "timeline": [_moment_to_json(moment) for moment in record.timeline],
        "seats": [
            {"role": role, "threshold": threshold, "signers": [*people]}
            for role, threshold, people in record.seats
        ],
        "missing": [*record.missing],
    }
    emergency = request.emergency
    if emergency is not None:
        value["emergency"] = {
            "reason": emergency.reason,
            "incident": emergency.incident,
            "people": emergency.people,
            "provisional_until": instant_text(emergency.provisional_until),
            "ratify_by": instant_text(emergency.ratify_by),
        }
    return value | _given(
        ratified=request.ratified.ceremony if request.ratified else None,
        on_behalf_of=request.on_behalf_of,
        supersedes=request.supersedes,
        ticket=request.ticket,
        ended_at=record.ended_at,
    )


def _counted_at(chain: Chain) -> datetime:
    """Return when to count: late entries change nothing that the end decided."""
    return chain.ceremony.counted_at or chain.last_at


def _moments(entries: Iterable[Entry], policy: SignedPolicy, fallen: Collection[str]) -> Iterator[Moment]:
    members: dict[str, str] = {}
    """Who delegated, by the digest of the delegation."""
    for entry in entries:
        loss = _loss(entry) if entry.type in _LOSSES else None
        signed = authenticate(entry.envelope, policy) if entry.signed and not loss else None
        if entry.type is EntryType.OPENED:
            members |= {d.digest: d.signer for d in delegations_in(entry, policy)}
        if signed is not None and entry.type is EntryType.DELEGATED:
            members[signed.digest] = signed.signer
        body = Fields(dict(entry.body), "entry.body")
        told = entry.type is EntryType.DELIVERED
        yield Moment(
            type=entry.type,
            at=entry.at,
            entry=entry.hash,
            act=_act(signed, members, fallen, _stamp(entry, signed, policy)) if signed else None,
            superseded_by=body.text("by") if "by" in body else None,
            loss=loss,
            told=(body.text("recipient"), body.text("channel")) if told else None,
        )


def _loss(entry: Entry) -> Loss:
    """Return what an entry takes away, by the statements in it; it was verified as far as it can be."""
    envelopes = read_envelopes(Fields(dict(entry.body), "entry.body"))
    acts = [read_statement(envelope.payload) for envelope in envelopes]
    keys = [act for act in acts if isinstance(act, KeyRevocation)]
    people = [act for act in acts if isinstance(act, Suspension)]
    return Loss(
        key=keys[0].key if keys else None,
        since=max(act.since for act in keys) if keys else None,
        person=people[0].person if people else None,
        until=min(act.until for act in people) if people else None,
        reason=str((keys or people)[-1].reason),
        signers=tuple(act.context.signer for act in acts),
    )


def _stamp(entry: Entry, signed: Signed[Statement], policy: SignedPolicy) -> Timestamp | None:
    if not isinstance(signed.statement, Decision):
        return None
    body = Fields(dict(entry.body), "entry.body")
    return stamp_in(body, signed_as(Decision, signed), policy.policy)


def _act(
    signed: Signed[Statement],
    members: Mapping[str, str],
    fallen: Collection[str],
    timestamp: Timestamp | None,
) -> Act:
    statement = signed.statement
    decision = statement if isinstance(statement, Decision) else None
    return Act(
        signer=signed.signer,
        key_id=signed.key.key.key_id,
        signed_at=statement.context.signed_at,
        digest=signed.digest,
        choice=decision.choice if decision else None,
        roles=tuple(sorted(decision.roles)) if decision else (),
        checks=decision.checks if decision else (),
        replaces=decision.replaces if decision else None,
        not_after=decision.not_after if decision else None,
        reason=_reason(statement),
        stands_for=members.get(decision.delegation or "") if decision else None,
        deadline=statement.deadline if isinstance(statement, Extension) else None,
        fell=signed.digest in fallen,
        timestamp=timestamp,
    )


def _reason(statement: Statement) -> str | None:
    match statement:
        case Decision(reason=reason) | Cancellation(reason=reason) | Veto(reason=reason):
            return reason
        case Report(text=text):
            return text
        case Request(why=why):
            return why
        case _:
            return None


def _moment_to_json(moment: Moment) -> dict[str, JsonValue]:
    value: dict[str, JsonValue] = {
        "type": str(moment.type),
        "at": instant_text(moment.at),
        "entry": moment.entry,
    }
    if moment.act is not None:
        value |= _act_to_json(moment.act)
    if moment.loss is not None:
        value |= _loss_to_json(moment.loss)
    recipient, channel = moment.told or (None, None)
    return value | _given(by=moment.superseded_by, recipient=recipient, channel=channel)


def _loss_to_json(loss: Loss) -> dict[str, JsonValue]:
    value: dict[str, JsonValue] = {"reason": loss.reason, "signers": [*loss.signers]}
    return value | _given(key=loss.key, since=loss.since, person=loss.person, until=loss.until)


def _act_to_json(act: Act) -> dict[str, JsonValue]:
    value: dict[str, JsonValue] = {
        "signer": act.signer,
        "key_id": act.key_id,
        "signed_at": instant_text(act.signed_at),
        "statement": act.digest,
    }
    if act.choice is not None:
        value |= {
            "choice": str(act.choice),
            "roles": [*act.roles],
            "checks": [{"name": check.name, "outcome": str(check.outcome)} for check in act.checks],
        }
    if act.fell:
        value["fell"] = True
    if act.timestamp is not None:
        value["timestamp"] = {
            "authority": act.timestamp.authority,
            "at": instant_text(act.timestamp.at),
            "proves": instant_text(act.timestamp.latest),
        }
    return value | _given(
        replaces=act.replaces,
        not_after=act.not_after,
        reason=act.reason,
        stands_for=act.stands_for,
        deadline=act.deadline,
    )


def _given(**optional: str | datetime | None) -> dict[str, JsonValue]:
    return {
        name: instant_text(value) if isinstance(value, datetime) else value
        for name, value in optional.items()
        if value is not None
    }
