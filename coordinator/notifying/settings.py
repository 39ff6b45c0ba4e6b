# SPDX-License-Identifier: Apache-2.0
"""``[notifications]`` of ``coordinator.toml``: channels by name, and who gets notices where.

[notifications]
fallback = "mail:operators@acme.example"      # where undelivered notices go
audit = ["mail:audit@acme.example"]
base_url = "https://releases.acme.example"    # for links; without it there are commands only

[notifications.people]
alice = ["mail:alice@acme.example", "hook"]

[notifications.channels.hook]
kind = "webhook"
url = "https://hooks.acme.example/quorumseal"
secret_file = "hook.secret"

[notifications.channels.chat]
kind = "slack"
url_file = "chat.url"

[notifications.channels.mail]
kind = "mail"
server = "smtp.acme.example:587"
security = "starttls"
sender = "quorumseal@acme.example"
user = "quorumseal"
password_file = "mail.password"
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum, unique
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from coordinator.errors import CoordinatorError, NoticeRefusedError
from coordinator.notifying.channels import MailSecurity
from coordinator.notifying.channels.mail import mail_address
from coordinator.notifying.delivering import LONGEST_TIMEOUT, MOST_ATTEMPTS
from coordinator.notifying.posting import http_address
from coordinator.notifying.routes import Route, Routes
from quorumseal.ceremony import values
from quorumseal.refusal import Refusal
from quorumseal.strict_json import Fields

TIMEOUT_SECONDS = 10
MOST_CHANNELS = 16
_LARGEST_ATTEMPTS = 100
_SERVER = re.compile(r"([A-Za-z0-9.-]{1,253}|\[[0-9a-f:.]+\]):([0-9]{1,5})")
_Read = TypeVar("_Read")
_LONGEST_SECONDS = int(LONGEST_TIMEOUT.total_seconds())


class NotificationSettingsError(CoordinatorError):
    """The settings cannot be used as they are; every wrong field is named."""

    code = "settings.invalid"


@unique
class ChannelKind(StrEnum):
    """What sort of receiver a channel leads to."""

    WEBHOOK = "webhook"
    SLACK = "slack"
    MAIL = "mail"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSettings:
    """What every channel has."""

    seconds: int = TIMEOUT_SECONDS
    authorities: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSettings(ChannelSettings):
    """A webhook; its address is no secret."""

    url: str
    secret_file: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackSettings(ChannelSettings):
    """A chat, whose address is its secret."""

    url_file: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSettings(ChannelSettings):
    """A mail server."""

    host: str
    port: int
    security: MailSecurity
    sender: str
    user: str | None
    password_file: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationSettings:
    """All that is said about notices; without channels nobody is told anything."""

    channels: Mapping[str, ChannelSettings] = field(default_factory=dict)
    routes: Routes = field(default_factory=Routes)
    base_url: str | None = None
    attempts: int = MOST_ATTEMPTS


class Take(Protocol):
    """Reads on after a wrong field, which it notes, with something that stands in for it."""

    def __call__(self, read: Callable[[], _Read], stand_in: _Read, /) -> _Read:
        """Return what was read, or the stand-in."""


class NotificationReader:
    """Reads the section; what is wrong is noted by ``take``, so that all of it is named."""

    def __init__(self, take: Take, file: Callable[[Fields, str], Path]) -> None:
        self._take = take
        self._file = file

    def read(self, section: Fields) -> NotificationSettings:
        """Read everything."""
        listed = self._section(section, "channels")
        channels = {name: self._channel(listed, name) for name in listed.names()}
        if len(channels) > MOST_CHANNELS:
            self._note(f"{listed.where}: expected at most {MOST_CHANNELS} channels, got {len(channels)}")
        people = self._section(section, "people")
        for name in people.names():
            self._take(partial(_name, people, name), name)
        fallback = self._take(partial(section.optional_text, "fallback"), None)
        return NotificationSettings(
            channels={name: channel for name, channel in channels.items() if channel is not None},
            routes=Routes(
                people={name: self._routes(people, name, channels) for name in people.names()},
                audit=self._routes(section, "audit", channels) if "audit" in section else (),
                fallback=self._route(section.path("fallback"), fallback, channels) if fallback else None,
            ),
            base_url=self._take(partial(_base_url, section), None),
            attempts=self._integer(section, "attempts", MOST_ATTEMPTS, at_most=_LARGEST_ATTEMPTS),
        )

    def _channel(self, listed: Fields, name: str) -> ChannelSettings | None:
        self._take(partial(_name, listed, name), name)
        section = self._section(listed, name)
        kind = self._take(partial(section.choice, "kind", ChannelKind), None)
        seconds = self._integer(section, "timeout_seconds", TIMEOUT_SECONDS, at_most=_LONGEST_SECONDS)
        authorities = self._file(section, "authorities") if "authorities" in section else None
        match kind:
            case None:
                for each in section.names():  # whether they are right is not known
                    section.value(each)
                return None
            case ChannelKind.WEBHOOK:
                return WebhookSettings(
                    seconds=seconds,
                    authorities=authorities,
                    url=self._take(partial(_url, section, "url"), ""),
                    secret_file=self._file(section, "secret_file"),
                )
            case ChannelKind.SLACK:
                url_file = self._file(section, "url_file")
                return SlackSettings(seconds=seconds, authorities=authorities, url_file=url_file)
            case ChannelKind.MAIL:
                return self._mail(section, seconds, authorities)

    def _mail(self, section: Fields, seconds: int, authorities: Path | None) -> MailSettings:
        host, port = self._take(partial(_server, section), ("", 0))
        user = self._take(partial(section.optional_text, "user"), None)
        security = self._take(partial(section.choice, "security", MailSecurity), MailSecurity.TLS)
        if security is MailSecurity.PLAIN and user is not None:
            self._note(
                f"{section.path('security')}: expected starttls or tls where there is a password, got plain"
            )
        return MailSettings(
            seconds=seconds,
            authorities=authorities,
            host=host,
            port=port,
            security=security,
            sender=self._take(partial(_sender, section), ""),
            user=user,
            password_file=self._file(section, "password_file") if user is not None else None,
        )

    def _routes(
        self, section: Fields, name: str, channels: Mapping[str, ChannelSettings | None]
    ) -> tuple[Route, ...]:
        none: list[str] = []
        texts = self._take(partial(section.texts, name), none)
        routes = [
            self._route(f"{section.path(name)}[{index}]", text, channels) for index, text in enumerate(texts)
        ]
        return tuple(dict.fromkeys(route for route in routes if route is not None))

    def _route(self, where: str, text: str, channels: Mapping[str, ChannelSettings | None]) -> Route | None:
        name, _, address = text.partition(":")
        if name not in channels:
            self._note(
                f"{where}: expected a channel ({', '.join(channels) or 'there are none'}), got {text!a}"
            )
            return None
        if isinstance(channels[name], MailSettings):
            try:
                mail_address(address)
            except Refusal as refusal:
                self._note(f"{where}: {refusal}")
                return None
        elif address and channels[name] is not None:
            self._note(f"{where}: expected {name} alone, which has one address, got {text!a}")
            return None
        return Route(channel=name, address=address)

    def _section(self, above: Fields, name: str) -> Fields:
        absent = Fields({}, above.path(name))
        return self._take(partial(above.object, name), absent) if name in above else absent

    def _integer(self, section: Fields, name: str, usual: int, *, at_most: int) -> int:
        read = partial(section.integer, name, at_least=1, at_most=at_most)
        return self._take(read, usual) if name in section else usual

    def _note(self, problem: str) -> None:
        def refuse() -> None:
            raise NotificationSettingsError(problem)

        self._take(refuse, None)


def _name(section: Fields, name: str) -> str:
    try:
        return values.name(name)
    except Refusal as refusal:
        raise NotificationSettingsError(f"{section.where}: {refusal}") from None


def _url(section: Fields, name: str) -> str:
    text = section.text(name)
    try:
        http_address(text)
    except Refusal as refusal:  # it does not repeat the address, which may hold a password
        raise NotificationSettingsError(f"{section.path(name)}: {refusal}") from None
    return text


def _base_url(section: Fields) -> str | None:
    return _url(section, "base_url").rstrip("/") if "base_url" in section else None


def _server(section: Fields) -> tuple[str, int]:
    match = _SERVER.fullmatch(section.text("server"))
    if match is None or not 1 <= int(match[2]) <= 65535:
        raise section.invalid("server", "HOST:PORT")
    return match[1].strip("[]"), int(match[2])


def _sender(section: Fields) -> str:
    try:
        return mail_address(section.text("sender"))
    except NoticeRefusedError as refusal:
        raise NotificationSettingsError(f"{section.path('sender')}: {refusal}") from None
