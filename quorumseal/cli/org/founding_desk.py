# SPDX-License-Identifier: Apache-2.0
"""Where a founder works from: a home that has no trust file yet, and a coordinator that is not believed."""

import os
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from quorumseal.ceremony.policy_document import signed_policy
from quorumseal.cli.desk import now
from quorumseal.cli.files import read_trust_file, write_new
from quorumseal.cli.output import screen
from quorumseal.client.connection import Connection
from quorumseal.client.values import FoundingRecord
from quorumseal.signatures import JointEnvelope
from quorumseal.verifier.trust import Trust, write_trust
from signer_agent.agent import Agent
from signer_agent.cli.opening import keep_up
from signer_agent.founding import FirstPolicy, Joined, joined, require_same
from signer_agent.home import Home, find_home
from signer_agent.journal import Journal
from signer_agent.observing import observe_standing
from signer_agent.renewing import Renewal
from signer_agent.settings import Settings, read_settings

_POLL = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundingDesk:
    """A home that somebody enrolled, opened, with a connection to the coordinator."""

    home: Home
    settings: Settings
    joined: Joined
    connection: Connection

    @property
    def name(self) -> str:
        """Whose home it is."""
        return self.settings.name

    @property
    def trust_file(self) -> Path:
        """Where the trust file belongs."""
        return self.settings.trust

    @property
    def has_trust(self) -> bool:
        """Whether this home has confirmed a first policy before."""
        return self.trust_file.exists()

    def record(self, until: float) -> FoundingRecord:
        """Return how far the founding is, once there is a policy to look at or the time is up."""
        record = self.connection.founding()
        if not record.payload and time.monotonic() < until:
            screen().talk(f"waiting for {', '.join(record.unenrolled)} to join")
        while not record.payload and time.monotonic() < until:
            time.sleep(_POLL)
            record = self.connection.founding()
        return record

    def wait(self, record: FoundingRecord, until: float) -> FoundingRecord:
        """Return how far the founding is, once everybody has signed or the time is up."""
        if not record.founded and time.monotonic() < until:
            screen().talk(f"signed; waiting for {', '.join(record.missing)}")
        while not record.founded and time.monotonic() < until:
            time.sleep(_POLL)
            record = self.connection.founding()
        return record

    def settle(self, first: FirstPolicy, record: FoundingRecord) -> None:
        """See that the log begins with this policy, signed by its governance quorum; write the trust file."""
        signed = signed_policy(JointEnvelope.read(record.policy))
        require_same(first, signed.digest, "as its founders signed it")
        trust = Trust(organisation=first.policy.organisation, policy=first.digest, minimum_version=1)
        if self.has_trust:
            require_same(first, read_trust_file(self.trust_file).policy, f"as {self.trust_file} has it")
        with Journal.open(self.home.journal_file) as journal:
            agent = Agent(
                name=self.name,
                home=self.home,
                journal=journal,
                connection=self.connection,
                trust=trust,
                now=now,
                randomness=os.urandom,
            )
            observe_standing(agent)
        if not self.has_trust:
            write_new(self.trust_file, write_trust(trust))


@contextmanager
def open_founding_desk(arguments: Namespace) -> Iterator[FoundingDesk]:
    """Open a home that `agent enroll` made."""
    home = Home.open(find_home(arguments.home, os.environ))
    settings = read_settings(home.settings_file)
    with Connection(settings.coordinator, settings.tls, server_name=settings.server_name) as connection:
        own = joined(home)
        yield FoundingDesk(home=home, settings=settings, joined=own, connection=connection)
        organisation = own.enrolment.organisation
        renewal = Renewal(connection, home, settings.tls, organisation, settings.name, os.urandom)
        keep_up(lambda: renewal.keep_valid(at=now()))
