# SPDX-License-Identifier: Apache-2.0
"""Whom a notice about a ceremony goes to, and what all notices about ceremonies have in common."""

from collections.abc import Iterable
from datetime import UTC, datetime

from coordinator.notifying.notice import AUDIT, About, Notice, NoticeType
from quorumseal.ceremony.delegating import by_name
from quorumseal.ceremony.helping import stand_ins
from quorumseal.ceremony.lifecycle import Ceremony
from quorumseal.ceremony.quorum import explain
from quorumseal.ceremony.statements import Request
from quorumseal.terminal import instant_text


def about_of(request: Request) -> About:
    """Return what notices about a request are about."""
    return About(
        log=request.context.log,
        ceremony=request.ceremony,
        product=request.product,
        version=request.version,
    )


def asked(ceremony: Ceremony, *, at: datetime) -> frozenset[str]:
    """Return everybody who can count, and so was asked; who stands in for one of them, too."""
    members = frozenset[str]().union(*(need.members for need in ceremony.needs))
    return members.union(
        *(
            stand_ins(ceremony, need.role, need.members, at=at, by=ceremony.deadline)
            for need in ceremony.needs
        )
    )


def everybody(ceremony: Ceremony) -> frozenset[str]:
    """Return the roster and the audit contacts."""
    return frozenset({*ceremony.policy.signers, AUDIT})


def capacity(ceremony: Ceremony, person: str, *, at: datetime) -> tuple[str, ...]:
    """Say in which roles somebody can count, and for whom they stand in."""
    roles = [need.role for need in ceremony.needs if person in need.members]
    for_whom = [
        f"You stand in for {member} in {role}."
        for (member, role), delegation in sorted(ceremony.delegations.items())
        if delegation.statement.deputy == person and at < delegation.statement.until
    ]
    own = [f"You can count for {' or '.join(roles)}."] if roles else []
    return (*own, *for_whom)


def tell(
    ceremony: Ceremony,
    recipients: Iterable[str],
    kind: NoticeType,
    *,
    cause: str,
    at: datetime,
    headline: str,
    sentences: tuple[str, ...] = (),
    verb: str = "show",
) -> list[Notice]:
    """Return the same notice for several people; ``verb`` is the command to paste next."""
    about = about_of(ceremony.request.statement)
    drill = "Exercise: " if ceremony.policy.drill else ""
    return [
        Notice(
            type=kind,
            recipient=recipient,
            about=about,
            cause=cause,
            at=at,
            headline=drill + headline,
            sentences=sentences,
            command=f"quorumseal {verb} {about.ceremony}",
        )
        for recipient in sorted(recipients)
    ]


def when(at: datetime) -> str:
    """Say when, in UTC: nobody knows where a notice is read."""
    return instant_text(at, zone=UTC)


def still_missing(ceremony: Ceremony, *, at: datetime) -> tuple[str, ...]:
    """Say in sentences what the quorum waits for, with people as they are shown elsewhere."""
    return explain(by_name(ceremony, ceremony.tally(at=at), at=at))
