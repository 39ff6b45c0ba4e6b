# SPDX-License-Identifier: Apache-2.0
"""The signed form of a policy: an in-toto statement about the version before it."""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import TypeVar

from quorumseal.ceremony.calendar import Calendar
from quorumseal.ceremony.emergency import BreakGlass
from quorumseal.ceremony.errors import NewerFormatError, PolicyError, PolicyUnsignedError
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
from quorumseal.ceremony.quorum import Threshold, explain, tally
from quorumseal.ceremony.spans import Span, read_span
from quorumseal.ceremony.values import day, digest, digest_of, hour, instant, instant_text, log_origin, name
from quorumseal.signatures import Envelope, JointEnvelope, PublicKey, Scheme, SignatureError
from quorumseal.strict_json import Fields, JsonValue, read, write

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
POLICY_TYPE = "https://quorumseal.dev/policy/v1"
FORMAT = 0
# In base64 (800 KiB) and with 1024 signatures and their key ids (189 bytes each) it still fits an entry.
MAX_POLICY_BYTES = 600 << 10
_MAX_SECONDS = 366 * 86400
_Named = TypeVar("_Named", Signer, Role, Rule)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedPolicy:
    """A policy whose own governance quorum signed exactly these bytes."""

    policy: Policy
    envelope: JointEnvelope
    signers: tuple[str, ...]

    digest: str
    """What every statement under this policy names; every one of them asks for it."""


def genesis_previous(organisation: str) -> str:
    """Return what version 1 names as the version before it."""
    return digest_of(organisation.encode())


def write_policy(policy: Policy) -> bytes:
    """Make the bytes that are signed."""
    predicate: JsonValue = {
        "format": FORMAT,
        "organisation": policy.organisation,
        "version": policy.version,
        "expires": instant_text(policy.expires),
        "clock_skew_seconds": _seconds(policy.clock_skew),
        "signers": [_write_signer(signer) for _, signer in sorted(policy.signers.items())],
        "roles": [_write_role(role) for _, role in sorted(policy.roles.items())],
        "rules": [_write_rule(rule) for _, rule in sorted(policy.rules.items())],
        "products": [
            {"name": product, "kind": str(kind), "rule": rule}
            for product, kinds in sorted(policy.products.items())
            for kind, rule in sorted(kinds.items())
        ],
        "governance": _write_quorum(policy.governance),
        "log": {
            "origin": policy.log.origin,
            "keys": [{**_write_key(key.key), "from_size": key.from_size} for key in policy.log.keys],
        },
        "authorities": list(policy.authorities),
        "calendar": _write_calendar(policy.calendar),
        "drill": policy.drill,
    }
    return write(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": "previous", "digest": {"sha256": policy.previous.partition(":")[2]}}],
            "predicateType": POLICY_TYPE,
            "predicate": predicate,
        }
    )


def read_policy(payload: bytes) -> Policy:
    """Build the policy that the bytes describe, or refuse them."""
    statement = Fields(read(payload, max_bytes=MAX_POLICY_BYTES), "policy")
    statement.constant("_type", STATEMENT_TYPE)
    if statement.text("predicateType") != POLICY_TYPE:
        raise NewerFormatError(f"expected {POLICY_TYPE}, got {statement.text('predicateType')[:100]!a}")
    fields = statement.object("predicate")
    require_format(fields, FORMAT)
    log = fields.object("log")
    policy = Policy(
        organisation=name(fields.text("organisation")),
        version=fields.integer("version", at_least=1),
        previous=_read_previous(statement),
        expires=instant(fields.text("expires")),
        clock_skew=_read_seconds(fields, "clock_skew_seconds"),
        signers=_unique("signer", [_read_signer(f) for f in fields.objects("signers")]),
        roles=_unique("role", [_read_role(f) for f in fields.objects("roles")]),
        rules=_unique("rule", [_read_rule(f) for f in fields.objects("rules")]),
        products=_read_products(fields),
        governance=_read_quorum(fields, "governance"),
        log=Log(
            origin=log_origin(log.text("origin")),
            keys=tuple(
                LogKey(key=read_key(f), from_size=f.integer("from_size")) for f in log.objects("keys")
            ),
        ),
        authorities=tuple(digest(text) for text in fields.texts("authorities")),
        calendar=_read_calendar(fields.object("calendar")),
        drill=fields.flag("drill"),
    )
    statement.done()
    if write_policy(policy) != payload:
        raise PolicyError(
            "expected a policy written canonically (RFC 8785, lists sorted by name), got other bytes",
            hint="compile it with `quorumseal policy compile`",
        )
    return policy


