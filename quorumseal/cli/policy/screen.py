# SPDX-License-Identifier: Apache-2.0
"""What a policy says, for a screen and as JSON: rules in sentences, roles, the roster."""

from datetime import datetime, timedelta

from quorumseal.ceremony.calendar import DAYS, Calendar
from quorumseal.ceremony.policy import Policy, Rule, Signer
from quorumseal.ceremony.quorum import Threshold
from quorumseal.ceremony.spans import Span, span_text
from quorumseal.ceremony.values import digest_of
from quorumseal.ceremony.values import instant_text as exact
from quorumseal.cli.output import Json
from quorumseal.terminal import Mark, Screen, distance_text, duration_text, instant_text
from quorumseal.tlog import cosigner_key, verifier_key


def draw_policy(drawn: Screen, policy: Policy, *, at: datetime) -> None:
    """Draw the rules, who is in which role, and whose keys count until when."""
    if policy.drill:
        drawn.item(Mark.WARNING, "A DRILL: no verifier accepts what is released under it.")
    drawn.facts(
        [
            ("  expires", f"{instant_text(policy.expires)}, {distance_text(policy.expires, at)}"),
            ("  governance", _quorum(policy.governance)),
            ("  log", policy.log.origin),
            ("  works", _calendar(policy.calendar)),
            *_timestamping(policy),
            *_witnesses(policy),
        ]
    )
    for rule in policy.rules.values():
        drawn.heading(f"Rule {rule.name}")
        drawn.facts(_rule_facts(policy, rule))
    drawn.heading("Roles")
    drawn.facts([(f"  {role.name}", ", ".join(sorted(role.members))) for role in policy.roles.values()])
    drawn.heading("Roster")
    for signer in policy.signers.values():
        for key in signer.keys:
            drawn.line(
                f"  {signer.name}: {signer.kind}, {key.key.scheme}, valid until {key.valid_until:%Y-%m-%d}"
            )
            drawn.line(f"    {key.key.key_id}")


def policy_json(policy: Policy) -> Json:
    """Return what a policy says as JSON."""
    return {
        "organisation": policy.organisation,
        "version": policy.version,
        "previous": policy.previous,
        "expires": exact(policy.expires),
        "governance": {threshold.role: threshold.count for threshold in policy.governance},
        "calendar": _calendar_json(policy.calendar),
        "drill": policy.drill,
        "guardians": sorted(policy.guardians),
        "log": {
            "origin": policy.log.origin,
            "keys": [key.key.key_id for key in policy.log.keys],
            "vkeys": [verifier_key(policy.log.origin, key.key) for key in policy.log.keys],
            "cosignatures": policy.log.cosignatures,
            "witnesses": {each.name: cosigner_key(each) for each in policy.witnesses},
        },
        "roles": {role.name: sorted(role.members) for role in policy.roles.values()},
        "rules": {rule.name: _rule_json(policy, rule) for rule in policy.rules.values()},
        "timestamping": {each.name: digest_of(each.certificate) for each in policy.timestamping},
        "signers": {signer.name: _signer_json(signer) for signer in policy.signers.values()},
    }


def _timestamping(policy: Policy) -> list[tuple[str, str]]:
    names = ", ".join(each.name for each in policy.timestamping)
    return [("  timestamps by", names)] if names else []


def _witnesses(policy: Policy) -> list[tuple[str, str]]:
    asked, witnesses = policy.log.cosignatures, policy.witnesses
    if not asked:
        return []
    outside = f", {len(policy.log.witnesses)} from outside" if policy.log.witnesses else ""
    return [("  cosignatures", f"{asked} of {len(witnesses)} witnesses{outside}")]


def _calendar(calendar: Calendar) -> str:
    days = ", ".join(day for day in DAYS if day in calendar.days)
    free = len(calendar.holidays)
    until = f" until {max(calendar.holidays):%Y-%m-%d}" if free else ""
    return (
        f"{days}; {calendar.opens:%H:%M} to {calendar.closes:%H:%M} {calendar.zone}; "
        f"{free or 'no'} holiday{'' if free == 1 else 's'}{until}"
    )


