# SPDX-License-Identifier: Apache-2.0
"""A notice as a receiver gets it: with its link, in lines that no foreign text can break."""

from dataclasses import dataclass

from coordinator.notifying.notice import Notice
from quorumseal.terminal import visible


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A notice, and what the way along which it goes adds to it."""

    notice: Notice
    base_url: str | None = None
    """Where people look at ceremonies; without it there are commands only."""
    instead_of: str = ""
    """The route that it could not be delivered along."""

    @property
    def link(self) -> str | None:
        """The ceremony's page."""
        ceremony = self.notice.about.ceremony
        return None if self.base_url is None or not ceremony else f"{self.base_url}/ceremonies/{ceremony}"

    @property
    def headline(self) -> str:
        """The first line."""
        return visible(self.notice.headline)

    @property
    def sentences(self) -> tuple[str, ...]:
        """The lines after it; at the fallback they say for whom it was."""
        notice = self.notice
        said = tuple(visible(sentence) for sentence in notice.sentences)
        if not self.instead_of:
            return said
        return (f"This is for {notice.recipient}, who could not be told ({visible(self.instead_of)}).", *said)

    @property
    def command(self) -> str | None:
        """The command to paste."""
        return None if self.notice.command is None else visible(self.notice.command)
