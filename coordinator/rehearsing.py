# SPDX-License-Identifier: Apache-2.0
"""Rehearse a change of policy from end to end, in a folder of its own that is thrown away.

Nobody's secrets are here, so everybody gets throw-away keys: policy, rules, writer, reader and verifier are
those in earnest.  What is rehearsed is on a log of its own; the copy of the real one is only looked at.
"""

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from coordinator.clock import LogClock
from coordinator.commands import Act, Start, WriterCommand
from coordinator.errors import RehearsalError
from coordinator.founding import found
from coordinator.live import Live
from coordinator.log_keys import LogKeys
from coordinator.policies import Policies
from coordinator.reading import LogReader
from coordinator.storage import Storage
from coordinator.writer import Writer
from quorumseal.ceremony.commands import Record
from quorumseal.ceremony.policy import POLICY, Kind, Log, LogKey, Policy, Signer, SignerKey
from quorumseal.ceremony.policy_document import (
    SignedPolicy,
    adopted_policy,
    genesis_previous,
    signed_policy,
    write_policy,
)
from quorumseal.ceremony.quorum_standings import askers
from quorumseal.ceremony.resilience import smallest_sets
from quorumseal.ceremony.signed import Signed, authenticate, signed_as
from quorumseal.ceremony.statement_document import write_statement
from quorumseal.ceremony.statements import (
    Check,
    CheckOutcome,
    Choice,
    Context,
    Decision,
    Mode,
    PolicyReference,
    Request,
    SeenCheckpoint,
    Subject,
)
from quorumseal.ceremony.values import digest_of, whole_milliseconds
from quorumseal.signatures import JointEnvelope, PrivateKey, Scheme, generate_key
from quorumseal.signatures.dsse import sign
from quorumseal.tlog import hash_text
from quorumseal.verifier.trust import Trust
from quorumseal.verifier.verify import Verified, verify

_ARTIFACT = "rehearsal.txt"
_BYTES = b"nothing but a rehearsal\n"
_SQLITE = "sqlite:///"
_Statement = TypeVar("_Statement", Request, Decision)


def copy_database(database: str, folder: Path) -> str:
    """Copy an SQLite database, also while a coordinator writes to it; return where the copy is."""
    if not database.startswith(_SQLITE):
        raise RehearsalError(
            "expected an SQLite database to copy, got PostgreSQL",
            hint="restore a dump into a database of its own, and rehearse with settings that name that one",
        )
    copy = folder / "copy.sqlite"
    source = Path(database.removeprefix(_SQLITE))
    # Where nobody has it open, SQLite need not leave files beside it that say that somebody has.
    how = "mode=ro" if source.with_name(f"{source.name}-wal").exists() else "immutable=1"
    with (
        closing(sqlite3.connect(f"{source.as_uri()}?{how}", uri=True)) as original,
        closing(sqlite3.connect(copy)) as target,
    ):
        original.backup(target)
    return f"{_SQLITE}{copy}"


def stand_in(policy: Policy, keys: Mapping[str, PrivateKey], log_key: PrivateKey, *, at: datetime) -> Policy:
    """Return the policy as version 1 of a rehearsal: everybody as they are, but with throw-away keys."""
    since, until = at - timedelta(days=1), at + timedelta(days=400)
    signers = {
        name: Signer(
            name=name,
            kind=signer.kind,
            keys=(SignerKey(key=keys[name].public, valid_from=since, valid_until=until),),
        )
        for name, signer in policy.signers.items()
    }
    return replace(
        policy,
        version=1,
        previous=genesis_previous(policy.organisation),
        signers=signers,
        expires=max(policy.expires, at + timedelta(days=30)),
        drill=False,
        log=Log(origin=policy.log.origin, keys=(LogKey(key=log_key.public, from_size=0),)),
    )


