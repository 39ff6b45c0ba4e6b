# SPDX-License-Identifier: Apache-2.0
"""A real browser: Debian's Chromium, driven by Playwright, with the client certificate that somebody holds.

with gallery.browsing(chromium) as page:           # as audrey, who is an auditor
    page.goto(gallery.url("/ceremonies"))
    assert not gallery.heard                       # no script of others ran, nothing was blocked

``Gallery`` serves an application of pages over TLS by the coordinator's own server and its own judgement of
certificates.  Whatever a page says about errors is heard, and fails the test that does not expect it.
"""

import os
import shutil
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, sync_playwright
from starlette.types import ASGIApp

from coordinator.certificates import Authority, Kind
from coordinator.grpc_api.callers import Callers
from coordinator.settings import TlsFiles
from coordinator.web.serving import PagesServer
from coordinator.web.tls import context_of
from coordinator.web.visitors import Visitors, Watched

CHROMIUM = shutil.which("chromium")
MISSING = "the pages were not looked at in a browser, for want of chromium"
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason=MISSING)
HOST = "localhost"
_DAY = timedelta(days=1)
_LISTENING = """
window.__broken = [];
document.addEventListener('securitypolicyviolation', (event) =>
  window.__broken.push(event.violatedDirective + ' ' + event.blockedURI));
"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser; one is enough for all tests of a module."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        try:
            yield started
        finally:
            started.close()


@dataclass
class Gallery:
    """Pages of some organisation, on loopback."""

    folder: Path
    organisation: str
    heard: list[str] = field(default_factory=list)
    """What a page said of errors, and what it tried to load from elsewhere."""

    def __post_init__(self) -> None:
        at = datetime.now(UTC)
        self.authority = Authority.create(self.organisation, at=at, lifetime=30 * _DAY, randomness=os.urandom)
        own = self.authority.issue_server([HOST], at=at, lifetime=_DAY, randomness=os.urandom)
        self.files = TlsFiles(
            certificate=self._write("server.crt", own.certificate_pem),
            key=self._write("server.key", own.private_key_pem),
            client_authorities=self._write("authority.crt", self.authority.certificate_pem),
            revoked=frozenset(),
        )
        callers = Callers(self.organisation, now=lambda: datetime.now(UTC))
        self.visitors = Visitors(callers)

    @contextmanager
    def serving(self, app: ASGIApp) -> Iterator["Gallery"]:
        """Serve an application that asks ``visitors`` who looks."""
        context: ssl.SSLContext = context_of(self.files, certificate_needed=True)
        server = PagesServer(f"{HOST}:0", context, Watched(app, self.visitors))
        try:
            server.start()
            self.port = server.port
            yield self
        finally:
            server.close()

    def url(self, path: str) -> str:
        """Return the address of a page."""
        return f"https://{HOST}:{self.port}{path}"

    @contextmanager
    def browsing(
        self, browser: Browser, name: str = "audrey", kind: Kind = Kind.AUDITOR, **more: Any
    ) -> Iterator[Page]:
        """Open a window of somebody with a client certificate; ``more`` is for Playwright's context."""
        credentials = self.authority.issue_client(
            kind, name, at=datetime.now(UTC), lifetime=_DAY, randomness=os.urandom
        )
        own = {
            "origin": f"https://{HOST}:{self.port}",
            "certPath": str(self._write(f"{name}.crt", credentials.certificate_pem)),
            "keyPath": str(self._write(f"{name}.key", credentials.private_key_pem)),
        }
        with window(browser, self.heard, client_certificates=[own], **more) as page:
            yield page

    def _write(self, name: str, data: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(data)
        return path


@contextmanager
def window(browser: Browser, heard: list[str], **more: Any) -> Iterator[Page]:
    """Open a window that takes note of dialogs, errors and whatever the policy of content stopped."""
    context: BrowserContext = browser.new_context(ignore_https_errors=True, **more)
    try:
        if more.get("java_script_enabled", True):
            context.add_init_script(_LISTENING)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("dialog", lambda dialog: hear_dialog(dialog, heard))
        page.on("pageerror", lambda error: heard.append(f"error: {error}"))
        page.on(
            "console",
            lambda said: heard.append(f"{said.type}: {said.text}") if said.type == "error" else None,
        )
        page.on("popup", lambda other: heard.append(f"popup: {other.url}"))
        yield page
    finally:
        context.close()


def hear_dialog(dialog: Dialog, heard: list[str]) -> None:
    """Take note of a dialog, and let the page go on."""
    heard.append(f"dialog: {dialog.message}")
    dialog.dismiss()


def broken(page: Page) -> list[str]:
    """Return what the policy of content stopped on the page as it stands."""
    stopped: list[str] = page.evaluate("window.__broken || []")
    return stopped
