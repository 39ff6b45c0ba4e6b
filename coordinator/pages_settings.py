# SPDX-License-Identifier: Apache-2.0
"""``[pages]`` of ``coordinator.toml``: where auditors and release managers read, and how they sign in.

[pages]                                   # without it there are no pages
listen = "127.0.0.1:7446"                 # HTTPS; this is the default
certificate = "pages.crt"                 # these two: where it is another than that of [tls],
key = "pages.key"                         # for instance one that browsers know

[pages.sign_in]                           # without it: client certificates and nothing else
url = "https://audit.acme.example"        # what people type; they come back to URL/sign-in/done
issuer = "https://login.acme.example"     # an OpenID provider, exactly as it names itself
client_id = "quorumseal"
client_secret_file = "oidc.secret"
authorities = "login-ca.pem"              # where the machine's own do not know the provider's certificate
scopes = ["profile"]                      # besides openid; this is the default
name = "preferred_username"               # the claim with the name that is shown; this is the default
claim = "groups"                          # the claim by which people are let in; this is the default
auditors = ["release-audit"]              # who has one of these values there reads as an auditor
release_managers = ["release-managers"]   # and who has one of these as a release manager
session_hours = 8                         # this is the default
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from coordinator.errors import CoordinatorError
from coordinator.notifying.posting import http_address
from coordinator.notifying.settings import Take
from quorumseal.refusal import Refusal
from quorumseal.strict_json import Fields

DEFAULT_LISTEN = "127.0.0.1:7446"
DEFAULT_SESSION_HOURS = 8
_MOST_SESSION_HOURS = 24
_LONGEST_TEXT = 200
_SCOPE = re.compile(r"[!#-\[\]-~]{1,100}")  # RFC 6749, section 3.3
_RESERVED_SCOPES = ("openid", "offline_access")


class PagesSettingsError(CoordinatorError):
    """The settings cannot be used as they are; every wrong field is named."""

    code = "settings.invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInSettings:
    """Who vouches for people that have no client certificate, and what they are let in as."""

    url: str
    issuer: str
    client_id: str
    client_secret_file: Path
    authorities: Path | None
    scopes: tuple[str, ...]
    name: str
    claim: str
    auditors: frozenset[str]
    release_managers: frozenset[str]
    session: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class PagesSettings:
    """Where the pages are, and how people get to them."""

    listen: str
    certificate: Path | None
    """Where it is another than that of the usual port; its key then, too."""
    key: Path | None
    sign_in: SignInSettings | None


class PagesReader:
    """Reads the section in the manner of ``coordinator.settings``."""

    def __init__(
        self, take: Take, file: Callable[[Fields, str], Path], address: Callable[[Fields, str], str]
    ) -> None:
        self._take, self._file, self._address = take, file, address

    def read(self, section: Fields) -> PagesSettings:
        """Read what is there."""
        own = "certificate" in section or "key" in section
        listen = DEFAULT_LISTEN
        if "listen" in section:
            listen = self._take(lambda: self._address(section, "listen"), listen)
        absent = Fields({}, section.path("sign_in"))
        sign_in = self._take(lambda: section.object("sign_in"), absent) if "sign_in" in section else None
        return PagesSettings(
            listen=listen,
            certificate=self._file(section, "certificate") if own else None,
            key=self._file(section, "key") if own else None,
            sign_in=None if sign_in is None else self._sign_in(sign_in),
        )

    def _sign_in(self, section: Fields) -> SignInSettings:
        roles = {name: self._values(section, name) for name in ("auditors", "release_managers")}
        if not any(roles.values()):
            self._note(f"{section.path('auditors')}: expected a value that lets somebody in, got none")
        if both := sorted(roles["auditors"] & roles["release_managers"]):
            text = f"expected values that no auditor has, got {both[0]!a}"
            self._note(f"{section.path('release_managers')}: {text}")
        return SignInSettings(
            url=self._take(partial(_url, section, "url", path=False), ""),
            issuer=self._take(partial(_url, section, "issuer", path=True), ""),
            client_id=self._take(partial(_short, section, "client_id"), ""),
            client_secret_file=self._file(section, "client_secret_file"),
            authorities=self._file(section, "authorities") if "authorities" in section else None,
            scopes=self._take(partial(_scopes, section), ()),
            name=self._take(partial(_short, section, "name", "preferred_username"), ""),
            claim=self._take(partial(_short, section, "claim", "groups"), ""),
            auditors=roles["auditors"],
            release_managers=roles["release_managers"],
            session=timedelta(hours=self._take(partial(_hours, section), DEFAULT_SESSION_HOURS)),
        )

    def _values(self, section: Fields, name: str) -> frozenset[str]:
        return self._take(partial(_texts, section, name), frozenset())

    def _note(self, problem: str) -> None:
        def refuse() -> None:
            raise PagesSettingsError(problem)

        self._take(refuse, None)


def _url(section: Fields, name: str, *, path: bool) -> str:
    text = section.text(name)
    try:
        address = http_address(text)
    except Refusal as refusal:
        raise PagesSettingsError(f"{section.path(name)}: {refusal}") from None
    if not address.secure or "?" in text or (not path and address.target != "/"):
        raise section.invalid(name, f"https://HOST{'[/PATH]' if path else ', without a path'}")
    return text if path else text.rstrip("/")


def _short(section: Fields, name: str, usual: str = "") -> str:
    text = section.text(name) if not usual or name in section else usual
    if not 0 < len(text) <= _LONGEST_TEXT or not text.isprintable():
        raise section.invalid(name, f"a text of 1 to {_LONGEST_TEXT} printable characters")
    return text


def _texts(section: Fields, name: str) -> frozenset[str]:
    texts = section.texts(name) if name in section else []
    if not all(0 < len(text) <= _LONGEST_TEXT for text in texts):
        raise section.invalid(name, f"texts of 1 to {_LONGEST_TEXT} characters")
    return frozenset(texts)


def _scopes(section: Fields) -> tuple[str, ...]:
    scopes = section.texts("scopes") if "scopes" in section else ["profile"]
    if not all(_SCOPE.fullmatch(scope) and scope not in _RESERVED_SCOPES for scope in scopes):
        raise section.invalid("scopes", "names of scopes besides openid, and not offline_access")
    return tuple(dict.fromkeys(scopes))


def _hours(section: Fields) -> int:
    if "session_hours" not in section:
        return DEFAULT_SESSION_HOURS
    return section.integer("session_hours", at_least=1, at_most=_MOST_SESSION_HOURS)