@dataclass(slots=True)
class Rehearsal:
    """A log of its own, with a writer, a reader and everybody's throw-away keys."""

    storage: Storage
    writer: Writer
    policies: Policies
    reader: LogReader
    keys: Mapping[str, PrivateKey]
    trust: Trust
    at: datetime
    number: int = 0

    @classmethod
    def begin(
        cls,
        folder: Path,
        policy: Policy,
        log_keys: Iterable[PrivateKey],
        *,
        at: datetime,
        randomness: Callable[[int], bytes],
    ) -> "Rehearsal":
        """Found the organisation anew."""
        at = whole_milliseconds(at)
        keys = {name: generate_key(Scheme.ED25519, randomness) for name in policy.signers}
        first, *more = log_keys
        payload = write_policy(stand_in(policy, keys, first, at=at))
        signed = signed_policy(JointEnvelope.of(sign(payload, key) for key in keys.values()))
        database = f"{_SQLITE}{folder / 'rehearsal.sqlite'}"
        found(database, first, signed, at=at)
        storage = Storage(database)
        policies, live = Policies(storage), Live(storage)
        clock = LogClock(now=lambda: at, elapsed=lambda: 0.0)
        writer = Writer(storage, LogKeys(first, *more), clock=clock, live=live, policies=policies)
        writer.start()
        trust = Trust(organisation=policy.organisation, policy=signed.digest, minimum_version=1)
        return cls(storage, writer, policies, LogReader(storage, policies), keys, trust, at)

    def close(self) -> None:
        """Stop the writer."""
        self.writer.close()
        self.storage.close()

    @property
    def policy(self) -> SignedPolicy:
        """The version in force."""
        return self.policies.newest

    def release(self) -> Verified:
        """Release something under the version in force, and verify it with the first trust file."""
        policy = self.policy.policy
        product = min(policy.products)
        rule = policy.rule_for(product, Kind.RELEASE)
        for asking in askers(policy, rule):
            chosen, _ = smallest_sets(policy.needs(rule.quorum, excluded=asking), most=1)
            if chosen:
                break
        else:
            raise RehearsalError(f"expected somebody who can release {product}, got nobody")
        requester = min(asking & policy.machines, default=min(asking))
        behind = min(asking - {requester}, default=None)
        start = self._start(
            self.policy, requester, Kind.RELEASE, product, _ARTIFACT, digest_of(_BYTES), behind=behind
        )
        checks = tuple(Check(name=check, outcome=CheckOutcome.PASS) for check in sorted(rule.checks))
        stages = rule.stages or (frozenset(t.role for t in rule.quorum),)
        for stage in stages:  # an approval counts in the roles whose turn it is
            for person in sorted(p for p in chosen[0] if policy.roles_of(p, rule) & stage):
                self._approve(self.policy, start, person, policy.roles_of(person, rule), checks)
        bundle = self.reader.bundle(start.request.statement.ceremony)
        return verify(bundle, self.trust, {_ARTIFACT: digest_of(_BYTES)})

    def adopt(self, following: Policy) -> None:
        """Bring a policy change to its end, by the smallest group that governs either version."""
        current = self.policy
        new = adopted_policy(write_policy(following), ("", ""))
        for kind, under in ((Kind.POLICY_CHANGE, current), (Kind.POLICY_ACCEPTANCE, new)):
            rule = under.policy.governance_rule
            (people,), _ = smallest_sets(under.policy.needs(rule.quorum), most=1)
            proposed = new.payload if kind is Kind.POLICY_CHANGE else None
            start = self._start(under, min(people), kind, POLICY, POLICY, new.digest, proposed=proposed)
            for person in sorted(people):
                self._approve(under, start, person, under.policy.roles_of(person, rule), ())
        if self.policy.digest != new.digest:
            raise RehearsalError(
                f"expected version {following.version} to be in force once both sides approved it, "
                f"got version {self.policy.policy.version}"
            )

    def _start(
        self,
        under: SignedPolicy,
        requester: str,
        kind: Kind,
        product: str,
        subject: str,
        digest: str,
        *,
        behind: str | None = None,
        proposed: bytes | None = None,
    ) -> Start:
        self.number += 1
        governed = product == POLICY
        version = under.policy.version + (kind is Kind.POLICY_CHANGE) if governed else self.number
        ends = self.at + timedelta(minutes=10)
        request = Request(
            context=self._context(under, requester),
            ceremony=f"01934000-0000-7000-8000-{self.number:012x}",
            product=product,
            version=str(version) if governed else f"rehearsal.{version}",
            kind=kind,
            mode=Mode.REGULAR,
            subjects=(Subject(name=subject, digest=digest),),
            deadline=ends,
            hard_stop=ends,
            on_behalf_of=behind,
        )
        signed = self._signed(Request, request, requester, under)
        start = Start(policy=under, request=signed, proposed=proposed)
        self._write(start)
        return start

    def _approve(
        self,
        under: SignedPolicy,
        start: Start,
        person: str,
        roles: frozenset[str],
        checks: tuple[Check, ...],
    ) -> None:
        request = start.request.statement
        decision = Decision(
            context=self._context(under, person),
            choice=Choice.APPROVAL,
            ceremony=request.ceremony,
            request=start.request.digest,
            roles=roles,
            subjects=request.subjects,
            checks=checks,
        )
        record = Record(self._signed(Decision, decision, person, under))
        self._write(Act(ceremony=request.ceremony, command=record))

    def _signed(
        self, kind: type[_Statement], statement: _Statement, signer: str, under: SignedPolicy
    ) -> Signed[_Statement]:
        envelope = sign(write_statement(statement), self.keys[signer])
        return signed_as(kind, authenticate(envelope, under))

    def _context(self, under: SignedPolicy, signer: str) -> Context:
        return Context(
            organisation=under.policy.organisation,
            log=under.policy.log.origin,
            policy=PolicyReference(version=under.policy.version, digest=under.digest),
            signer=signer,
            signed_at=self.at,
            checkpoint=self.seen(),
        )

    def seen(self) -> SeenCheckpoint:
        """Return the log's head, as whoever signs now has seen it."""
        head = self.storage.log.head()
        return SeenCheckpoint(size=head.size, root=hash_text(head.root))

    def _write(self, command: WriterCommand) -> None:
        self.writer.submit(command).result()
