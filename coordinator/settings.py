# SPDX-License-Identifier: Apache-2.0
"""``coordinator.toml``: read strictly, every wrong field named.  Paths are relative to the file's folder.

format = 0
organisation = "acme"
listen = "127.0.0.1:7443"
database = "sqlite:///coordinator.db"

[log_key]
file = "log.key"
passphrase_file = "log.passphrase"        # left out where the key file is not encrypted
next = "log.2.key"                        # while the key rotates; under the same passphrase

[log]                                     # all of it may be left out
anchor = "log.anchor"                     # on another disk than the database, and in no backup
peers = ["other.acme.example:7443"]       # coordinators on databases of their own; asked at the start
certificate = "peer.crt"                  # a client certificate to ask them with
key = "peer.key"
authorities = "authority.crt"             # of their server certificates

[tls]
certificate = "server.crt"
key = "server.key"
client_authorities = "authority.crt"      # PEM, one or more
revoked = []                              # serial numbers of client certificates, hexadecimal

[authority] [enrolment] [founding]        # all of it may be left out: coordinator/enrolment_settings.py

[publish]                                 # all of it may be left out
directories = ["published"]

[timestamps]                              # all of it may be left out
url = "https://clock.example/tsa"         # an RFC 3161 authority that the policy names

[witnesses."witness.example/w1"]          # may be left out: coordinator/witness_settings.py
url = "https://witness.example/w1"

[notifications]                           # all of it may be left out: coordinator/notifying/settings.py

[logging]                                 # all of it may be left out
format = "text"                           # or "json", one object on each line

[metrics]                                 # all of it may be left out: then there are none
enabled = true
listen = "127.0.0.1:7444"                 # plain HTTP, for anybody who gets there; this is the default

[pages] [pages.sign_in]                   # may be left out: coordinator/pages_settings.py

[siem]                                    # may be left out: coordinator/siem_settings.py

[limits]                                  # all of it may be left out, or any line of it
streams_per_caller = 16

[development]                             # all of it may be left out
reflection = false
"""

import os
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import TypeVar, cast

from coordinator.enrolment_settings import EnrolmentReader, EnrolmentSettings
from coordinator.errors import CoordinatorError
from coordinator.limits import Limits
from coordinator.notifying.settings import NotificationReader, NotificationSettings
from coordinator.pages_settings import PagesReader, PagesSettings
from coordinator.peers import PeerSettings
from coordinator.running_log import LineFormat
from coordinator.siem_settings import SiemReader, SiemSettings
from coordinator.witness_settings import WitnessAddress, read_witnesses
from quorumseal.ceremony import values
from quorumseal.ceremony.errors import ValueFormatError
from quorumseal.client.timestamping import AuthorityAddress, TimestampUrlError, read_address
from quorumseal.refusal import Refusal
from quorumseal.strict_json import Fields, JsonValue

FORMAT = 0
MAX_SETTINGS_BYTES = 64 << 10
DEFAULT_METRICS = "127.0.0.1:7444"
_LISTEN = re.compile(r"(?:\[[0-9a-f:.]+\]|[A-Za-z0-9.-]+):([0-9]{1,5})")
_SQLITE, _POSTGRESQL = "sqlite:///", ("postgresql://", "postgresql+psycopg://")
_SERIAL = re.compile(r"[0-9a-f]{1,40}")
_LARGEST_LIMIT = 1 << 31
_Read = TypeVar("_Read")


class SettingsError(CoordinatorError):
    """The settings cannot be used as they are; every wrong field is named."""

    code = "settings.invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogKeyFile:
    """Where the key that signs checkpoints lies."""

    file: Path
    passphrase_file: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """Where the server's side of mTLS lies."""

    certificate: Path
    key: Path
    client_authorities: Path
    revoked: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a coordinator needs to know before it starts."""

    organisation: str
    listen: str
    database: str
    log_key: LogKeyFile
    next_log_key: LogKeyFile | None
    """While the key rotates."""
    anchor: Path | None
    """Where the newest checkpoint is kept beside the database."""
    peers: PeerSettings | None
    tls: TlsFiles
    enrolment: EnrolmentSettings
    publish_to: tuple[Path, ...]
    timestamps: AuthorityAddress | None
    """Who is asked by when a ceremony had concluded."""
    witnesses: tuple[WitnessAddress, ...]
    """Where witnesses elsewhere are reached."""
    notifications: NotificationSettings
    limits: Limits
    lines: LineFormat
    metrics: str | None
    """Where Prometheus reads; nowhere without."""
    pages: PagesSettings | None
    """Where auditors and release managers read; nowhere without."""
    siem: SiemSettings | None
    """Where every entry goes as it comes; nowhere without."""
    reflection: bool
    file: Path | None = None
    """Where they were read, and may be read again."""

    @property
    def log_keys(self) -> tuple[LogKeyFile, ...]:
        """Every key that the log may be signed with."""
        return (self.log_key,) if self.next_log_key is None else (self.log_key, self.next_log_key)

    @property
    def pages_tls(self) -> TlsFiles:
        """Where the pages' side of TLS lies."""
        if self.pages is None or self.pages.certificate is None or self.pages.key is None:
            return self.tls
        return replace(self.tls, certificate=self.pages.certificate, key=self.pages.key)


