# SPDX-License-Identifier: Apache-2.0
"""The signed form of a policy: an in-toto statement about the version before it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

from quorumseal.ceremony.errors import NewerFormatError, PolicyError, PolicyUnsignedError
from quorumseal.ceremony.policy import Kind, Policy, Role, Rule, Signer, SignerKey, SignerKind
from quorumseal.ceremony.policy_fields import (
    read_authority,
    read_calendar,
    read_deadline,
    read_emergency,
    read_key,
    read_log,
    read_quorum,
    read_seconds,
    read_set,
    require_format,
    seconds,
    sorted_names,
    write_calendar,
    write_deadline,
    write_emergency,
    write_key,
    write_log,
    write_quorum,
    write_timestamping,
)
from quorumseal.ceremony.quorum import explain, tally
from quorumseal.ceremony.values import digest, digest_of, instant, instant_text, name
from quorumseal.signatures import Authority, Envelope, JointEnvelope, PublicKey, SignatureError
from quorumseal.strict_json import Fields, JsonValue, read, write

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
POLICY_TYPE = "https://quorumseal.dev/policy/v1"
FORMAT = 0
# In base64 (800 KiB) and with 1024 signatures and their key ids (189 bytes each) it still fits an entry.
MAX_POLICY_BYTES = 600 << 10
_Named = TypeVar("_Named", Signer, Role, Rule)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedPolicy:
    """A policy with its exact bytes, and what makes it one.

    Version 1 is signed by its founders.  A later one was approved by two ceremonies, of which whoever holds
    it has seen the proof, or has written it.
    """

    policy: Policy
    payload: bytes
    signers: tuple[str, ...]
    """Who founded it, or approved it on either side."""

    digest: str
    """What every statement under this policy names; every one of them asks for it."""
    founding: JointEnvelope | None = None
    """Of version 1, what its founders signed."""
    ceremonies: tuple[str, str] | None = None
    """Of a later one, its change and its acceptance."""

    @property
    def envelope(self) -> JointEnvelope:
        """What the founders signed; asked of version 1 alone."""
        assert self.founding is not None  # noqa: S101 - a later version has none
        return self.founding


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
        "clock_skew_seconds": seconds(policy.clock_skew),
        "signers": [_write_signer(signer) for _, signer in sorted(policy.signers.items())],
        "roles": [_write_role(role) for _, role in sorted(policy.roles.items())],
        "rules": [_write_rule(rule) for _, rule in sorted(policy.rules.items())],
        "products": [
            {"name": product, "kind": str(kind), "rule": rule}
            for product, kinds in sorted(policy.products.items())
            for kind, rule in sorted(kinds.items())
        ],
        "governance": write_quorum(policy.governance),
        "log": write_log(policy.log),
        "authorities": list(policy.authorities),
        "calendar": write_calendar(policy.calendar),
        "drill": policy.drill,
        **({"timestamping": write_timestamping(policy.timestamping)} if policy.timestamping else {}),
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
    policy = Policy(
        organisation=name(fields.text("organisation")),
        version=fields.integer("version", at_least=1),
        previous=_read_previous(statement),
        expires=instant(fields.text("expires")),
        clock_skew=read_seconds(fields, "clock_skew_seconds"),
        signers=_unique("signer", [_read_signer(f) for f in fields.objects("signers")]),
        roles=_unique("role", [_read_role(f) for f in fields.objects("roles")]),
        rules=_unique("rule", [_read_rule(f) for f in fields.objects("rules")]),
        products=_read_products(fields),
        governance=read_quorum(fields, "governance"),
        log=read_log(fields.object("log")),
        authorities=tuple(digest(text) for text in fields.texts("authorities")),
        calendar=read_calendar(fields.object("calendar")),
        drill=fields.flag("drill"),
        timestamping=_read_timestamping(fields) if "timestamping" in fields else (),
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
    return SignedPolicy(
        policy=policy,
        payload=envelope.payload,
        signers=signers,
        digest=digest_of(envelope.payload),
        founding=envelope,
    )


def adopted_policy(payload: bytes, ceremonies: tuple[str, str], signers: Iterable[str] = ()) -> SignedPolicy:
    """Return a later version, of which somebody else has shown that its ceremonies approved it."""
    return SignedPolicy(
        policy=read_policy(payload),
        payload=payload,
        signers=tuple(sorted(signers)),
        digest=digest_of(payload),
        ceremonies=ceremonies,
    )


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
            **write_key(key.key),
            "valid_from": instant_text(key.valid_from),
            "valid_until": instant_text(key.valid_until),
        }
        for key in signer.keys
    ]
    return {
        "name": signer.name,
        "kind": str(signer.kind),
        "keys": keys,
        **({} if signer.witness is None else {"witness": write_key(signer.witness)}),
    }


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
        witness=read_key(fields.object("witness")) if "witness" in fields else None,
    )


def _write_role(role: Role) -> JsonValue:
    return {
        "name": role.name,
        "members": sorted_names(role.members),
        "deputies": sorted_names(role.deputies),
        "guardian": role.guardian,
        **({} if role.lead is None else {"lead": role.lead}),
        **({} if role.window is None else {"window_seconds": seconds(role.window)}),
    }


def _read_role(fields: Fields) -> Role:
    lead = fields.optional_text("lead")
    return Role(
        name=name(fields.text("name")),
        members=read_set(fields, "members"),
        deputies=read_set(fields, "deputies"),
        guardian=fields.flag("guardian"),
        lead=None if lead is None else name(lead),
        window=read_seconds(fields, "window_seconds") if "window_seconds" in fields else None,
    )


def _write_rule(rule: Rule) -> JsonValue:
    return {
        "name": rule.name,
        "quorum": write_quorum(rule.quorum),
        "requesters": sorted_names(rule.requesters),
        "veto": sorted_names(rule.veto),
        "checks": sorted_names(rule.checks),
        **write_deadline(rule.deadline),
        "longest_seconds": seconds(rule.longest),
        "stages": [{"roles": sorted_names(stage)} for stage in rule.stages],
        "extenders": sorted_names(rule.extenders),
        **({} if rule.emergency is None else {"break_glass": write_emergency(rule.emergency)}),
    }


def _read_rule(fields: Fields) -> Rule:
    return Rule(
        name=name(fields.text("name")),
        quorum=read_quorum(fields, "quorum"),
        requesters=read_set(fields, "requesters"),
        veto=read_set(fields, "veto"),
        checks=read_set(fields, "checks"),
        deadline=read_deadline(fields),
        longest=read_seconds(fields, "longest_seconds"),
        stages=tuple(read_set(f, "roles") for f in fields.objects("stages")),
        extenders=read_set(fields, "extenders"),
        emergency=read_emergency(fields.object("break_glass")) if "break_glass" in fields else None,
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


def _read_timestamping(fields: Fields) -> tuple[Authority, ...]:
    return tuple(read_authority(f.text("name"), f) for f in fields.objects("timestamping"))


def _read_previous(statement: Fields) -> str:
    subjects = statement.objects("subject")
    if len(subjects) != 1:
        raise statement.invalid("subject", "one subject, the version before")
    subjects[0].constant("name", "previous")
    return digest("sha256:" + subjects[0].object("digest").text("sha256"))


def _unique(what: str, items: list[_Named]) -> dict[str, _Named]:
    by_name = {item.name: item for item in items}
    if len(by_name) != len(items):
        names = sorted(item.name for item in items)
        twice = next(a for a, b in pairwise(names) if a == b)
        raise PolicyError(f"expected each {what} once, got {twice!r} twice")
    return by_name
