# SPDX-License-Identifier: Apache-2.0
"""From settings to channels: the files with secrets are read here, and what is in them is judged."""

from collections.abc import Mapping
from pathlib import Path
from ssl import SSLError

from coordinator.notifying.channels import Channel, Mail, Slack, Webhook
from coordinator.notifying.channels.mail import Login
from coordinator.notifying.channels.webhook import read_secrets
from coordinator.notifying.connecting import OwnPorts, tls_context
from coordinator.notifying.posting import http_address
from coordinator.notifying.settings import (
    ChannelSettings,
    MailSettings,
    NotificationSettings,
    NotificationSettingsError,
    SlackSettings,
    WebhookSettings,
)
from quorumseal.refusal import Refusal

_MOST_BYTES = 4096


def open_channels(settings: NotificationSettings, own_ports: OwnPorts) -> Mapping[str, Channel]:
    """Return the channels by name, ready to deliver; a file that cannot be used is named with its channel."""
    return {name: open_channel(name, channel, own_ports) for name, channel in settings.channels.items()}


def open_channel(name: str, channel: ChannelSettings, own_ports: OwnPorts) -> Channel:
    """Return one channel, ready to deliver."""
    try:
        return _open(channel, own_ports)
    except Refusal as refusal:
        raise NotificationSettingsError(
            f"settings.notifications.channels.{name}: {refusal}", hint=refusal.hint
        ) from None


def _open(channel: ChannelSettings, own_ports: OwnPorts) -> Channel:
    try:
        tls = tls_context(channel.authorities)
    except (SSLError, OSError):
        raise NotificationSettingsError(
            f"expected certificates in {channel.authorities}, got something else"
        ) from None
    match channel:
        case WebhookSettings():
            return Webhook(
                to=http_address(channel.url),
                secrets=read_secrets(_read(channel.secret_file)),
                seconds=channel.seconds,
                own_ports=own_ports,
                tls=tls,
            )
        case SlackSettings():
            url = _read(channel.url_file).decode("utf-8", "replace").strip()
            return Slack(to=http_address(url), seconds=channel.seconds, own_ports=own_ports, tls=tls)
        case MailSettings():
            return Mail(
                host=channel.host,
                port=channel.port,
                security=channel.security,
                sender=channel.sender,
                login=_login(channel),
                seconds=channel.seconds,
                own_ports=own_ports,
                tls=tls,
            )
    raise ValueError(f"{type(channel).__name__} is no channel")


def _login(channel: MailSettings) -> Login | None:
    if channel.user is None or channel.password_file is None:
        return None
    password = _read(channel.password_file).removesuffix(b"\n").removesuffix(b"\r")
    try:
        return Login(channel.user, password.decode("ascii"))
    except UnicodeDecodeError:
        raise NotificationSettingsError(
            f"expected a password of ASCII characters in {channel.password_file}, got others"
        ) from None


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise NotificationSettingsError(f"expected to read {path}, got {error.strerror}") from None
    if len(data) > _MOST_BYTES:
        raise NotificationSettingsError(f"expected at most {_MOST_BYTES} bytes in {path}, got more")
    return data
