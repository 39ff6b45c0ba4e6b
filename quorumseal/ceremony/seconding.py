# SPDX-License-Identifier: Apache-2.0
"""Acts that take trust away, and that two guardians make together: the first waits for the second.

Both sign the same, each for themselves, under one policy version; what both said holds.  A ceremony takes
such an act up with the envelopes that make it.  It only ever takes away, so an act under another policy
version than the ceremony's, whose keys the ceremony does not know, is taken at the log's word.
"""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from quorumseal.ceremony.errors import (
    ForeignLogError,
    ForeignOrganisationError,
    OtherPolicyError,
    StatementFormatError,
)
from quorumseal.ceremony.policy import Policy, SignerKind
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.signed import Signed, authenticate
from quorumseal.ceremony.statement_document import read_statement
from quorumseal.ceremony.statements import KeyRevocation, Statement, Suspension
from quorumseal.signatures import Envelope
from quorumseal.strict_json import Fields, JsonValue

_Taken = TypeVar("_Taken", KeyRevocation, Suspension)
PAIR = 2


def is_guardian(policy: Policy, signer: str) -> bool:
    """Whether somebody is a person in a role that guards."""
    known = policy.signers.get(signer)
    return (
        known is not None
        and known.kind is SignerKind.PERSON
        and any(signer in policy.roles[role].members for role in policy.guardians)
    )


def ask_guardians(policy: Policy, *, besides: str) -> str:
    """Say in a hint whom to ask for two signatures about somebody, or how there come to be two to ask."""
    names = sorted(name for name in policy.signers if name != besides and is_guardian(policy, name))
    if len(names) >= PAIR:
        return f"ask two of: {', '.join(names)}"
    return (
        f"mark a role of two other people with guardian = true by a policy change: `quorumseal policy edit` "
        f"(who guards besides {besides}: {', '.join(names) or 'nobody'})"
    )


def claims_beside(
    act: Signed[_Taken], claims: Iterable[Signed[_Taken]]
) -> tuple[list[Signed[_Taken]], list[Signed[_Taken]]]:
    """Return what the signer of an act, and what others, signed about the same under the same policy."""
    same = [claim for claim in claims if claim.statement.context.policy == act.statement.context.policy]
    own = [claim for claim in same if claim.signer == act.signer]
    return own, [claim for claim in same if claim.signer != act.signer]


def read_makers(
    kind: type[_Taken], envelopes: Sequence[Envelope], policies: Sequence[SignedPolicy], *, closed: bool
) -> tuple[tuple[_Taken, ...], SignedPolicy | None]:
    """Return what one signer or two say, and the policy that they were verified under.

    Without that policy among ``policies`` nothing is verified; where these are all there are (``closed``),
    that is refused.
    """
    acts = [_of_kind(kind, read_statement(envelope.payload)) for envelope in envelopes]
    if not 1 <= len(acts) <= PAIR or len({act.context.signer for act in acts}) != len(acts):
        raise StatementFormatError(
            f"expected a {kind.__name__} by one signer or by two, got {len(acts)} statements"
        )
    if any(act.context.policy != acts[0].context.policy for act in acts):
        raise OtherPolicyError("expected two guardians who signed under one policy, got two policies")
    named = acts[0].context.policy
    for known in policies:
        _check_home(acts, known.policy)
        if (known.policy.version, known.digest) == (named.version, named.digest):
            for envelope in envelopes:
                authenticate(envelope, known)
            return tuple(acts), known
    if closed:
        raise OtherPolicyError(
            f"expected a {kind.__name__} under a policy that comes with it, "
            f"got one under version {named.version} ({named.digest})"
        )
    return tuple(acts), None


def write_makers(envelopes: Sequence[Envelope]) -> dict[str, JsonValue]:
    """Write the envelopes that make an act: the one that made it effective, and the one that waited."""
    *before, last = envelopes
    return {"envelope": last.to_json(), **({"first": before[0].to_json()} if before else {})}


def read_envelopes(fields: Fields) -> tuple[Envelope, ...]:
    """Read the envelopes that make an act, the one that waited before the other."""
    last = Envelope.read(fields.value("envelope"))
    return (Envelope.read(fields.value("first")), last) if "first" in fields else (last,)


def _of_kind(kind: type[_Taken], statement: Statement) -> _Taken:
    if not isinstance(statement, kind):
        raise StatementFormatError(
            f"expected a signed {kind.__name__}, got a signed {type(statement).__name__}"
        )
    return statement


def _check_home(acts: Sequence[KeyRevocation | Suspension], policy: Policy) -> None:
    for act in acts:
        if act.context.organisation != policy.organisation:
            raise ForeignOrganisationError(
                f"expected a statement for {policy.organisation}, got one for {act.context.organisation}"
            )
        if act.context.log != policy.log.origin:
            raise ForeignLogError(
                f"expected a statement for log {policy.log.origin}, got one for {act.context.log}"
            )
