# SPDX-License-Identifier: Apache-2.0
"""The provider as it describes itself: where people sign in, who redeems codes, which keys it has.

OpenID Connect Discovery 1.0 and RFC 7517.  Both are kept for an hour.  A key that is not known is looked for
anew, at most once in a while: a provider that rotates its keys is followed, and nobody can have it asked in a
circle.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, RSAKey

from coordinator.notifying.posting import HttpAddress, http_address
from coordinator.web.errors import ProviderAnswerError, ProviderUnreachableError, TokenError
from coordinator.web.signing_in.exchanging import Document, Exchange, text_of
from quorumseal.refusal import Refusal

KEPT_SECONDS: Final = 3600.0
AGAIN_SECONDS: Final = 30.0
MOST_KEYS: Final = 32
_LEAST_RSA_BITS: Final = 2048
_WELL_KNOWN: Final = ".well-known/openid-configuration"
Key: TypeAlias = RSAKey | ECKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What is needed of what a provider says about itself."""

    authorize: HttpAddress
    authorize_url: str
    token: HttpAddress
    keys: HttpAddress
    names_itself: bool
    """Whether it says who it is when it sends somebody back (RFC 9207): then it must."""
    secret_in_body: bool
    """Whether it takes the client's secret in the body only."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """Keys by their ids, and since when; a key without one stands under an empty one if there is but one."""

    keys: dict[str, Key]
    since: float


class Provider:
    """One provider.  Any thread may ask; ``elapsed`` is in seconds and never goes back."""

    def __init__(self, issuer: str, ask: Exchange, *, elapsed: Callable[[], float]) -> None:
        self.issuer = issuer
        self._ask = ask
        self._elapsed = elapsed
        self._turn = threading.Lock()
        self._described: tuple[Description, float] | None = None
        self._kept: _Kept | None = None
        self._failed: tuple[Refusal, float] | None = None

    def describe(self) -> Description:
        """Return where everything is."""
        with self._turn:
            return self._describe()

    def key(self, key_id: str) -> Key:
        """Return the key of an id; none names the provider's only key."""
        with self._turn:
            now = self._elapsed()
            kept = self._kept
            unknown = kept is None or key_id not in kept.keys
            if kept is None or now - kept.since > (AGAIN_SECONDS if unknown else KEPT_SECONDS):
                address = self._describe().keys
                kept = self._kept = _Kept(read_keys(self._document(address)), now)
            if key_id not in kept.keys:
                raise TokenError(f"expected a token signed by a key of the provider, got {key_id!a}")
            return kept.keys[key_id]

    def _describe(self) -> Description:
        now = self._elapsed()
        if self._described is None or now - self._described[1] > KEPT_SECONDS:
            address = http_address(f"{self.issuer.rstrip('/')}/{_WELL_KNOWN}")
            self._described = (read_description(self._document(address), self.issuer), now)
        return self._described[0]

    def _document(self, address: HttpAddress) -> Document:
        """Ask; a provider that did not answer is left alone for a moment."""
        now = self._elapsed()
        if self._failed is not None and now - self._failed[1] < 2:
            raise self._failed[0]
        try:
            answer = self._ask(address, None, {})
            if answer.status != 200:
                raise ProviderUnreachableError(f"expected status 200 of the provider, got {answer.status}")
        except Refusal as refusal:
            self._failed = (refusal, now)
            raise
        self._failed = None
        return answer.document


def read_description(document: Document, issuer: str) -> Description:
    """Return what a provider says of itself; it must be the one that was asked."""
    if text_of(document, "issuer") != issuer:
        raise ProviderAnswerError(
            f"expected the provider to be {issuer}, got one that says it is {document['issuer']!a}",
            hint="write pages.sign_in.issuer exactly as the provider writes it",
        )
    authorize_url = text_of(document, "authorization_endpoint")
    challenges = document.get("code_challenge_methods_supported", ["S256"])
    if not isinstance(challenges, list) or "S256" not in challenges:
        raise ProviderAnswerError("expected a provider that knows PKCE with S256, got one that does not")
    methods = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    if not isinstance(methods, list) or not {"client_secret_basic", "client_secret_post"} & {
        *map(str, methods)
    }:
        raise ProviderAnswerError("expected a provider that takes a client's secret, got one that does not")
    return Description(
        authorize=_secure(authorize_url, "authorization_endpoint"),
        authorize_url=authorize_url,
        token=_secure(text_of(document, "token_endpoint"), "token_endpoint"),
        keys=_secure(text_of(document, "jwks_uri"), "jwks_uri"),
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
        secret_in_body="client_secret_basic" not in methods,
    )


def read_keys(document: Document) -> dict[str, Key]:
    """Return the keys that a token can be signed with; others are left out, as RFC 7517, section 5 says."""
    listed = document.get("keys")
    if not isinstance(listed, list) or len(listed) > MOST_KEYS:
        raise ProviderAnswerError(f"expected a list of at most {MOST_KEYS} keys, got another document")
    found: dict[str, Key] = {}
    for each in listed:
        key = _public_key(each)
        if key is not None:
            found.setdefault(_id_of(each), key)
    if len(found) == 1:
        found.setdefault("", *found.values())
    elif len(found) > 1:
        found.pop("", None)
    return found


def _public_key(each: object) -> Key | None:
    """Return a key that verifies signatures, or None for whatever else stands in the list."""
    if not isinstance(each, dict) or each.get("use", "sig") != "sig" or each.get("kty") not in ("RSA", "EC"):
        return None
    if each["kty"] == "RSA" and len(str(each.get("n", ""))) * 6 < _LEAST_RSA_BITS:
        return None
    try:
        key = JWKRegistry.import_key(each)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return key if isinstance(key, RSAKey | ECKey) else None


def _id_of(each: dict[str, object]) -> str:
    key_id = each.get("kid")
    return key_id if isinstance(key_id, str) else ""


def _secure(url: str, name: str) -> HttpAddress:
    try:
        address = http_address(url)
    except Refusal as refusal:
        raise ProviderAnswerError(f"{name}: {refusal}") from None
    if not address.secure:
        raise ProviderAnswerError(f"expected {name} to be https://, got http://")
    return address
