# SPDX-License-Identifier: Apache-2.0
"""An example organisation with deterministic keys, which makes whatever a test wants signed."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TypeVar

from quorumseal.ceremony.chain import Chain, extend, open_chain
from quorumseal.ceremony.commands import Record
from quorumseal.ceremony.emergency import BreakGlass
from quorumseal.ceremony.entries import Entry
from quorumseal.ceremony.policy import (
    Kind,
    Log,
    LogKey,
    Policy,
    Role,
    Rule,
    Signer,
    SignerKey,
    SignerKind,
)
from quorumseal.ceremony.policy_document import SignedPolicy, genesis_previous, signed_policy, write_policy
from quorumseal.ceremony.quorum import Threshold
from quorumseal.ceremony.signed import Signed, authenticate, signed_as
from quorumseal.ceremony.statement_document import write_statement
from quorumseal.ceremony.statements import (
    Cancellation,
    Check,
    CheckOutcome,
    Choice,
    Context,
    Decision,
    Mode,
    PolicyReference,
    Request,
    SeenCheckpoint,
    Statement,
    Subject,
)
from quorumseal.ceremony.values import EMPTY_DIGEST, digest_of
from quorumseal.signatures import (
    Authority,
    Ed25519PrivateKey,
    Envelope,
    JointEnvelope,
    P256PrivateKey,
    PrivateKey,
    Scheme,
    Timestamp,
    generate_key,
)
from quorumseal.signatures.dsse import sign
from quorumseal.tlog import Witness

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
ARTIFACT = b"the bytes of widget 1.0\n"
SUBJECTS = (Subject(name="widget.tar.gz", digest=digest_of(ARTIFACT)),)
SALT = b"\x07" * 32
REASON = "the changelog does not match"
REASON_DIGEST = digest_of(SALT + REASON.encode())
ROLES = {
    "engineering": ("alice", "bob", "erin"),
    "security": ("bob", "carol", "dan"),
    "release": ("rita", "dan"),
    "managers": ("rita", "mallory", "ci"),
}
_Statement = TypeVar("_Statement", bound=Statement)


@cache
def key_of(name: str, scheme: Scheme = Scheme.ED25519) -> Ed25519PrivateKey | P256PrivateKey:
    """Return the same private key for a name in every run."""
    return generate_key(scheme, lambda size: hashlib.shake_256(name.encode()).digest(size))


def ceremony_number(number: int) -> str:
    """Return a ceremony id for a test."""
    return f"01934000-0000-7000-8000-{number:012x}"


@dataclass(frozen=True, kw_only=True)
class Organisation:
    """Acme: four roles, eight signers, one rule; rita or mallory usually requests."""

    name: str = "acme.example"
    origin: str = "log.acme.example/test"
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: dict(ROLES))
    quorum: Mapping[str, int] = field(default_factory=lambda: {"engineering": 2, "security": 1, "release": 1})
    requesters: frozenset[str] = frozenset({"managers"})
    veto: frozenset[str] | None = None
    checks: frozenset[str] = frozenset()
    version: int = 1
    previous: str | None = None
    founded: datetime = NOW
    """Tests of a running coordinator found their organisation now: its clock is the real one."""
    expires: datetime | None = None
    clock_skew: timedelta = timedelta(minutes=2)
    products: tuple[str, ...] = ("widget", "gadget")
    machines: frozenset[str] = frozenset({"ci"})
    p256: frozenset[str] = frozenset({"carol"})
    valid_until: Mapping[str, datetime] = field(default_factory=dict)
    guardians: frozenset[str] = frozenset()
    spare: frozenset[str] = frozenset()
    """Who has a second key."""
    deputies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    leads: Mapping[str, str] = field(default_factory=dict)
    windows: Mapping[str, timedelta] = field(default_factory=dict)
    stages: tuple[frozenset[str], ...] = ()
    extenders: frozenset[str] = frozenset()
    emergency: BreakGlass | None = None
    drill: bool = False
    timestamping: tuple[Authority, ...] = ()
    witnessing: frozenset[str] = frozenset()
    """Whose agents are witnesses."""
    outside: tuple[Witness, ...] = ()
    cosignatures: int = 0
    governance: Mapping[str, int] | None = None
    """Who decides about the policy: one of engineering and one of security unless told."""
    founders: tuple[str, ...] | None = None
    """Who signs version 1: everybody in the governance roles unless named."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_signed", None)

    def key(self, name: str) -> PrivateKey:
        """Return a signer's private key."""
        return key_of(name, Scheme.ECDSA_P256 if name in self.p256 else Scheme.ED25519)

    def spare_key(self, name: str) -> PrivateKey:
        """Return the second private key of a signer who has one."""
        return key_of(f"{name}'s other key")

    def witness_key(self, name: str) -> PrivateKey:
        """Return the private key by which a signer's agent cosigns."""
        return key_of(f"{name}'s witness")

    @property
    def log_key(self) -> Ed25519PrivateKey:
        """The key that signs checkpoints."""
        key = key_of(self.origin)
        assert isinstance(key, Ed25519PrivateKey)
        return key

    @property
    def policy(self) -> SignedPolicy:
        """The policy, signed by everybody in engineering and security."""
        cached: SignedPolicy | None = getattr(self, "_signed", None)
        if cached is None:
            cached = self.sign_policy(self.build_policy(), self.founders)
            object.__setattr__(self, "_signed", cached)
        return cached

    def sign_policy(self, policy: Policy, founders: Iterable[str] | None = None) -> SignedPolicy:
        """Sign a policy by the founders: all members of the governance roles."""
        members = {m for threshold in policy.governance for m in policy.roles[threshold.role].members}
        payload = write_policy(policy)
        names = sorted(members if founders is None else founders)
        return signed_policy(JointEnvelope.of(sign(payload, self.key(name)) for name in names))

    def build_policy(self) -> Policy:
        """Build the unsigned policy."""
        names = sorted({name for names in (*self.roles.values(), *self.deputies.values()) for name in names})
        quorum = tuple(Threshold(role=role, count=count) for role, count in self.quorum.items())
        rule = Rule(
            name="standard",
            quorum=quorum,
            requesters=self.requesters,
            veto=frozenset(self.quorum) if self.veto is None else self.veto,
            checks=self.checks,
            deadline=timedelta(days=3),
            longest=timedelta(days=7),
            stages=self.stages,
            extenders=self.extenders,
            emergency=self.emergency,
        )
        return Policy(
            organisation=self.name,
            version=self.version,
            previous=self.previous or genesis_previous(self.name),
            expires=self.expires or self.founded + timedelta(days=365),
            clock_skew=self.clock_skew,
            signers={name: self._signer(name) for name in names},
            roles={role: self._role(role, members) for role, members in self.roles.items()},
            rules={"standard": rule},
            products={
                product: {Kind.RELEASE: "standard", Kind.REVOCATION: "standard"} for product in self.products
            },
            governance=self._governance() or quorum[:1],
            log=Log(
                origin=self.origin,
                keys=(LogKey(key=self.log_key.public, from_size=0),),
                cosignatures=self.cosignatures,
                witnesses=self.outside,
            ),
            authorities=(),
            drill=self.drill,
            timestamping=self.timestamping,
        )

    def _governance(self) -> tuple[Threshold, ...]:
        if self.governance is not None:
            return tuple(Threshold(role=role, count=count) for role, count in self.governance.items())
        roles = sorted(set(self.quorum) & {"engineering", "security"})
        return tuple(Threshold(role=role, count=1) for role in roles)

    def _role(self, role: str, members: tuple[str, ...]) -> Role:
        return Role(
            name=role,
            members=frozenset(members),
            deputies=frozenset(self.deputies.get(role, ())),
            guardian=role in self.guardians,
            lead=self.leads.get(role),
            window=self.windows.get(role),
        )

    def _signer(self, name: str) -> Signer:
        kind = SignerKind.MACHINE if name in self.machines else SignerKind.PERSON
        key = SignerKey(
            key=self.key(name).public,
            valid_from=self.founded - timedelta(days=30),
            valid_until=self.valid_until.get(name, self.founded + timedelta(days=365)),
        )
        year = self.founded + timedelta(days=365)
        spare = replace(key, key=self.spare_key(name).public, valid_until=year)
        return Signer(
            name=name,
            kind=kind,
            keys=(key, spare) if name in self.spare else (key,),
            witness=self.witness_key(name).public if name in self.witnessing else None,
        )

    def context(self, signer: str, *, at: datetime = NOW, seen: SeenCheckpoint | None = None) -> Context:
        """Return what binds a statement of ``signer``."""
        return Context(
            organisation=self.name,
            log=self.origin,
            policy=PolicyReference(version=self.version, digest=self.policy.digest),
            signer=signer,
            signed_at=at,
            checkpoint=seen or SeenCheckpoint(size=0, root=EMPTY_DIGEST),
        )

    def request(
        self,
        *,
        number: int = 1,
        requester: str = "mallory",
        product: str = "widget",
        version: str = "1.0",
        subjects: tuple[Subject, ...] = SUBJECTS,
        at: datetime = NOW,
        deadline: timedelta = timedelta(hours=24),
        supersedes: str | None = None,
        on_behalf_of: str | None = None,
    ) -> Request:
        """Return an unsigned request."""
        return Request(
            context=self.context(requester, at=at),
            ceremony=ceremony_number(number),
            product=product,
            version=version,
            kind=Kind.RELEASE,
            mode=Mode.REGULAR,
            subjects=subjects,
            deadline=at + deadline,
            hard_stop=at + deadline,
            supersedes=supersedes,
            on_behalf_of=on_behalf_of,
        )

    def decision(
        self,
        signer: str,
        request: Signed[Request],
        choice: Choice = Choice.APPROVAL,
        *,
        at: datetime | None = None,
        roles: Iterable[str] | None = None,
        replaces: str | None = None,
        not_after: datetime | None = None,
        seen: SeenCheckpoint | None = None,
    ) -> Decision:
        """Return an unsigned decision, by default consenting to every role that the signer holds."""
        held = [role for role in self.quorum if signer in self.roles[role]]
        return Decision(
            context=self.context(signer, at=at or request.statement.opened_at, seen=seen),
            choice=choice,
            ceremony=request.statement.ceremony,
            request=request.digest,
            roles=frozenset(held if roles is None else roles),
            subjects=request.statement.subjects if choice is Choice.APPROVAL else (),
            checks=(Check(name="artifacts", outcome=CheckOutcome.PASS),),
            replaces=replaces,
            not_after=not_after,
            reason=REASON_DIGEST if choice is Choice.REJECTION else None,
        )

    def cancellation(self, signer: str, chain: Chain, *, at: datetime | None = None) -> Cancellation:
        """Return an unsigned cancellation of a ceremony as it stands."""
        request = chain.ceremony.request
        return Cancellation(
            context=self.context(signer, at=at or request.statement.opened_at),
            ceremony=request.statement.ceremony,
            request=request.digest,
            seen=chain.hashes[-1],
            reason=REASON_DIGEST,
        )

    def seal(self, statement: Statement, *, key: PrivateKey | None = None) -> Envelope:
        """Sign a statement, by its own signer unless told otherwise."""
        return sign(write_statement(statement), key or self.key(statement.context.signer))

    def sign_request(self, request: Request | None = None) -> Signed[Request]:
        """Sign and authenticate a request."""
        return signed_as(Request, authenticate(self.seal(request or self.request()), self.policy))

    def sign_decision(self, decision: Decision) -> Signed[Decision]:
        """Sign and authenticate a decision."""
        return signed_as(Decision, authenticate(self.seal(decision), self.policy))

    def sign(self, statement: _Statement, *, key: PrivateKey | None = None) -> Signed[_Statement]:
        """Sign and authenticate any statement."""
        return signed_as(type(statement), authenticate(self.seal(statement, key=key), self.policy))

    def sign_cancellation(self, cancellation: Cancellation) -> Signed[Cancellation]:
        """Sign and authenticate a cancellation."""
        return signed_as(Cancellation, authenticate(self.seal(cancellation), self.policy))

    def run(
        self, *signers: str, request: Signed[Request] | None = None, at: datetime = NOW
    ) -> tuple[Chain, list[Entry]]:
        """Open a ceremony and let ``signers`` approve, a minute apart; return the chain and its entries."""
        chain, entry = open_chain(self.policy, request or self.sign_request(), at=at)
        entries = [entry]
        for minute, signer in enumerate(signers, start=1):
            when = at + timedelta(minutes=minute)
            decision = self.sign_decision(self.decision(signer, chain.ceremony.request, at=when))
            chain, more = extend(chain, Record(decision), at=when)
            entries += more
        return chain, entries


def changed(organisation: Organisation, **fields: object) -> Organisation:
    """Return the organisation with other fields."""
    return replace(organisation, **fields)  # type: ignore[arg-type] # names and types are the caller's


def told_by_clock(at: datetime | None) -> Timestamp | None:
    """Return what an authority said, as if it had been verified."""
    return None if at is None else Timestamp(authority="clock", at=at, latest=at, token=b"")
