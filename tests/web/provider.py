# SPDX-License-Identifier: Apache-2.0
"""An OpenID provider on loopback, written to the specification; ``lies`` make it break one rule.

Discovery 1.0, Core 1.0 (code flow), RFC 7636 (PKCE), RFC 9207, RFC 6749 (client_secret_basic and _post).
"""

import base64
import hashlib
import hmac
import json
import secrets
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

Claims = dict[str, object]
CLIENT, SECRET = "quorumseal", "a secret of this client & no other"


@dataclass
class Code:
    """What a code was given for."""

    query: Mapping[str, str]
    used: bool = False


@dataclass
class OpenIdProvider:
    """The provider; tests change who signs in, its keys, and how it lies."""

    certificate: Path
    key_file: Path
    user: Claims = field(default_factory=lambda: {"sub": "u-1", "preferred_username": "audrey"})
    change_claims: Callable[[Claims], None] = lambda _: None
    change_answer: Callable[[dict[str, str]], object] = lambda _: None
    change_description: Callable[[Claims], None] = lambda _: None
    sign: Callable[[Claims], str] | None = None
    interactive: bool = False
    names_itself: bool = True
    token_status: int = 200
    body: Callable[[str], bytes | None] = lambda _: None
    """Other bytes to answer an address with."""
    slow: float = 0.0
    requests: list[str] = field(default_factory=list)
    port: int = 0

    def __post_init__(self) -> None:
        self.rotate()
        self.codes: dict[str, Code] = {}

    @property
    def issuer(self) -> str:
        return f"https://localhost:{self.port}/realm"

    def rotate(self, *, algorithm: str = "ES256") -> None:
        """Take a new key; the one before is published no more."""
        self.algorithm = algorithm
        self.key: ECKey | RSAKey
        if algorithm == "ES256":
            self.key = ECKey.generate_key("P-256", {"kid": secrets.token_hex(4), "use": "sig"})
        else:
            self.key = RSAKey.generate_key(2048, {"kid": secrets.token_hex(4), "use": "sig"})

    def describe(self) -> Claims:
        described: Claims = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [self.algorithm],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": self.names_itself,
        }
        self.change_description(described)
        return described

    def keys(self) -> Claims:
        return {"keys": [self.key.as_dict(private=False)]}

    def authorize(self, query: Mapping[str, str]) -> str:
        """Return where the browser is sent."""
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT
        assert "openid" in query["scope"].split()
        assert query["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.codes[code] = Code(query)
        answer = {"code": code, "state": query["state"]}
        if self.names_itself:
            answer["iss"] = self.issuer
        self.change_answer(answer)
        return f"{query['redirect_uri']}?{urlencode(answer)}"

    def redeem(self, form: Mapping[str, str], authorization: str) -> tuple[int, Claims]:
        """Answer the token endpoint."""
        if client_of(form, authorization) != (CLIENT, SECRET):
            return 401, {"error": "invalid_client"}
        code = self.codes.get(form.get("code", ""))
        if code is None or code.used or form.get("grant_type") != "authorization_code":
            return 400, {"error": "invalid_grant"}
        code.used = True
        made = hashlib.sha256(form["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(made).rstrip(b"=").decode() != code.query["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        if form["redirect_uri"] != code.query["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims: Claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": code.query["nonce"],
            **self.user,
        }
        self.change_claims(claims)
        token = self.sign(claims) if self.sign is not None else self.signed(claims)
        return self.token_status, {"access_token": "x", "token_type": "Bearer", "id_token": token}

    def signed(self, claims: Claims) -> str:
        header = {"alg": self.algorithm, "kid": str(self.key.kid)}
        return jws.serialize_compact(header, json.dumps(claims), self.key, algorithms=[self.algorithm])

    def signed_with_the_public_key(self, claims: Claims) -> str:
        """HS256, where the secret is what everybody knows: the public key."""
        public = self.key.as_pem(private=False)
        header = {"alg": "HS256", "kid": str(self.key.kid)}
        first = b".".join(_b64(json.dumps(each).encode()) for each in (header, claims))
        return (first + b"." + _b64(hmac.new(public, first, "sha256").digest())).decode()

    def unsigned(self, claims: Claims) -> str:
        parts = ({"alg": "none", "kid": str(self.key.kid)}, claims)
        return b".".join([*(_b64(json.dumps(each).encode()) for each in parts), b""]).decode()

    @contextmanager
    def serving(self) -> Iterator["OpenIdProvider"]:
        """Serve HTTPS on loopback."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key_file)
        server = _Server(("127.0.0.1", 0), _handler(self))
        server.socket = context.wrap_socket(server.socket, server_side=True)
        self.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that leave in the middle: tests have them do that."""


def other_key_of_that_name(provider: OpenIdProvider) -> Callable[[Claims], str]:
    """Sign with a key that the provider does not have, under the name of one that it has."""
    other = ECKey.generate_key("P-256", {"kid": str(provider.key.kid)})

    def sign(claims: Claims) -> str:
        header = {"alg": "ES256", "kid": str(provider.key.kid), "jwk": other.as_dict(private=False)}
        return jws.serialize_compact(header, json.dumps(claims), other, algorithms=["ES256"])

    return sign


def client_of(form: Mapping[str, str], authorization: str) -> tuple[str, str]:
    if not authorization:
        return form.get("client_id", ""), form.get("client_secret", "")
    name, _, secret = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
    return unquote(name), unquote(secret)


def _b64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _handler(provider: OpenIdProvider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            provider.requests.append(parts.path)
            time.sleep(provider.slow)
            other = provider.body(parts.path)
            if other is not None:
                self.answer(200, other)
            elif parts.path == "/realm/.well-known/openid-configuration":
                self.answer(200, json.dumps(provider.describe()).encode())
            elif parts.path == "/realm/keys":
                self.answer(200, json.dumps(provider.keys()).encode())
            elif parts.path == "/realm/authorize" and provider.interactive and "as" not in query:
                again = f"{parts.path}?{parts.query}&as=1"
                page = f"<!doctype html><title>Provider</title><a id='go' href='{again}'>Sign in</a>"
                self.answer(200, page.encode(), "text/html")
            elif parts.path == "/realm/authorize":
                self.send_response(302)
                self.send_header("Location", provider.authorize(query))
                self.end_headers()
            else:
                self.answer(404, b"{}")

        def do_POST(self) -> None:
            provider.requests.append(self.path)
            data = self.rfile.read(int(self.headers["Content-Length"]))
            form = {name: values[0] for name, values in parse_qs(data.decode()).items()}
            status, document = provider.redeem(form, self.headers.get("Authorization", ""))
            self.answer(status, json.dumps(document).encode())

        def answer(self, status: int, body: bytes, kind: str = "application/json") -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
