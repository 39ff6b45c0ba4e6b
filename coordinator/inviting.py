# SPDX-License-Identifier: Apache-2.0
"""Inviting people, on the coordinator's own machine: a code is made, handed out once, and forgotten."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum, unique

from coordinator.enrolment_errors import (
    FounderLaterError,
    NoCertificatesError,
    NoInvitationError,
    NotInPolicyError,
)
from coordinator.roster import Roster
from coordinator.storage import InvitationRow, Storage
from quorumseal.ceremony.enrolment import CODE_BYTES, code_digest, invitation_code
from quorumseal.ceremony.policy_source import without_keys
from quorumseal.ceremony.values import name as checked_name
from quorumseal.ceremony.values import whole_milliseconds


@unique
class InvitationState(StrEnum):
    """What has become of an invitation."""

    OPEN = "open"
    USED = "used"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invited:
    """A new invitation, with the code that nobody keeps."""

    code: str
    signer: str
    founder: bool
    expires: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An invitation as the operator sees it."""

    signer: str
    founder: bool
    made: datetime
    expires: datetime
    state: InvitationState


class Inviting:
    """Invitations and revocations of one organisation, in its database."""

    def __init__(
        self,
        storage: Storage,
        roster: Roster,
        *,
        organisation: str,
        now: Callable[[], datetime],
        randomness: Callable[[int], bytes],
    ) -> None:
        self._storage = storage
        self._roster = roster
        self._organisation = organisation
        self._now = now
        self._randomness = randomness

    def invite(self, signer: str, *, founder: bool, lasts: timedelta) -> Invited:
        """Invite somebody by name."""
        self._require_invitable(checked_name(signer), founder=founder)
        code = invitation_code(self._randomness(CODE_BYTES))
        at = whole_milliseconds(self._now())
        self._storage.enrolments.invite(
            InvitationRow(
                code=code_digest(code),
                organisation=self._organisation,
                signer=signer,
                founder=founder,
                made_at=at,
                expires_at=at + lasts,
            )
        )
        return Invited(code=code, signer=signer, founder=founder, expires=at + lasts)

    def invitations(self) -> tuple[Listed, ...]:
        """Return every invitation, oldest first."""
        at = self._now()
        return tuple(
            Listed(
                signer=row.signer,
                founder=row.founder,
                made=row.made_at,
                expires=row.expires_at,
                state=_state(row, at=at),
            )
            for row in self._storage.enrolments.invitations()
        )

    def withdraw(self, signer: str) -> int:
        """End a name's invitations that nobody has used; return how many."""
        count = self._storage.enrolments.withdraw(signer, at=whole_milliseconds(self._now()))
        if not count:
            raise NoInvitationError(f"expected an invitation of {signer} that nobody has used, got none")
        return count

    def revoke_certificates(self, signer: str) -> list[str]:
        """Let nobody in any more by the certificates that a name has; return their serial numbers."""
        serials = self._storage.certificates.revoke(signer, at=whole_milliseconds(self._now()))
        if not serials:
            raise NoCertificatesError(f"expected certificates of {signer} that still run, got none")
        return serials

    def _require_invitable(self, signer: str, *, founder: bool) -> None:
        if self._roster.founded:
            if founder:
                raise FounderLaterError(f"expected {self._organisation} to be founded yet, got it founded")
            return
        waiting = without_keys(self._roster.source())
        if signer not in waiting:
            raise NotInPolicyError(
                f"expected somebody for whom policy.toml lists no keys "
                f"({', '.join(waiting) or 'nobody'}), got {signer}"
            )


def _state(row: InvitationRow, *, at: datetime) -> InvitationState:
    if row.used_at is not None:
        return InvitationState.USED
    if row.withdrawn_at is not None:
        return InvitationState.WITHDRAWN
    return InvitationState.OPEN if at < row.expires_at else InvitationState.EXPIRED
