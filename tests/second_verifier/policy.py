# SPDX-License-Identifier: Apache-2.0
"""Policies (docs/spec/policy.md): their shape, what cannot be built, and whether their founders signed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, TypeVar

from tests.second_verifier import keys, values
from tests.second_verifier.envelopes import KIB, Envelope, in_toto
from tests.second_verifier.reading import (
    canonical,
    exactly,
    fields,
    integer,
    items,
    one_of,
    strict,
    text,
    truth,
)
from tests.second_verifier.refusing import Refused, need
from tests.second_verifier.seating import Quorum, able, possible

T = TypeVar("T")
INVALID = "policy.invalid"
DAY = 86_400
_DAYS = ("friday", "monday", "saturday", "sunday", "thursday", "tuesday", "wednesday")
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+/-]{0,63}")
_WORKING = re.compile(r"[1-9][0-9]{0,3}b[dh]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A signer's key."""

    scheme: str
    spki: bytes
    valid_from: int
    valid_until: int

    @property
    def id(self) -> str:
        """The digest of its SubjectPublicKeyInfo."""
        return keys.key_id(self.spki)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Somebody who is counted."""

    name: str
    person: bool
    keys: tuple[Key, ...]
    witness: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A named set of signers."""

    members: tuple[str, ...]
    deputies: tuple[str, ...]
    guardian: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakGlass:
    """What an emergency needs."""

    quorum: Quorum
    reasons: tuple[str, ...]
    checks: tuple[str, ...]
    window: int
    provisional: int
    ratify: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What one class of releases needs."""

    quorum: Quorum
    requesters: tuple[str, ...]
    veto: tuple[str, ...]
    checks: tuple[str, ...]
    longest: int
    stages: tuple[tuple[str, ...], ...]
    extenders: tuple[str, ...]
    break_glass: BreakGlass | None
    governing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LogKey:
    """A key of the log, and where it begins."""

    spki: bytes
    from_size: int
    from_root: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One version."""

    digest: str
    payload: bytes
    organisation: str
    version: int
    previous: str
    expires: int
    skew: int
    drill: bool
    signers: Mapping[str, Signer]
    roles: Mapping[str, Role]
    rules: Mapping[str, Rule]
    products: Mapping[tuple[str, str], str]
    governance: Quorum
    origin: str
    log_keys: tuple[LogKey, ...]
    cosignatures: int
    outside: Mapping[str, bytes]
    """Witnesses that are nobody's agents: their keys."""
    timestamping: Mapping[str, str]

    def witnesses(self) -> dict[str, bytes]:
        """Who may cosign checkpoints, and by which key."""
        agents = {
            f"{self.organisation}/witness/{s.name}": s.witness for s in self.signers.values() if s.witness
        }
        return {**agents, **self.outside}

    def members(self) -> Mapping[str, tuple[str, ...]]:
        """Of each role."""
        return {name: role.members for name, role in self.roles.items()}

    def rule(self, kind: str, product: str) -> Rule:
        """What a ceremony of this kind needs."""
        if kind in ("policy-change", "policy-acceptance"):
            roles = tuple(role for role, _ in self.governance)
            return Rule(
                quorum=self.governance,
                requesters=roles,
                veto=roles,
                checks=(),
                longest=30 * DAY * 1000,
                stages=(),
                extenders=(),
                break_glass=None,
                governing=True,
            )
        named = self.products.get(
            (product, "release-revocation" if kind == "release-revocation" else "release")
        )
        need(named is not None, "request.product", product)
        return self.rules[str(named)]


def _sorted_unique(found: list[Any], what: str) -> None:
    need(found == sorted(set(found)), INVALID, f"{what} ascend, each once")


def _names(value: Any) -> tuple[str, ...]:
    found = items(values.name)(value)
    _sorted_unique(list(found), "names")
    return found


def _quorum(value: Any) -> Quorum:
    seats = items(lambda it: fields(it, {"role": values.name, "threshold": integer()}))(value)
    need(all(1 <= seat["threshold"] <= 64 for seat in seats), INVALID, "thresholds are 1 to 64")
    need(
        1 <= len(seats) <= 16 and len({s["role"] for s in seats}) == len(seats), INVALID, "roles of a quorum"
    )
    return tuple((seat["role"], seat["threshold"]) for seat in seats)


def _public(value: Any) -> bytes:
    return values.base64_bytes(value, "key.malformed")


