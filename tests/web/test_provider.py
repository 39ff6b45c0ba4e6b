# SPDX-License-Identifier: Apache-2.0
"""What a provider says of itself, and how long it is listened to."""

import base64
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from coordinator.notifying.posting import HttpAddress, http_address
from coordinator.web.errors import (
    ProviderAnswerError,
    ProviderUnreachableError,
    TokenError,
)
from coordinator.web.signing_in.exchanging import Answer, Document, exchange, read_document
from coordinator.web.signing_in.provider import KEPT_SECONDS, Provider, read_description, read_keys
from tests.running_coordinator import Site
from tests.web.provider import OpenIdProvider
from tests.web.signing_in_site import provider_of

ISSUER = "https://login.acme.example"


def description(**more: object) -> Document:
    return {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/authorize?tenant=1",
        "token_endpoint": f"{ISSUER}/token",
        "jwks_uri": f"{ISSUER}/keys",
        **more,
    }


def test_a_description_says_where_everything_is() -> None:
    read = read_description(description(), ISSUER)
    assert (read.token.target, read.keys.target, read.names_itself) == ("/token", "/keys", False)
    assert read.authorize_url.endswith("?tenant=1")
    assert not read.secret_in_body
    posting = description(token_endpoint_auth_methods_supported=["client_secret_post"])
    assert read_description(posting, ISSUER).secret_in_body


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"issuer": f"{ISSUER}/"}, "expected the provider to be"),
        ({"issuer": 7}, "issuer"),
        ({"token_endpoint": "http://login.acme.example/token"}, "https://"),
        ({"jwks_uri": "file:///etc/passwd"}, "http:// or https://"),
        ({"authorization_endpoint": ""}, "authorization_endpoint"),
        ({"code_challenge_methods_supported": ["plain"]}, "S256"),
        ({"token_endpoint_auth_methods_supported": ["private_key_jwt"]}, "secret"),
    ],
)
def test_a_description_that_cannot_be_used_is_refused(more: Document, said: str) -> None:
    with pytest.raises(ProviderAnswerError, match=said):
        read_description(description(**more), ISSUER)


def keys(*listed: object) -> Document:
    return {"keys": [*listed]}


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def public(provider: OpenIdProvider) -> dict[str, object]:
    return {**provider.key.as_dict(private=False)}


def test_keys_that_verify_no_tokens_are_left_out(site: Site) -> None:
    one, small = provider_of(site), provider_of(site)
    weak = {"kty": "RSA", "kid": "weak", "e": "AQAB", "n": base64url(b"\xc1" + b"\x01" * 127)}
    kept = read_keys(
        keys(
            public(one),
            weak,
            {**public(small), "use": "enc", "kid": "enc"},
            {"kty": "oct", "k": "c2VjcmV0", "kid": "secret"},
            {"kty": "EC", "crv": "P-256", "x": "!", "y": "!", "kid": "broken"},
            {"kty": "AKP", "kid": "newer"},
            "text",
        )
    )
    assert kept.keys() == {str(one.key.kid), ""}


def test_a_token_that_names_no_key_is_verified_only_where_there_is_one(site: Site) -> None:
    one, other = provider_of(site), provider_of(site)
    assert "" not in read_keys(keys(public(one), public(other)))
    nameless = {**public(other)}
    del nameless["kid"]
    assert "" not in read_keys(keys(public(one), nameless))


@pytest.mark.parametrize("document", [{}, {"keys": {}}, {"keys": [{}] * 33}])
def test_a_list_of_keys_that_is_none_is_refused(document: Document) -> None:
    with pytest.raises(ProviderAnswerError):
        read_keys(document)