def signed_policy(envelope: JointEnvelope) -> SignedPolicy:
    """Return the policy that ``envelope`` holds, if its own governance quorum signed it."""
    policy = read_policy(envelope.payload)
    keys = {key.key.key_id: (key.key, s.name) for s in policy.signers.values() for key in s.keys}
    signers = tuple(sorted({_signer_of(each, keys) for each in envelope.envelopes}))
    needs = policy.needs(policy.governance)
    consents = {p: frozenset(n.role for n in needs if p in n.members) for p in signers}
    count = tally(needs, consents, policy.signers.keys() - consents.keys())
    if not count.quorum_met:
        raise PolicyUnsignedError(
            f"expected the governance quorum of policy version {policy.version}, "
            f"got {'; '.join(explain(count))}"
        )
    return SignedPolicy(policy=policy, envelope=envelope, signers=signers, digest=digest_of(envelope.payload))


def require_format(fields: Fields, known: int) -> None:
    """Refuse a document of another format as such: a newer one is no mistake of its author."""
    found = fields.integer("format")
    if found != known:
        raise NewerFormatError(
            f"{fields.path('format')}: expected {known}, got {found}",
            hint="a newer version of quorumseal may know it",
        )


def read_key(fields: Fields) -> PublicKey:
    """Read a key record: the scheme stands beside the key, never in what it signs."""
    scheme = fields.choice("scheme", Scheme)
    try:
        spki = base64.b64decode(fields.text("spki"), validate=True)
    except ValueError:
        raise fields.invalid("spki", "base64 of a SubjectPublicKeyInfo") from None
    return PublicKey.enrol(scheme, spki)


def read_set(fields: Fields, field: str) -> frozenset[str]:
    """Read names of which none is written twice."""
    texts = fields.texts(field)
    if len(set(texts)) != len(texts):
        raise fields.invalid(field, "each name once")
    return frozenset(name(text) for text in texts)


def _signer_of(envelope: Envelope, keys: Mapping[str, tuple[PublicKey, str]]) -> str:
    hinted = [keys[envelope.key_id]] if envelope.key_id in keys else []
    for key, signer in (*hinted, *keys.values()):
        try:
            envelope.verify(key)
        except SignatureError:
            continue
        return signer
    raise PolicyUnsignedError(
        f"expected signatures by keys of the roster, got one (key id {envelope.key_id}) by none of them"
    )


def _write_signer(signer: Signer) -> JsonValue:
    keys: list[JsonValue] = [
        {
            **_write_key(key.key),
            "valid_from": instant_text(key.valid_from),
            "valid_until": instant_text(key.valid_until),
        }
        for key in signer.keys
    ]
    return {"name": signer.name, "kind": str(signer.kind), "keys": keys}


def _read_signer(fields: Fields) -> Signer:
    return Signer(
        name=name(fields.text("name")),
        kind=fields.choice("kind", SignerKind),
        keys=tuple(
            SignerKey(
                key=read_key(f),
                valid_from=instant(f.text("valid_from")),
                valid_until=instant(f.text("valid_until")),
            )
            for f in fields.objects("keys")
        ),
    )


def _write_key(key: PublicKey) -> dict[str, JsonValue]:
    return {"scheme": str(key.scheme), "spki": base64.b64encode(key.spki).decode()}


def _write_role(role: Role) -> JsonValue:
    return {
        "name": role.name,
        "members": _sorted(role.members),
        "deputies": _sorted(role.deputies),
        "guardian": role.guardian,
        **({} if role.lead is None else {"lead": role.lead}),
        **({} if role.window is None else {"window_seconds": _seconds(role.window)}),
    }


def _read_role(fields: Fields) -> Role:
    lead = fields.optional_text("lead")
    return Role(
        name=name(fields.text("name")),
        members=read_set(fields, "members"),
        deputies=read_set(fields, "deputies"),
        guardian=fields.flag("guardian"),
        lead=None if lead is None else name(lead),
        window=_read_seconds(fields, "window_seconds") if "window_seconds" in fields else None,
    )


def _write_rule(rule: Rule) -> JsonValue:
    return {
        "name": rule.name,
        "quorum": _write_quorum(rule.quorum),
        "requesters": _sorted(rule.requesters),
        "veto": _sorted(rule.veto),
        "checks": _sorted(rule.checks),
        **_write_deadline(rule.deadline),
        "longest_seconds": _seconds(rule.longest),
        "stages": [{"roles": _sorted(stage)} for stage in rule.stages],
        "extenders": _sorted(rule.extenders),
        **({} if rule.emergency is None else {"break_glass": _write_emergency(rule.emergency)}),
    }


