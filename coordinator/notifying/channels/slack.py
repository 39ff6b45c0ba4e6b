# SPDX-License-Identifier: Apache-2.0
"""A card for Slack, or for whatever takes Slack's incoming webhooks: text and a link.

There is never a button: a decision is made where the key is, by somebody who has looked.
"""

import json
import ssl
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate

from coordinator.errors import NoticeRefusedError
from coordinator.notifying.connecting import OwnPorts
from coordinator.notifying.message import Message
from coordinator.notifying.posting import HttpAddress, post

_LONGEST = 2900  # Slack takes 3000 characters of text in a block
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def card(message: Message) -> bytes:
    """Return the card of a notice."""
    blocks = [_plain("\n".join((message.headline, *message.sentences)))]
    if message.command is not None:
        # nothing inside can end the code early
        blocks.append(_marked(f"```{escaped(message.command.replace('`', chr(39)))}```"))
    if message.link is not None:
        blocks.append(_marked(f"<{escaped(message.link)}|{escaped(message.notice.about.release)}>"))
    text = escaped(message.headline)
    return json.dumps({"text": text, "mrkdwn": False, "unfurl_links": False, "blocks": blocks}).encode()


def escaped(text: str) -> str:
    """Return text in which Slack finds no link, no mention and no channel, cut to what a block takes."""
    whole = [_ESCAPES.get(each, each) for each in text]
    fits = sum(length <= _LONGEST for length in accumulate(map(len, whole)))
    return "".join(whole[:fits])


def _plain(text: str) -> dict[str, object]:
    return {"type": "section", "text": {"type": "plain_text", "text": escaped(text), "emoji": False}}


def _marked(text: str) -> dict[str, object]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Slack:
    """A channel of a chat.  Its address is its secret."""

    to: HttpAddress
    seconds: float
    own_ports: OwnPorts
    tls: ssl.SSLContext

    def deliver(self, message: Message, address: str, *, at: datetime) -> None:  # noqa: ARG002 - cards have no date
        """Post the card."""
        if address:
            raise NoticeRefusedError("expected a chat without an address of its own, got one with")
        headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "quorumseal"}
        post(self.to, card(message), headers, seconds=self.seconds, own_ports=self.own_ports, tls=self.tls)
