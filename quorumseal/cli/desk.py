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
from quorumseal.ceremony.policy import Kind
from quorumseal.client.connection import Connection
from signer_agent.agent import Agent
from signer_agent.cli.opening import add_home, command, opened
from signer_agent.errors import NoSuchCeremonyError
from signer_agent.naming import NAMED, Among, find_ceremony, of_release, require_meant
from signer_agent.observing import Observation, observe
from signer_agent.settings import Settings

__all__ = ["Desk", "add_ceremony", "add_home", "command", "now", "open_desk"]


def add_ceremony(parser: ArgumentParser) -> None:
    """Add the argument that names a ceremony, and the home."""
    parser.add_argument("ceremony", metavar="CEREMONY", help=NAMED)
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

    def look(self, named: str, among: Among = lambda _: True) -> Observation:
        """Return the ceremony that is meant, verified; refuse another one in its place."""
        seen = observe(self.agent, find_ceremony(self.agent, named, among))
        require_meant(seen.chain.ceremony, named)
        return seen

    def latest(self, product: str, released: str) -> Observation:
        """Return the latest ceremony of a release, verified."""
        found = [s for s in of_release(self.agent, product, released) if s.kind == Kind.RELEASE]
        if not found:
            raise NoSuchCeremonyError(
                f"expected a request for {product} {released} to supersede, got none",
                hint="start without --supersede",
            )
        seen = observe(self.agent, found[0].ceremony)
        require_meant(seen.chain.ceremony, f"{product}@{released}")
        return seen

    def entries(self, seen: Observation) -> tuple[tuple[Entry, ...], dict[str, str]]:
        """Return the entries that a ceremony was recomputed from, and texts by what commits to them."""
        record = self.connection.ceremony(seen.chain.id)
        read = (read_entry(payload) for payload in record.part.entries)
        entries = tuple(entry for entry in read if entry.hash in seen.chain.hashes)
        return entries, {annex.commitment: annex.text for annex in record.annexes}


@contextmanager
def open_desk(arguments: Namespace) -> Iterator[Desk]:
    """Open the home that the arguments or the environment name."""
    with opened(arguments) as (agent, settings):
        assert isinstance(agent.connection, Connection)  # noqa: S101 - it was opened over the wire
        yield Desk(agent, agent.connection, settings)
