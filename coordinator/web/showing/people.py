# SPDX-License-Identifier: Apache-2.0
"""Who may do what: people, roles and rules of the newest policy, who is away, and whose keys are old."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from coordinator.web.asked import Asked
from coordinator.web.context import WebContext
from coordinator.web.errors import NoSuchPageError
from coordinator.web.page import Page
from coordinator.web.showing.signed import SignedSlice, signed_by
from coordinator.web.showing.standing import begun
from quorumseal.ceremony.activity import OLD_KEY, report
from quorumseal.ceremony.policy import Policy, Role, Rule, SignerKey
from quorumseal.ceremony.spans import span_text
from quorumseal.ceremony.standing import Standing
from quorumseal.terminal import duration_text
from quorumseal.terminal.findings import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key of somebody: how long it is in use, and until when."""

    id: str
    scheme: str
    since: datetime
    until: datetime
    said: str
    mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody of the roster."""

    name: str
    kind: str
    member: tuple[str, ...]
    deputy: tuple[str, ...]
    leads: tuple[str, ...]
    requests: tuple[str, ...]
    """The rules under which they may ask."""
    keys: tuple[Key, ...]
    witness: str | None
    now: tuple[str, ...]
    """What holds at the moment: away, stood in for, suspended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleShown:
    """A rule, in words."""

    rule: Rule
    quorum: str
    deadline: str
    longest: str
    emergency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """The page."""

    version: int
    people: Sequence[Person]
    roles: Sequence[Role]
    windows: dict[str, str]
    rules: Sequence[RuleShown]
    governance: str
    products: Sequence[tuple[str, str]]
    left: Sequence[tuple[str, int]]
    """Who was in a policy and is in none now, with the first version without them."""
    findings: Sequence[Finding]


@dataclass(frozen=True, slots=True, kw_only=True)
class OnePerson:
    """The page of somebody."""

    name: str
    person: Person | None
    """As the newest policy has them, if it does."""
    course: Sequence[tuple[int, datetime, str]]
    """What each version changed for them."""
    signed: SignedSlice


def read(context: WebContext, asked: Asked) -> People:
    """Read the page."""
    asked.allow()
    policy, at = context.policies.newest.policy, context.now()
    return People(
        version=policy.version,
        people=[_person(context, policy, name, at=at) for name in sorted(policy.signers)],
        roles=[policy.roles[name] for name in sorted(policy.roles)],
        windows={name: duration_text(role.window) for name, role in policy.roles.items() if role.window},
        rules=[_rule(policy.rules[name]) for name in sorted(policy.rules)],
        governance=_counts(policy.governance_rule),
        products=[(name, ", ".join(sorted({*kinds.values()}))) for name, kinds in policy.products.items()],
        left=[*_left(context)],
        findings=report(policy, (), at=at, last=1),
    )


def read_one(context: WebContext, asked: Asked) -> OnePerson:
    """Read the page of somebody who is, or was, in a policy."""
    asked.allow("before", "after")
    name, policy = asked.path["name"], context.policies.newest.policy
    course = [*_course(context, name)]
    if not course:
        raise NoSuchPageError(f"expected somebody of a policy, got {name!r}")
    known = name in policy.signers
    person = _person(context, policy, name, at=context.now()) if known else None
    signed = signed_by(context, name, asked)
    return OnePerson(name=name, person=person, course=course[::-1], signed=signed)


def _person(context: WebContext, policy: Policy, name: str, *, at: datetime) -> Person:
    signer, standing = policy.signers[name], context.policies.chain.standing
    roles = sorted(policy.roles.values(), key=lambda role: role.name)
    return Person(
        name=name,
        kind=str(signer.kind),
        member=tuple(role.name for role in roles if name in role.members),
        deputy=tuple(role.name for role in roles if name in role.deputies),
        leads=tuple(role.name for role in roles if role.lead == name),
        requests=tuple(rule.name for rule in policy.rules.values() if policy.may_request(name, rule)),
        keys=tuple(_key(key, standing, at=at) for key in signer.keys),
        witness=signer.witness.key_id if signer.witness else None,
        now=tuple(_now(standing, name, at=at)),
    )


def _key(key: SignerKey, standing: Standing, *, at: datetime) -> Key:
    age, left = at - key.valid_from, key.valid_until - at
    said, mark = f"in use for {duration_text(max(age, timedelta(0)))}", "good"
    revoked = standing.revoked.get(key.key.key_id)
    if revoked is not None:
        said, mark = f"revoked {duration_text(max(at - revoked.since, timedelta(0)))} ago", "bad"
    elif age < timedelta(0):
        said, mark = f"begins in {duration_text(-age)}", "past"
    elif left <= timedelta(0):
        said, mark = f"ended {duration_text(-left)} ago", "past"
    elif age >= OLD_KEY:
        mark = "care"
    return Key(
        id=key.key.key_id,
        scheme=str(key.key.scheme),
        since=key.valid_from,
        until=key.valid_until,
        said=said,
        mark=mark,
    )


def _now(standing: Standing, name: str, *, at: datetime) -> Iterator[str]:
    absence = standing.absences.get(name)
    if absence is not None and standing.away(name, at=at):
        yield f"away for {duration_text(absence.statement.until - at)}"
    for delegation in standing.live(at=at):
        act = delegation.statement
        if delegation.signer == name:
            yield f"{act.deputy} may stand in as {act.role} for {duration_text(act.until - at)}"
        elif act.deputy == name:
            yield f"may stand in for {delegation.signer} as {act.role} for {duration_text(act.until - at)}"
    suspended = standing.suspended.get(name)
    if suspended is not None and at < suspended.until:
        yield f"suspended for {duration_text(suspended.until - at)}"


def _rule(rule: Rule) -> RuleShown:
    return RuleShown(
        rule=rule,
        quorum=_counts(rule),
        deadline=span_text(rule.deadline),
        longest=duration_text(rule.longest),
        emergency=", ".join(f"{each.count} of {each.role}" for each in rule.emergency.quorum)
        if rule.emergency
        else "",
    )


def _counts(rule: Rule) -> str:
    return ", ".join(f"{each.count} of {each.role}" for each in rule.quorum)


def _left(context: WebContext) -> Iterator[tuple[str, int]]:
    newest, since = context.policies.newest.policy.signers, dict[str, int]()
    before: set[str] = set()
    for signed in context.policies.all:
        there = {*signed.policy.signers}
        since |= dict.fromkeys(before - there, signed.policy.version)
        before = there
    yield from sorted((name, version) for name, version in since.items() if name not in newest)


def _course(context: WebContext, name: str) -> Iterator[tuple[int, datetime, str]]:
    """Yield in which roles each version has somebody, where that differs from the one before."""
    last: str | None = None
    for signed, place in zip(context.policies.all, begun(context), strict=True):
        policy = signed.policy
        if name in policy.signers:
            roles = [role for role in sorted(policy.roles) if name in policy.roles[role].members]
            said = f"in {', '.join(roles)}" if roles else "in no role"
        elif last is None:
            continue
        else:
            said = "in the roster no more"
        if said != last:
            yield policy.version, place.at, said
        last = said


PAGE: Final = Page(path="/people", here="people", template="people.html", read=read)
ONE: Final = Page(path="/people/{name}", here="people", template="person.html", read=read_one)