def _key(value: Any) -> Key:
    read = fields(
        value,
        {
            "scheme": one_of(keys.ED25519, keys.P256),
            "spki": _public,
            "valid_from": values.instant,
            "valid_until": values.instant,
        },
    )
    need(read["valid_from"] < read["valid_until"], INVALID, "a key ends after it begins")
    keys.loaded(read["scheme"], read["spki"])
    return Key(**read)


def _witness(value: Any) -> bytes:
    read = fields(value, {"scheme": exactly(keys.ED25519), "spki": _public})
    keys.loaded(keys.ED25519, read["spki"])
    return bytes(read["spki"])


def _signer(value: Any) -> Signer:
    must = {"name": values.name, "kind": one_of("person", "machine"), "keys": items(_key)}
    read = fields(value, must, {"witness": _witness})
    need(len(read["keys"]) >= 1, INVALID, "a signer has a key")
    return Signer(
        name=read["name"], person=read["kind"] == "person", keys=read["keys"], witness=read["witness"]
    )


def _role(value: Any) -> tuple[str, Role]:
    read = fields(
        value,
        {"name": values.name, "members": _names, "deputies": _names, "guardian": truth},
        {"lead": values.name, "window_seconds": integer(1, 90 * DAY)},
    )
    need(bool(read["members"]), INVALID, "a role has members")
    need(read["lead"] is None or read["lead"] in read["members"], INVALID, "a lead is a member")
    need(not set(read["deputies"]) & set(read["members"]), INVALID, "a deputy is no member")
    return read["name"], Role(members=read["members"], deputies=read["deputies"], guardian=read["guardian"])


def _break_glass(value: Any) -> BreakGlass:
    read = fields(
        value,
        {
            "quorum": _quorum,
            "reasons": _names,
            "checks": _names,
            "veto_window_seconds": integer(),
            "provisional_seconds": integer(),
            "ratify_seconds": integer(),
            "report_seconds": integer(),
        },
    )
    need(bool(read["reasons"]), INVALID, "an emergency has reasons")
    need(60 <= read["veto_window_seconds"] <= DAY, INVALID, "the veto window is 1m to 1d")
    spans = [read[f"{name}_seconds"] for name in ("provisional", "ratify", "report")]
    need(all(1 <= span <= 14 * DAY for span in spans), INVALID, "what follows an emergency has 14 days")
    return BreakGlass(
        quorum=read["quorum"],
        reasons=read["reasons"],
        checks=read["checks"],
        window=read["veto_window_seconds"] * 1000,
        provisional=read["provisional_seconds"] * 1000,
        ratify=read["ratify_seconds"] * 1000,
    )


def _working(value: Any) -> str:
    need(_WORKING.fullmatch(text(value)) is not None, "json.invalid_field")
    return str(value)


def _shortest(working: str) -> int:
    """How short so many working days or hours can be, whatever the calendar."""
    number, unit = int(working[:-2]), working[-2:]
    return (number - 1) * DAY if unit == "bd" else number * 3600


def _rule(value: Any) -> tuple[str, Rule]:
    read = fields(
        value,
        {
            "name": values.name,
            "quorum": _quorum,
            "requesters": _names,
            "veto": _names,
            "checks": _names,
            "longest_seconds": integer(),
            "stages": items(lambda it: fields(it, {"roles": _names})["roles"]),
            "extenders": _names,
        },
        {"deadline_seconds": integer(1), "deadline_working": _working, "break_glass": _break_glass},
    )
    by_clock, working = read["deadline_seconds"], read["deadline_working"]
    need((by_clock is None) != (working is None), INVALID, "one deadline")
    need(1 <= read["longest_seconds"] <= 90 * DAY, INVALID, "a ceremony has 90 days at most")
    need(
        by_clock is None or by_clock <= read["longest_seconds"],
        INVALID,
        "the deadline lies within the longest",
    )
    need(
        working is None or _shortest(working) <= read["longest_seconds"], INVALID, "the deadline is too long"
    )
    roles = {role for role, _ in read["quorum"]}
    need(set(read["veto"]) <= roles, INVALID, "a veto for a role outside the quorum")
    need(bool(read["requesters"]), INVALID, "somebody may ask")
    if read["stages"]:
        staged = [role for stage in read["stages"] for role in stage]
        need(all(read["stages"]) and len(staged) == len(roles) and set(staged) == roles, INVALID, "stages")
    return read["name"], Rule(
        quorum=read["quorum"],
        requesters=read["requesters"],
        veto=read["veto"],
        checks=read["checks"],
        longest=read["longest_seconds"] * 1000,
        stages=read["stages"],
        extenders=read["extenders"],
        break_glass=read["break_glass"],
    )