def _calendar_json(calendar: Calendar) -> Json:
    return {
        "zone": calendar.zone,
        "days": [day for day in DAYS if day in calendar.days],
        "opens": f"{calendar.opens:%H:%M}",
        "closes": f"{calendar.closes:%H:%M}",
        "holidays": [day.isoformat() for day in sorted(calendar.holidays)],
    }


def _products(policy: Policy, rule: Rule) -> list[str]:
    return sorted({product for product, kinds in policy.products.items() if rule.name in kinds.values()})


def _emergency_facts(policy: Policy, rule: Rule) -> list[tuple[str, str]]:
    allowed = rule.emergency
    if allowed is None:
        return []
    guardians = sorted(t.role for t in allowed.quorum if t.role in policy.guardians)
    return [
        ("  break-glass", f"{_quorum(allowed.quorum)}; guardian: {', '.join(guardians)}"),
        ("", f"for {', '.join(sorted(allowed.reasons))}"),
        ("", f"veto within {duration_text(allowed.veto_window)} by any member of any role"),
        ("", f"provisional for {duration_text(allowed.provisional)}"),
        ("", f"ratified within {duration_text(allowed.ratify)}"),
        ("", f"reported on within {duration_text(allowed.report)}"),
    ]


def _emergency_json(rule: Rule) -> Json:
    allowed = rule.emergency
    if allowed is None:
        return None
    return {
        "quorum": {threshold.role: threshold.count for threshold in allowed.quorum},
        "reasons": sorted(allowed.reasons),
        "checks": sorted(allowed.checks),
        "veto_window_seconds": int(allowed.veto_window.total_seconds()),
        "provisional_seconds": int(allowed.provisional.total_seconds()),
        "ratify_seconds": int(allowed.ratify.total_seconds()),
        "report_seconds": int(allowed.report.total_seconds()),
    }


def _rule_facts(policy: Policy, rule: Rule) -> list[tuple[str, str]]:
    facts = [
        ("  products", ", ".join(_products(policy, rule)) or "none"),
        ("  quorum", _quorum(rule.quorum)),
        ("  requesters", f"members of {', '.join(sorted(rule.requesters))}, who do not count"),
        ("  deadline", f"{span_text(rule.deadline)}, at most {duration_text(rule.longest)}"),
        ("  rejection", _rejection(rule)),
    ]
    if rule.checks:
        facts.append(("  checks", ", ".join(sorted(rule.checks))))
    return [*facts, *_emergency_facts(policy, rule)]


def _quorum(quorum: tuple[Threshold, ...]) -> str:
    return (
        " and ".join(f"{threshold.count} of {threshold.role}" for threshold in quorum) + ", distinct people"
    )


def _rejection(rule: Rule) -> str:
    if not rule.veto:
        return "ends the ceremony once nobody is left who could meet the quorum"
    return f"one by {' or '.join(sorted(rule.veto))} ends the ceremony"


def _rule_json(policy: Policy, rule: Rule) -> Json:
    return {
        "products": _products(policy, rule),
        "quorum": {threshold.role: threshold.count for threshold in rule.quorum},
        "requesters": sorted(rule.requesters),
        "veto": sorted(rule.veto),
        "checks": sorted(rule.checks),
        **_deadline_json(rule.deadline),
        "longest_seconds": int(rule.longest.total_seconds()),
        "break_glass": _emergency_json(rule),
    }


def _deadline_json(deadline: Span) -> dict[str, Json]:
    if isinstance(deadline, timedelta):
        return {"deadline_seconds": int(deadline.total_seconds())}
    return {"deadline_working": str(deadline)}


def _signer_json(signer: Signer) -> Json:
    return {
        "kind": str(signer.kind),
        "keys": [
            {
                "scheme": str(key.key.scheme),
                "key": key.key.key_id,
                "valid_from": exact(key.valid_from),
                "valid_until": exact(key.valid_until),
            }
            for key in signer.keys
        ],
    }
