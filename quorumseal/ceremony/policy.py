# SPDX-License-Identifier: Apache-2.0
"""Roster, roles and rules.  A policy that contradicts itself, or that nobody can satisfy, cannot be built."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum, unique
from itertools import pairwise

from quorumseal.ceremony.calendar import Calendar
from quorumseal.ceremony.emergency import BreakGlass, check_floor
from quorumseal.ceremony.errors import PolicyError, PolicyUnsatisfiableError, UnknownSignerError
from quorumseal.ceremony.log_witnesses import check_cosignatures, check_log_witnesses, witness_name
from quorumseal.ceremony.quorum import Need, Threshold, fillable, shortage
from quorumseal.ceremony.request_errors import UnknownProductError
from quorumseal.ceremony.spans import Span, shortest, span_text
from quorumseal.signatures import Authority, PublicKey, Scheme
from quorumseal.terminal.durations import duration_text
from quorumseal.tlog import Witness

LONGEST_SKEW = timedelta(minutes=10)
LONGEST_CEREMONY = timedelta(days=90)
MOST_SEATS = 64
MOST_ROLES = 16
PRACTICE = "practice"
"""The organisation in which people practise: what is signed in its name can mean nothing else."""
MOST_TIMESTAMP_AUTHORITIES = 4


@unique
class SignerKind(StrEnum):
    """A person decides; a machine may request on a person's behalf, and decide where a role lists it."""

    PERSON = "person"
    MACHINE = "machine"


@unique
class Kind(StrEnum):
    """What a ceremony is about."""

    RELEASE = "release"
    REVOCATION = "release-revocation"
    RATIFICATION = "ratification"
    """Of an emergency, by the quorum of a release: it has no rule of its own."""
    POLICY_CHANGE = "policy-change"
    """Of the policy in force, by its governance quorum."""
    POLICY_ACCEPTANCE = "policy-acceptance"
    """Of the policy that is to come, by its own governance quorum."""
    RE_APPROVAL = "re-approval"
    """Of an approved release, afresh: by the rule of a release, too."""


