# SPDX-License-Identifier: Apache-2.0
"""A coordinator whose pages people reach by a provider too, and a browser that is a cookie jar."""

import json
import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

from coordinator.server import CoordinatorServer
from tests.running_coordinator import HOST, InProcess, Site
from tests.web.fetching import Fetched, client_context, fetch
from tests.web.provider import SECRET, OpenIdProvider

AUDITORS, MANAGERS = ["release-audit"], ["release-managers"]


@dataclass
class SignInSite:
    """The site, the provider, and where the pages are."""

    site: Site
    provider: OpenIdProvider
    url: str
    running: InProcess[CoordinatorServer]

    def browser(self) -> "CookieJar":
        return CookieJar(client_context(self.site.folder / "authority.crt"))

    def __call__(self, path: str) -> str:
        return urljoin(self.url, path)


@contextmanager
def signing_in(folder: Path) -> Iterator[SignInSite]:
    """Serve both, on loopback."""
    port = free_port()
    site = Site(folder)
    with provider_of(site).serving() as provider:
        provider.user["groups"] = AUDITORS
        url = f"https://localhost:{port}"
        site.more = f"""
[pages]
listen = "{HOST}:{port}"
[pages.sign_in]
url = "{url}"
issuer = "{provider.issuer}"
client_id = "quorumseal"
client_secret_file = "oidc.secret"
authorities = "authority.crt"
auditors = {json.dumps(AUDITORS)}
release_managers = {json.dumps(MANAGERS)}
"""
        with site.in_process() as running:
            yield SignInSite(site, provider, url, running)


def provider_of(site: Site) -> OpenIdProvider:
    own = site.authority.issue_server(
        ["localhost", HOST], at=site.started_at, lifetime=timedelta(days=1), randomness=os.urandom
    )
    site.write("oidc.secret", f"{SECRET}\n".encode())
    return OpenIdProvider(
        site.write("provider.crt", own.certificate_pem), site.write("provider.key", own.private_key_pem)
    )


def free_port() -> int:
    """Return a port that nobody listens on: both sides must know it beforehand."""
    with socket.create_server((HOST, 0)) as probe:
        return int(probe.getsockname()[1])


@dataclass
class CookieJar:
    """Follows redirects, and keeps what each host's cookies say, as browsers do."""

    context: ssl.SSLContext
    cookies: dict[str, str] = field(default_factory=dict)
    visited: list[str] = field(default_factory=list)

    def get(self, url: str, headers: dict[str, str] | None = None) -> Fetched:
        """Ask once."""
        self.visited.append(url)
        sent = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())} if self.cookies else {}
        answer = fetch(url, self.context, {**sent, **(headers or {})})
        if "set-cookie" in answer.headers:
            pair, *rules = answer.headers["set-cookie"].split("; ")
            name, _, value = pair.partition("=")
            assert {"HttpOnly", "Secure", "Path=/", "SameSite=lax"} <= set(rules)
            assert name.startswith("__Host-")
            if "Max-Age=0" in rules:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return answer

    def go(self, url: str, *, until: str = "") -> Fetched:
        """Ask, and follow; stop before an address that begins with ``until``."""
        for _ in range(10):
            answer = self.get(url)
            if "location" not in answer.headers:
                return answer
            url = urljoin(url, answer.headers["location"])
            if until and url.startswith(until):
                self.visited.append(url)
                return answer
        raise AssertionError("expected redirects to come to an end")


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
