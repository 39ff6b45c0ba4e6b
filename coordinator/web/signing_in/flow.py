# SPDX-License-Identifier: Apache-2.0
"""How people come and go: ``/sign-in`` sends them to the provider, ``/sign-in/done`` takes them back,
``/sign-out`` lets them go.

OpenID Connect Core 1.0, section 3.1; PKCE with S256 (RFC 7636); RFC 9207 against a provider mistaken for
another.  There is one cookie, and it says nothing: before the provider's word it is an attempt's, after it a
session's, with another value.
"""

import asyncio
import base64
import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeVar
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from coordinator.metrics.catalogue import REFUSALS
from coordinator.metrics.observing import Observation, Observe, unobserved
from coordinator.running_log import about
from coordinator.web.errors import (
    AttemptUnknownError,
    ProviderAnswerError,
    ProviderRefusedError,
    SignInError,
)
from coordinator.web.signing_in.exchanging import Exchange, text_of
from coordinator.web.signing_in.keeping import ATTEMPT_SECONDS, Attempt, Keeping
from coordinator.web.signing_in.provider import Description, Provider
from coordinator.web.signing_in.roles import Roles
from coordinator.web.signing_in.tokens import Expected, judge
from coordinator.web.templating import Frame, render
from coordinator.web.viewer import NotSignedInError, Viewer

COOKIE: Final = "__Host-quorumseal"
SIGN_IN: Final = "/sign-in"
DONE: Final = "/sign-in/done"
SIGN_OUT: Final = "/sign-out"
_MOST_AT_ONCE: Final = 4
_LONGEST_FIELD: Final = 2000
_LONGEST_PATH: Final = 1000
_log = logging.getLogger(__name__)
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """What the provider knows this coordinator by."""

    url: str
    id: str
    secret: str = field(repr=False)
    scopes: tuple[str, ...]
    session: timedelta

    @property
    def done(self) -> str:
        """Where the provider sends people back to."""
        return self.url + DONE


