# SPDX-License-Identifier: Apache-2.0
"""Who looks at a page: by the certificate of the connection, or else by the cookie of a session.

Both are judged on every request, and again while an answer goes on: whoever is let out of an organisation is
out within a second.
"""

import logging
import ssl
import time
from typing import Final

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from coordinator.grpc_api.callers import Callers
from coordinator.metrics.catalogue import REFUSALS
from coordinator.metrics.observing import Observation, Observe, unobserved
from coordinator.running_log import about
from coordinator.web.peers import peer_of
from coordinator.web.signing_in.flow import SignIn
from coordinator.web.viewer import NotSignedInError, Viewer
from quorumseal.refusal import Refusal

AGAIN_SECONDS: Final = 1.0
_log = logging.getLogger(__name__)
_VIEWER: Final = "viewer"


class Visitors:
    """Says who looks, or refuses.  Any thread may call it."""

    def __init__(
        self, callers: Callers, sign_in: SignIn | None = None, observe: Observe = unobserved
    ) -> None:
        self._callers = callers
        self._observe = observe
        self._sign_in = sign_in

    def __call__(self, request: Request) -> Viewer:
        """Return who asks for a page; every kind of member may look at all of them."""
        peer = peer_of(request.scope)
        if peer.certificate is None and self._sign_in is not None:
            viewer = self._sign_in.viewer(request)
        else:
            viewer = self._holder(peer.certificate, peer.tls)
        request.scope["state"][_VIEWER] = viewer
        return viewer

    def _holder(self, certificate: bytes | None, tls: str | None) -> Viewer:
        certificates = [] if certificate is None else [ssl.DER_cert_to_PEM_cert(certificate).encode()]
        try:
            identity = self._callers.identify(versions=[tls or "none"], certificates=certificates)
        except Refusal as refusal:
            self._observe(Observation(REFUSALS, label=refusal.code))
            _log.info("refused a page", extra=about(reason=refusal))
            raise NotSignedInError(str(refusal), hint=refusal.hint, status=403) from None
        return Viewer(name=identity.name, kind=identity.kind)


class Watched:
    """An ASGI application around another: an answer that goes on ends when whoever asked may look no more."""

    def __init__(self, app: ASGIApp, visitors: Visitors) -> None:
        self._app = app
        self._visitors = visitors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        judged = time.monotonic()

        async def watched(message: Message) -> None:
            nonlocal judged
            if _VIEWER in scope.get("state", {}) and time.monotonic() - judged > AGAIN_SECONDS:
                self._visitors(Request(scope))
                judged = time.monotonic()
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except NotSignedInError:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
