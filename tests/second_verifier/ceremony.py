# SPDX-License-Identifier: Apache-2.0
"""One ceremony under the rules: what stands, who counts, and what its next entry has to be."""

from dataclasses import dataclass, field
from typing import Any

from tests.second_verifier.policy import Policy, Rule
from tests.second_verifier.refusing import need
from tests.second_verifier.seating import Quorum, able, possible, seats
from tests.second_verifier.statements import GOVERNANCE, Statement, request_subjects

MIB = 1 << 20
ROOM, RESERVED, BESIDE = 12 * MIB, 512 * 1024, 8 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A decision that stands."""

    statement: Statement
    at: int
    roles: frozenset[str]
    """In which it counts: those whose stage had come."""
    member: str | None
    """For whom, where a delegation is used."""
    delegated_by: str | None
    """The key that signed the delegation."""
    proved_at: int

    @property
    def approves(self) -> bool:
        """Whether it is an approval."""
        return self.statement.type == "approval/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallen:
    """What revoked keys take out: key ids and instants."""

    since: dict[str, int]

    def reaches(self, key: str | None, at: int) -> bool:
        """Whether what this key signed then does not stand."""
        return key in self.since and at >= self.since[key]


@dataclass(slots=True, kw_only=True)
class Ceremony:
    """Everything that the entries so far amount to."""

    policy: Policy
    rule: Rule
    request: Statement
    opened_at: int
    """The time of the opening's entry."""
    deadline: int
    hashes: list[str] = field(default_factory=list)
    standing: dict[str, Decision] = field(default_factory=dict)
    last: dict[str, str] = field(default_factory=dict)
    """The digest of each signer's newest decision."""
    decided: dict[str, int] = field(default_factory=dict)
    delegations: dict[tuple[str, str], Statement] = field(default_factory=dict)
    numbers: dict[tuple[str, str], int] = field(default_factory=dict)
    removed_keys: set[str] = field(default_factory=set)
    removed_members: set[tuple[str, str]] = field(default_factory=set)
    removed_deputies: set[tuple[str, str]] = field(default_factory=set)
    narrowed_to: int = 0
    revoked: dict[str, int] = field(default_factory=dict)
    suspended: dict[str, int] = field(default_factory=dict)
    extensions: list[str] = field(default_factory=list)
    vetoed_by: tuple[str, ...] = ()
    window: int | None = None
    room: int = 0
    ended: str | None = None
    ended_at: int = 0
    time: int = 0
    late: set[str] = field(default_factory=set)
    delivered: int = 0
    proposed: bytes | None = None

    @property
    def said(self) -> Any:
        """What the request says."""
        return self.request.said

    @property
    def emergency(self) -> bool:
        """Whether it is one."""
        return bool(self.said["mode"] == "break-glass")

    @property
    def opened(self) -> int:
        """The instant of opening, as the request says."""
        return self.request.signed_at

    @property
    def asking(self) -> frozenset[str]:
        """Who asked, or is asked for, and so does not decide; in policy changes they do."""
        return askers(self.said)

    @property
    def quorum(self) -> Quorum:
        """What has to be met."""
        if self.emergency:
            assert self.rule.break_glass is not None
            return self.rule.break_glass.quorum
        return self.rule.quorum

    @property
    def checks(self) -> tuple[str, ...]:
        """What an approval states as passed."""
        if self.emergency:
            assert self.rule.break_glass is not None
            return self.rule.break_glass.checks
        return self.rule.checks

    def willing(self, at: int, fallen: Fallen | None = None) -> dict[str, frozenset[str]]:
        """Whose approval counts at an instant, and in which roles."""
        found = {}
        for signer, decision in self.standing.items():
            not_after = decision.statement.said["not_after"]
            if not decision.approves or (not_after is not None and at >= not_after):
                continue
            signers = (decision.statement.key, decision.delegated_by)
            if fallen and any(fallen.reaches(key, decision.proved_at) for key in signers):
                continue
            found[signer] = decision.roles
        if fallen and fallen.reaches(self.request.key, self.opened_at):
            return {}
        if self.revoked and Fallen(since=self.revoked).reaches(self.request.key, self.opened_at):
            return {}
        return found

    def met(self, at: int, fallen: Fallen | None = None) -> bool:
        """Whether the quorum is met."""
        willing = self.willing(at, fallen)
        if self.emergency and len(willing) < self.said["emergency"]["people"]:
            return False
        return possible(self.quorum, willing)

    def seats(self, at: int) -> list[dict[str, Any]]:
        """Who sits where, as entries say it."""
        found = seats(self.quorum, self.willing(at))
        return [{"role": role, "signers": signers} for role, signers in found]

    def hopeless(self) -> bool:
        """Without a veto it ends once nobody but rejecters is left to fill some seat."""
        rejecting = {s for s, d in self.standing.items() if d.statement.type == "rejection/v1"}
        if not rejecting:
            return False
        return not possible(self.quorum, able(self.quorum, self.policy.members(), self.asking | rejecting))

    def come(self) -> frozenset[str]:
        """The roles whose turn has come."""
        every = frozenset(role for role, _ in self.quorum)
        if not self.rule.stages or self.emergency:
            return every
        counts, so_far = dict(self.quorum), set(self.rule.stages[0])
        willing = {s: d.roles for s, d in self.standing.items() if d.approves}
        for stage in self.rule.stages[1:]:
            if not possible(tuple((role, counts[role]) for role in so_far), willing):
                break
            so_far |= set(stage)
        return frozenset(so_far)

    def ended_by_time(self, at: int) -> str | None:
        """How time has ended it by then: the veto window or the deadline, whichever is first."""
        if self.window is not None and self.window < self.deadline and at >= self.window:
            return "provisional"
        return "expired" if at >= self.deadline else None

    def spend(self, size: int, code: str) -> None:
        """Take room of the bundle."""
        need(self.room + size <= ROOM - RESERVED, code)
        self.room += size


