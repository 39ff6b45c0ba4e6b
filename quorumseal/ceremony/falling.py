# SPDX-License-Identifier: Apache-2.0
"""What revoked keys and suspensions do to a ceremony: what falls, and who is refused from then on.

Both are handed on to each open ceremony that they touch, in the transaction that takes them in, and an
opening holds those in force; so a ceremony's own entries say why a decision did not count.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from quorumseal.ceremony import budget
from quorumseal.ceremony.breaking_glass import emergency_met
from quorumseal.ceremony.commands import Begin, End, Revoke, Suspend
from quorumseal.ceremony.delegating import handed_on as delegation_handed_on
from quorumseal.ceremony.errors import (
    KeyRevokedError,
    KeyUnknownError,
    RevocationLaterError,
    SignerSuspendedError,
    StandingOrderError,
    StandingTimeError,
    SuspensionShorterError,
)
from quorumseal.ceremony.events import Event, KeyRevoked, SignerSuspended, WindowBroken
from quorumseal.ceremony.lifecycle import Ceremony, apply, require
from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.revoking import Revoked, lists, owner_of
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.standing import Standing
from quorumseal.ceremony.statements import Delegation, KeyRevocation, Request, StandingAct, Suspension
from quorumseal.ceremony.suspending import Suspended
from quorumseal.ceremony.values import instant_text


def revoke(ceremony: Ceremony, revoked: Revoked, at: datetime) -> tuple[Event, ...]:
    """Let a revocation reach an open ceremony; it may break an emergency's window."""
    require(ceremony, KeyRevoked)
    _check_listed(revoked, ceremony.policy)
    before = ceremony.revoked.get(revoked.key)
    if before is not None and revoked.since >= before.since:
        raise RevocationLaterError(
            f"expected a revocation since an instant before {instant_text(before.since)}, "
            f"got {instant_text(revoked.since)}"
        )
    return _with_window(ceremony, KeyRevoked(at, revoked), revoked)


def suspend(ceremony: Ceremony, suspended: Suspended, at: datetime) -> tuple[Event, ...]:
    """Let a suspension reach an open ceremony; it may break an emergency's window."""
    require(ceremony, SignerSuspended)
    ceremony.policy.signer(suspended.person)
    _check_ahead(suspended, at)
    before = ceremony.suspended.get(suspended.person)
    if before is not None and suspended.until <= before.until:
        raise SuspensionShorterError(
            f"expected a suspension until after {instant_text(before.until)}, "
            f"got {instant_text(suspended.until)}"
        )
    return _with_window(ceremony, SignerSuspended(at, suspended), suspended)


def _with_window(
    ceremony: Ceremony, event: KeyRevoked | SignerSuspended, act: Revoked | Suspended
) -> tuple[Event, ...]:
    budget.check_loss(ceremony.size, act.envelopes)
    after = apply(ceremony, event)
    if after.window_ends is not None and not emergency_met(after, at=event.at):
        return (event, WindowBroken(event.at))
    return (event,)


def handed_on(
    ceremony: Ceremony, act: Signed[StandingAct], standing: Standing
) -> Begin | End | Revoke | Suspend | None:
    """Return what a standing act, of which ``standing`` came, means for an open ceremony."""
    match act.statement:
        case KeyRevocation(key=key):
            revoked = standing.revoked.get(key)
            if revoked and revoked.envelopes[-1] == act.envelope and lists(ceremony.policy, key):
                return Revoke(revoked)
        case Suspension(person=person):
            suspended = standing.suspended.get(person)
            if suspended and suspended.envelopes[-1] == act.envelope and person in ceremony.policy.signers:
                return Suspend(suspended)
        case _:
            return delegation_handed_on(ceremony, act)
    return None


def in_force(
    standing: Standing, policy: Policy, *, at: datetime
) -> tuple[tuple[Revoked, ...], tuple[Suspended, ...]]:
    """Return the revoked keys of a policy and its suspended signers, as an opening holds them."""
    revoked = tuple(each for key, each in sorted(standing.revoked.items()) if lists(policy, key))
    suspended = tuple(
        each
        for person, each in sorted(standing.suspended.items())
        if person in policy.signers and at < each.until
    )
    return revoked, suspended


def losses(ceremony: Ceremony, *, at: datetime, say: Callable[[datetime], str]) -> tuple[str, ...]:
    """Say in sentences whose keys and who do not count in a ceremony, and what fell with them."""
    sentences = [
        f"a key of {owner_of(key, [ceremony.policy])} is revoked since {say(each.since)}"
        for key, each in sorted(ceremony.revoked.items(), key=lambda item: (item[1].since, item[0]))
    ]
    sentences += [
        f"{person} is suspended until {say(each.until)}"
        for person, each in sorted(ceremony.suspended.items())
        if at < each.until
    ]
    again = sorted(set(ceremony.fallen.values()) - ceremony.decisions.keys())
    if again:
        sentences.append(f"what {' and '.join(again)} decided does not count any more")
    if ceremony.request_fell:
        sentences.append("its request was signed by a revoked key: nothing counts here any more; cancel it")
    return tuple(sentences)


def check_in_force(
    revoked: Sequence[Revoked], suspended: Sequence[Suspended], policy: Policy, *, at: datetime
) -> None:
    """Refuse an opening that holds what is not in force, or two of the same."""
    for each in revoked:
        _check_listed(each, policy)
    for other in suspended:
        policy.signer(other.person)
        _check_ahead(other, at)
    about = [*(each.key for each in revoked), *(each.person for each in suspended)]
    if len(set(about)) != len(about):
        raise StandingOrderError("expected one revocation of a key and one suspension of a signer, got two")


def check_asking(
    request: Signed[Request],
    revoked: Iterable[Revoked],
    suspended: Iterable[Suspended],
    delegations: Iterable[Signed[Delegation]],
) -> None:
    """Refuse a request by a key that signs no more, or by or for somebody who does not count."""
    ends = {each.key: each.since for each in revoked}
    used = [(request.signer, request.key), *((each.signer, each.key) for each in delegations)]
    for signer, signing in used:
        key = signing.key.key_id
        if key in ends:
            raise KeyRevokedError(
                f"expected a key of {signer} that signs, got {key}, revoked since {instant_text(ends[key])}"
            )
    for other in suspended:
        if other.person in request.statement.requesters:
            raise SignerSuspendedError(
                f"expected a request by and for people who count, got one with {other.person}, "
                f"suspended until {instant_text(other.until)}"
            )


def _check_listed(revoked: Revoked, policy: Policy) -> None:
    if not lists(policy, revoked.key):
        raise KeyUnknownError(f"expected a key that the ceremony's policy lists, got {revoked.key}")


def _check_ahead(suspended: Suspended, at: datetime) -> None:
    if suspended.until <= at:
        raise StandingTimeError(
            f"expected a suspension until after {instant_text(at)}, "
            f"got one until {instant_text(suspended.until)}"
        )
