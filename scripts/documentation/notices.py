# SPDX-License-Identifier: Apache-2.0
"""Examples of notices, as each kind of receiver gets them, and the table of their types."""

import json
from datetime import UTC, datetime
from typing import Final

from coordinator.notifying import NoticeType
from coordinator.notifying.channels import Message
from coordinator.notifying.channels.mail import letter
from coordinator.notifying.channels.slack import card
from coordinator.notifying.channels.webhook import event, read_secrets, sign
from coordinator.notifying.telling import notices_of
from quorumseal.ceremony.chain import open_chain
from scripts.documentation import acme

SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - the one that Standard Webhooks shows
BODY: Final = b'{"specversion":"1.0"}'
_MEANINGS: Final[dict[NoticeType, tuple[str, str]]] = {
    NoticeType.KEY_REVOKED: (
        "the requester, everybody who was asked, the key's owner",
        "a key was revoked that an open ceremony knows",
    ),
    NoticeType.SUSPENDED: (
        "the requester, everybody who was asked, the person",
        "somebody was suspended whom an open ceremony knows",
    ),
    NoticeType.OPENED: ("everybody who can count", "somebody asks for a review"),
    NoticeType.DECIDED: ("the requester; of a late one, its signer too", "a decision is on record"),
    NoticeType.WITHDRAWN: ("everybody who was asked", "a request was cancelled or superseded"),
    NoticeType.CONCLUDED: ("the requester, everybody who was asked", "a ceremony has ended"),
    NoticeType.REMINDER: ("those who can still help", "a part of the time is over"),
    NoticeType.ESCALATION: ("deputies, then leads", "a role does not answer"),
    NoticeType.NUDGE: ("those who can still help", "somebody asks again"),
    NoticeType.PUBLISHED: ("the requester", "the bundle is at a destination"),
    NoticeType.UNPUBLISHED: ("the requester", "a destination did not take the bundle; it is tried again"),
    NoticeType.BREAK_GLASS_INVOKED: ("the roster, the audit contacts", "an emergency was invoked"),
    NoticeType.BREAK_GLASS_FLOOR: (
        "the roster, the audit contacts",
        "enough people joined; it can be vetoed",
    ),
    NoticeType.BREAK_GLASS_VETOED: ("the roster, the audit contacts", "it was vetoed"),
    NoticeType.BREAK_GLASS_PROVISIONAL: ("the roster, the audit contacts", "a provisional bundle exists"),
    NoticeType.BREAK_GLASS_RATIFIED: ("the roster, the audit contacts", "the regular quorum ratified it"),
    NoticeType.BREAK_GLASS_LAPSED: ("the roster, the audit contacts", "nobody ratified it in time"),
    NoticeType.BREAK_GLASS_REPORT_DUE: ("the roster, the audit contacts", "its report is due, or late"),
    NoticeType.EXTENDED: ("the requester, everybody who was asked", "the deadline has moved"),
    NoticeType.BREAK_GLASS_JOINED: ("the roster, the audit contacts", "somebody decided on an emergency"),
    NoticeType.BREAK_GLASS_UNMET: ("the roster, the audit contacts", "it has too few people again"),
    NoticeType.BREAK_GLASS_ENDED: ("the roster, the audit contacts", "it ended and released nothing"),
    NoticeType.BREAK_GLASS_RATIFY: ("the roster, the audit contacts", "it lapses unless it is ratified"),
    NoticeType.KEY_ENDS: ("its holder", "a key ends within 60, 30 or 7 days"),
    NoticeType.POLICY_ENDS: (
        "the governance roles, the audit contacts",
        "the policy ends within 60, 30 or 7 days",
    ),
    NoticeType.BREAK_GLASS_REPORTED: ("the roster, the audit contacts", "somebody reported on it"),
}


def rows() -> list[str]:
    """List every type: who is told, and what happened."""
    return [f"| `{kind}` | {_MEANINGS[kind][0]} | {_MEANINGS[kind][1]} |" for kind in NoticeType]


def as_event() -> object:
    """Return what a webhook gets."""
    value: object = json.loads(event(_message()))
    return value


def as_card() -> object:
    """Return what a chat gets."""
    value: object = json.loads(card(_message()))
    return value


def as_letter() -> str:
    """Return what a mail server gets."""
    return (
        letter(_message(), "quorumseal@acme.example", "alice@acme.example").as_string().replace("\r\n", "\n")
    )


def as_signed() -> str:
    """Return a secret, a body and the headers that go with it."""
    headers = sign(
        read_secrets(SECRET.encode()), "sha256:00", BODY, at=datetime(2026, 11, 20, 14, tzinfo=UTC)
    )
    lines = [f"secret: {SECRET}", f"body: {BODY.decode()}"]
    return "\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items())])


def _message() -> Message:
    story = acme.tell()
    chain, opening = open_chain(story.acme.policy, story.request, at=story.request.statement.opened_at)
    notices = notices_of(chain.ceremony, [opening])
    return Message(notice=notices[0], base_url="https://releases.acme.example")