def cost(payload: bytes, token: str = "") -> int:
    """The room that a statement takes."""
    return (len(payload) + 2) // 3 * 4 + BESIDE + len(token)


def askers(said: Any) -> frozenset[str]:
    """Who asked, for themselves or another, and who asked for what is approved again."""
    if said["kind"] in GOVERNANCE:
        return frozenset()
    earlier = (said["ratified"] or said["reapproved"] or {"requesters": ()})["requesters"]
    return frozenset({said["signer"], *earlier} | ({said["on_behalf_of"]} if said["on_behalf_of"] else set()))


def opened(policy: Policy, request: Statement, at: int) -> Ceremony:
    """A ceremony, if the request may open one."""
    said = request.said
    kind, mode, emergency = said["kind"], said["mode"], said["emergency"]
    need(mode == "regular" or kind == "release", "emergency.request")
    need((emergency is not None) == (mode == "break-glass"), "statement.format")
    need((said["ratified"] is not None) == (kind == "ratification"), "statement.format")
    need((said["reapproved"] is not None) == (kind == "re-approval"), "statement.format")
    explained = mode == "break-glass" or kind == "release-revocation"
    need((said["why"] is not None) == explained, "statement.format")
    subjects = request_subjects(said)
    rule = policy.rule(kind, said["product"])
    need(at >= request.signed_at - policy.skew, "request.opening_time")
    need(
        request.signed_at < said["deadline"] <= said["hard_stop"] <= request.signed_at + rule.longest,
        "request.deadline",
    )
    need(said["hard_stop"] <= policy.expires, "request.deadline")
    need(at < said["deadline"], "request.opening_time")
    signer = policy.signers[request.signer]
    asks = any(request.signer in policy.roles[role].members for role in rule.requesters)
    need(asks, "request.requester")
    need(signer.person == (said["on_behalf_of"] is None), "request.on_behalf_of")
    if said["on_behalf_of"] is not None:
        person = policy.signers.get(said["on_behalf_of"])
        need(person is not None and person.person, "request.on_behalf_of")
    ceremony = Ceremony(
        policy=policy,
        rule=rule,
        request=request,
        opened_at=at,
        deadline=said["deadline"],
        time=at,
        ended_at=at,
    )
    if rule.governing:
        about = len(subjects) == 1 and subjects[0].name == "policy"
        need(about and said["product"] == "policy", "policy.proposal")
    if kind == "release-revocation":
        need(len(subjects) == 1 and subjects[0].name == "request", "revocation.other")
    if emergency is not None:
        _emergency(rule, ceremony)
    members = policy.members()
    away = set(ceremony.asking)
    if emergency is not None:
        away |= {name for name, signer in policy.signers.items() if not signer.person}
    need(possible(ceremony.quorum, able(ceremony.quorum, members, away)), "request.quorum_unreachable")
    if emergency is not None:
        could_join = able(ceremony.quorum, members, away)
        need(emergency["people"] <= len(could_join), "request.quorum_unreachable")
    each = cost(request.envelope.payload)
    if not rule.governing:
        need(each * (1 + sum(n for _, n in ceremony.quorum)) <= ROOM - RESERVED, "request.too_large")
    ceremony.spend(each, "request.too_large")
    return ceremony


def _emergency(rule: Rule, ceremony: Ceremony) -> None:
    said, opening = ceremony.said["emergency"], ceremony.opened
    glass = rule.break_glass
    need(glass is not None, "emergency.request")
    assert glass is not None
    need(said["reason"] in glass.reasons, "emergency.request")
    need(ceremony.deadline > opening + glass.window, "emergency.times")
    need(said["people"] >= sum(count for _, count in glass.quorum), "emergency.request")
    hard_stop = ceremony.said["hard_stop"]
    need(hard_stop < said["provisional_until"] <= opening + glass.provisional, "emergency.times")
    need(hard_stop < said["ratify_by"] <= opening + glass.ratify, "emergency.times")