RULED = (Kind.RELEASE, Kind.REVOCATION)
"""The kinds for which each product names a rule."""
GOVERNED = frozenset({Kind.POLICY_CHANGE, Kind.POLICY_ACCEPTANCE})
"""The kinds that the governance quorum decides; who asks counts, too."""
POLICY = "policy"
"""What stands for the product in a ceremony of these kinds; its version is the policy's."""
_GOVERNANCE_DEADLINE, _GOVERNANCE_LONGEST = timedelta(days=7), timedelta(days=30)
_LIKE_A_RELEASE = (Kind.RATIFICATION, Kind.RE_APPROVAL)
"""The kinds that are decided by the rule of a release."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerKey:
    """One public key of a signer, and when it may sign."""

    key: PublicKey
    valid_from: datetime
    valid_until: datetime

    def __post_init__(self) -> None:
        if self.valid_from >= self.valid_until:
            raise PolicyError(
                f"key {self.key.key_id}: expected valid_from before valid_until, "
                f"got {self.valid_from:%Y-%m-%d} and {self.valid_until:%Y-%m-%d}"
            )

    def valid_at(self, at: datetime) -> bool:
        """Whether the key may sign at that instant."""
        return self.valid_from <= at < self.valid_until


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Somebody who is counted, by name; keys only prove that it was they."""

    name: str
    kind: SignerKind
    keys: tuple[SignerKey, ...]
    witness: PublicKey | None = None
    """Cosigns checkpoints of the log, and does nothing else; nobody approves with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A named set of signers."""

    name: str
    members: frozenset[str]
    deputies: frozenset[str] = frozenset()
    """Who may stand in for a member that delegates to them."""
    lead: str | None = None
    """Who is told when the role is late."""
    guardian: bool = False
    """Whether an emergency may rest on this role."""
    window: timedelta | None = None
    """How long its members usually take; reminders follow it, and nothing else does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What one class of releases needs."""

    name: str
    quorum: tuple[Threshold, ...]
    requesters: frozenset[str]
    """The roles whose members may request (and cancel) under this rule."""
    veto: frozenset[str]
    """The roles of which one rejection ends the ceremony."""
    checks: frozenset[str]
    """What every approval must state as passed."""
    deadline: Span
    """How long a ceremony is open unless its requester says otherwise; ``longest`` ends it at last."""
    longest: timedelta
    """How long after its opening the hard stop may lie at most."""
    stages: tuple[frozenset[str], ...] = ()
    """Roles that decide one after the other; none where all decide at once."""
    extenders: frozenset[str] = frozenset()
    """The roles whose members may move the deadline; nobody may where there are none."""
    emergency: BreakGlass | None = None
    """What break-glass needs; where there is nothing, there is no break-glass."""

    def __post_init__(self) -> None:
        if not timedelta(0) < shortest(self.deadline) <= self.longest <= LONGEST_CEREMONY:
            raise PolicyError(
                f"rule {self.name}: expected 0 < deadline <= longest <= {duration_text(LONGEST_CEREMONY)}, "
                f"got {span_text(self.deadline)} and {duration_text(self.longest)}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class LogKey:
    """A key that signs checkpoints of the log from a size on."""

    key: PublicKey
    from_size: int
    from_root: str | None = None
    """The root that the log had at that size: whatever the key signs extends it.  The first key has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """The audit log that decisions under this policy go to."""

    origin: str
    keys: tuple[LogKey, ...]
    cosignatures: int = 0
    """How many witnesses must have cosigned what is published."""
    witnesses: tuple[Witness, ...] = ()
    """Those that are no signers' agents, by name."""

    def key_at(self, size: int) -> PublicKey:
        """Return the key that signs a checkpoint of that size."""
        return max((k for k in self.keys if k.from_size <= size), key=lambda k: k.from_size).key


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One version of an organisation's policy."""

    organisation: str
    version: int
    previous: str
    expires: datetime
    clock_skew: timedelta
    signers: Mapping[str, Signer]
    roles: Mapping[str, Role]
    rules: Mapping[str, Rule]
    products: Mapping[str, Mapping[Kind, str]]
    governance: tuple[Threshold, ...]
    log: Log
    authorities: tuple[str, ...]
    """SHA-256 of the certificate authorities (DER) that vouch for connections."""
    calendar: Calendar = field(default_factory=Calendar)
    drill: bool = False
    """Whether everything under this policy is an exercise, which no consumer accepts."""
    timestamping: tuple[Authority, ...] = ()
    """Whose word for the time of a decision is taken beside the log's."""

    def __post_init__(self) -> None:
        if self.organisation == PRACTICE and not self.drill:
            raise PolicyError(
                f"organisation: expected another name than {PRACTICE}, in which people only practise",
                hint="name your organisation; or say drill = true, and nobody accepts what it releases",
            )
        owners = _check_roster(self)
        _check_roles(self)
        _check_log(self.log)
        check_log_witnesses(self.organisation, self.log.witnesses, owners)
        check_cosignatures(self.log.cosignatures, len(self.witnesses))
        _check_timestamping(self.timestamping)
        if not timedelta(0) <= self.clock_skew <= LONGEST_SKEW:
            raise PolicyError(
                f"clock_skew: expected 0 to {duration_text(LONGEST_SKEW)}, "
                f"got {self.clock_skew.total_seconds():.0f} s"
            )
        _check_quorum(self, "governance", self.governance)
        for name, rule in self.rules.items():
            if name != rule.name:
                raise PolicyError(f"rules: expected {name!r} under its own name, got {rule.name!r}")
            _check_rule(self, rule)
        _check_products(self)

    def signer(self, name: str) -> Signer:
        """Return a signer of the roster."""
        try:
            return self.signers[name]
        except KeyError:
            raise UnknownSignerError(
                f"expected a signer of policy version {self.version}, got {name!r}",
                hint="the roster names everybody who is counted; ask for a policy change",
            ) from None

    def rule_for(self, product: str, kind: Kind) -> Rule:
        """Return the one rule for a product and kind."""
        if kind in GOVERNED:
            return self.governance_rule
        own = Kind.RELEASE if kind in _LIKE_A_RELEASE else kind
        try:
            return self.rules[self.products[product][own]]
        except KeyError:
            raise UnknownProductError(
                f"expected a product of policy version {self.version} "
                f"({', '.join(sorted(self.products))}), got {product!r}",
                hint="name one of these products, or add it by a policy change",
            ) from None

    def needs(self, quorum: Iterable[Threshold], *, excluded: Collection[str] = ()) -> tuple[Need, ...]:
        """Return who can count for each threshold, when the ``excluded`` cannot."""
        return tuple(
            Need(
                role=threshold.role,
                threshold=threshold.count,
                members=self.roles[threshold.role].members.difference(excluded),
            )
            for threshold in quorum
        )

    def roles_of(self, signer: str, rule: Rule) -> frozenset[str]:
        """Return the roles of a rule's quorum that a signer holds."""
        return frozenset(t.role for t in rule.quorum if signer in self.roles[t.role].members)

    @property
    def governance_rule(self) -> Rule:
        """What a change of the policy needs: its members may ask, and each may say no alone."""
        roles = frozenset(threshold.role for threshold in self.governance)
        return Rule(
            name="governance",
            quorum=self.governance,
            requesters=roles,
            veto=roles,
            checks=frozenset(),
            deadline=_GOVERNANCE_DEADLINE,
            longest=_GOVERNANCE_LONGEST,
            extenders=roles,
        )

    @property
    def witnesses(self) -> tuple[Witness, ...]:
        """Who may cosign the log: the agents of signers that have a witness key, then everybody else."""
        agents = (
            Witness(witness_name(self.organisation, name), signer.witness)
            for name, signer in sorted(self.signers.items())
            if signer.witness is not None
        )
        return (*agents, *self.log.witnesses)

    @property
    def guardians(self) -> frozenset[str]:
        """The roles that an emergency may rest on."""
        return frozenset(role.name for role in self.roles.values() if role.guardian)

    @property
    def machines(self) -> frozenset[str]:
        """The signers that are nobody: they join no emergency, whose floor is of people."""
        return frozenset(s.name for s in self.signers.values() if s.kind is SignerKind.MACHINE)

    def may_request(self, signer: str, rule: Rule) -> bool:
        """Whether a signer holds a role that requests under a rule."""
        return any(signer in self.roles[role].members for role in rule.requesters)


def _check_roster(policy: Policy) -> dict[PublicKey, str]:
    """Return whose each key is, the log's among them."""
    if not policy.signers:
        raise PolicyError("roster: expected at least one signer, got none")
    owners: dict[PublicKey, str] = {}
    for name, signer in policy.signers.items():
        if name != signer.name:
            raise PolicyError(f"roster: expected {name!r} under its own name, got {signer.name!r}")
        if not signer.keys:
            raise PolicyError(f"signer {name}: expected at least one key, got none")
        for key in signer.keys:
            if key.key in owners:
                raise PolicyError(
                    f"key {key.key.key_id}: expected it once, got it for {owners[key.key]} and for {name}",
                    hint="a key belongs to one signer and is listed once; make another key",
                )
            owners[key.key] = name
    for name, signer in policy.signers.items():
        if signer.witness is not None:
            _check_witness(name, signer.witness, owners)
            owners[signer.witness] = name
    for log_key in policy.log.keys:
        if log_key.key in owners:
            raise PolicyError(
                f"key {log_key.key.key_id}: expected one of the log alone, got one of {owners[log_key.key]}",
                hint="the coordinator holds the log's key and must not be able to approve with it",
            )
    return owners | {log_key.key: "the log" for log_key in policy.log.keys}


def _check_witness(name: str, witness: PublicKey, owners: Mapping[PublicKey, str]) -> None:
    if witness.scheme is not Scheme.ED25519:
        raise PolicyError(
            f"signer {name}: expected an Ed25519 witness key, as C2SP cosignatures prescribe, "
            f"got {witness.scheme}"
        )
    if witness in owners:
        raise PolicyError(
            f"key {witness.key_id}: expected a witness key of {name} alone, got one of {owners[witness]}",
            hint="a witness key is used for nothing else, by nobody else; make another key",
        )


def _check_roles(policy: Policy) -> None:
    for name, role in policy.roles.items():
        if name != role.name:
            raise PolicyError(f"roles: expected {name!r} under its own name, got {role.name!r}")
        if not role.members:
            raise PolicyError(f"role {name}: expected at least one member, got none")
        for member in sorted(role.members - policy.signers.keys()):
            raise PolicyError(f"role {name}: expected members of the roster, got {member!r}")
        for deputy in sorted(role.deputies - policy.signers.keys()):
            raise PolicyError(f"role {name}: expected deputies of the roster, got {deputy!r}")
        for member in sorted(role.members & role.deputies):
            raise PolicyError(f"role {name}: expected deputies who are not members, got {member!r}")
        if role.lead is not None and role.lead not in role.members:
            raise PolicyError(f"role {name}: expected one of its members as its lead, got {role.lead!r}")
        if role.window is not None and not timedelta(0) < role.window <= LONGEST_CEREMONY:
            raise PolicyError(
                f"role {name}: expected a window of more than 0 and at most {LONGEST_CEREMONY.days} days, "
                f"got {role.window}"
            )


def _check_log(log: Log) -> None:
    starts = [key.from_size for key in log.keys]
    if not starts or starts[0] != 0 or any(a >= b for a, b in pairwise(starts)):
        raise PolicyError(f"log: expected keys from size 0 on, each from a larger size, got {starts}")
    if any((key.from_root is None) != (key.from_size == 0) for key in log.keys):
        raise PolicyError(
            "log: expected every key but the first to name the root of the size that it begins at, got "
            f"{[key.from_root for key in log.keys]}",
            hint="`quorumseal coordinator rotate-log-key` prints the lines",
        )
    if any(key.key.scheme is not Scheme.ED25519 for key in log.keys):
        raise PolicyError("log: expected Ed25519 keys, as C2SP checkpoints prescribe, got another scheme")


def _check_timestamping(authorities: tuple[Authority, ...]) -> None:
    if len(authorities) > MOST_TIMESTAMP_AUTHORITIES:
        raise PolicyError(
            f"timestamping: expected at most {MOST_TIMESTAMP_AUTHORITIES} authorities, got {len(authorities)}"
        )
    for what in ({each.name for each in authorities}, {each.certificate for each in authorities}):
        if len(what) != len(authorities):
            raise PolicyError("timestamping: expected each name and each certificate once, got one twice")


def _check_rule(policy: Policy, rule: Rule) -> None:
    where = f"rule {rule.name}"
    _check_quorum(policy, where, rule.quorum)
    quorum_roles = {threshold.role for threshold in rule.quorum}
    for role in sorted(rule.veto - quorum_roles):
        raise PolicyError(f"{where}: expected roles of its quorum to have the veto, got {role!r}")
    _check_stages(where, rule, quorum_roles)
    for role in sorted(rule.extenders - policy.roles.keys()):
        raise PolicyError(f"{where}: expected roles that are defined as extenders, got {role!r}")
    if rule.emergency is not None:
        _check_quorum(policy, f"{where}: break_glass", rule.emergency.quorum, excluded=policy.machines)
        check_floor(where, rule.emergency, policy.guardians)
    if not rule.requesters:
        raise PolicyError(f"{where}: expected at least one role that may request, got none")
    for role in sorted(rule.requesters - policy.roles.keys()):
        raise PolicyError(f"{where}: expected roles that are defined as requesters, got {role!r}")
    _check_somebody_can_request(policy, rule, where)


def _check_stages(where: str, rule: Rule, quorum_roles: set[str]) -> None:
    if not rule.stages:
        return
    staged = [role for stage in rule.stages for role in sorted(stage)]
    if not all(rule.stages) or len(set(staged)) != len(staged) or set(staged) != quorum_roles:
        raise PolicyError(
            f"{where}: expected stages that name each role of its quorum once "
            f"({', '.join(sorted(quorum_roles))}), got {', '.join(staged) or 'an empty stage'}"
        )


def _check_somebody_can_request(policy: Policy, rule: Rule, where: str) -> None:
    """Refuse a rule whose requesters, with the people behind machines, all leave too few to approve."""
    people = {name for name, signer in policy.signers.items() if signer.kind is SignerKind.PERSON}
    members = {member for role in rule.requesters for member in policy.roles[role].members}
    askers = sorted(
        [requester, behind] if requester not in people else [requester]
        for requester in members
        for behind in (people if requester not in people else {requester})
    )
    if not askers:
        raise PolicyUnsatisfiableError(
            f"{where}: a machine requests on behalf of a person, and the roster has none",
            hint="add the people who answer for these machines to the roster",
        )
    if not any(fillable(policy.needs(rule.quorum, excluded=asking)) for asking in askers):
        reason = shortage(policy.needs(rule.quorum, excluded=askers[0]))
        raise PolicyUnsatisfiableError(
            f"{where}: whoever requests does not count, and without {' and '.join(askers[0])} {reason}",
            hint="add members, lower a threshold, or let somebody outside these roles request",
        )


def _check_quorum(
    policy: Policy, where: str, quorum: tuple[Threshold, ...], *, excluded: Collection[str] = ()
) -> None:
    if not quorum:
        raise PolicyError(f"{where}: expected a quorum of at least one role, got none")
    if len(quorum) > MOST_ROLES:
        raise PolicyError(f"{where}: expected a quorum of at most {MOST_ROLES} roles, got {len(quorum)}")
    names = [threshold.role for threshold in quorum]
    if len(set(names)) != len(names):
        raise PolicyError(f"{where}: expected each role once, got {', '.join(names)}")
    for threshold in quorum:
        if threshold.role not in policy.roles:
            raise PolicyError(f"{where}: expected roles that are defined, got {threshold.role!r}")
        if not 1 <= threshold.count <= MOST_SEATS:
            raise PolicyError(
                f"{where}: expected a threshold of 1 to {MOST_SEATS} for {threshold.role}, "
                f"got {threshold.count}"
            )
    reason = shortage(policy.needs(quorum, excluded=excluded))
    if reason:
        raise PolicyUnsatisfiableError(
            f"{where}: {reason}", hint="add members to a role or lower a threshold; a person has one seat"
        )


def _check_products(policy: Policy) -> None:
    if not policy.products:
        raise PolicyError("products: expected at least one product, got none")
    for product, kinds in policy.products.items():
        for kind in RULED:
            if kinds.get(kind) not in policy.rules:
                raise PolicyError(
                    f"product {product}: expected one of the rules ({', '.join(sorted(policy.rules))}) "
                    f"for {kind}, got {kinds.get(kind)!r}"
                )
        for kind in sorted(kinds.keys() - set(RULED)):
            raise PolicyError(
                f"product {product}: expected rules for {' and '.join(RULED)}, got one for {kind}",
                hint="ratifications and re-approvals need the quorum of a release",
            )
