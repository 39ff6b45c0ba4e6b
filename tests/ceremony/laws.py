# SPDX-License-Identifier: Apache-2.0
"""What may never come of a ceremony, written anew without the rules' own functions.

Judged by nothing but statements, times and entry types, before and after a step.
"""

from collections.abc import Callable
from itertools import product

from quorumseal.ceremony.entries import CONCLUSIONS
from quorumseal.ceremony.lifecycle import Ceremony, State
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.statements import Choice, Decision, Mode
from tests.ceremony.courses import Course


def approvals(ceremony: Ceremony) -> dict[str, Decision]:
    """Return whose last word is yes."""
    decisions = ((signer, signed.statement) for signer, signed in ceremony.decisions.items())
    return {signer: decision for signer, decision in decisions if decision.choice is Choice.APPROVAL}


def enough(ceremony: Ceremony) -> bool:
    """Whether an engineer, or who stands in for one, and another person of security said yes."""
    said = approvals(ceremony)
    pairs = product(said.keys() & {"alice", "bob", "frank"}, said.keys() & {"bob", "carol"})
    return any(engineer != guardian for engineer, guardian in pairs)


def requester_counted(course: Course) -> bool:
    both = (course.ceremony, course.ratification)
    return any(c is not None and approvals(c).keys() & c.request.statement.requesters for c in both)


def follows(course: Course, kind: Kind) -> bool:
    return course.ratification is not None and course.ratification.request.statement.kind is kind


def used_twice(ceremony: Ceremony) -> bool:
    used = [*approvals(ceremony), *(named.signer for named in ceremony.stands_for.values())]
    return len(used) != len(set(used))


def out_and_counted(course: Course) -> bool:
    """Whether a decision stands by a key that is revoked since the beginning, or by or for somebody out."""
    ceremony = course.ceremony
    used = {named.signer: named.key for named in ceremony.stands_for.values()}
    used |= {signer: signed.key for signer, signed in ceremony.decisions.items()}
    out = {person for person, each in ceremony.suspended.items() if course.at < each.until}
    return bool(used.keys() & out) or any(key.key.key_id in ceremony.revoked for key in used.values())


def removed_and_decided(before: Course, after: Course) -> bool:
    """Whether somebody decided although a later policy had removed them."""
    gone = {person for each in before.ceremony.narrowed.values() for _, person in each.members}
    earlier, later = before.ceremony.decisions, after.ceremony.decisions
    return any(person in later and later[person] != earlier.get(person) for person in gone)


def released(before: Course, after: Course) -> bool:
    ended = after.ceremony.state in (State.APPROVED, State.PROVISIONAL)
    return ended and before.ceremony.state is State.OPEN


def too_soon(course: Course) -> bool:
    ends, types = course.ceremony.window_ends, course.types
    return ends is None or course.at < ends or "window-opened" not in types


def kinds_mixed(ceremony: Ceremony) -> bool:
    emergency = ceremony.request.statement.mode is Mode.BREAK_GLASS
    return (ceremony.state is State.PROVISIONAL) is not emergency


LAWS: dict[str, Callable[[Course, Course], bool]] = {
    "two ends": lambda _, c: sum(t in CONCLUSIONS for t in c.types) > 1,
    "an end that changed": lambda b, c: b.ceremony.state not in (State.OPEN, c.ceremony.state),
    "a deadline past the hard stop": lambda _, c: (
        c.ceremony.deadline > c.ceremony.request.statement.hard_stop
    ),
    "the requester counted": lambda _, c: requester_counted(c),
    "somebody was used twice": lambda _, c: used_twice(c.ceremony),
    "somebody who was taken out counted": lambda _, c: out_and_counted(c),
    "somebody who was removed decided": removed_and_decided,
    "an end without two people of two roles": lambda b, c: released(b, c) and not enough(c.ceremony),
    "an emergency that ended as a release, or a release as an emergency": lambda b, c: (
        released(b, c) and kinds_mixed(c.ceremony)
    ),
    "a provisional end before anybody could veto": lambda b, c: (
        released(b, c) and c.ceremony.state is State.PROVISIONAL and too_soon(c)
    ),
    "a release after the deadline": lambda b, c: (
        released(b, c) and c.ceremony.state is State.APPROVED and c.at >= c.ceremony.deadline
    ),
    "something after the end": lambda b, c: released(b, c) and c.types[-1] not in CONCLUSIONS,
    "a publication short of the quorum": lambda b, c: (
        c.published
        and not b.published
        and not (enough(c.ceremony) and c.ceremony.state in (State.APPROVED, State.PROVISIONAL))
    ),
    "a ratification of what is not provisional": lambda _, c: (
        follows(c, Kind.RATIFICATION) and c.ceremony.state is not State.PROVISIONAL
    ),
    "a re-approval of what is not approved": lambda _, c: (
        follows(c, Kind.RE_APPROVAL) and c.ceremony.state is not State.APPROVED
    ),
    "whoever asked for the first counted in the second": lambda _, c: (
        c.ratification is not None
        and bool(approvals(c.ratification).keys() & c.ceremony.request.statement.requesters)
    ),
    "a ratification short of its quorum": lambda _, c: (
        c.ratification is not None and c.ratification.state is State.APPROVED and not enough(c.ratification)
    ),
    "a ratification that changed its end": lambda b, c: (
        b.ratification is not None
        and b.ratification.state is not State.OPEN
        and (c.ratification is None or c.ratification.state is not b.ratification.state)
        and not (follows(c, Kind.RE_APPROVAL) and b.ratification.state is not State.APPROVED)
    ),
    "a ratification too late": lambda _, c: (
        c.ratification is not None
        and c.ratification.state is State.APPROVED
        and c.ceremony.request.statement.emergency is not None
        and (c.ratification.ended_at or c.at) >= c.ceremony.request.statement.emergency.ratify_by
    ),
}


def wrong(before: Course, after: Course) -> str:
    """Say what may never happen and did."""
    return next((what for what, broken in LAWS.items() if broken(before, after)), "")
