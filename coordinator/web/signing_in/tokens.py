# SPDX-License-Identifier: Apache-2.0
"""An ID token, judged: signed by the provider, about somebody, for us, for this attempt, now.

OpenID Connect Core 1.0, section 3.1.3.7.  No clock, no network: the instant and the keys are arguments.
"""

import hmac
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from joserfc import jws
from joserfc.errors import JoseError

from coordinator.web.errors import ProviderAnswerError, TokenError
from coordinator.web.signing_in.exchanging import Document, read_document
from coordinator.web.signing_in.provider import Key

ALGORITHMS: Final[frozenset[str]] = frozenset({"RS256", "PS256", "ES256"})
"""None that works with a shared secret, and not ``none``."""
_FITTING: Final = {"RSA": {"RS256", "PS256"}, "EC": {"ES256"}}
SKEW: Final = timedelta(seconds=60)
OLDEST: Final = timedelta(minutes=10)
LARGEST_TOKEN: Final = 32 << 10
_LONGEST_SUBJECT: Final = 255
_LARGEST_INSTANT: Final = 1 << 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a token must say."""

    issuer: str
    client_id: str
    nonce: str


def judge(token: str, key_of: Callable[[str], Key], expected: Expected, *, at: datetime) -> Document:
    """Return what a token says about somebody, or refuse it."""
    claims = _authentic(token, key_of)
    if claims.get("iss") != expected.issuer:
        raise TokenError(f"expected a token of {expected.issuer}, got one of {claims.get('iss')!a:.200}")
    _require_audience(claims, expected.client_id)
    _require_time(claims, at)
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), expected.nonce.encode()):
        raise TokenError("expected a token for this attempt to sign in, got one for another")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT:
        raise TokenError("expected a token about somebody, got one about nobody")
    return claims


def _authentic(token: str, key_of: Callable[[str], Key]) -> Document:
    """Return what the provider signed, by one of its keys and an algorithm of ours that is the key's own."""
    if len(token) > LARGEST_TOKEN:
        raise TokenError(f"expected a token of at most {LARGEST_TOKEN} bytes, got a longer one")
    try:
        header = jws.extract_compact(token.encode("ascii")).headers()
    except (JoseError, ValueError, KeyError, TypeError):
        raise TokenError("expected a signed token, got something else") from None
    algorithm, key_id = header.get("alg"), header.get("kid", "")
    if algorithm not in ALGORITHMS:
        raise TokenError(f"expected a token signed by {_listed(ALGORITHMS)}, got {algorithm!a:.40}")
    if not isinstance(key_id, str):
        raise TokenError("expected a key's id as a text, got another kind")
    key = key_of(key_id)
    if algorithm not in _FITTING[key.key_type]:
        raise TokenError(f"expected an algorithm of the key's own kind ({key.key_type}), got {algorithm}")
    try:
        rules = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
        signed = jws.deserialize_compact(token, key, registry=rules)
    except (JoseError, ValueError, TypeError) as error:
        raise TokenError(f"expected the provider's signature, got another: {type(error).__name__}") from None
    try:
        return read_document(signed.payload)
    except ProviderAnswerError:
        raise TokenError("expected claims in the token, got something else") from None


def _require_audience(claims: Document, client_id: str) -> None:
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if client_id not in audiences:
        raise TokenError(f"expected a token for {client_id}, got one for {audiences!a:.200}")
    party = claims.get("azp")
    if party != client_id and (party is not None or len(audiences) > 1):
        raise TokenError(f"expected a token that {client_id} asked for, got one of {party!a:.200}")


def _require_time(claims: Document, at: datetime) -> None:
    now = at.timestamp()
    expires, issued = (_instant(claims, name) for name in ("exp", "iat"))
    if expires <= now - SKEW.total_seconds():
        raise TokenError("expected a token that is still valid, got one that has expired")
    if issued > now + SKEW.total_seconds():
        raise TokenError("expected a token of the past, got one of the future: compare the clocks")
    if issued < now - OLDEST.total_seconds():
        raise TokenError("expected a token of this attempt, got one made long before")
    begins = claims.get("nbf")
    if begins is not None and _instant(claims, "nbf") > now + SKEW.total_seconds():
        raise TokenError("expected a token that is valid by now, got one that is not yet")


def _instant(claims: Document, name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < _LARGEST_INSTANT:
        raise TokenError(f"expected {name} as an instant, got {value!a:.40}")
    return float(value)


def _listed(names: Collection[str]) -> str:
    return ", ".join(sorted(names))