@dataclass(frozen=True, slots=True)
class ReadSettings:
    """Settings with everything that is wrong with them; a wrong field has something that stands in for it."""

    settings: Settings
    problems: tuple[Refusal, ...]
    """Each begins with the place of what is wrong: ``settings.tls.key: expected …, got …``."""

    def sound(self) -> Settings:
        """Return the settings where nothing is wrong with them; refuse with all of it otherwise."""
        if self.problems:
            raise SettingsError(
                "\n".join(map(str, self.problems)), hint="mend every line that is named, then start again"
            )
        return self.settings


def read_settings(path: Path) -> Settings:
    """Read a settings file, or say everything that is wrong with it."""
    return read_all_settings(path).sound()


def read_all_settings(path: Path) -> ReadSettings:
    """Read what can be read of a settings file."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_SETTINGS_BYTES + 1)
    except OSError as error:
        raise SettingsError(
            f"expected settings in {path}, got {error.strerror}",
            hint="name the file with --settings, or make one with: quorumseal org init --local",
        ) from None
    read = parse_all_settings(data, folder=path.resolve().parent)
    return replace(read, settings=replace(read.settings, file=path))


def parse_settings(data: bytes, *, folder: Path) -> Settings:
    """Return the settings that the bytes of a TOML file say."""
    return parse_all_settings(data, folder=folder).sound()


def parse_all_settings(data: bytes, *, folder: Path) -> ReadSettings:
    """Return what can be read of the bytes of a TOML file."""
    if len(data) > MAX_SETTINGS_BYTES:
        raise SettingsError(f"expected at most {MAX_SETTINGS_BYTES} bytes of settings, got more")
    try:
        table = tomllib.loads(data.decode())
    except ValueError as error:
        raise SettingsError(f"expected settings in TOML, got {error}") from None
    reader = _Reader(folder)
    settings = reader.settings(Fields(cast("JsonValue", _plain(table)), "settings"))
    return ReadSettings(settings, tuple(reader.problems))


class _Reader:
    """Reads on after a wrong field, so that all are named; what stands in for one never gets out."""

    def __init__(self, folder: Path) -> None:
        self.problems: list[Refusal] = []
        self._folder = folder

    def settings(self, top: Fields) -> Settings:
        """Read everything."""
        self._take(lambda: top.constant("format", FORMAT), None)
        settings = Settings(
            organisation=self._take(lambda: _organisation(top), ""),
            listen=self._take(lambda: _listen(top), ""),
            database=self._take(lambda: self._database(top), ""),
            log_key=self._log_key(log_key := self._section(top, "log_key", required=True), "file"),
            next_log_key=self._log_key(log_key, "next") if "next" in log_key else None,
            anchor=self._anchor(log := self._section(top, "log")),
            peers=self._peers(log),
            tls=self._tls(self._section(top, "tls", required=True)),
            enrolment=EnrolmentReader(self._take, self._file, _address).read(
                self._section(top, "authority"),
                self._section(top, "enrolment"),
                self._section(top, "founding"),
            ),
            publish_to=self._publish(self._section(top, "publish")),
            timestamps=self._timestamps(self._section(top, "timestamps")),
            witnesses=self._witnesses(self._section(top, "witnesses")),
            notifications=NotificationReader(self._take, self._file).read(
                self._section(top, "notifications")
            ),
            limits=self._limits(self._section(top, "limits")),
            lines=self._lines(self._section(top, "logging")),
            metrics=self._metrics(self._section(top, "metrics")),
            pages=self._pages(top),
            siem=self._siem(self._section(top, "siem")),
            reflection=self._reflection(self._section(top, "development")),
        )
        self.problems += top.unknown()
        return settings

    def _take(self, read: Callable[[], _Read], stand_in: _Read) -> _Read:
        try:
            return read()
        except Refusal as refusal:
            self.problems.append(refusal)
            return stand_in

    def _section(self, top: Fields, name: str, *, required: bool = False) -> Fields:
        absent = Fields({}, top.path(name))
        return self._take(lambda: top.object(name), absent) if required or name in top else absent

    def _path(self, text: str) -> Path:
        """Place a path of the file in the file's folder, written without detours."""
        return Path(os.path.normpath(self._folder / text))

    def _file(self, section: Fields, name: str) -> Path:
        def read() -> Path:
            path = self._path(section.text(name))
            if not path.is_file():
                raise SettingsError(
                    f"{section.path(name)}: expected a file, got {path}, which is none",
                    hint="put it there, or name it where it is: paths begin in the folder of the settings",
                )
            return path

        return self._take(read, self._folder)

    def _log_key(self, section: Fields, field: str) -> LogKeyFile:
        encrypted = "passphrase_file" in section
        return LogKeyFile(
            file=self._file(section, field),
            passphrase_file=self._file(section, "passphrase_file") if encrypted else None,
        )

    def _anchor(self, section: Fields) -> Path | None:
        if "anchor" not in section:
            return None
        text = self._take(lambda: section.text("anchor"), "")
        return self._path(text) if text else None

    def _peers(self, section: Fields) -> PeerSettings | None:
        if "peers" not in section:
            return None
        none: list[str] = []
        addresses = self._take(lambda: _addresses(section), none)
        return PeerSettings(
            addresses=tuple(addresses),
            certificate=self._file(section, "certificate"),
            key=self._file(section, "key"),
            authorities=self._file(section, "authorities"),
        )

    def _tls(self, section: Fields) -> TlsFiles:
        return TlsFiles(
            certificate=self._file(section, "certificate"),
            key=self._file(section, "key"),
            client_authorities=self._file(section, "client_authorities"),
            revoked=self._take(lambda: _revoked(section), frozenset()),
        )

    def _publish(self, section: Fields) -> tuple[Path, ...]:
        none: list[str] = []
        texts = self._take(lambda: section.texts("directories"), none) if section.names() else none
        return tuple(self._path(text) for text in texts)

    def _timestamps(self, section: Fields) -> AuthorityAddress | None:
        if not section.names():
            return None

        def read() -> AuthorityAddress:
            try:
                return read_address(section.text("url"))
            except TimestampUrlError as refusal:
                raise SettingsError(f"{section.path('url')}: {refusal}") from None

        return self._take(read, None)

    def _witnesses(self, section: Fields) -> tuple[WitnessAddress, ...]:
        none: tuple[WitnessAddress, ...] = ()
        return self._take(lambda: read_witnesses(section, self._file, SettingsError), none)

    def _limits(self, section: Fields) -> Limits:
        given = [limit.name for limit in fields(Limits) if limit.name in section]
        read = {
            name: self._take(partial(section.integer, name, at_least=1, at_most=_LARGEST_LIMIT), 1)
            for name in sorted(given)
        }
        return Limits(**read)

    def _lines(self, section: Fields) -> LineFormat:
        if not section.names():
            return LineFormat.TEXT
        return self._take(lambda: section.choice("format", LineFormat), LineFormat.TEXT)

    def _metrics(self, section: Fields) -> str | None:
        if not section.names():
            return None
        enabled = self._take(lambda: section.flag("enabled"), False)
        listen = DEFAULT_METRICS
        if "listen" in section:
            listen = self._take(lambda: _listen(section), listen)
        return listen if enabled else None

    def _pages(self, top: Fields) -> PagesSettings | None:
        """Read the section, which may be there and empty: everything in it has a default."""
        if "pages" not in top:
            return None
        return PagesReader(self._take, self._file, _address).read(self._section(top, "pages"))

    def _siem(self, section: Fields) -> SiemSettings | None:
        return SiemReader(self._take, self._file, self._path).read(section) if section.names() else None

    def _reflection(self, section: Fields) -> bool:
        return self._take(lambda: section.flag("reflection"), False) if section.names() else False

    def _database(self, top: Fields) -> str:
        url = top.text("database")
        if url.startswith(_POSTGRESQL):
            return url
        name = url.removeprefix(_SQLITE)
        if name in ("", url):  # not repeated: it may have a password in it
            got = f"{url.partition(':')[0][:20]!a}:…" if ":" in url else "a text without one"
            raise SettingsError(
                f"{top.path('database')}: expected {_SQLITE}FILE or {_POSTGRESQL[0]}…, got {got}",
                hint="the operator's manual has both",
            )
        return f"{_SQLITE}{self._path(name)}"


