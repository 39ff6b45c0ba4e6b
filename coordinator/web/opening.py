# SPDX-License-Identifier: Apache-2.0
"""The pages of a coordinator, from its settings: wired by hand, opened and closed as one."""

import logging
import os
import ssl
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from functools import partial

from coordinator.grpc_api.callers import Callers
from coordinator.live import Live
from coordinator.metrics.observing import Observe, unobserved
from coordinator.named_files import read_client_secret
from coordinator.notifying.connecting import OwnPorts, tls_context
from coordinator.pages_settings import PagesSettings, SignInSettings
from coordinator.server import read_tls
from coordinator.settings import Settings, TlsFiles
from coordinator.tls_files import Reloading
from coordinator.web.app import make_app
from coordinator.web.context import WebContext, open_context
from coordinator.web.serving import PagesServer
from coordinator.web.signing_in.exchanging import Exchange, exchange
from coordinator.web.signing_in.flow import SIGN_OUT, Client, SignIn
from coordinator.web.signing_in.keeping import Keeping
from coordinator.web.signing_in.provider import Provider
from coordinator.web.signing_in.roles import AUDITOR, RELEASE_MANAGER, Roles
from coordinator.web.templating import Frame
from coordinator.web.tls import context_of, reloading
from coordinator.web.visitors import Visitors, Watched

_log = logging.getLogger(__name__)


class Pages:
    """The port, and what its pages read from."""

    def __init__(self, server: PagesServer, context: WebContext, keeping: Keeping) -> None:
        self._server = server
        self._context = context
        self._keeping = keeping

    @property
    def port(self) -> int:
        """On which port it listens."""
        return self._server.port

    @property
    def url(self) -> str:
        """Where browsers find it."""
        return f"https://{self._server.address}/"

    def counts(self) -> Counter[str]:
        """Say how many connections, handshakes and sessions there are."""
        return Counter(
            connections=self._server.connections,
            handshakes=self._server.handshakes,
            sessions=self._keeping.sessions,
        )

    def close(self) -> None:
        """Answer no more."""
        self._server.close()
        self._context.storage.close()


def open_pages(
    settings: Settings,
    pages: PagesSettings,
    callers: Callers,
    live: Live,
    *,
    now: Callable[[], datetime],
    own_ports: OwnPorts,
    observe: Observe = unobserved,
) -> Pages:
    """Serve the pages of a coordinator that has a policy."""
    keeping = Keeping(elapsed=time.monotonic, randomness=os.urandom)
    context = open_context(settings.database, live, now)
    try:
        sign_in = None
        if pages.sign_in is not None:
            frame = partial(_frame, context)
            sign_in = make_sign_in(pages.sign_in, keeping, frame, now, own_ports, observe)
        visitors = Visitors(callers, sign_in, observe)
        app = make_app(context, visitors, sign_in.routes if sign_in is not None else ())
        tls = _tls(settings.pages_tls, certificate_needed=sign_in is None)
        server = PagesServer(pages.listen, tls, Watched(app, visitors))
        try:
            server.start()
        except BaseException:
            server.close()
            raise
    except BaseException:
        context.storage.close()
        raise
    opened = Pages(server, context, keeping)
    _log.info("the pages are at %s", opened.url)
    return opened


def make_sign_in(
    settings: SignInSettings,
    keeping: Keeping,
    frame: Callable[[], Frame],
    now: Callable[[], datetime],
    own_ports: OwnPorts,
    observe: Observe = unobserved,
) -> SignIn:
    """Return the flow with a provider."""
    ask: Exchange = partial(exchange, tls=tls_context(settings.authorities), own_ports=own_ports)
    return SignIn(
        Client(
            url=settings.url,
            id=settings.client_id,
            secret=read_client_secret(settings.client_secret_file),
            scopes=settings.scopes,
            session=settings.session,
        ),
        Provider(settings.issuer, ask, elapsed=time.monotonic),
        Roles(
            claim=settings.claim,
            name=settings.name,
            leave=SIGN_OUT,
            values={AUDITOR: settings.auditors, RELEASE_MANAGER: settings.release_managers},
        ),
        keeping,
        ask,
        frame=frame,
        now=now,
        observe=observe,
    )


def _tls(files: TlsFiles, *, certificate_needed: bool) -> ssl.SSLContext:
    def read() -> ssl.SSLContext:
        read_tls(files)  # says what is wrong with which file
        return context_of(files, certificate_needed=certificate_needed)

    kept = Reloading((files.certificate, files.key, files.client_authorities), read)
    return reloading(kept.current, kept.renewed)


def _frame(context: WebContext) -> Frame:
    policy = context.policies.newest.policy
    return Frame(organisation=policy.organisation, drill=policy.drill, viewer=None, at=context.now(), here="")
