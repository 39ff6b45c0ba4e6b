# SPDX-License-Identifier: Apache-2.0
"""What ``agent run`` has to say."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique

from quorumseal.refusal import Refusal
from signer_agent.checkpoints import Signature
from signer_agent.handing_back import Returned
from signer_agent.inbox import Inbox
from signer_agent.recollection import Stored
from signer_agent.review import Review


@unique
class Notice(StrEnum):
    """What the agent has to say."""

    WATCHING = "watching"
    WAITS = "waits"
    MOVED = "moved"
    """Somebody decided; it is open still."""
    ENDED = "ended"
    DEADLINE = "deadline"
    SENT = "sent"
    """Something that was signed before has its receipt now."""
    DECIDED = "decided"
    """This machine approved by itself."""
    NOT_DECIDED = "not-decided"
    COSIGNED = "cosigned"
    """This agent's witness vouches for the log as it is now."""
    HANDED_BACK = "handed-back"
    """The coordinator has lost entries, and this agent gave it those that it holds; now it waits."""
    SHORTER = "shorter"
    """The log lacks entries that it had, and nobody says why; this agent waits."""
    RECOVERED = "recovered"
    """The log has all of them again, and this agent goes on."""
    BROKEN = "broken"
    BACK = "back"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One thing that was said, and about what."""

    notice: Notice
    at: datetime
    review: Review | None = None
    inbox: Inbox | None = None
    stored: Stored | None = None
    cosigned: Signature | None = None
    refusal: Refusal | None = None
    returned: Returned | None = None
