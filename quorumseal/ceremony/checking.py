# SPDX-License-Identifier: Apache-2.0
"""What is demanded of everything that somebody hands in for a ceremony, whatever it says."""

from datetime import datetime
from typing import TypeAlias

from quorumseal.ceremony.errors import (
    CeremonyEndedError,
    KeyNotValidError,
    KeyRevokedError,
    OtherCeremonyError,
    OtherRequestError,
    SignerSuspendedError,
)
from quorumseal.ceremony.lifecycle import Ceremony, State
from quorumseal.ceremony.narrowing import check_still_listed
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import Cancellation, Decision, Extension, Report, Statement, Veto
from quorumseal.ceremony.timing import check_on_time
from quorumseal.ceremony.values import instant_text

HandedIn: TypeAlias = (
    Signed[Decision] | Signed[Cancellation] | Signed[Extension] | Signed[Veto] | Signed[Report]
)


def check_about(ceremony: Ceremony, signed: HandedIn) -> None:
    """Refuse what is about another ceremony, or another request."""
    request, statement = ceremony.request, signed.statement
    if statement.ceremony != request.statement.ceremony:
        raise OtherCeremonyError(
            f"expected a statement for ceremony {request.statement.ceremony}, "
            f"got one for {statement.ceremony}"
        )
    if statement.request != request.digest:
        raise OtherRequestError(
            f"expected a statement about request {request.digest}, got one about {statement.request}",
            hint="review the ceremony again and decide on what it asks now",
        )


def check_open(ceremony: Ceremony) -> None:
    """Refuse whatever comes after the end."""
    if ceremony.state is not State.OPEN:
        ended = f" since {instant_text(ceremony.ended_at)}" if ceremony.ended_at else ""
        raise CeremonyEndedError(
            f"expected an open ceremony, got one that is {ceremony.state}{ended}",
            hint="nothing more is counted; a new ceremony needs a new request",
        )


def check_key(signed: Signed[Statement], at: datetime) -> None:
    """A key counts by the log's clock too: the signing time alone is the word of whoever holds the key."""
    if not signed.key.valid_at(at):
        raise KeyNotValidError(
            f"expected a key of {signed.signer} that is valid at {instant_text(at)}, got one valid from "
            f"{instant_text(signed.key.valid_from)} to {instant_text(signed.key.valid_until)}",
            hint="sign with a key that the policy calls valid now",
        )


def check_trusted(
    ceremony: Ceremony, signed: Signed[Statement], at: datetime, *, proved_at: datetime | None = None
) -> None:
    """Refuse what a revoked key signed, unless it is proved to be from before, or somebody suspended."""
    revoked = ceremony.revoked.get(signed.key.key.key_id)
    if revoked is not None and (proved_at is None or proved_at >= revoked.since):
        raise KeyRevokedError(
            f"expected a key of {signed.signer} that signs, got {revoked.key}, "
            f"revoked since {instant_text(revoked.since)}"
        )
    check_counts(ceremony, signed.signer, at)


def check_counts(ceremony: Ceremony, signer: str, at: datetime) -> None:
    """Refuse somebody who is suspended at an instant of the log."""
    if ceremony.is_suspended(signer, at=at):
        raise SignerSuspendedError(
            f"expected somebody who counts, got {signer}, suspended until "
            f"{instant_text(ceremony.suspended[signer].until)}"
        )


def check_signed_in_time(
    ceremony: Ceremony, signed: HandedIn, at: datetime, *, proved_at: datetime | None = None
) -> None:
    """Refuse what was not signed between the opening and the deadline, or by a key that counts no more."""
    check_key(signed, at)
    check_still_listed(signed, ceremony.narrowed)
    check_trusted(ceremony, signed, at, proved_at=proved_at)
    check_on_time(
        signed.statement.context.signed_at,
        opened=ceremony.request.statement.opened_at,
        deadline=ceremony.deadline,
        skew=ceremony.policy.clock_skew,
        at=at,
    )
