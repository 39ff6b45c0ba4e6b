# SPDX-License-Identifier: Apache-2.0
"""Asks an application as a server would, in this process: no socket, and one event loop for each question."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message

_VOID = frozenset({"br", "img", "input", "link", "meta", "line", "circle", "rect", "path"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def words(self) -> str:
        """What a reader reads: the text without its elements, in single spaces."""
        reader = _Words()
        reader.feed(self.text)
        return " ".join("".join(reader.said).split())

    @property
    def links(self) -> list[str]:
        reader = _Words()
        reader.feed(self.text)
        return reader.links


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.said.append(" " if tag in ("p", "td", "th", "li", "h1", "h2", "dd", "dt", "option") else "")
        self.links += [value or "" for name, value in attrs if name == "href" and tag == "a"]

    def handle_data(self, data: str) -> None:
        self.said.append(data)


def ask(app: ASGIApp, url: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> Answer:
    """Ask for an address, and wait for the whole answer."""
    return asyncio.run(asked(app, url, method, headers))


async def asked(
    app: ASGIApp, url: str, method: str = "GET", headers: Mapping[str, str] | None = None
) -> Answer:
    """Ask for an address in the running loop."""
    parts = urlsplit(url)
    received: list[str] = []
    sent: list[Message] = []
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "https",
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "root_path": "",
        "query_string": parts.query.encode(),
        "headers": [(n.lower().encode(), v.encode()) for n, v in (headers or {}).items()],
        "server": ("pages.acme.example", 443),
        "client": ("192.0.2.1", 1234),
        "state": {},
    }

    async def receive() -> Message:
        if received:  # nobody goes away before the whole answer is there
            await asyncio.Event().wait()
        received.append(url)
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start, *rest = sent
    found = {name.decode(): value.decode() for name, value in start["headers"]}
    return Answer(start["status"], found, b"".join(message.get("body", b"") for message in rest))
