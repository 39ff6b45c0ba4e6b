# SPDX-License-Identifier: Apache-2.0
"""``[notifications]``: what it may say, that every wrong line is named, and that no secret is shown."""

from pathlib import Path

import pytest

from coordinator.notifying import Route, Routes
from coordinator.notifying.channels import Mail, Slack, Webhook
from coordinator.notifying.channels.mail import Login, MailSecurity
from coordinator.notifying.delivering import MOST_ATTEMPTS
from coordinator.notifying.opening import open_channels
from coordinator.notifying.settings import (
    MailSettings,
    NotificationSettings,
    SlackSettings,
    WebhookSettings,
)
from coordinator.settings import SettingsError, parse_settings
from quorumseal.cli.main import main
from quorumseal.refusal import Refusal
from tests.coordinator.notifying.receivers import SECRET, certificates, no_ports
from tests.coordinator.test_settings import FILES, WHOLE
from tests.running_coordinator import Site

SECTION = """
[notifications]
base_url = "https://releases.acme.example/"
fallback = "mail:operators@acme.example"
audit = ["chat", "mail:audit@acme.example"]
attempts = 9
[notifications.people]
alice = ["mail:alice@acme.example", "hook"]
bob = ["hook", "hook"]
[notifications.channels.hook]
kind = "webhook"
url = "https://hooks.acme.example/quorumseal"
secret_file = "hook.secret"
timeout_seconds = 5
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
authorities = "receivers-ca.pem"
"""
SECRETS = {
    "hook.secret": SECRET,
    "chat.url": b"https://hooks.slack.example/services/T0/B0/hunter2\n",
    "mail.password": b"open sesame\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).write_bytes(b"")
    for name, data in SECRETS.items():
        (tmp_path / name).write_bytes(data)
    certificates(tmp_path)
    return tmp_path


def read(text: str, folder: Path) -> NotificationSettings:
    return parse_settings((WHOLE + text).encode(), folder=folder).notifications


def test_everything_that_can_be_said_is_read(folder: Path) -> None:
    hook = Route(channel="hook")
    assert read(SECTION, folder) == NotificationSettings(
        channels={
            "hook": WebhookSettings(
                url="https://hooks.acme.example/quorumseal", secret_file=folder / "hook.secret", seconds=5
            ),
            "chat": SlackSettings(url_file=folder / "chat.url"),
            "mail": MailSettings(
                host="smtp.acme.example",
                port=587,
                security=MailSecurity.STARTTLS,
                sender="quorumseal@acme.example",
                user="quorumseal",
                password_file=folder / "mail.password",
                authorities=folder / "receivers-ca.pem",
            ),
        },
        routes=Routes(
            people={"alice": (Route(channel="mail", address="alice@acme.example"), hook), "bob": (hook,)},
            audit=(Route(channel="chat"), Route(channel="mail", address="audit@acme.example")),
            fallback=Route(channel="mail", address="operators@acme.example"),
        ),
        base_url="https://releases.acme.example",
        attempts=9,
    )


def test_left_out_nobody_is_told_anything(folder: Path) -> None:
    settings = read("", folder)
    assert settings == NotificationSettings()
    assert not settings.routes.anybody
    assert settings.attempts == MOST_ATTEMPTS
    assert open_channels(settings, no_ports) == {}


WRONG = [
    ('"https://releases.acme.example/"', '"releases"', "base_url: expected http:// or https://"),
    (
        'fallback = "mail:operators@acme.example"',
        'fallback = "pager"',
        "fallback: expected a channel (hook, chat, mail)",
    ),
    ('"mail:operators@acme.example"', "7", "fallback: expected a text, got 7"),
    ('["chat", "mail:audit@acme.example"]', '["chat", "mail"]', "audit[1]: expected one e-mail address"),
    ('["chat", "mail:audit@acme.example"]', '"chat"', "audit: expected a list"),
    ("attempts = 9", "attempts = 0", "attempts: expected an integer, 1 to 100"),
    ("attempts = 9", "tries = 9", "tries: expected only known fields"),
    ("alice = [", '"Alice Smith" = [', "people: expected a name"),
    ('"mail:alice@acme.example"', '"mail:Alice <a@b.c>"', "people.alice[0]: expected one e-mail address"),
    ('bob = ["hook", "hook"]', 'bob = ["hook:bob"]', "people.bob[0]: expected hook alone"),
    ("channels.hook]", 'channels."Hook!"]', "channels: expected a name"),
    ('"webhook"', '"pigeon"', "channels.hook.kind: expected one of webhook, slack, mail"),
    ("https://hooks.acme", "ftp://hooks.acme", "channels.hook.url: expected http:// or https://"),
    (
        "https://hooks.acme",
        "https://alice:hunter2@hooks.acme",
        "channels.hook.url: expected a host",
    ),
    ('"hook.secret"', '"lost.secret"', "channels.hook.secret_file: expected a file"),
    ('secret_file = "hook.secret"', 'secret = "hunter2"', "channels.hook.secret: expected only known fields"),
    (
        "timeout_seconds = 5",
        "timeout_seconds = 31",
        "channels.hook.timeout_seconds: expected an integer, 1 to 30",
    ),
    (
        'url_file = "chat.url"',
        'url = "https://x.example/hunter2"',
        "channels.chat.url: expected only known fields",
    ),
    ('"smtp.acme.example:587"', '"smtp.acme.example"', "channels.mail.server: expected HOST:PORT"),
    ('"smtp.acme.example:587"', '"smtp.acme.example:0"', "channels.mail.server: expected HOST:PORT"),
    ('"starttls"', '"ssl"', "channels.mail.security: expected one of starttls, tls, plain"),
    ('"starttls"', '"plain"', "channels.mail.security: expected starttls or tls where there is a password"),
    ('sender = "quorumseal@acme.example"', 'sender = "us"', "channels.mail.sender: expected one e-mail"),
    ('user = "quorumseal"', "", "channels.mail.password_file: expected only known fields"),
    ('"receivers-ca.pem"', '"lost.pem"', "channels.mail.authorities: expected a file"),
]


@pytest.mark.parametrize(("line", "instead", "problem"), WRONG, ids=[f"{row[1]} {row[2]}" for row in WRONG])
def test_a_wrong_line_is_named(line: str, instead: str, problem: str, folder: Path) -> None:
    assert line in SECTION
    with pytest.raises(SettingsError) as refused:
        read(SECTION.replace(line, instead, 1), folder)
    assert f"settings.notifications.{problem}" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_there_are_only_so_many_channels(folder: Path) -> None:
    more = "".join(
        f'[notifications.channels.c{each}]\nkind = "slack"\nurl_file = "chat.url"\n' for each in range(15)
    )
    with pytest.raises(SettingsError, match="expected at most 16 channels, got 18"):
        read(SECTION + more, folder)


def test_channels_are_opened_and_show_nothing_of_their_secrets(folder: Path) -> None:
    hook, chat, mail = open_channels(read(SECTION, folder), no_ports).values()
    assert isinstance(hook, Webhook)
    assert isinstance(chat, Slack)
    assert isinstance(mail, Mail)
    assert chat.to.target == "/services/T0/B0/hunter2"
    assert mail.login == Login("quorumseal", "open sesame")
    for secret in ("hunter2", "open sesame", SECRET.decode()[6:]):
        assert secret not in repr((hook, chat, mail))


@pytest.mark.parametrize(
    ("name", "data", "problem"),
    [
        ("hook.secret", b"hunter2", "channels.hook: expected whsec_"),
        ("hook.secret", b"x" * 5000, "channels.hook: expected at most 4096 bytes"),
        ("chat.url", b"hooks.slack.example/hunter2", "channels.chat: expected http:// or https://"),
        ("mail.password", "hunter2ä".encode(), "channels.mail: expected a password of ASCII"),
        ("receivers-ca.pem", b"hunter2", "channels.mail: expected certificates in"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_and_not_shown(
    name: str, data: bytes, problem: str, folder: Path
) -> None:
    settings = read(SECTION, folder)
    (folder / name).write_bytes(data)
    with pytest.raises(Refusal, match=f"settings.notifications.{problem}") as refused:
        open_channels(settings, no_ports)
    assert refused.value.code == "settings.invalid"
    assert "hunter2" not in str(refused.value)


def test_check_looks_at_the_files_of_channels_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = Site(tmp_path)
    site.found()
    section = (
        '[notifications.channels.hook]\nkind = "webhook"\nurl = "https://x.example/"\nsecret_file = "s"\n'
    )
    path = site.settings
    path.write_text(path.read_text() + section)
    site.write("s", b"hunter2")
    assert main(["coordinator", "check-config", "--settings", str(path)]) == 2
    said = capsys.readouterr().out
    assert "coordinator.toml:notifications.channels.hook" in said
    assert "hunter2" not in said
    site.write("s", SECRET)
    assert main(["coordinator", "check-config", "--settings", str(path)]) == 0