class SignIn:
    """The flow of one provider."""

    def __init__(
        self,
        client: Client,
        provider: Provider,
        roles: Roles,
        keeping: Keeping,
        ask: Exchange,
        *,
        frame: Callable[[], Frame],
        now: Callable[[], datetime],
        observe: Observe = unobserved,
    ) -> None:
        self._client = client
        self._observe = observe
        self._frame = frame
        self._provider = provider
        self._roles = roles
        self._keeping = keeping
        self._ask = ask
        self._now = now
        self._room = asyncio.Semaphore(_MOST_AT_ONCE)

    @property
    def routes(self) -> list[BaseRoute]:
        """The addresses at which people sign in and out."""
        return [Route(SIGN_IN, self.begin), Route(DONE, self.finish), Route(SIGN_OUT, self.leave)]

    def viewer(self, request: Request) -> Viewer:
        """Return who signed in, or say where to."""
        viewer = self._keeping.viewer(_cookie(request))
        if viewer is not None:
            return viewer
        if request.headers.get("sec-fetch-mode", "navigate") != "navigate":  # a script, not a person
            raise NotSignedInError("expected somebody who signed in, got nobody", hint="load the page again")
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        to = f"{SIGN_IN}?to={quote(path, safe='/')}"
        raise NotSignedInError("expected somebody who signed in", response=RedirectResponse(to, 303))

    async def begin(self, request: Request) -> Response:
        """Send somebody to the provider."""
        try:
            described = await self._in_turn(self._provider.describe)
        except SignInError as refusal:
            return self._refused(refusal)
        to = local(request.query_params.get("to", "/"))
        state, cookie, attempt = self._keeping.begin(_cookie(request), to=to)
        address = _authorize(described, self._client, state, attempt)
        return _with_cookie(RedirectResponse(address, 303), cookie, ATTEMPT_SECONDS)

    async def finish(self, request: Request) -> Response:
        """Take somebody back, if the provider vouches for them."""
        try:
            attempt = self._attempt(request)
            viewer, subject = await self._in_turn(lambda: self._vouched(request.query_params, attempt))
        except SignInError as refusal:
            return self._refused(refusal)
        self._keeping.close(_cookie(request))
        seconds = self._client.session.total_seconds()
        cookie = self._keeping.open(viewer, subject, seconds=seconds)
        _log.info("somebody signed in", extra=about(caller=viewer.kind))
        return _with_cookie(RedirectResponse(attempt.to, 303), cookie, seconds)

    async def leave(self, request: Request) -> Response:
        """End the session; no other site can have it ended."""
        if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return RedirectResponse("/", 303)
        self._keeping.close(_cookie(request))
        said = "Nobody is signed in here any more. Your provider may still know you."
        return _with_cookie(self._shown("You have signed out", 200, said=said, refusal=None), "", 0)

    def _attempt(self, request: Request) -> Attempt:
        answer = request.query_params
        if any(
            len(answer.getlist(name)) > 1 or len(answer.get(name, "")) > _LONGEST_FIELD for name in answer
        ):
            raise AttemptUnknownError("expected the provider's answer, got one that is none")
        attempt = self._keeping.resume(answer.get("state", ""), _cookie(request))
        if attempt is None:
            raise AttemptUnknownError(
                "expected an answer to an attempt of this browser within ten minutes, got another"
            )
        return attempt

    def _vouched(self, answer: Mapping[str, str], attempt: Attempt) -> tuple[Viewer, str]:
        """Return whom the provider vouches for, and who that is to it; blocks."""
        described = self._provider.describe()
        issuer = answer.get("iss")
        if issuer != self._provider.issuer and (issuer is not None or described.names_itself):
            raise ProviderRefusedError(
                f"expected an answer of {self._provider.issuer}, got one of {issuer!a:.200}"
            )
        if "error" in answer:
            raise ProviderRefusedError(
                f"expected the provider to vouch for you, got {answer['error']!a:.100}"
            )
        token = self._redeem(described, answer.get("code", ""), attempt)
        expected = Expected(issuer=self._provider.issuer, client_id=self._client.id, nonce=attempt.nonce)
        claims = judge(token, self._provider.key, expected, at=self._now())
        return self._roles.viewer(claims), text_of(claims, "sub")

    def _redeem(self, described: Description, code: str, attempt: Attempt) -> str:
        """Exchange the code for the ID token."""
        if not code:
            raise ProviderRefusedError("expected a code of the provider, got none")
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._client.done,
            "code_verifier": attempt.verifier,
        }
        headers: dict[str, str] = {}
        if described.secret_in_body:
            form |= {"client_id": self._client.id, "client_secret": self._client.secret}
        else:
            headers["Authorization"] = _basic(self._client)
        answer = self._ask(described.token, urlencode(form).encode(), headers)
        if answer.status != 200:
            said = answer.document.get("error")
            raise ProviderRefusedError(f"expected a token for the code, got {said!a:.100}")
        if str(answer.document.get("token_type", "")).lower() != "bearer":
            raise ProviderAnswerError("expected token_type Bearer of the provider, got another")
        return text_of(answer.document, "id_token")

    async def _in_turn(self, work: Callable[[], _Answer]) -> _Answer:
        """Do what blocks in a thread, few at a time."""
        async with self._room:
            return await asyncio.to_thread(work)

    def _refused(self, refusal: SignInError) -> Response:
        self._observe(Observation(REFUSALS, label=refusal.code))
        if refusal.status >= 500:
            _log.warning("signing in fails: %s", refusal, extra=about(reason=refusal))
        else:
            _log.info("somebody was not let in", extra=about(reason=refusal))
        return self._shown("You were not signed in", refusal.status, said="", refusal=refusal)

    def _shown(self, title: str, status: int, **values: object) -> Response:
        html = render("signing_in.html", self._frame(), title=title, again=SIGN_IN, **values)
        return HTMLResponse(html, status)


def local(path: str) -> str:
    """Return the path of a page here; the first page where it leads, or may lead, anywhere else."""
    plain = path.startswith("/") and not path.startswith("//") and len(path) <= _LONGEST_PATH
    if plain and path.isascii() and path.isprintable() and "\\" not in path and " " not in path:
        return "/" if path.partition("?")[0] in (SIGN_IN, DONE, SIGN_OUT) else path
    return "/"


def challenge(verifier: str) -> str:
    """Return PKCE's challenge (RFC 7636, section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode()


def _authorize(described: Description, client: Client, state: str, attempt: Attempt) -> str:
    query = {
        "response_type": "code",
        "client_id": client.id,
        "redirect_uri": client.done,
        "scope": " ".join(("openid", *client.scopes)),
        "state": state,
        "nonce": attempt.nonce,
        "code_challenge": challenge(attempt.verifier),
        "code_challenge_method": "S256",
    }
    return described.authorize_url + ("&" if "?" in described.authorize_url else "?") + urlencode(query)


def _basic(client: Client) -> str:
    """Return the client's own credentials (RFC 6749, section 2.3.1)."""
    pair = f"{quote(client.id, safe='')}:{quote(client.secret, safe='')}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def _cookie(request: Request) -> str:
    return request.cookies.get(COOKIE, "")


def _with_cookie(response: Response, value: str, seconds: float) -> Response:
    response.set_cookie(
        COOKIE, value, max_age=int(seconds), path="/", secure=True, httponly=True, samesite="lax"
    )
    return response