def _read_rule(fields: Fields) -> Rule:
    return Rule(
        name=name(fields.text("name")),
        quorum=_read_quorum(fields, "quorum"),
        requesters=read_set(fields, "requesters"),
        veto=read_set(fields, "veto"),
        checks=read_set(fields, "checks"),
        deadline=_read_deadline(fields),
        longest=_read_seconds(fields, "longest_seconds"),
        stages=tuple(read_set(f, "roles") for f in fields.objects("stages")),
        extenders=read_set(fields, "extenders"),
        emergency=_read_emergency(fields.object("break_glass")) if "break_glass" in fields else None,
    )


def _write_deadline(deadline: Span) -> dict[str, JsonValue]:
    if isinstance(deadline, timedelta):
        return {"deadline_seconds": _seconds(deadline)}
    return {"deadline_working": str(deadline)}


def _read_deadline(fields: Fields) -> Span:
    if "deadline_working" not in fields:
        return _read_seconds(fields, "deadline_seconds")
    deadline = read_span(fields.text("deadline_working"))
    if isinstance(deadline, timedelta):
        raise fields.invalid("deadline_working", "working time such as 3bd or 8bh")
    return deadline


def _write_emergency(emergency: BreakGlass) -> JsonValue:
    return {
        "quorum": _write_quorum(emergency.quorum),
        "reasons": _sorted(emergency.reasons),
        "checks": _sorted(emergency.checks),
        "veto_window_seconds": _seconds(emergency.veto_window),
        "provisional_seconds": _seconds(emergency.provisional),
        "ratify_seconds": _seconds(emergency.ratify),
        "report_seconds": _seconds(emergency.report),
    }


def _read_emergency(fields: Fields) -> BreakGlass:
    return BreakGlass(
        quorum=_read_quorum(fields, "quorum"),
        reasons=read_set(fields, "reasons"),
        checks=read_set(fields, "checks"),
        veto_window=_read_seconds(fields, "veto_window_seconds"),
        provisional=_read_seconds(fields, "provisional_seconds"),
        ratify=_read_seconds(fields, "ratify_seconds"),
        report=_read_seconds(fields, "report_seconds"),
    )


def _write_calendar(calendar: Calendar) -> JsonValue:
    return {
        "zone": calendar.zone,
        "days": _sorted(calendar.days),
        "opens": f"{calendar.opens:%H:%M}",
        "closes": f"{calendar.closes:%H:%M}",
        "holidays": [day.isoformat() for day in sorted(calendar.holidays)],
    }


def _read_calendar(fields: Fields) -> Calendar:
    return Calendar(
        zone=fields.text("zone"),
        days=read_set(fields, "days"),
        opens=hour(fields.text("opens")),
        closes=hour(fields.text("closes")),
        holidays=frozenset(day(text) for text in fields.texts("holidays")),
    )


def _write_quorum(quorum: Iterable[Threshold]) -> list[JsonValue]:
    return [{"role": threshold.role, "threshold": threshold.count} for threshold in quorum]


def _read_quorum(fields: Fields, field: str) -> tuple[Threshold, ...]:
    return tuple(
        Threshold(role=name(f.text("role")), count=f.integer("threshold")) for f in fields.objects(field)
    )


def _read_products(fields: Fields) -> Mapping[str, Mapping[Kind, str]]:
    products: dict[str, dict[Kind, str]] = {}
    for f in fields.objects("products"):
        kinds = products.setdefault(name(f.text("name")), {})
        kind = f.choice("kind", Kind)
        if kind in kinds:
            raise PolicyError(f"{f.where}: expected one rule for a product and kind, got a second one")
        kinds[kind] = name(f.text("rule"))
    return products


def _read_previous(statement: Fields) -> str:
    subjects = statement.objects("subject")
    if len(subjects) != 1:
        raise statement.invalid("subject", "one subject, the version before")
    subjects[0].constant("name", "previous")
    return digest("sha256:" + subjects[0].object("digest").text("sha256"))


def _read_seconds(fields: Fields, field: str) -> timedelta:
    return timedelta(seconds=fields.integer(field, at_most=_MAX_SECONDS))


def _seconds(duration: timedelta) -> int:
    return int(duration.total_seconds())


def _sorted(names: Iterable[str]) -> list[JsonValue]:
    return [*sorted(names)]


def _unique(what: str, items: list[_Named]) -> dict[str, _Named]:
    by_name = {item.name: item for item in items}
    if len(by_name) != len(items):
        names = sorted(item.name for item in items)
        twice = next(a for a, b in pairwise(names) if a == b)
        raise PolicyError(f"expected each {what} once, got {twice!r} twice")
    return by_name
