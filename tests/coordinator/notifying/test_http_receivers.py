# SPDX-License-Identifier: Apache-2.0
"""Webhooks and chats against a real server, judged by the libraries that receivers use."""

import json
import socket
import ssl
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from standardwebhooks.webhooks import Webhook as Receiver
from standardwebhooks.webhooks import WebhookVerificationError

from coordinator.errors import NoticeRefusedError, NotTakenError, OwnAddressError
from coordinator.notifying import connecting
from coordinator.notifying.channels import Message, Slack, Webhook
from coordinator.notifying.channels.slack import card
from coordinator.notifying.channels.webhook import read_secrets, sign
from coordinator.notifying.connecting import tls_context
from coordinator.notifying.posting import WaitError, http_address, judge
from tests.coordinator.notifying.receivers import (
    DIE,
    HALF,
    HANG,
    HOST,
    NOTICE,
    SECRET,
    TRICKLE,
    Answer,
    certificates,
    http_receiver,
    no_ports,
)

ANYWHERE = "0.0.0.0"  # noqa: S104 - as a target it is this machine
MESSAGE = Message(notice=NOTICE, base_url="https://releases.acme.example")


def webhook(url: str, seconds: float = 5, own: int = 0, tls: ssl.SSLContext | None = None) -> Webhook:
    return Webhook(
        to=http_address(url),
        secrets=read_secrets(SECRET),
        seconds=seconds,
        own_ports=lambda: (own,),
        tls=tls or tls_context(None),
    )


def deliver(channel: Webhook) -> None:
    channel.deliver(MESSAGE, "", at=datetime.now(UTC))


