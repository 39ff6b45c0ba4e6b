# SPDX-License-Identifier: Apache-2.0
"""Why artifacts count as approved, as a tree: artifacts, bundle, roles, people, keys, policy, log."""

from dataclasses import dataclass

from quorumseal.ceremony.delegating import known_as
from quorumseal.ceremony.lifecycle import Ceremony
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import Decision
from quorumseal.ceremony.values import instant_text
from quorumseal.tlog import hash_text
from quorumseal.verifier.verify import Verified


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One link of the argument, and what it rests on."""

    kind: str
    text: str
    digest: str = ""
    children: tuple["Node", ...] = ()


def explain(verified: Verified) -> tuple[Node, ...]:
    """Return one tree for each artifact; the last one carries the bundle that all share."""
    last = len(verified.subjects) - 1
    return tuple(
        Node(
            kind="artifact",
            text=subject.name,
            digest=subject.digest,
            children=(_bundle(verified),) if position == last else (),
        )
        for position, subject in enumerate(verified.subjects)
    )


def _bundle(verified: Verified) -> Node:
    request, policy = verified.request, verified.policy
    asked = request.context.signer + (f" for {request.on_behalf_of}" if request.on_behalf_of else "")
    return Node(
        kind="bundle",
        text=f"{request.product} {request.version}, asked for by {asked}, "
        f"approved {instant_text(verified.approved_at)}",
        children=(
            *_roles(verified.ceremony),
            *_again(verified.reapproval),
            Node(
                kind="policy",
                text=f"{policy.policy.organisation} version {policy.policy.version}, "
                f"signed by {', '.join(policy.signers)}",
                digest=policy.digest,
            ),
            _log(verified),
            *_concluded(verified),
        ),
    )


def _log(verified: Verified) -> Node:
    checkpoint = verified.checkpoint
    if checkpoint is None:
        return Node(kind="log", text=f"none: {verified.standing.meaning}")
    return Node(
        kind="log",
        text=f"{checkpoint.origin} at size {checkpoint.size}",
        digest=hash_text(checkpoint.root),
        children=tuple(
            Node(kind="witness", text=f"{each.witness.name} cosigned {instant_text(each.at)}")
            for each in verified.cosignatures
        ),
    )


def _concluded(verified: Verified) -> tuple[Node, ...]:
    """Return who else than the log says by when each ceremony had concluded."""
    return tuple(
        Node(kind="timestamp", text=f"concluded by {instant_text(stamp.latest)}, as {stamp.authority} says")
        for stamps in verified.timestamps.values()
        for stamp in stamps
    )


def _again(reapproval: Ceremony | None) -> tuple[Node, ...]:
    """Return who approved the same bytes once more."""
    if reapproval is None or reapproval.ended_at is None:
        return ()
    asked = reapproval.request.statement.context.signer
    text = f"asked for by {asked}, approved {instant_text(reapproval.ended_at)}"
    return (Node(kind="re-approval", text=text, children=_roles(reapproval)),)


def _roles(ceremony: Ceremony) -> tuple[Node, ...]:
    at = ceremony.counted_at
    assert at is not None  # noqa: S101 - what was verified has ended
    return tuple(_role(role, people, ceremony) for role, people in ceremony.tally(at=at).seats.items())


def _role(role: str, people: tuple[str, ...], ceremony: Ceremony) -> Node:
    children = tuple(_person(ceremony.decisions[person], ceremony) for person in people)
    return Node(kind="role", text=f"{role} needs {len(people)}", children=children)


def _person(decision: Signed[Decision], ceremony: Ceremony) -> Node:
    key = decision.key
    valid = f"{key.key.scheme}, valid until {instant_text(key.valid_until)}"
    stamp = ceremony.stamps.get(decision.signer)
    said = f", by {instant_text(stamp.latest)} as {stamp.authority} says" if stamp else ""
    return Node(
        kind="person",
        text=f"{known_as(ceremony, decision.signer)} approved "
        f"{instant_text(decision.statement.context.signed_at)}{said}",
        children=(Node(kind="key", text=valid, digest=key.key.key_id),),
    )
