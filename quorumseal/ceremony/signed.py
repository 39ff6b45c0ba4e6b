# SPDX-License-Identifier: Apache-2.0
"""From an envelope to a statement that a key of the roster is known to have signed."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from quorumseal.ceremony.errors import (
    ForeignLogError,
    ForeignOrganisationError,
    KeyNotValidError,
    OtherPolicyError,
    StatementFormatError,
    StatementSignatureError,
)
from quorumseal.ceremony.policy import SignerKey
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.statement_document import read_statement
from quorumseal.ceremony.statements import Statement
from quorumseal.ceremony.values import digest_of, instant_text
from quorumseal.signatures import Envelope, SignatureError

_Signed = TypeVar("_Signed", bound=Statement, covariant=True)
_Kind = TypeVar("_Kind", bound=Statement)


@dataclass(frozen=True, slots=True)
class Signed(Generic[_Signed]):
    """A statement, the exact bytes that say it, and the key that signed them."""

    statement: _Signed
    envelope: Envelope
    key: SignerKey
    digest: str

    @property
    def signer(self) -> str:
        """Who signed."""
        return self.statement.context.signer


def authenticate(envelope: Envelope, signed_policy: SignedPolicy) -> Signed[Statement]:
    """Read the statement in ``envelope``; refuse it unless its signer signed it, under this policy.

    The scheme and the key come from the policy.  The key id of the envelope is a hint that changes nothing.
    """
    statement = read_statement(envelope.payload)
    context, policy = statement.context, signed_policy.policy
    if context.organisation != policy.organisation:
        raise ForeignOrganisationError(
            f"expected a statement for organisation {policy.organisation}, got one for {context.organisation}"
        )
    if context.log != policy.log.origin:
        raise ForeignLogError(f"expected a statement for log {policy.log.origin}, got one for {context.log}")
    if (context.policy.version, context.policy.digest) != (policy.version, signed_policy.digest):
        raise OtherPolicyError(
            f"expected a statement under policy version {policy.version} ({signed_policy.digest}), "
            f"got one under version {context.policy.version} ({context.policy.digest})"
        )
    key = _signing_key(envelope, policy.signer(context.signer).keys, context.signer)
    if not key.valid_at(context.signed_at):
        raise KeyNotValidError(
            f"expected a signature of {context.signer} while key {key.key.key_id} is valid "
            f"({instant_text(key.valid_from)} to {instant_text(key.valid_until)}), "
            f"got one of {instant_text(context.signed_at)}",
            hint="sign with a key that the policy calls valid now",
        )
    return Signed(statement, envelope, key, digest_of(envelope.payload))


def _signing_key(envelope: Envelope, keys: tuple[SignerKey, ...], signer: str) -> SignerKey:
    for key in sorted(keys, key=lambda key: key.key.key_id != envelope.key_id):
        try:
            envelope.verify(key.key)
        except SignatureError:
            continue
        return key
    raise StatementSignatureError(
        f"expected a signature by a key of {signer}, got one that no key of theirs made",
        hint="whoever made this is not the signer that it names, or the bytes were changed",
    )


def signed_as(kind: type[_Kind], signed: Signed[Statement]) -> Signed[_Kind]:
    """Return ``signed`` as the kind of statement that this place asks for, or refuse it."""
    statement = signed.statement
    if not isinstance(statement, kind):
        raise StatementFormatError(
            f"expected a signed {kind.__name__.lower()}, got a signed {type(statement).__name__.lower()}"
        )
    return Signed(statement, signed.envelope, signed.key, signed.digest)
