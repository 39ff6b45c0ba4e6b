# SPDX-License-Identifier: Apache-2.0
"""What a browser's cookie stands for: attempts to sign in, and sessions.  In memory, bounded, and expiring.

Only digests of what browsers hold are kept: whoever reads them cannot become anybody.  When the coordinator
starts again everybody signs in again.
"""

import base64
import hashlib
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Generic, Protocol, TypeVar

from coordinator.web.viewer import Viewer

MOST_ATTEMPTS: Final = 2000
ATTEMPT_SECONDS: Final = 600.0
MOST_SESSIONS: Final = 2000
MOST_OF_ONE: Final = 10
IDLE_SECONDS: Final = 3600.0
_BYTES: Final = 32
Randomness = Callable[[int], bytes]


class _Ending(Protocol):
    @property
    def ends(self) -> float: ...


_Kept = TypeVar("_Kept", bound=_Ending)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Somebody who was sent to the provider and has not come back."""

    browser: str
    """The digest of the cookie that it belongs to."""
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    """What PKCE's challenge was made of."""
    to: str
    """Which page they wanted."""
    ends: float


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


class _Shelf(Generic[_Kept]):
    """Some things by digests, the oldest first; the oldest makes room."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.held: dict[str, _Kept] = {}

    def put(self, name: str, kept: _Kept, *, now: float) -> None:
        """Keep it; what is over goes, and the oldest where that is not enough."""
        if len(self.held) >= self._most:
            self.held = {key: each for key, each in self.held.items() if each.ends > now}
        while len(self.held) >= self._most:
            del self.held[next(iter(self.held))]
        self.held[name] = kept

    def get(self, name: str, *, now: float) -> _Kept | None:
        """Return it, unless it is over."""
        kept = self.held.get(name)
        if kept is not None and kept.ends <= now:
            del self.held[name]
            return None
        return kept


class Keeping:
    """All attempts and sessions of one coordinator.  Any thread may call anything here."""

    def __init__(self, *, elapsed: Callable[[], float], randomness: Randomness) -> None:
        self._elapsed = elapsed
        self._randomness = randomness
        self._turn = threading.Lock()
        self._attempts: _Shelf[Attempt] = _Shelf(MOST_ATTEMPTS)
        self._sessions: _Shelf[Session] = _Shelf(MOST_SESSIONS)

    def secret(self) -> str:
        """Make something that nobody guesses."""
        return base64.urlsafe_b64encode(self._randomness(_BYTES)).rstrip(b"=").decode()

    def begin(self, cookie: str, *, to: str) -> tuple[str, str, Attempt]:
        """Begin an attempt: return its state, the cookie of the browser, and what is kept of it.

        A browser that is known keeps its cookie, so that two of its windows can sign in at once.
        """
        with self._turn:
            now = self._elapsed()
            if not self._known(digest(cookie), now):
                cookie = self.secret()
            state = self.secret()
            attempt = Attempt(
                browser=digest(cookie),
                nonce=self.secret(),
                verifier=self.secret(),
                to=to,
                ends=now + ATTEMPT_SECONDS,
            )
            self._attempts.put(digest(state), attempt, now=now)
            return state, cookie, attempt

    def take(self, state: str, cookie: str) -> Attempt | None:
        """Return the attempt that somebody comes back from, once, and only to the browser that began it."""
        with self._turn:
            attempt = self._attempts.get(digest(state), now=self._elapsed())
            if attempt is None or attempt.browser != digest(cookie):
                return None
            del self._attempts.held[digest(state)]
            return attempt

    def open(self, viewer: Viewer, subject: str, *, seconds: float) -> str:
        """Begin a session, and return its cookie, which is never one that the browser had before."""
        with self._turn:
            now = self._elapsed()
            cookie = self.secret()
            same = [key for key, each in self._sessions.held.items() if each.subject == subject]
            for key in same[: max(0, len(same) - MOST_OF_ONE + 1)]:
                del self._sessions.held[key]
            session = Session(viewer=viewer, subject=subject, last=now, over=now + seconds)
            self._sessions.put(digest(cookie), session, now=now)
            return cookie

    def viewer(self, cookie: str) -> Viewer | None:
        """Return who a browser's cookie stands for now."""
        with self._turn:
            now = self._elapsed()
            session = self._sessions.get(digest(cookie), now=now)
            if session is None:
                return None
            session.last = now
            return session.viewer

    def close(self, cookie: str) -> None:
        """End a session."""
        with self._turn:
            self._sessions.held.pop(digest(cookie), None)

    def counts(self) -> Counter[str]:
        """Say how many of each there are, over or not."""
        with self._turn:
            return Counter(attempts=len(self._attempts.held), sessions=len(self._sessions.held))

    def _known(self, browser: str, now: float) -> bool:
        return self._sessions.get(browser, now=now) is not None or any(
            each.browser == browser and each.ends > now for each in self._attempts.held.values()
        )


def digest(secret: str) -> str:
    """Return what is kept of something secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
