# SPDX-License-Identifier: Apache-2.0
"""Everybody's connections to every coordinator, for tests that choose who says what to which of them."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta

from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import Cancellation, Choice, Request, Statement
from quorumseal.ceremony.values import digest_of
from quorumseal.client.connection import Connection
from quorumseal.client.errors import CoordinatorRefusedError
from quorumseal.client.values import LoggedEntry, Receipt
from quorumseal.strict_json import write
from tests.durability.ledger import Ledger
from tests.durability.people import ANNEX, now
from tests.organisation import REASON_DIGEST, Organisation
from tests.running_coordinator import Site


@dataclass(frozen=True)
class Word:
    """A signed statement, ready to be handed in by its signer, at any coordinator and any number of times."""

    signer: str
    digest: str
    send: Callable[[Connection], Receipt]


@dataclass(frozen=True)
class Opened:
    """A ceremony, with what is needed to say something about it."""

    request: Signed[Request]
    opening: str
    """The hash of its first entry."""

    @property
    def ceremony(self) -> str:
        """Its id."""
        return self.request.statement.ceremony


class Callers:
    """Hands in words; everything that is answered goes into the ledger."""

    def __init__(self, site: Site, addresses: list[str], stack: ExitStack) -> None:
        self.site = site
        self.organisation: Organisation = site.organisation
        self.addresses = addresses
        self.ledger = Ledger(self.organisation.policy.policy.log)
        self._stack = stack
        self._connections: dict[tuple[str, int], Connection] = {}
        self._lock = threading.Lock()

    def connection(self, signer: str, coordinator: int) -> Connection:
        """Return a signer's connection to a coordinator."""
        key = (signer, coordinator % len(self.addresses))
        with self._lock:
            if key not in self._connections:
                files = self.site.client_files(signer)
                connection = Connection(self.addresses[key[1]], files, patience=60)
                self._connections[key] = self._stack.enter_context(connection)
            return self._connections[key]

    def hand_in(self, word: Word, coordinator: int = 0) -> Receipt | str:
        """Return the receipt, or the code of the refusal."""
        try:
            receipt = word.send(self.connection(word.signer, coordinator))
        except CoordinatorRefusedError as refusal:
            self.ledger.refuse(word.digest, refusal.code)
            return refusal.code
        self.ledger.acknowledge("word", word.digest, receipt)
        return receipt

    def open(self, number: int, *, deadline: timedelta = timedelta(hours=1)) -> Opened:
        """Open a ceremony; one that has little time gets twice as much where that was too little."""
        while True:
            request = self.organisation.request(
                number=number, version=f"1.{number}", at=now(), deadline=deadline
            )
            signed = self.organisation.sign_request(request)
            envelope = write(signed.envelope.to_json())
            word = Word("mallory", signed.digest, lambda c: c.start(envelope).receipt)  # noqa: B023
            receipt = self.hand_in(word, number)
            if not isinstance(receipt, str):
                return Opened(signed, digest_of(receipt.entry))
            assert receipt == "request.opening_time", receipt
            deadline *= 2

    def decision(self, opened: Opened, signer: str, choice: Choice = Choice.APPROVAL) -> Word:
        """Sign a decision."""
        annex = ANNEX if choice is Choice.REJECTION else None
        statement = self.organisation.decision(signer, opened.request, choice, at=now())
        return self._word(statement, lambda c, envelope: c.decide(envelope, annex).receipt)

    def cancellation(self, opened: Opened, signer: str) -> Word:
        """Sign a cancellation."""
        statement = Cancellation(
            context=self.organisation.context(signer, at=now()),
            ceremony=opened.ceremony,
            request=opened.request.digest,
            seen=opened.opening,
            reason=REASON_DIGEST,
        )
        return self._word(statement, lambda c, envelope: c.act(envelope, ANNEX).receipt)

    def log(self, coordinator: int) -> list[bytes]:
        """Return the whole log as a coordinator streams it."""
        entries: list[bytes] = []
        with self.connection("alice", coordinator).follow() as following:
            for event in following:
                if not isinstance(event, LoggedEntry):
                    break
                entries.append(event.entry)
        return entries

    def _word(self, statement: Statement, send: Callable[[Connection, bytes], Receipt]) -> Word:
        sealed = self.organisation.seal(statement)
        envelope = write(sealed.to_json())
        return Word(
            statement.context.signer,
            digest_of(sealed.payload),
            lambda connection: send(connection, envelope),
        )


@contextmanager
def callers(site: Site, coordinators: int) -> Iterator[Callers]:
    """Start coordinators on one database, and connect to them."""
    with ExitStack() as stack:
        servers = [stack.enter_context(site.subprocess()) for _ in range(coordinators)]
        yield Callers(site, [server.address for server in servers], stack)
        for server in servers:
            assert server.terminate() == 0
