# SPDX-License-Identifier: Apache-2.0
"""Who can still bring a ceremony nearer to its quorum: those who are reminded, and on whom it rests."""

from collections.abc import Mapping
from datetime import datetime

from quorumseal.ceremony.breaking_glass import emergency_met
from quorumseal.ceremony.lifecycle import Ceremony, State
from quorumseal.ceremony.standing import Standing


def waiting(ceremony: Ceremony, *, at: datetime) -> Mapping[str, frozenset[str]]:
    """Return the roles that wait for somebody now, and for which of their members.

    A role waits when its turn has come and it is not filled; an emergency waits until its window opens.
    """
    if ceremony.state is not State.OPEN or at >= ceremony.deadline:
        return {}
    count, turn = ceremony.tally(at=at), ceremony.open_roles(at=at)
    if count.quorum_met and ceremony.emergency is not None and not emergency_met(ceremony, at=at):
        # It said that it needs more people than its quorum: anybody of its roles may join.
        out = decided(ceremony, at=at) | ceremony.silenced(at=at)
        return {need.role: need.members - out for need in ceremony.needs}
    return {role.role: frozenset(role.helpful) for role in count.roles if role.missing and role.role in turn}


def helpers(ceremony: Ceremony, standing: Standing, *, at: datetime) -> Mapping[str, frozenset[str]]:
    """Return who can help each role that waits: its members who are there, and who stands in for one."""
    return {
        role: frozenset(
            person
            for person in members | stand_ins(ceremony, role, members, at=at, by=at)
            if not standing.away(person, at=at)
        )
        for role, members in waiting(ceremony, at=at).items()
    }


def decided(ceremony: Ceremony, *, at: datetime) -> frozenset[str]:
    """Return those whose decision stands, whatever it says."""
    return frozenset(
        signer
        for signer, decision in ceremony.decisions.items()
        if decision.statement.not_after is None or at < decision.statement.not_after
    )


def stand_ins(
    ceremony: Ceremony, role: str, members: frozenset[str], *, at: datetime, by: datetime
) -> frozenset[str]:
    """Return the deputies who could decide in a role for one of some members, now or from ``by`` on."""
    live = (
        delegation.statement.deputy
        for (member, about), delegation in ceremony.delegations.items()
        if about == role and member in members and delegation.statement.since <= by
        if at < delegation.statement.until and not ceremony.is_suspended(member, at=by)
    )
    out = decided(ceremony, at=at) | ceremony.silenced(at=by)
    return frozenset(live) - out - ceremony.request.statement.excluded
