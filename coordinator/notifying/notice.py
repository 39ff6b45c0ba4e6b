# SPDX-License-Identifier: Apache-2.0
"""What somebody is told: a value that says who, about what and what to do next; it holds no secret."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique

from quorumseal.ceremony.values import digest_of, instant, instant_text
from quorumseal.strict_json import Fields, read, write

AUDIT = "audit"
"""The recipient that stands for the audit contacts; the settings say who they are."""
MAX_NOTICE_BYTES = 64 << 10


@unique
class NoticeType(StrEnum):
    """What a notice is about, as CloudEvents names it.  Append only: a receiver may filter by it."""

    OPENED = "dev.quorumseal.ceremony.opened.v1"
    DECIDED = "dev.quorumseal.ceremony.decided.v1"
    WITHDRAWN = "dev.quorumseal.ceremony.withdrawn.v1"
    CONCLUDED = "dev.quorumseal.ceremony.concluded.v1"
    REMINDER = "dev.quorumseal.ceremony.reminder.v1"
    ESCALATION = "dev.quorumseal.ceremony.escalation.v1"
    NUDGE = "dev.quorumseal.ceremony.nudge.v1"
    PUBLISHED = "dev.quorumseal.bundle.published.v1"
    UNPUBLISHED = "dev.quorumseal.bundle.unpublished.v1"
    BREAK_GLASS_INVOKED = "dev.quorumseal.breakglass.invoked.v1"
    BREAK_GLASS_FLOOR = "dev.quorumseal.breakglass.floor.v1"
    BREAK_GLASS_VETOED = "dev.quorumseal.breakglass.vetoed.v1"
    BREAK_GLASS_PROVISIONAL = "dev.quorumseal.breakglass.provisional.v1"
    BREAK_GLASS_RATIFIED = "dev.quorumseal.breakglass.ratified.v1"
    BREAK_GLASS_LAPSED = "dev.quorumseal.breakglass.lapsed.v1"
    BREAK_GLASS_REPORT_DUE = "dev.quorumseal.breakglass.report-due.v1"
    EXTENDED = "dev.quorumseal.ceremony.extended.v1"
    BREAK_GLASS_JOINED = "dev.quorumseal.breakglass.joined.v1"
    BREAK_GLASS_UNMET = "dev.quorumseal.breakglass.unmet.v1"
    BREAK_GLASS_ENDED = "dev.quorumseal.breakglass.ended.v1"
    BREAK_GLASS_RATIFY = "dev.quorumseal.breakglass.ratification-due.v1"
    BREAK_GLASS_REPORTED = "dev.quorumseal.breakglass.reported.v1"
    KEY_REVOKED = "dev.quorumseal.ceremony.key-revoked.v1"
    SUSPENDED = "dev.quorumseal.ceremony.suspended.v1"
    KEY_ENDS = "dev.quorumseal.key.ends.v1"
    POLICY_ENDS = "dev.quorumseal.policy.ends.v1"

    @property
    def urgent(self) -> bool:
        """Whether it must reach somebody: the fallback too, when its own route is slow or missing."""
        return self.startswith("dev.quorumseal.breakglass.")


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """The ceremony that notices are about, and the log that it is in."""

    log: str
    ceremony: str
    """Empty where a notice is about the policy, which then is the product, by its version."""
    product: str
    version: str

    @property
    def release(self) -> str:
        """The product and its version."""
        return f"{self.product} {self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing that one recipient is told."""

    type: NoticeType
    recipient: str
    """A signer's name, or ``AUDIT``."""
    about: About
    cause: str
    """What tells it from others of its type: an entry's hash, a destination, a reminder's number."""
    at: datetime
    headline: str
    sentences: tuple[str, ...] = ()
    command: str | None = None
    """What to paste next."""

    @property
    def id(self) -> str:
        """The same for the same news to the same recipient, however often it is told."""
        key = [self.about.log, self.about.ceremony, str(self.type), self.cause, self.recipient]
        return digest_of(write([*key]))


def write_notice(notice: Notice) -> str:
    """Return a notice as it is stored."""
    about = notice.about
    value = write(
        {
            "type": str(notice.type),
            "recipient": notice.recipient,
            "log": about.log,
            "ceremony": about.ceremony,
            "product": about.product,
            "version": about.version,
            "cause": notice.cause,
            "at": instant_text(notice.at),
            "headline": notice.headline,
            "sentences": [*notice.sentences],
            "command": notice.command,
        }
    )
    return value.decode()


def read_notice(text: str) -> Notice:
    """Return the notice that was stored."""
    fields = Fields(read(text.encode(), max_bytes=MAX_NOTICE_BYTES), "notice")
    notice = Notice(
        type=fields.choice("type", NoticeType),
        recipient=fields.text("recipient"),
        about=About(
            log=fields.text("log"),
            ceremony=fields.text("ceremony"),
            product=fields.text("product"),
            version=fields.text("version"),
        ),
        cause=fields.text("cause"),
        at=instant(fields.text("at")),
        headline=fields.text("headline"),
        sentences=tuple(fields.texts("sentences")),
        command=None if fields.value("command") is None else fields.text("command"),
    )
    fields.done()
    return notice
