# SPDX-License-Identifier: Apache-2.0
"""The chapters of a break-glass kit, from the verified policy and the newest checkpoint: facts and steps."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from quorumseal.ceremony.emergency import BreakGlass
from quorumseal.ceremony.policy import Policy, Role, Rule
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.quorum import Threshold
from quorumseal.cli.kit import texts
from quorumseal.terminal import duration_text, instant_text
from quorumseal.terminal.words import four_words
from quorumseal.verifier.trust import Trust
from signer_agent.checkpoints import Signature

_GROUP = 8


@dataclass(frozen=True, slots=True)
class Facts:
    """Labels, and what each stands for."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Steps:
    """Commands, each under the sentence that says when."""

    steps: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Verbatim:
    """A text that somebody else wrote."""

    text: str


Block: TypeAlias = str | Facts | Steps | Verbatim


@dataclass(frozen=True, slots=True)
class Chapter:
    """A heading and what stands under it."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a kit is made from."""

    policy: SignedPolicy
    trust: Trust
    head: Signature
    coordinator: str
    at: datetime
    contacts: str | None = None


def chapters(known: Known) -> tuple[Chapter, ...]:
    """Return the whole kit."""
    policy = known.policy.policy
    return (
        _about(known),
        _root(known),
        _people(policy, known.contacts),
        *(_rule(policy, rule) for rule in policy.rules.values()),
        *((Chapter("With the coordinator", (texts.REACHED, Steps(texts.WITH))),) if _burns(policy) else ()),
        Chapter("Without the coordinator", (texts.DOWN, Steps(_without(policy)))),
        Chapter("When the coordinator is up again", (texts.AFTERWARDS, Steps(texts.AFTER))),
        Chapter("For whoever uses the release", (texts.CONSUMERS, Steps(texts.VERIFYING))),
    )


def title(known: Known) -> str:
    """Return what stands at the top of the first page."""
    drill = "DRILL: " if known.policy.policy.drill else ""
    return f"{drill}Break-glass kit of {known.policy.policy.organisation}"


def digest_groups(digest: str) -> str:
    """Write a digest as people compare it: in groups of eight."""
    hexadecimal = digest.removeprefix("sha256:")
    return " ".join(hexadecimal[start : start + _GROUP] for start in range(0, len(hexadecimal), _GROUP))


def _about(known: Known) -> Chapter:
    policy = known.policy.policy
    return Chapter(
        "This kit",
        (
            texts.ABOUT,
            Facts(
                (
                    ("made", instant_text(known.at)),
                    ("policy", f"version {policy.version}"),
                    ("expires", instant_text(policy.expires)),
                    ("coordinator", known.coordinator),
                    ("with it", "organisation.json (policy chain, checkpoint), trust.json"),
                )
            ),
        ),
    )


def _root(known: Known) -> Chapter:
    policy, checkpoint = known.policy.policy, known.head.checkpoint
    return Chapter(
        "Root of trust",
        (
            texts.ROOT,
            Facts(
                (
                    ("digest", digest_groups(known.trust.policy)),
                    ("four words", four_words(known.trust.policy)),
                    ("oldest policy", f"version {known.trust.minimum_version}"),
                    ("log", policy.log.origin),
                    *(("log key", f"{key.key.key_id} from size {key.from_size}") for key in policy.log.keys),
                    ("log size", f"{checkpoint.size}, when this kit was made"),
                    ("log root", digest_groups(checkpoint.root.hex())),
                )
            ),
        ),
    )


def _people(policy: Policy, contacts: str | None) -> Chapter:
    roles = Facts(tuple((role.name, _role(role)) for role in policy.roles.values()))
    told: Block = Verbatim(contacts) if contacts else Facts(tuple((n, "_" * 40) for n in _everybody(policy)))
    how = "How to reach them:" if contacts else "How to reach them (write it down by hand):"
    return Chapter("People", (roles, how, told))


def _everybody(policy: Policy) -> list[str]:
    return sorted({person for role in policy.roles.values() for person in role.members | role.deputies})


def _role(role: Role) -> str:
    said = ", ".join(sorted(role.members))
    if role.deputies:
        said += f"; deputies {', '.join(sorted(role.deputies))}"
    if role.lead:
        said += f"; lead {role.lead}"
    return f"{said} (guardians)" if role.guardian else said


def _rule(policy: Policy, rule: Rule) -> Chapter:
    products = sorted({p for p, kinds in policy.products.items() if rule.name in kinds.values()})
    facts = [
        ("products", ", ".join(products) or "none"),
        ("may ask", f"members of {', '.join(sorted(rule.requesters))}, who do not count"),
        ("regular quorum", _quorum(rule.quorum)),
    ]
    if rule.emergency is None:
        facts.append(("in an emergency", "no break-glass: the regular quorum alone releases"))
        return Chapter(f"Rule {rule.name}", (Facts(tuple(facts)),))
    return Chapter(f"Rule {rule.name}", (Facts((*facts, *_emergency(rule.emergency))), texts.FLOOR))


def _emergency(allowed: BreakGlass) -> Sequence[tuple[str, str]]:
    return [
        ("break-glass quorum", _quorum(allowed.quorum)),
        ("reasons", ", ".join(sorted(allowed.reasons))),
        *((("checks", ", ".join(sorted(allowed.checks))),) if allowed.checks else ()),
        (
            "veto window",
            f"{duration_text(allowed.veto_window)}; anybody in a role may stop it",
        ),
        ("counts for", f"{duration_text(allowed.provisional)} at most, and only with --allow-provisional"),
        ("ratify within", f"{duration_text(allowed.ratify)}, by the regular quorum; else it lapses"),
        ("report within", f"{duration_text(allowed.report)}, by somebody who took no part"),
    ]


def _burns(policy: Policy) -> bool:
    return any(rule.emergency is not None for rule in policy.rules.values())


def _without(policy: Policy) -> tuple[tuple[str, str], ...]:
    return (*texts.WITHOUT, *texts.ALARM) if _burns(policy) else texts.WITHOUT


def _quorum(quorum: tuple[Threshold, ...]) -> str:
    said = " and ".join(f"{threshold.count} of {threshold.role}" for threshold in quorum)
    return f"{said}, distinct people"
