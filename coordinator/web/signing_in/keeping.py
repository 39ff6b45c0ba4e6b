# SPDX-License-Identifier: Apache-2.0
"""What a browser's cookie stands for: attempts to sign in, and sessions.

Anybody may attempt to sign in, so nothing is kept of an attempt: it travels, sealed, as the state that the
provider hands back, and the cookie says whose it is.  Of sessions, digests of what browsers hold are kept, in
memory, bounded, and expiring: whoever reads them cannot become anybody.  When the coordinator starts again
everybody signs in again.
"""

import base64
import hashlib
import hmac
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from coordinator.web.viewer import Viewer

ATTEMPT_SECONDS: Final = 600.0
MOST_SESSIONS: Final = 2000
MOST_OF_ONE: Final = 10
IDLE_SECONDS: Final = 3600.0
_BYTES: Final = 32
_SECRET: Final = re.compile("[A-Za-z0-9_-]{43}")
Randomness = Callable[[int], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Somebody who was sent to the provider and has not come back."""

    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    """What PKCE's challenge was made of."""
    to: str
    """Which page they wanted."""


@dataclass(slots=True, kw_only=True)
class Session:
    """Somebody who signed in."""

    viewer: Viewer
    subject: str
    """Who this is to the provider."""
    last: float
    over: float

    @property
    def ends(self) -> float:
        """When it is over: some hours after it began, or when nothing was asked for too long."""
        return min(self.over, self.last + IDLE_SECONDS)


class Keeping:
    """All attempts and sessions of one coordinator.  Any thread may call anything here."""

    def __init__(self, *, elapsed: Callable[[], float], randomness: Randomness) -> None:
        self._elapsed = elapsed
        self._randomness = randomness
        self._seal = OctKey.import_key(randomness(_BYTES))
        self._turn = threading.Lock()
        self._sessions: dict[str, Session] = {}

    @property
    def sessions(self) -> int:
        """How many sessions are kept, over or not."""
        return len(self._sessions)

    def secret(self) -> str:
        """Make something that nobody guesses."""
        return base64.urlsafe_b64encode(self._randomness(_BYTES)).rstrip(b"=").decode()

    def begin(self, cookie: str, *, to: str) -> tuple[str, str, Attempt]:
        """Begin an attempt: return its state, the cookie of the browser, and the attempt.

        A browser that has a cookie keeps it, so that two of its windows can sign in at once.
        """
        cookie = cookie if _SECRET.fullmatch(cookie) else self.secret()
        attempt = Attempt(nonce=self.secret(), verifier=self.secret(), to=to)
        told = (str(self._elapsed()), digest(cookie), attempt.nonce, attempt.verifier, attempt.to)
        state = jwe.encrypt_compact({"alg": "dir", "enc": "A256GCM"}, "\n".join(told), self._seal)
        return state, cookie, attempt

    def resume(self, state: str, cookie: str) -> Attempt | None:
        """Return the attempt that somebody comes back from: in time, and in the browser that began it."""
        try:
            opened = jwe.decrypt_compact(state, self._seal, algorithms=["dir", "A256GCM"])
        except (JoseError, ValueError, TypeError):
            return None
        begun, browser, nonce, verifier, to = (opened.plaintext or b"").decode().split("\n")
        late = self._elapsed() - float(begun) >= ATTEMPT_SECONDS
        if late or not hmac.compare_digest(browser, digest(cookie)):
            return None
        return Attempt(nonce=nonce, verifier=verifier, to=to)

    def open(self, viewer: Viewer, subject: str, *, seconds: float) -> str:
        """Begin a session, and return its cookie, which is never one that the browser had before."""
        with self._turn:
            now = self._elapsed()
            cookie = self.secret()
            same = [key for key, each in self._sessions.items() if each.subject == subject]
            for key in same[: max(0, len(same) - MOST_OF_ONE + 1)]:
                del self._sessions[key]
            self._make_room(now)
            self._sessions[digest(cookie)] = Session(
                viewer=viewer, subject=subject, last=now, over=now + seconds
            )
            return cookie

    def viewer(self, cookie: str) -> Viewer | None:
        """Return who a browser's cookie stands for now."""
        with self._turn:
            now = self._elapsed()
            session = self._sessions.get(digest(cookie))
            if session is None:
                return None
            if session.ends <= now:
                del self._sessions[digest(cookie)]
                return None
            session.last = now
            return session.viewer

    def close(self, cookie: str) -> None:
        """End a session."""
        with self._turn:
            self._sessions.pop(digest(cookie), None)

    def _make_room(self, now: float) -> None:
        """Let go of what is over, and of the oldest where that is not enough."""
        if len(self._sessions) >= MOST_SESSIONS:
            self._sessions = {key: each for key, each in self._sessions.items() if each.ends > now}
        while len(self._sessions) >= MOST_SESSIONS:
            del self._sessions[next(iter(self._sessions))]


def digest(secret: str) -> str:
    """Return what is kept of something secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
