# SPDX-License-Identifier: Apache-2.0
"""Everything that is wrong with the settings, at once: what the reader refuses, and what only looking shows.

What the reader refused is not looked at again, so that what is wrong is said once.  Nothing is made and
nothing is sent; where a port is in use, a TLS handshake finds out by whom.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path

from coordinator.certificates import look_at
from coordinator.errors import LogEmptyError
from coordinator.examining import enrolment, pages, siem
from coordinator.examining.addresses import in_use, judge_holders, listenable
from coordinator.examining.certificates import life, server
from coordinator.examining.files import secret, writable
from coordinator.examining.knocking import at_work
from coordinator.notifying.opening import open_channel
from coordinator.notifying.settings import (
    ChannelSettings,
    MailSettings,
    NotificationSettings,
    SlackSettings,
    WebhookSettings,
)
from coordinator.policies import Policies
from coordinator.server import (
    read_log_key,
    read_tls,
    require_authorities,
    require_known_authorities,
    require_organisation,
    require_pair,
    strangers,
)
from coordinator.settings import LogKeyFile, Settings, SettingsError, TlsFiles, read_all_settings
from coordinator.storage import existing_storage, file_of
from quorumseal.ceremony.policy import Policy
from quorumseal.refusal import Refusal
from quorumseal.signatures import PublicKey
from quorumseal.strict_json import StrictJsonError, UnknownFieldError
from quorumseal.terminal.findings import Finding, fine, warning, wrong

_ROOT = "settings."


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What was found in a settings file."""

    organisation: str
    findings: tuple[Finding, ...]
    at_work: bool = False
    """Whether this coordinator is known to run already."""


def examine(path: Path, *, at: datetime) -> Examination:
    """Read the settings and look at everything that they name."""
    try:
        read = read_all_settings(path)
    except SettingsError as refusal:
        return Examination(organisation="", findings=(_Examiner(path, at).finding(refusal),))
    examiner = _Examiner(path, at, bad=[problem for problem in read.problems if not _unknown(problem)])
    found = [examiner.finding(problem) for problem in read.problems]
    found += examiner.look(read.settings)
    runs = any(map(in_use, found)) and at_work(read.settings)
    judged = tuple(judge_holders(found, at_work=runs))
    return Examination(organisation=read.settings.organisation, findings=judged, at_work=runs)


def _unknown(problem: Refusal) -> bool:
    """Whether it is only a line too many: what stands beside it was read."""
    return isinstance(problem, UnknownFieldError)


