# SPDX-License-Identifier: Apache-2.0
"""How notices are delivered: one module for each kind of receiver."""

from datetime import datetime
from typing import Protocol

from coordinator.notifying.channels.mail import Mail, MailSecurity
from coordinator.notifying.channels.slack import Slack
from coordinator.notifying.channels.webhook import Secret, Webhook
from coordinator.notifying.message import Message


class Channel(Protocol):
    """A receiver, or a server that passes on.  It may be given the same notice twice, under the same id."""

    def deliver(self, message: Message, address: str, *, at: datetime) -> None:
        """Return when the receiver has taken it; ``NotTakenError`` to try again, any other refusal not to."""


__all__ = ["Channel", "Mail", "MailSecurity", "Message", "Secret", "Slack", "Webhook"]