def _log_key(value: Any) -> LogKey:
    read = fields(
        value,
        {"scheme": exactly(keys.ED25519), "spki": _public, "from_size": integer()},
        {"from_root": values.digest},
    )
    keys.loaded(keys.ED25519, read["spki"])
    return LogKey(spki=read["spki"], from_size=read["from_size"], from_root=read["from_root"])


def _outside(value: Any) -> tuple[str, bytes]:
    must = {"name": values.origin, "scheme": exactly(keys.ED25519), "spki": _public}
    read = fields(value, must)
    keys.loaded(keys.ED25519, read["spki"])
    return read["name"], read["spki"]


def _log(value: Any) -> tuple[str, tuple[LogKey, ...], int, dict[str, bytes]]:
    read = fields(
        value,
        {"origin": values.origin, "keys": items(_log_key)},
        {"cosignatures": integer(1, 32), "witnesses": items(_outside, 1, 16)},
    )
    found = read["keys"]
    need(
        bool(found) and found[0].from_size == 0 and found[0].from_root is None, INVALID, "log keys begin at 0"
    )
    need(all(key.from_root is not None for key in found[1:]), INVALID, "a later log key has a root")
    sizes = [key.from_size for key in found]
    need(sizes == sorted(set(sizes)), INVALID, "log keys ascend")
    witnesses = _mapped(read["witnesses"] or (), "witnesses")
    return read["origin"], found, read["cosignatures"] or 0, witnesses


def _date(value: Any) -> str:
    try:
        written = date.fromisoformat(text(value)).isoformat()
    except ValueError as bad:
        raise Refused("value.format") from bad
    need(written == value, "value.format")
    return written


def _clock(value: Any) -> str:
    need(_TIME.fullmatch(text(value)) is not None, "policy.calendar")
    return str(value)


def _calendar(value: Any) -> None:
    read = fields(
        value,
        {
            "zone": text,
            "days": items(one_of(*_DAYS)),
            "opens": _clock,
            "closes": _clock,
            "holidays": items(_date),
        },
    )
    need(bool(read["days"]) and list(read["days"]) == sorted(set(read["days"])), INVALID, "days")
    _sorted_unique(list(read["holidays"]), "holidays")
    need(read["opens"] < read["closes"], "policy.calendar", "it opens before it closes")
    need(_ZONE.fullmatch(read["zone"]) is not None, "policy.calendar", "no time zone")


def _authority(value: Any) -> tuple[str, str]:
    read = fields(value, {"name": values.name, "certificate": text})
    return read["name"], read["certificate"]


def _mapped(found: tuple[tuple[str, T], ...], what: str) -> dict[str, T]:
    _sorted_unique([name for name, _ in found], what)
    return dict(found)


def _product(value: Any) -> tuple[str, str, str]:
    read = fields(
        value,
        {"name": values.name, "kind": one_of("release", "release-revocation"), "rule": values.name},
    )
    return read["name"], read["kind"], read["rule"]


@lru_cache(1024)
def read_policy(payload: bytes) -> Policy:
    """A policy that could be built; who signed it is another question."""
    kind, subjects, predicate = in_toto(payload, at_most=600 * KIB)
    need(kind == "https://quorumseal.dev/policy/v1", "statement.newer_format")
    need(canonical(strict(payload, at_most=600 * KIB)) == payload, INVALID, "written in another way")
    read = fields(
        predicate,
        {
            "format": exactly(0, "statement.newer_format"),
            "organisation": values.name,
            "version": integer(1),
            "expires": values.instant,
            "clock_skew_seconds": integer(),
            "authorities": items(values.digest),
            "drill": truth,
            "signers": items(_signer),
            "roles": items(_role),
            "rules": items(_rule),
            "products": items(_product),
            "governance": _quorum,
            "log": _log,
            "calendar": _calendar,
        },
        {"timestamping": items(_authority)},
    )
    need(len(subjects) == 1 and subjects[0].name == "previous", INVALID, "one subject, the version before")
    if read["version"] == 1:
        first = values.sha256(read["organisation"].encode())
        need(subjects[0].digest == first, INVALID, "version 1 follows the organisation's name")
    need(read["clock_skew_seconds"] <= 600, INVALID, "clocks differ by ten minutes at most")
    need(len(set(read["authorities"])) == len(read["authorities"]), INVALID, "authorities")
    signers = _mapped(tuple((signer.name, signer) for signer in read["signers"]), "signers")
    pairs = [(name, which) for name, which, _ in read["products"]]
    _sorted_unique(pairs, "products")
    authorities = read["timestamping"]
    if authorities is not None:
        need(1 <= len(authorities) <= 4, INVALID, "1 to 4 timestamp authorities")
        need(len({pem for _, pem in authorities}) == len(authorities), INVALID, "an authority twice")
    origin, log_keys, cosignatures, outside = read["log"]
    policy = Policy(
        digest=values.sha256(payload),
        payload=payload,
        organisation=read["organisation"],
        version=read["version"],
        previous=subjects[0].digest,
        expires=read["expires"],
        skew=read["clock_skew_seconds"] * 1000,
        drill=read["drill"],
        signers=signers,
        roles=_mapped(read["roles"], "roles"),
        rules=_mapped(read["rules"], "rules"),
        products={(name, which): rule for name, which, rule in read["products"]},
        governance=read["governance"],
        origin=origin,
        log_keys=log_keys,
        cosignatures=cosignatures,
        outside=outside,
        timestamping=_mapped(authorities or (), "timestamp authorities"),
    )
    _consistent(policy)
    _satisfiable(policy)
    return policy


