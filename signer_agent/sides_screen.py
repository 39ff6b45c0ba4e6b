# SPDX-License-Identifier: Apache-2.0
"""How a policy change is drawn for whoever decides on one side of it: what changes, who is missing where."""

from collections.abc import Iterator
from datetime import datetime

from quorumseal.ceremony.delegating import by_name
from quorumseal.ceremony.lifecycle import Ceremony, State
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.quorum import explain
from quorumseal.terminal import Mark, Screen, distance_text
from signer_agent.differences_screen import counted, differences_json, draw_differences
from signer_agent.json_shape import Json
from signer_agent.policy_sides import OTHER, SIDES, PolicySides
from signer_agent.review import Review


def draw_sides(screen: Screen, review: Review) -> None:
    """Draw what the policy would say otherwise, and which side is short."""
    sides = review.background.sides
    if sides is None:
        return
    found = sides.differences
    version = sides.new.policy.version
    screen.heading(f"Policy version {version} changes {counted(found)}")
    screen.facts([("  from", f"version {sides.old.policy.version}"), ("  to", f"version {version}")])
    screen.line(f"    {sides.new.digest}")
    draw_differences(screen, found)
    for signer, key in sides.unexplained:
        screen.item(
            Mark.WARNING, f"nothing shows that this new key is {signer}'s: ask {signer} to read it out"
        )
        screen.line(f"    {key.key_id}")
    screen.heading("It holds once both sides have approved it")
    for mark, sentence in side_sentences(sides, review.ceremony, at=review.at):
        screen.item(mark, sentence)


def side_sentences(sides: PolicySides, ceremony: Ceremony, *, at: datetime) -> Iterator[tuple[Mark, str]]:
    """Say of each side, the old one first, who is missing on it."""
    kind = ceremony.request.statement.kind
    other = None if sides.other is None else sides.other.chain.ceremony
    both = {kind: ceremony, OTHER[kind]: other}
    for each in SIDES:
        policy = sides.old if each is Kind.POLICY_CHANGE else sides.new
        here = " (this ceremony)" if each is kind else ""
        side = f"{SIDES[each]}, under version {policy.policy.version}{here}"
        yield _side(side, both[each], at)


def _side(side: str, ceremony: Ceremony | None, at: datetime) -> tuple[Mark, str]:
    if ceremony is None:
        return Mark.WARNING, f"{side}: nobody has asked for it yet"
    if ceremony.state is State.APPROVED:
        return Mark.DONE, f"{side}: complete, {distance_text(ceremony.ended_at or at, at)}"
    if ceremony.state is not State.OPEN:
        return Mark.FAILED, f"{side}: {ceremony.state}"
    missing = explain(by_name(ceremony, ceremony.tally(at=at), at=at))
    return Mark.WAITING, f"{side}: {'; '.join(missing)}"


def sides_json(review: Review) -> Json:
    """Return what changes and how both sides stand; nothing where no policy is decided on."""
    sides = review.background.sides
    if sides is None:
        return None
    return {
        "old": {"version": sides.old.policy.version, "digest": sides.old.digest},
        "new": {"version": sides.new.policy.version, "digest": sides.new.digest},
        "differences": differences_json(sides.differences),
        "unexplained_keys": [{"signer": signer, "key": key.key_id} for signer, key in sides.unexplained],
        "other": None
        if sides.other is None
        else {"ceremony": sides.other.chain.id, "state": str(sides.other.chain.ceremony.state)},
        "sides": [text for _, text in side_sentences(sides, review.ceremony, at=review.at)],
    }