def _organisation(top: Fields) -> str:
    try:
        return values.name(top.text("organisation"))
    except ValueFormatError as refusal:
        raise SettingsError(f"{top.path('organisation')}: {refusal}") from None


def _listen(top: Fields) -> str:
    return _address(top, "listen")


def _address(fields: Fields, name: str) -> str:
    text = fields.text(name)
    match = _LISTEN.fullmatch(text)
    if match is None or int(match[1]) > 65535:
        raise fields.invalid(name, "ADDRESS:PORT (where it listens, port 0 takes any that is free)")
    return text


def _addresses(fields: Fields) -> list[str]:
    addresses = fields.texts("peers")
    if not all(_LISTEN.fullmatch(address) for address in addresses):
        raise fields.invalid("peers", "ADDRESS:PORT of each")
    return addresses


def _revoked(fields: Fields) -> frozenset[str]:
    serials = fields.texts("revoked") if "revoked" in fields else []
    if not all(_SERIAL.fullmatch(serial) for serial in serials):
        raise fields.invalid("revoked", "serial numbers in lower-case hexadecimal, without leading zeros")
    return frozenset(serials)


def _plain(value: object) -> object:
    """Turn what TOML has and JSON has not (dates, times) into texts."""
    match value:
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list():
            return [_plain(item) for item in value]
        case str() | bool() | int() | float():
            return value
        case _:
            return str(value)