def _consistent(policy: Policy) -> None:
    """What contradicts itself cannot be built."""
    need(bool(policy.signers), INVALID, "no signers")
    every = [key.spki for signer in policy.signers.values() for key in signer.keys]
    every += [signer.witness for signer in policy.signers.values() if signer.witness is not None]
    every += [key.spki for key in policy.log_keys] + list(policy.outside.values())
    need(len(set(every)) == len(every), INVALID, "a key is listed twice")
    agents = f"{policy.organisation}/witness/"
    need(
        not any(name.startswith(agents) for name in policy.outside), INVALID, "a name of the signers' agents"
    )
    need(policy.cosignatures <= len(policy.witnesses()), INVALID, "more cosignatures than witnesses")
    for role in policy.roles.values():
        need({*role.members, *role.deputies} <= policy.signers.keys(), INVALID, "members outside the roster")
    for rule in policy.rules.values():
        glass = rule.break_glass.quorum if rule.break_glass else ()
        named = {*rule.requesters, *rule.extenders, *(role for role, _ in (*rule.quorum, *glass))}
        need(named <= policy.roles.keys(), INVALID, "an unknown role")
        if rule.break_glass:
            floor = len(glass) >= 2 and any(policy.roles[role].guardian for role, _ in glass)
            need(floor, INVALID, "an emergency below the floor")
    need({role for role, _ in policy.governance} <= policy.roles.keys(), INVALID, "an unknown role")
    for (product, kind), rule_name in policy.products.items():
        need(rule_name in policy.rules, INVALID, "a product with no rule")
        other = "release" if kind == "release-revocation" else "release-revocation"
        need((product, other) in policy.products, INVALID, "a product has a rule for each kind")


def _satisfiable(policy: Policy) -> None:
    """For somebody who may ask, the rest can meet the quorum."""
    members = policy.members()
    people = {name for name, signer in policy.signers.items() if signer.person}

    def meets(quorum: Quorum, absences: list[set[str]]) -> None:
        met = any(possible(quorum, able(quorum, members, without)) for without in absences)
        need(met, "policy.unsatisfiable")

    for rule in policy.rules.values():
        away: list[set[str]] = []
        for name in {name for role in rule.requesters for name in members[role]}:
            away += [{name}] if name in people else [{name, person} for person in people]
        meets(rule.quorum, away)
        if rule.break_glass:
            machines = policy.signers.keys() - people
            meets(rule.break_glass.quorum, [without | machines for without in away])
    meets(policy.governance, [set()])


def founded(policy: Policy, envelope: Envelope) -> None:
    """Each signature is by a key of its roster, and the signers meet its own governance quorum."""
    willing: dict[str, frozenset[str]] = {}
    for signature in envelope.signatures:
        who = next(
            (
                signer.name
                for signer in policy.signers.values()
                for key in signer.keys
                if keys.signed(key.scheme, key.spki, envelope.signed, signature)
            ),
            None,
        )
        need(who is not None, "statement.signature")
        assert who is not None
        willing[who] = frozenset(name for name, role in policy.roles.items() if who in role.members)
    need(possible(policy.governance, willing), "policy.governance_short")