def named(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    """Let every name mean a port of this machine."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (HOST, port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


def test_a_receiver_verifies_the_signature_and_reads_the_event() -> None:
    with http_receiver(202) as receiver:
        deliver(webhook(receiver.url))
    ((path, headers, body),) = receiver.requests
    assert path == "/hook?room=1"
    assert Receiver(SECRET.decode()).verify(body, headers) == json.loads(body)
    event = from_http_event(HTTPMessage(headers, body))
    assert (event.get_specversion(), event.get_id()) == ("1.0", NOTICE.id)
    assert (event.get_type(), event.get_source()) == (NOTICE.type, "//log.acme.example/test")
    assert (event.get_subject(), event.get_time()) == (NOTICE.about.ceremony, NOTICE.at)
    assert event.get_data() == {
        "recipient": "alice",
        "ceremony": NOTICE.about.ceremony,
        "product": "widget",
        "version": "1.0",
        "headline": "rita asks you to review widget 1.0",
        "sentences": ["You can count for engineering."],
        "command": f"quorumseal review {NOTICE.about.ceremony}",
        "link": f"https://releases.acme.example/ceremonies/{NOTICE.about.ceremony}",
    }


def test_a_body_a_time_or_an_id_that_was_changed_does_not_verify() -> None:
    body, now = b'{"a":1}', datetime.now(UTC)
    headers = sign(read_secrets(SECRET), "sha256:00", body, at=now)
    receiver = Receiver(SECRET.decode())
    receiver.verify(body, headers)
    for changed, sent in (
        (headers, b'{"a":2}'),
        (headers | {"webhook-id": "sha256:01"}, body),
        (headers | {"webhook-timestamp": str(int(now.timestamp()) + 1)}, body),
        (sign(read_secrets(SECRET), "sha256:00", body, at=now - timedelta(hours=1)), body),
        (sign(read_secrets(b"whsec_" + b"A" * 32), "sha256:00", body, at=now), body),
    ):
        with pytest.raises(WebhookVerificationError):
            receiver.verify(sent, changed)


def test_while_a_secret_is_changed_either_one_verifies() -> None:
    other = b"whsec_" + b"B" * 32
    headers = sign(read_secrets(SECRET + b"\n" + other + b"\n"), "sha256:00", b"{}", at=datetime.now(UTC))
    for secret in (SECRET, other):
        assert Receiver(secret.decode()).verify(b"{}", headers) == {}


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "expected 1 to 2 secrets"),
        (b"\n".join([SECRET] * 3), "expected 1 to 2 secrets"),
        (b"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "expected whsec_"),
        (b"whsec_c2hvcnQ=", "24 to 64 bytes"),
        (b"whsec_" + b"A" * 92, "24 to 64 bytes"),
        (b"whsec_not base64 at all, but long enough to be", "in base64"),
        (b"\xff\xfe", "expected whsec_"),
    ],
)
def test_a_secret_that_is_none_is_refused_without_being_shown(data: bytes, problem: str) -> None:
    with pytest.raises(NoticeRefusedError, match=problem) as refused:
        read_secrets(data)
    shown = data.removeprefix(b"whsec_").decode("utf-8", "replace")
    assert not shown or shown not in str(refused.value)


@pytest.mark.parametrize(
    ("answer", "again"),
    [
        (500, True),
        (503, True),
        (408, True),
        (425, True),
        (429, True),
        (HANG, True),
        (TRICKLE, True),
        (DIE, True),
        (HALF, True),
        (400, False),
        (401, False),
        (404, False),
        (410, False),
        ({"status": 302, "Location": "/elsewhere"}, False),
        (304, False),
    ],
    ids=str,
)
def test_what_is_not_taken_is_tried_again_and_what_is_refused_is_not(answer: Answer, again: bool) -> None:
    with http_receiver(answer) as receiver:
        started = time.monotonic()
        with pytest.raises(NotTakenError if again else NoticeRefusedError):
            deliver(webhook(receiver.url, seconds=0.5))
        assert time.monotonic() - started < 3
    assert len(receiver.requests) == 1  # nobody followed the redirect


def test_a_receiver_says_when_to_come_again() -> None:
    with http_receiver({"status": 429, "Retry-After": 120}) as receiver, pytest.raises(WaitError) as waits:
        deliver(webhook(receiver.url))
    assert waits.value.wait == timedelta(seconds=120)
    assert type(judge(503, "Fri, 20 Nov 2026 14:00:00 GMT")) is NotTakenError


def test_nobody_there_is_tried_again() -> None:
    with socket.socket() as closed:
        closed.bind((HOST, 0))
        with pytest.raises(NotTakenError, match="refused"):
            deliver(webhook(f"http://{HOST}:{closed.getsockname()[1]}/"))
    with pytest.raises(NotTakenError, match="name to have an address"):
        deliver(webhook("http://nowhere.invalid/"))


@pytest.mark.parametrize("host", [HOST, "localhost", "127.0.0.2", ANYWHERE])
def test_a_webhook_that_leads_to_the_coordinator_itself_is_refused(host: str) -> None:
    with http_receiver() as receiver:
        with pytest.raises(OwnAddressError):
            deliver(webhook(f"http://{host}:{receiver.port}/", own=receiver.port))
        assert receiver.requests == []


def test_a_name_that_comes_to_mean_the_coordinator_is_refused_when_it_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with http_receiver() as receiver:
        named(monkeypatch, receiver.port)
        channel = webhook(f"http://hooks.acme.example:{receiver.port}/", own=receiver.port)
        with pytest.raises(OwnAddressError):
            deliver(channel)
        deliver(webhook(f"http://hooks.acme.example:{receiver.port}/", own=receiver.port + 1))
        assert [headers["host"] for _, headers, _ in receiver.requests] == [channel.to.authority]


@pytest.mark.parametrize("own", ["::1", "::ffff:127.0.0.1", "::", "127.8.9.1", ANYWHERE])
def test_every_spelling_of_this_machine_is_known(own: str) -> None:
    assert connecting.is_of_this_machine(own)
    assert not connecting.is_of_this_machine("192.0.2.1")
    assert not connecting.is_of_this_machine("2001:db8::1")


def test_a_receiver_over_tls_shows_a_certificate_that_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = certificates(tmp_path)
    with http_receiver(tls=made.server) as receiver:
        url = receiver.url.replace("http:", "https:")
        with pytest.raises(NotTakenError, match="a certificate of the receiver that can be trusted"):
            deliver(webhook(url))
        assert receiver.requests == []
        deliver(webhook(url, tls=tls_context(made.authorities)))
        assert len(receiver.requests) == 1
        named(monkeypatch, receiver.port)
        with pytest.raises(NotTakenError, match="trusted, got Hostname mismatch"):
            deliver(webhook(url.replace(HOST, "hooks.acme.example"), tls=tls_context(made.authorities)))


GOOD = {
    "https://hooks.acme.example/a?b=c": ("hooks.acme.example", 443, "/a?b=c", "hooks.acme.example"),
    "http://localhost": ("localhost", 80, "/", "localhost"),
    "http://[::1]:8080/x": ("::1", 8080, "/x", "[::1]:8080"),
    "https://acme.example:443/": ("acme.example", 443, "/", "acme.example"),
}


@pytest.mark.parametrize("url", GOOD)
def test_an_address_is_taken_apart(url: str) -> None:
    address = http_address(url)
    assert (address.host, address.port, address.target, address.authority) == GOOD[url]
    assert "/a" not in repr(address)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.acme.example",
        "ftp://acme.example/",
        "file:///etc/passwd",
        "gopher://acme.example/",
        "//acme.example/x",
        "https://",
        "https:///x",
        "https://alice:hunter2@acme.example/",
        "https://acme.example:0/",
        "https://acme.example:99999/",
        "https://acme.example:port/",
        "https://acme.example/#x",
        "https://acme.example/#",
        "https://acme.example/a b",
        "https://acme.example/\r\nX-Evil: 1",
        "https://acme.example\t/",
        "https://bücher.example/",
        "https://[::1/",
    ],
)
def test_an_address_that_is_not_plain_http_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(NoticeRefusedError) as refused:
        http_address(url)
    assert refused.value.code == "notice.address"
    assert "hunter2" not in str(refused.value)


def test_a_chat_gets_text_and_a_link_and_nothing_to_press() -> None:
    with http_receiver(200) as receiver:
        chat = Slack(to=http_address(receiver.url), seconds=5, own_ports=no_ports, tls=tls_context(None))
        chat.deliver(MESSAGE, "", at=datetime.now(UTC))
    ((_, headers, body),) = receiver.requests
    card = json.loads(body)
    assert headers["content-type"].startswith("application/json")
    assert card["text"] == "rita asks you to review widget 1.0"
    assert [(block["type"], block["text"]["type"]) for block in card["blocks"]] == [
        ("section", "plain_text"),
        ("section", "mrkdwn"),
        ("section", "mrkdwn"),
    ]
    assert card["blocks"][2]["text"]["text"] == (
        f"<https://releases.acme.example/ceremonies/{NOTICE.about.ceremony}|widget 1.0>"
    )
    assert not {"button", "actions", "accessory", "elements"} & set(_words(card))


def _words(value: object) -> list[str]:
    match value:
        case dict():
            return [word for key, item in value.items() for word in (key, *_words(item))]
        case list():
            return [word for item in value for word in _words(item)]
    return [str(value)]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<!channel> now", "&lt;!channel&gt; now"),
        ("<https://evil.example|the changelog>", "&lt;https://evil.example|the changelog&gt;"),
        ("R&D", "R&amp;D"),
        ("\u202emoor", "⟨U+202E⟩moor"),
    ],
)
def test_no_text_becomes_a_link_or_a_mention_in_a_chat(text: str, shown: str) -> None:
    notice = replace(NOTICE, headline=text, sentences=(text,), command=f"echo ``` {text}")
    value = json.loads(card(Message(notice=notice)))
    headline, command = (block["text"] for block in value["blocks"])
    assert value["text"] == shown
    assert (value["mrkdwn"], headline["type"]) == (False, "plain_text")
    assert headline["text"] == f"{shown}\n{shown}"
    assert command["text"] == f"```echo ''' {shown}```"


def test_a_card_is_never_longer_than_a_chat_takes() -> None:
    value = json.loads(card(Message(notice=replace(NOTICE, sentences=("&" * 200,) * 99))))
    text = value["blocks"][0]["text"]["text"]
    assert 2800 < len(text) <= 3000
    assert text.endswith("&amp;")


def test_the_signature_in_the_specification_verifies() -> None:
    spec = Path(__file__).parents[3] / "docs/spec/notifications.md"
    block = spec.read_text().partition("```text\nsecret: ")[2].partition("\n```")[0]
    secret, *rest = block.splitlines()
    given = dict(line.split(": ", 1) for line in rest)
    at = datetime.fromtimestamp(int(given["webhook-timestamp"]), UTC)
    signature = Receiver(secret).sign(given["webhook-id"], at, given["body"])
    assert signature == given["webhook-signature"]


def test_neither_kind_has_addresses_of_its_own() -> None:
    chat = Slack(to=http_address("http://localhost/"), seconds=1, own_ports=no_ports, tls=tls_context(None))
    for channel in (webhook("http://localhost/"), chat):
        with pytest.raises(NoticeRefusedError, match="without an address"):
            channel.deliver(MESSAGE, "alice", at=datetime.now(UTC))