class _Examiner:
    """Looks at one file's settings; ``bad`` are the settings that the reader refused."""

    def __init__(self, path: Path, at: datetime, *, bad: Sequence[Refusal] = ()) -> None:
        self._file = path.name
        self._at = at
        self._bad = [_where(problem) for problem in bad]

    def look(self, settings: Settings) -> Iterator[Finding]:
        """Look at everything whose settings could be read."""
        for setting, files in zip(("log_key.file", "log_key.next"), settings.log_keys, strict=False):
            yield from self._log_key(setting, files)
        yield from self._tls(settings.tls, settings.listen)
        yield from self._enrolment(settings)
        yield from self._channels(settings.notifications)
        yield from self._database(settings)
        if settings.anchor is not None and self._sound("log.anchor"):
            yield writable(self._place("log.anchor"), settings.anchor.parent)
        if self._sound("publish"):
            for number, directory in enumerate(settings.publish_to):
                yield writable(self._place(f"publish.directories[{number}]"), directory)
        if self._sound("listen"):
            yield listenable(self._place("listen"), settings.listen)
        if self._sound("metrics", "listen"):
            yield from self._metrics(settings)
        if settings.siem is not None and self._sound("siem"):
            yield from siem.look(self._place, settings.siem)
        if settings.pages is not None:
            yield from pages.look(self._place, self._sound, settings, settings.pages, at=self._at)

    def finding(self, refusal: Refusal) -> Finding:
        """Return a refusal as a finding: its place in the file, and what to do."""
        where, _, rest = str(refusal).partition(": expected")
        if not rest or not where.startswith(_ROOT):
            return wrong(self._file, str(refusal), refusal.hint or "mend the file")
        hint = "" if refusal.hint == StrictJsonError.usual_hint else refusal.hint
        return wrong(
            self._place(_where(refusal)), f"expected{rest}", hint or "mend this setting as the text says"
        )

    def _place(self, setting: str) -> str:
        return f"{self._file}:{setting}"

    def _sound(self, *settings: str) -> bool:
        return not any(_overlap(setting, bad) for setting in settings for bad in self._bad)

    def _refused(self, look: Callable[[], object]) -> Iterator[Finding]:
        try:
            look()
        except Refusal as refusal:
            yield self.finding(refusal)

    def _log_key(self, setting: str, files: LogKeyFile) -> Iterator[Finding]:
        if self._sound(setting):
            yield secret(self._place(setting), files.file)
        if files.passphrase_file is not None and self._sound("log_key.passphrase_file"):
            yield secret(self._place("log_key.passphrase_file"), files.passphrase_file)
        if self._sound(setting, "log_key.passphrase_file"):
            for finding in self._refused(lambda: read_log_key(files)):
                yield replace(finding, about=self._place(setting))

    def _tls(self, files: TlsFiles, listen: str) -> Iterator[Finding]:
        if self._sound("tls.key"):
            yield secret(self._place("tls.key"), files.key)
        if self._sound("tls.certificate", "tls.key"):
            yield from self._refused(lambda: require_pair(files))
        if self._sound("tls.certificate"):
            heard = listen if self._sound("listen") else ""
            yield from server(self._place("tls.certificate"), files.certificate, heard, at=self._at)
        if self._sound("tls.client_authorities"):
            yield from self._authorities(files)

    def _authorities(self, files: TlsFiles) -> Iterator[Finding]:
        refused = [*self._refused(lambda: require_authorities(files))]
        yield from refused
        if not refused:
            hint = "let the next authority in beside it in time: it takes a change of the policy"
            for authority in look_at(files.client_authorities.read_bytes()):
                yield life(self._place("tls.client_authorities"), authority, at=self._at, hint=hint)

    def _enrolment(self, settings: Settings) -> Iterator[Finding]:
        files, port = settings.enrolment.authority, settings.enrolment.port
        if files is not None and self._sound("authority", "organisation"):
            yield from enrolment.authority(
                self._place, files, organisation=settings.organisation, at=self._at
            )
        if port is not None and self._sound("enrolment"):
            yield from enrolment.port(self._place, port, at=self._at)

    def _channels(self, told: NotificationSettings) -> Iterator[Finding]:
        for name, channel in told.channels.items():
            setting = f"notifications.channels.{name}"
            if self._sound(setting):
                for field, file in _secrets(channel):
                    yield secret(self._place(f"{setting}.{field}"), file)
                yield from self._refused(partial(open_channel, name, channel, tuple))

    def _database(self, settings: Settings) -> Iterator[Finding]:
        if not self._sound("database"):
            return
        about = self._place("database")
        try:
            with existing_storage(settings.database) as storage:
                policy = Policies(storage).newest.policy
        except LogEmptyError as refusal:
            if settings.enrolment.founding is None:
                yield wrong(about, str(refusal), refusal.hint)
            else:
                yield warning(about, "its log is empty", "invite the founders: `quorumseal org invite`")
            return
        except Refusal as refusal:
            yield wrong(about, str(refusal), refusal.hint)
            return
        file = file_of(settings.database)
        if file is not None:
            yield writable(about, file.parent)
        yield fine(about, f"the log of {policy.organisation}, policy version {policy.version}")
        if self._sound("organisation"):
            yield from self._refused(lambda: require_organisation(settings, policy))
        yield from self._agreement(settings, policy)

    def _agreement(self, settings: Settings, policy: Policy) -> Iterator[Finding]:
        """Compare the settings with the policy of the log."""
        for name in strangers(settings, policy):
            yield warning(
                self._place(f"notifications.people.{name}"),
                f"expected a signer of policy version {policy.version}, got {name}",
                "correct the name, or take the line out: nobody is told anything by it",
            )
        if self._sound("log_key"):
            with suppress(Refusal):  # where one does not open, that is said already
                keys = [read_log_key(files).public for files in settings.log_keys]
                yield log_key_of_policy(self._place("log_key.file"), keys, policy)
        if self._sound("tls"):
            with suppress(Refusal):
                tls = read_tls(settings.tls)
                yield from self._refused(lambda: require_known_authorities(tls, policy))

    def _metrics(self, settings: Settings) -> Iterator[Finding]:
        about = self._place("metrics.listen")
        if settings.metrics is None:
            return
        if settings.metrics == settings.listen and not settings.listen.endswith(":0"):
            yield wrong(
                about, f"expected another address than listen, got {settings.metrics}", "name another port"
            )
        else:
            yield listenable(about, settings.metrics)


def log_key_of_policy(about: str, keys: Sequence[PublicKey], policy: Policy) -> Finding:
    """Judge the log's keys, of which there are two while it rotates, by whether the policy names one."""
    if not {key.key_id for key in keys}.isdisjoint(each.key.key_id for each in policy.log.keys):
        return fine(about, "it opens, and is the one that the policy names")
    return wrong(
        about,
        f"expected a key that policy version {policy.version} names for the log, got {keys[0].key_id}",
        "name the log key of this organisation",
    )


def _where(problem: Refusal) -> str:
    """Return the setting that a problem is about: ``tls.key``."""
    return str(problem).partition(": expected")[0].removeprefix(_ROOT).partition(" (")[0]


def _overlap(setting: str, bad: str) -> bool:
    """Whether a setting is the bad one, or holds it, or is part of it."""
    return setting == bad or bad.startswith((f"{setting}.", f"{setting}[")) or setting.startswith(f"{bad}.")


def _secrets(channel: ChannelSettings) -> list[tuple[str, Path]]:
    match channel:
        case WebhookSettings():
            return [("secret_file", channel.secret_file)]
        case SlackSettings():
            return [("url_file", channel.url_file)]
        case MailSettings(password_file=Path() as file):
            return [("password_file", file)]
    return []
