# SPDX-License-Identifier: Apache-2.0
"""Where verbs about ceremonies work from: a person's home, and a coordinator that is not believed.

What ``look`` returns was recomputed from the ceremony's own entries, its log proof included; the newest
checkpoint seen is kept in the home, so that a coordinator cannot tell two histories to one person.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from quorumseal.ceremony.entries import Entry, read_entry
from quorumseal.ceremony.errors import ValueFormatError
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.values import ceremony_id, name, version
from quorumseal.cli.errors import AmbiguousCeremonyError, FoundAnotherError, NoSuchCeremonyError
from quorumseal.client.connection import Connection
from quorumseal.client.values import CeremonySummary
from signer_agent.agent import Agent
from signer_agent.cli.opening import add_home, command, opened
from signer_agent.observing import Observation, observe
from signer_agent.settings import Settings

_PAGE = 100
_MOST_PAGES = 20
_FEWEST_DIGITS = 4
_SHOWN = 5
__all__ = ["Desk", "add_ceremony", "add_home", "command", "now", "open_desk"]


def add_ceremony(parser: ArgumentParser) -> None:
    """Add the argument that names a ceremony, and the home."""
    parser.add_argument(
        "ceremony",
        metavar="CEREMONY",
        help="its id, the beginning of it, or PRODUCT@VERSION (the open one, else the newest)",
    )
    add_home(parser)


def now() -> datetime:
    """Return this machine's time."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Desk:
    """A person's home, opened, with a connection to the coordinator."""

    agent: Agent
    connection: Connection
    settings: Settings

    def find(self, text: str) -> str:
        """Return the id of the ceremony that ``text`` names."""
        try:
            return ceremony_id(text)
        except ValueFormatError:
            pass
        product, at, released = text.partition("@")
        if at:
            found = self._summaries(name(product), version(released), 1)
            found.sort(key=lambda each: each.state != State.OPEN)
            if not found:
                raise NoSuchCeremonyError(
                    f"expected a ceremony of {product} {released}, got none",
                    hint="quorumseal list shows what there is",
                )
            return found[0].ceremony
        return self._by_beginning(text)

    def look(self, text: str) -> Observation:
        """Return the ceremony that ``text`` names, verified; refuse another one in its place."""
        seen = observe(self.agent, self.find(text))
        product, at, released = text.partition("@")
        return _require_release(seen, product, released) if at else seen

    def latest(self, product: str, released: str) -> Observation:
        """Return the latest ceremony of a release, verified."""
        found = self._summaries(name(product), version(released), 1)
        if not found:
            raise NoSuchCeremonyError(
                f"expected a request for {product} {released} to supersede, got none",
                hint="start without --supersede",
            )
        return _require_release(observe(self.agent, found[0].ceremony), product, released)

    def entries(self, seen: Observation) -> tuple[tuple[Entry, ...], dict[str, str]]:
        """Return the entries that a ceremony was recomputed from, and texts by what commits to them."""
        record = self.connection.ceremony(seen.chain.id)
        read = (read_entry(payload) for payload in record.part.entries)
        entries = tuple(entry for entry in read if entry.hash in seen.chain.hashes)
        return entries, {annex.commitment: annex.text for annex in record.annexes}

    def _by_beginning(self, text: str) -> str:
        if len(text) < _FEWEST_DIGITS or set(text) - set("0123456789abcdef-"):
            raise NoSuchCeremonyError(
                f"expected a ceremony's id, {_FEWEST_DIGITS} or more digits of its beginning, or "
                f"PRODUCT@VERSION, got {text[:64]}",
                hint="quorumseal list shows what there is",
            )
        found = [each for each in self._summaries("", "", _MOST_PAGES) if each.ceremony.startswith(text)]
        if not found:
            raise NoSuchCeremonyError(
                f"expected the beginning of a ceremony's id, got {text}, with which none begins",
                hint="quorumseal list shows what there is",
            )
        if len(found) > 1:
            shown = ", ".join(f"{s.ceremony} ({s.product} {s.version})" for s in found[:_SHOWN])
            raise AmbiguousCeremonyError(
                f"expected the beginning of one ceremony's id, got that of {len(found)}: {shown}",
                hint="write more of it, or PRODUCT@VERSION",
            )
        return found[0].ceremony

    def _summaries(self, product: str, released: str, pages: int) -> list[CeremonySummary]:
        found: list[CeremonySummary] = []
        token = ""
        for _ in range(pages):
            page = self.connection.list_ceremonies(
                product=product, version=released, page_size=_PAGE, page_token=token
            )
            found += page.ceremonies
            token = page.next_token
            if not token:
                break
        return found


def _require_release(seen: Observation, product: str, released: str) -> Observation:
    """Return a ceremony of a release; the coordinator's list only said where to look."""
    request = seen.chain.ceremony.request.statement
    if (request.product, request.version) != (product, released):
        raise FoundAnotherError(
            f"expected {product} {released}, got a ceremony of {request.product} {request.version}",
            hint="the coordinator's list does not agree with what was signed: tell its operator",
        )
    return seen


@contextmanager
def open_desk(arguments: Namespace) -> Iterator[Desk]:
    """Open the home that the arguments or the environment name."""
    with opened(arguments) as (agent, settings):
        assert isinstance(agent.connection, Connection)  # noqa: S101 - it was opened over the wire
        yield Desk(agent, agent.connection, settings)