@pytest.mark.parametrize(
    "data", [b"", b"[]", b'{"a":1,"a":2}', b'{"a":NaN}', b"[" * 100_000, b"\xff", b'"text"']
)
def test_what_is_no_object_is_refused(data: bytes) -> None:
    with pytest.raises(ProviderAnswerError):
        read_document(data)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_description_is_kept_for_an_hour_and_a_provider_that_fails_is_left_alone_for_a_moment() -> None:
    clock, asked = Clock(), 0
    broken = False

    def ask(address: HttpAddress, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        nonlocal asked
        asked += 1
        assert (address.target, body, dict(headers)) == ("/.well-known/openid-configuration", None, {})
        return Answer(status=500 if broken else 200, document=description())

    provider = Provider(ISSUER, ask, elapsed=clock)
    provider.describe()
    clock.now = KEPT_SECONDS
    provider.describe()
    assert asked == 1
    clock.now, broken = KEPT_SECONDS + 1, True
    for _ in range(3):
        with pytest.raises(ProviderUnreachableError):
            provider.describe()
    assert asked == 2
    clock.now, broken = KEPT_SECONDS + 4, False
    provider.describe()


def test_a_key_that_is_not_known_is_looked_for_anew_now_and_then(site: Site) -> None:
    theirs, clock, asked = provider_of(site), Clock(), 0

    def ask(address: HttpAddress, _: bytes | None, __: Mapping[str, str]) -> Answer:
        nonlocal asked
        asked += address.target == "/keys"
        return Answer(status=200, document=theirs.keys() if address.target == "/keys" else description())

    provider = Provider(ISSUER, ask, elapsed=clock)
    first = str(theirs.key.kid)
    assert provider.key(first) == provider.key("")
    theirs.rotate()
    for _ in range(3):
        with pytest.raises(TokenError):
            provider.key(str(theirs.key.kid))
    assert asked == 1
    clock.now = 31
    assert provider.key(str(theirs.key.kid)) == provider.key("")
    with pytest.raises(TokenError):
        provider.key(first)
    assert asked == 2


# Over the network


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.fixture
def theirs(site: Site) -> Iterator[OpenIdProvider]:
    with provider_of(site).serving() as provider:
        yield provider


Ask = Callable[..., Answer]


@pytest.fixture
def ask(site: Site, theirs: OpenIdProvider) -> Ask:
    tls = ssl.create_default_context(cafile=str(site.folder / "authority.crt"))

    def ask(path: str = "/keys", **more: float) -> Answer:
        address = http_address(f"{theirs.issuer}{path}")
        return exchange(address, None, {}, tls=tls, own_ports=tuple, **more)  # type: ignore[arg-type]

    return ask


def test_a_provider_is_asked_by_https(ask: Ask) -> None:
    assert ask().status == 200
    assert ask("/elsewhere").status == 404


@pytest.mark.parametrize("length", [257 << 10, 3 << 20])
def test_an_answer_that_is_too_long_is_refused(ask: Ask, theirs: OpenIdProvider, length: int) -> None:
    theirs.body = lambda _: b'{"a":"' + b"x" * length + b'"}'
    with pytest.raises(ProviderAnswerError, match="at most"):
        ask()


def test_a_redirect_is_not_followed(ask: Ask) -> None:
    query = (
        "/authorize?response_type=code&client_id=quorumseal&scope=openid&code_challenge_method=S256"
        "&state=x&redirect_uri=https://evil.example"
    )
    with pytest.raises(ProviderAnswerError, match="leads elsewhere"):
        ask(query)


def test_a_slow_provider_holds_nothing_up(ask: Ask, theirs: OpenIdProvider) -> None:
    theirs.slow = 2
    begun = time.monotonic()
    with pytest.raises(ProviderUnreachableError):
        ask(seconds=0.3)
    assert time.monotonic() - begun < 1.5


def test_a_provider_that_another_authority_vouches_for_is_not_asked(theirs: OpenIdProvider) -> None:
    address = http_address(f"{theirs.issuer}/keys")
    with pytest.raises(ProviderUnreachableError, match="can be trusted"):
        exchange(address, None, {}, tls=ssl.create_default_context(), own_ports=tuple)
    assert not theirs.requests


def test_a_provider_is_never_this_coordinator_itself(site: Site, theirs: OpenIdProvider) -> None:
    tls = ssl.create_default_context(cafile=str(site.folder / "authority.crt"))
    address = http_address(f"{theirs.issuer}/keys")
    with pytest.raises(ProviderUnreachableError, match="coordinator itself"):
        exchange(address, None, {}, tls=tls, own_ports=lambda: [theirs.port])
