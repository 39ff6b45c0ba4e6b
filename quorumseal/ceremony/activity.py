# SPDX-License-Identifier: Apache-2.0
"""How an organisation's people and keys are, by its policy and what was decided: who is missed, what ages.

Nobody is judged by one ceremony: inactive is who decided in none of the last few that ended and that they
could have decided.  What is found is a question to people, never a rule.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from quorumseal.ceremony.expiring import Expiring, expiries
from quorumseal.ceremony.policy import Policy, SignerKind
from quorumseal.terminal.durations import duration_text
from quorumseal.terminal.findings import Finding, warning, wrong

OLD_KEY = timedelta(days=365)
_SHARED = frozenset(
    {"admin", "administrator", "all", "bot", "build", "builds", "ci", "everybody", "group", "machine"}
    | {"office", "ops", "release", "releases", "robot", "root", "security", "service", "shared", "team"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attended:
    """One ceremony that has ended: who could decide in it, and who did, when last."""

    opened_at: datetime
    able: frozenset[str]
    decided: Mapping[str, datetime]


def report(policy: Policy, attended: Sequence[Attended], *, at: datetime, last: int) -> tuple[Finding, ...]:
    """Return what should be asked about, people first; ``attended`` is newest first."""
    return (
        *_inactive(policy, attended, at=at, last=last),
        *_identities(policy),
        *_old_keys(policy, at=at),
        *_ending(policy, at=at),
        *_bus_factors(policy),
    )


def _inactive(policy: Policy, attended: Sequence[Attended], *, at: datetime, last: int) -> Iterator[Finding]:
    """Name the people who decided in none of the last ceremonies that they could have decided."""
    for name, signer in sorted(policy.signers.items()):
        could = [each for each in attended if name in each.able][:last]
        if signer.kind is not SignerKind.PERSON or not could or any(name in each.decided for each in could):
            continue
        decided = [each.decided[name] for each in attended if name in each.decided]
        when = f"{duration_text(at - max(decided))} ago" if decided else "never, as far as was looked"
        what = f"the last {len(could)} ceremonies" if len(could) > 1 else "the last ceremony"
        yield warning(
            name,
            f"decided in none of {what} that they could decide in; last decision: {when}",
            "ask whether they still belong here; leaving is a change of the policy",
        )


def _identities(policy: Policy) -> Iterator[Finding]:
    """Name machines among people, and people who may be several."""
    for name in sorted(_needed(policy)):
        members = policy.roles[name].members
        machines = sorted(members & policy.machines)
        if machines and len(machines) < len(members):
            yield warning(
                f"role {name}",
                f"{', '.join(machines)} is a machine among people",
                "give machines a role of their own, so that every rule says how many people it needs",
            )
    for name, signer in sorted(policy.signers.items()):
        if signer.kind is SignerKind.PERSON and not _SHARED.isdisjoint(name.replace(".", "-").split("-")):
            yield warning(
                name,
                "is a person by the policy, but named like a group or a machine",
                "a signer is one person: whoever shares a key cannot be counted",
            )


def _old_keys(policy: Policy, *, at: datetime) -> Iterator[Finding]:
    """Name keys that have been in use for a year or more."""
    for name, signer in sorted(policy.signers.items()):
        for key in signer.keys:
            age = at - key.valid_from
            if key.valid_at(at) and age >= OLD_KEY:
                yield warning(
                    f"key of {name}",
                    f"{key.key.key_id} is in use for {age.days} days",
                    f"{name} rotates it when it suits them: a new key beside it, then without it",
                )


def _ending(policy: Policy, *, at: datetime) -> Iterator[Finding]:
    """Name keys, and the policy itself, that end within the first warning or have ended."""
    for each in expiries(policy, at=at):
        about = f"key of {each.name}" if each.what is Expiring.KEY else "policy"
        what = each.key_id or f"version {each.name}"
        if at >= each.ends:
            yield wrong(about, f"{what} ended {each.ends:%Y-%m-%d}", "list another by a change of the policy")
        else:
            left = duration_text(each.ends - at)
            yield warning(about, f"{what} ends {each.ends:%Y-%m-%d}, in {left}", "have the next one listed")


def _bus_factors(policy: Policy) -> Iterator[Finding]:
    """Name roles of which nobody may be missing."""
    for name, needed in sorted(_needed(policy).items()):
        members = policy.roles[name].members
        if len(members) == needed:
            yield warning(
                f"role {name}",
                f"needs {needed} of {needed}: it stops without any one of {', '.join(sorted(members))}",
                "add a member, or a deputy who stands in for those who are away",
            )


def _needed(policy: Policy) -> Mapping[str, int]:
    """Return the most that any rule asks of a role, of those that decide on releases."""
    needed: dict[str, int] = {}
    for rule in policy.rules.values():
        for each in rule.quorum:
            needed[each.role] = max(each.count, needed.get(each.role, 0))
    return needed
