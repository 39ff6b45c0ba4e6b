# SPDX-License-Identifier: Apache-2.0
"""Somebody joins an organisation that is there: from their enrolment to the policy that lists them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from quorumseal.ceremony.enrolment import Enrolment
from quorumseal.ceremony.enrolment_errors import NewcomerKeyError, NewcomerUnknownError
from quorumseal.ceremony.errors import PolicyError
from quorumseal.ceremony.policy import Policy, Signer, SignerKey, SignerKind
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.rotating import succeed

SHORTEST_ID = 8


def chosen(name: str, enrolments: Iterable[Enrolment], *, key: str = "") -> Enrolment:
    """Return the enrolment with which somebody joins: the only one, or that whose key id begins with ``key``.

    Who enrolled twice says which key it is: taking the newest would let the coordinator choose.
    """
    theirs = {each.key: each for each in enrolments if each.signer == name}
    if not theirs:
        raise NewcomerUnknownError(
            f"expected {name} to have enrolled, found nobody of that name",
            hint=f"invite them on the coordinator's machine: quorumseal org invite {name}",
        )
    matching = [
        each
        for each in theirs.values()
        if not key or (len(key) >= SHORTEST_ID and each.key.key_id.removeprefix("sha256:").startswith(key))
    ]
    if len(matching) != 1:
        ids = ", ".join(sorted(each.key.key_id.removeprefix("sha256:")[:12] for each in theirs.values()))
        raise NewcomerKeyError(
            f"expected the id of one key of {name} ({ids}), or {SHORTEST_ID} of its digits or more, "
            f"got {key or 'none'}",
            hint=f"ask {name} which key is theirs, then name it with --key",
        )
    return matching[0]


def with_newcomer(
    current: SignedPolicy, enrolment: Enrolment, roles: Collection[str], *, at: datetime, until: datetime
) -> Policy:
    """Return the next policy, which lists somebody new with the keys that they enrolled."""
    policy = current.policy
    if enrolment.signer in policy.signers:
        raise PolicyError(
            f"roster: expected somebody new, got {enrolment.signer}, whom version {policy.version} lists",
            hint="who is listed changes a key with quorumseal key rotate",
        )
    for role in sorted(set(roles) - policy.roles.keys()):
        raise PolicyError(
            f"roles: expected one that version {policy.version} has ({', '.join(sorted(policy.roles))}), "
            f"got {role}"
        )
    signer = Signer(
        name=enrolment.signer,
        kind=SignerKind.PERSON,
        keys=(SignerKey(key=enrolment.key, valid_from=at, valid_until=until),),
        witness=enrolment.witness,
    )
    joined = {
        name: replace(role, members=role.members | {enrolment.signer}) if name in roles else role
        for name, role in policy.roles.items()
    }
    return succeed(current, signers={**policy.signers, enrolment.signer: signer}, roles=joined)


def explaining(
    new: Policy, added: Collection[str], enrolments: Sequence[tuple[Enrolment, bytes]]
) -> tuple[tuple[Enrolment, bytes], ...]:
    """Return the enrolments, with their bytes, that show the keys of those whom a policy adds."""
    return tuple(
        (enrolment, data)
        for enrolment, data in enrolments
        if enrolment.signer in added
        and any(key.key == enrolment.key for key in new.signers[enrolment.signer].keys)
    )
