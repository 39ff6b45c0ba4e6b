# SPDX-License-Identifier: Apache-2.0
"""The steps of docs/spec/verification.md: a bundle, a trust file and artifacts in; how it counts out."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tests.second_verifier import parts, timestamps, values, witnessing
from tests.second_verifier.ceremony import Fallen, askers
from tests.second_verifier.chaining import Chain, walk
from tests.second_verifier.parts import Bundle, Judged, read_bundle
from tests.second_verifier.reading import exactly, fields, integer, strict, truth
from tests.second_verifier.refusing import Refused, need
from tests.second_verifier.statements import request_subjects

KIB = 1024
FOREVER = 1 << 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What a consumer pins."""

    organisation: str
    policy: str
    minimum_version: int
    status_max_age: int | None
    timestamp_required: bool


def read_trust(data: bytes) -> Trust:
    """A trust file."""
    found = fields(
        strict(data, at_most=64 * KIB),
        {
            "format": exactly(0),
            "organisation": values.name,
            "policy": values.digest,
            "minimum_version": integer(1),
        },
        {"status_max_age_seconds": integer(1), "timestamp_required": truth},
    )
    age = found["status_max_age_seconds"]
    return Trust(
        organisation=found["organisation"],
        policy=found["policy"],
        minimum_version=found["minimum_version"],
        status_max_age=None if age is None else age * 1000,
        timestamp_required=bool(found["timestamp_required"]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What whoever verifies asks for."""

    product: str | None = None
    now: int | None = None
    """Milliseconds since 1970."""
    status: bytes | None = None
    allow_provisional: bool = False
    allow_unlogged: bool = False
    require_timestamp: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A bundle whose parts all hold: what it says, before anybody's terms."""

    chain: Chain
    bundle: Bundle
    judged: tuple[Judged, ...]

    @property
    def unlogged(self) -> bool:
        """Whether any part is in no log."""
        return not all(it.part.logged for it in self.judged)


def verify(data: bytes, trust: Trust, digests: Mapping[str, str], terms: Terms) -> str:
    """How the release counts."""
    from tests.second_verifier import status

    held = hold(data, trust)
    first = held.judged[0].ceremony
    need(first.said["kind"] == "release", "bundle.kind")
    _artifacts(held, digests, terms)
    standing = _mode(held, terms)
    last = held.judged[-1]
    witnessing.vouched(held.bundle, last, held.chain.since(last.ceremony.policy))
    status.apply(held, trust, terms, standing)
    _timestamps(held, trust, terms)
    need(not any(it.ceremony.policy.drill for it in held.judged), "drill.exercise")
    return standing


def hold(data: bytes, trust: Trust) -> Held:
    """Steps 1, 2 and 4 to 8, but for what the terms allow."""
    bundle = read_bundle(data)
    chain = walk(bundle.policies, trust)
    judged: list[Judged] = []
    for part in bundle.parts:
        need(bool(part.entries), "chain.broken", "no entries")
        policy, held_from = chain.named(_pin(part))
        found = parts.judge(part, policy)
        if part.logged:
            assert part.index is not None
            need(part.index > held_from, "policy_chain.not_yet")
            before = parts.state(judged[-1].part) if judged else []
            parts.prove(part, chain.since(policy), before)
        judged.append(found)
    last = judged[-1].ceremony.policy
    need(last.version >= trust.minimum_version, "policy_chain.below_minimum")
    _related(judged)
    return Held(chain=chain, bundle=bundle, judged=tuple(judged))


def _pin(part: parts.Part) -> Any:
    from tests.second_verifier.envelopes import envelope
    from tests.second_verifier.statements import read

    first = part.entries[0]
    need(first["type"] == "opened" and first["body"].get("envelope") is not None, "chain.broken")
    return read(envelope(first["body"]["envelope"]), "request/v1").said["policy"]


def _related(judged: list[Judged]) -> None:
    """A release, or an emergency and its ratification; then, where there is one, a re-approval."""
    first = judged[0].ceremony
    kinds = [it.ceremony.said["kind"] for it in judged]
    need(kinds[0] in ("release", "release-revocation"), "bundle.kind")
    rest = kinds[1:]
    if first.emergency:
        need(rest in ([], ["ratification"], ["ratification", "re-approval"]), "bundle.kind")
    elif kinds[0] == "release":
        need(rest in ([], ["re-approval"]), "bundle.kind")
    else:
        need(not rest, "bundle.kind")
    for before, after in pairwise(judged):
        _ended(before)
        _again(before, after)
    _ended(judged[-1])


def _ended(judged: Judged) -> None:
    match judged.ceremony.ended:
        case "approved" | "provisional":
            return
        case None:
            raise Refused("quorum.short")
        case "rejected" | "vetoed":
            raise Refused("ceremony.rejected")
        case _:
            raise Refused("ceremony.unapproved")


def _again(before: Judged, after: Judged) -> None:
    """The later ceremony is about exactly the earlier."""
    said, earlier = after.ceremony.said, before.ceremony.said
    kind = said["kind"]
    code = "ratification.other" if kind == "ratification" else "re_approval.other"
    about = said["ratified"] if kind == "ratification" else said["reapproved"]
    need(about["ceremony"] == earlier["ceremony"], code)
    need(about["request"] == before.ceremony.request.digest, code)
    need(about["conclusion"] == before.part.entries[-1]["hash"], code)
    need(set(about["requesters"]) == askers(earlier), code)
    same = all(said[name] == earlier[name] for name in ("product", "version", "subjects"))
    need(same and after.ceremony.policy.version >= before.ceremony.policy.version, code)
    need(after.ceremony.opened_at >= before.ceremony.ended_at, code)
    if kind == "ratification":
        need(said["hard_stop"] <= earlier["emergency"]["ratify_by"], code)


def _artifacts(held: Held, digests: Mapping[str, str], terms: Terms) -> None:
    said = held.judged[0].ceremony.said
    need(terms.product is None or terms.product == said["product"], "bundle.product")
    need(bool(digests), "artifact.none")
    subjects = request_subjects(said)
    listed = {subject.name: subject.digest for subject in subjects}
    for name, digest in digests.items():
        need(digest in listed.values(), "artifact.other_bytes")
        need(listed.get(name, digest) == digest, "artifact.other_bytes")


def _mode(held: Held, terms: Terms) -> str:
    first, last = held.judged[0].ceremony, held.judged[-1].ceremony
    now, skew = terms.now, first.policy.skew
    standing = {"release": "regular", "ratification": "ratified", "re-approval": "re-approved"}[
        last.said["kind"]
    ]
    if last.emergency:
        standing = "provisional"
        need(terms.allow_provisional, "provisional.not_allowed")
        need(now is not None, "provisional.clock")
        assert now is not None
        said = first.said["emergency"]
        need(now < min(said["provisional_until"], said["ratify_by"]), "provisional.lapsed")
        need(now >= first.ended_at - skew, "provisional.clock")
    if held.unlogged:
        need(len(held.judged) == 1, "unlogged.not_allowed", "what is in no log ratifies nothing")
        standing = standing if standing == "provisional" else "unlogged"
        need(terms.allow_unlogged, "unlogged.not_allowed")
        need(now is not None, "unlogged.clock")
        assert now is not None
        for it in held.judged:
            if not it.part.logged:
                need(now < it.ceremony.said["hard_stop"], "unlogged.too_late")
                need(now >= it.ceremony.ended_at - skew, "unlogged.clock")
    return standing


def holds(held: Held, fallen: Mapping[str, int]) -> bool:
    """Whether the release stands without what revoked keys signed."""

    def stands(it: Judged) -> bool:
        since = dict(fallen) if it.part.logged else dict.fromkeys(fallen, -FOREVER)
        return it.ceremony.met(it.ceremony.ended_at, Fallen(since=since))

    if len(held.judged) == 1:
        return stands(held.judged[0])
    return any(stands(it) for it in held.judged if not it.ceremony.emergency)


def _timestamps(held: Held, trust: Trust, terms: Terms) -> None:
    by_id = {it.ceremony.said["ceremony"]: it for it in held.judged}
    stamped = set()
    for ceremony, token in held.bundle.timestamps:
        it = by_id.get(ceremony)
        need(it is not None and it.part.logged, "timestamp.imprint")
        assert it is not None
        found = timestamps.judge(it.ceremony.policy, token)
        need(found.latest >= it.ceremony.ended_at - it.ceremony.policy.skew, "timestamp.time")
        stamped.add(ceremony)
    if trust.timestamp_required or terms.require_timestamp:
        need(stamped == set(by_id), "timestamp.missing")
