# SPDX-License-Identifier: Apache-2.0
"""A policy as the plain values that ``policy.toml`` holds; what is as usual is left out."""

import base64
from collections.abc import Iterable, Mapping

from quorumseal.ceremony.calendar import DAYS, Calendar
from quorumseal.ceremony.emergency import BreakGlass
from quorumseal.ceremony.policy import Kind, Log, LogKey, Policy, Role, Rule, Signer
from quorumseal.ceremony.policy_document import FORMAT
from quorumseal.ceremony.quorum import Threshold
from quorumseal.ceremony.spans import write_span
from quorumseal.ceremony.toml_values import Plain
from quorumseal.signatures import PublicKey
from quorumseal.tlog import cosigner_key

__all__ = ["Plain", "plain_policy"]


def plain_policy(policy: Policy) -> dict[str, Plain]:
    """Return what a policy.toml says that compiles to this policy."""
    clocks: dict[str, Plain] = {each.name: {"certificate": each.pem} for each in policy.timestamping}
    return {
        "format": FORMAT,
        "organisation": policy.organisation,
        "version": policy.version,
        **({"previous": policy.previous} if policy.version > 1 else {}),
        "expires": policy.expires,
        "clock_skew": write_span(policy.clock_skew),
        "authorities": [*policy.authorities],
        **({"drill": True} if policy.drill else {}),
        "roles": {name: _role(role) for name, role in policy.roles.items()},
        "rules": {name: _rule(rule) for name, rule in policy.rules.items()},
        "products": {
            name: {str(kind): rule for kind, rule in _own_rules(kinds).items()}
            for name, kinds in policy.products.items()
        },
        **({} if policy.calendar == Calendar() else {"calendar": _calendar(policy.calendar)}),
        **({"timestamping": clocks} if clocks else {}),
        "governance": _counts(policy.governance),
        "log": _log(policy.log),
        "signers": {name: _signer(signer) for name, signer in policy.signers.items()},
    }


def _own_rules(kinds: Mapping[Kind, str]) -> Mapping[Kind, str]:
    """Return a product's rules without that for a revocation, where it is the release's."""
    return {kind: rule for kind, rule in kinds.items() if kind is Kind.RELEASE or rule != kinds[Kind.RELEASE]}


def _role(role: Role) -> Plain:
    more: dict[str, Plain] = {
        **({"deputies": sorted(role.deputies)} if role.deputies else {}),
        **({} if role.lead is None else {"lead": role.lead}),
        **({"guardian": True} if role.guardian else {}),
        **({} if role.window is None else {"window": write_span(role.window)}),
    }
    return {"members": sorted(role.members), **more} if more else sorted(role.members)


def _rule(rule: Rule) -> Plain:
    return {
        "requesters": sorted(rule.requesters),
        "deadline": write_span(rule.deadline),
        "longest": write_span(rule.longest),
        "rejection": _rejection(rule),
        **_some("checks", rule.checks),
        **({"stages": [sorted(stage) for stage in rule.stages]} if rule.stages else {}),
        **_some("extend", rule.extenders),
        "quorum": _counts(rule.quorum),
        **({} if rule.emergency is None else {"break_glass": _emergency(rule.emergency)}),
    }


def _rejection(rule: Rule) -> Plain:
    if rule.veto == {threshold.role for threshold in rule.quorum}:
        return "veto"
    return sorted(rule.veto) or "count"


def _emergency(emergency: BreakGlass) -> Plain:
    return {
        "reasons": sorted(emergency.reasons),
        **_some("checks", emergency.checks),
        "veto_window": write_span(emergency.veto_window),
        "provisional": write_span(emergency.provisional),
        "ratify": write_span(emergency.ratify),
        "report": write_span(emergency.report),
        "quorum": _counts(emergency.quorum),
    }


def _calendar(calendar: Calendar) -> Plain:
    return {
        "zone": calendar.zone,
        "days": [day for day in DAYS if day in calendar.days],
        "opens": f"{calendar.opens:%H:%M}",
        "closes": f"{calendar.closes:%H:%M}",
        "holidays": sorted(calendar.holidays),
    }


def _signer(signer: Signer) -> Plain:
    return {
        "kind": str(signer.kind),
        **({} if signer.witness is None else {"witness": _key(signer.witness)}),
        "keys": [
            {**_key(each.key), "valid_from": each.valid_from, "valid_until": each.valid_until}
            for each in signer.keys
        ],
    }


def _key(key: PublicKey) -> dict[str, Plain]:
    return {"scheme": str(key.scheme), "spki": base64.b64encode(key.spki).decode()}


def _log(log: Log) -> Plain:
    witnesses: dict[str, Plain] = {each.name: {"key": cosigner_key(each)} for each in log.witnesses}
    return {
        "origin": log.origin,
        **({"cosignatures": log.cosignatures} if log.cosignatures else {}),
        "keys": [_log_key(key) for key in log.keys],
        **({"witnesses": witnesses} if witnesses else {}),
    }


def _log_key(key: LogKey) -> dict[str, Plain]:
    root: dict[str, Plain] = {} if key.from_root is None else {"from_root": key.from_root}
    return {**_key(key.key), "from_size": key.from_size, **root}


def _counts(quorum: Iterable[Threshold]) -> Plain:
    return {threshold.role: threshold.count for threshold in quorum}


def _some(field: str, names: frozenset[str]) -> dict[str, Plain]:
    return {field: sorted(names)} if names else {}
