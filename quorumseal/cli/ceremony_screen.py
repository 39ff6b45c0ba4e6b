# SPDX-License-Identifier: Apache-2.0
"""What a ceremony says once its entries have been replayed, for a screen and as JSON."""

from collections.abc import Iterable

from quorumseal.ceremony.delegating import known_as
from quorumseal.ceremony.lifecycle import Ceremony, State
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import Decision, Request
from quorumseal.ceremony.values import instant_text as exact
from quorumseal.cli.output import Json
from quorumseal.client.values import Annex
from quorumseal.terminal import Cell, Foreign, Screen, duration_text, instant_text
from signer_agent.screen import name_of


def release_name(ceremony: Ceremony) -> str:
    """Return what the ceremony is about."""
    return name_of(ceremony)


def draw_request(drawn: Screen, ceremony: Ceremony, policy: SignedPolicy) -> None:
    """Draw who asks for what until when."""
    request = ceremony.request.statement
    open_for = ceremony.deadline - request.opened_at
    facts: list[tuple[str, Cell]] = [
        ("  ceremony", request.ceremony),
        ("  asked for by", request.context.signer),
        ("  opened", instant_text(request.opened_at)),
        ("  deadline", f"{instant_text(ceremony.deadline)}, {duration_text(open_for)} after it opened"),
        ("  policy", f"{policy.policy.organisation} version {policy.policy.version}"),
    ]
    if ceremony.extensions:
        by = " and ".join(dict.fromkeys(extension.signer for extension in ceremony.extensions))
        facts.insert(4, ("  extended", f"by {by}; it was {instant_text(request.deadline)}"))
    if request.on_behalf_of:
        facts.insert(2, ("  for", request.on_behalf_of))
    if request.ticket:
        facts.append(("  ticket", Foreign(request.ticket)))
    if ceremony.ended_at:
        facts.append((f"  {ceremony.state}", instant_text(ceremony.ended_at)))
    drawn.facts(facts)


def draw_texts(drawn: Screen, request: Request, annexes: Iterable[Annex]) -> None:
    """Draw the texts that a request will commit to."""
    for annex in annexes:
        what = "why" if annex.commitment == request.why else "what it does to whom"
        drawn.line(f"  {what}, shown to signers and auditors alone:")
        drawn.quote(annex.text)


def draw_artifacts(drawn: Screen, ceremony: Ceremony) -> None:
    """Draw the artifacts with their digests."""
    drawn.heading("Artifacts")
    for subject in ceremony.request.statement.subjects:
        drawn.line(f"  {subject.name}")
        drawn.line(f"    {subject.digest}")


def draw_evidence(drawn: Screen, ceremony: Ceremony) -> None:
    """Draw what reviewers are given, and where they may fetch artifacts."""
    request = ceremony.request.statement
    if request.evidence:
        drawn.heading("Evidence")
        for evidence in request.evidence:
            drawn.line(f"  {evidence.kind}: {evidence.name}")
            drawn.line(f"    {evidence.digest}")
    if request.locators:
        drawn.heading("Where to fetch")
        drawn.facts([(f"  {locator.name}", Foreign(locator.uri)) for locator in request.locators])


def draw_decisions(drawn: Screen, ceremony: Ceremony) -> None:
    """Draw who decided what."""
    drawn.heading("Decisions")
    if not ceremony.decisions:
        drawn.line("  none yet" if ceremony.state is State.OPEN else "  none")
        return
    drawn.table(
        ["signer", "decision", "for", "signed"],
        [
            [
                known_as(ceremony, signer),
                str(signed.statement.choice),
                ", ".join(sorted(signed.statement.roles)),
                instant_text(signed.statement.context.signed_at),
            ]
            for signer, signed in ceremony.decisions.items()
        ],
    )
    for signer, stamp in ceremony.stamps.items():
        drawn.line(f"  {signer} by {instant_text(stamp.latest)}, as {stamp.authority} says")


def ceremony_json(ceremony: Ceremony, policy: SignedPolicy) -> dict[str, Json]:
    """Return a ceremony as JSON."""
    request = ceremony.request.statement
    return {
        "product": request.product,
        "version": request.version,
        "kind": str(request.kind),
        "mode": str(request.mode),
        "ceremony": request.ceremony,
        "state": str(ceremony.state),
        "requester": request.context.signer,
        "on_behalf_of": request.on_behalf_of,
        "opened_at": exact(request.opened_at),
        "deadline": exact(ceremony.deadline),
        "hard_stop": exact(request.hard_stop),
        "extensions": [
            {"signer": each.signer, "deadline": exact(each.statement.deadline)}
            for each in ceremony.extensions
        ],
        "ended_at": exact(ceremony.ended_at) if ceremony.ended_at else None,
        "ticket": request.ticket,
        "request": ceremony.request.digest,
        "artifacts": [{"name": s.name, "digest": s.digest} for s in request.subjects],
        "evidence": [
            {"kind": e.kind, "name": e.name, "media_type": e.media_type, "digest": e.digest}
            for e in request.evidence
        ],
        "locators": [{"name": each.name, "uri": each.uri} for each in request.locators],
        "supersedes": request.supersedes,
        "decisions": [_decision_json(ceremony, signed) for signed in ceremony.decisions.values()],
        "policy": policy_json(policy),
    }


def policy_json(policy: SignedPolicy) -> Json:
    """Return which policy that is as JSON."""
    return {
        "organisation": policy.policy.organisation,
        "version": policy.policy.version,
        "digest": policy.digest,
    }


def _decision_json(ceremony: Ceremony, signed: Signed[Decision]) -> Json:
    used, stamp = ceremony.stands_for.get(signed.signer), ceremony.stamps.get(signed.signer)
    return {
        "signer": signed.signer,
        "in_the_place_of": used.signer if used else None,
        "choice": str(signed.statement.choice),
        "roles": sorted(signed.statement.roles),
        "signed_at": exact(signed.statement.context.signed_at),
        "proved_at": exact(ceremony.times[signed.signer]),
        "timestamp_by": stamp.authority if stamp else None,
        "key": signed.key.key.key_id,
    }
