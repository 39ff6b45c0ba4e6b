# SPDX-License-Identifier: Apache-2.0
"""People who go on whatever happens to the coordinator: they start, decide, cancel, and follow the log.

Each is a thread with a connection, a key and a stored envelope for everything that it sends; what was not
answered is sent again until it is.  What they are told goes into the ledger.
"""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count

from coordinator.certificates import Kind
from quorumseal.ceremony.entries import read_entry
from quorumseal.ceremony.signed import Signed, authenticate, signed_as
from quorumseal.ceremony.statements import Cancellation, Choice, Request, SeenCheckpoint, Statement, Subject
from quorumseal.ceremony.values import EMPTY_DIGEST, digest_of, whole_milliseconds
from quorumseal.client.connection import Connection
from quorumseal.client.errors import CoordinatorRefusedError
from quorumseal.client.following import Following
from quorumseal.client.values import Annex, LoggedEntry, Receipt
from quorumseal.strict_json import write
from quorumseal.tlog import Checkpoint, hash_text
from tests.durability.ledger import Ledger
from tests.organisation import REASON, REASON_DIGEST, SALT, Organisation, ceremony_number
from tests.running_coordinator import Site

PATIENCE = 300.0
ANNEX = Annex(salt=SALT, text=REASON)
_NO_CHECKPOINT = SeenCheckpoint(size=0, root=EMPTY_DIGEST)
_MOST_BEHIND = 6
_REMEMBERED = 3


def now() -> datetime:
    """Return this machine's time as statements write it."""
    return whole_milliseconds(datetime.now(UTC))


@dataclass
class Common:
    """What the people share."""

    site: Site
    addresses: list[str]
    ledger: Ledger
    seed: int
    entries: list[bytes] = field(default_factory=list)
    """The whole log as somebody saw it who followed it through every crash."""
    generation: int = 0
    """Raised at each restart: everybody then sends some of what was answered before once more."""
    numbers: "count[int]" = field(default_factory=lambda: count(1))
    started: set[str] = field(default_factory=set)
    done: dict[str, int] = field(default_factory=dict)
    """How many openings each signer has dealt with."""
    stopping: threading.Event = field(default_factory=threading.Event)

    def dice(self, name: str) -> random.Random:
        """Return a person's dice, the same in every run."""
        return random.Random(f"{self.seed} {name}")

    def slowest(self) -> int:
        """Return how many openings every signer has dealt with."""
        return min(self.done.values())

    def connect(self, name: str, kind: Kind = Kind.SIGNER) -> Connection:
        """Connect to one of the coordinators."""
        address = self.addresses[sum(name.encode()) % len(self.addresses)]
        return Connection(address, self.site.client_files(name, kind), patience=PATIENCE)


class Person(threading.Thread):
    def __init__(self, common: Common, name: str, kind: Kind = Kind.SIGNER) -> None:
        super().__init__(name=name, daemon=True)
        self.common = common
        self.dice = common.dice(name)
        self.connection = common.connect(name, kind)
        self.seen = _NO_CHECKPOINT
        self._sent: list[Callable[[], object]] = []
        self._generation = 0

    @property
    def organisation(self) -> Organisation:
        return self.common.site.organisation

    def run(self) -> None:
        try:
            self.work()
        except Exception as error:
            self.common.ledger.problems.append(f"{self.name}: {error!r}")

    def work(self) -> None:
        raise NotImplementedError

    def close(self) -> None:
        self.connection.close()

    def start_release(self, request: Request) -> Receipt | None:
        return self._hand_in("start", request, lambda envelope: self.connection.start(envelope).receipt)

    def cancel(self, cancellation: Cancellation) -> None:
        self._hand_in("cancel", cancellation, lambda envelope: self.connection.act(envelope, ANNEX).receipt)

    def decide(self, signed: Signed[Request], choice: Choice, replaces: str | None = None) -> str | None:
        """Decide; return the decision's digest, or nothing where it was refused."""
        annex = ANNEX if choice is Choice.REJECTION else None
        decision = self.organisation.decision(
            self.name, signed, choice, at=now(), replaces=replaces, seen=self.seen
        )
        receipt = self._hand_in(
            "decide", decision, lambda envelope: self.connection.decide(envelope, annex).receipt
        )
        return None if receipt is None else digest_of(self._payload)

    def send_again(self) -> None:
        """After a restart, send some envelopes again that were answered before it."""
        if self._generation != self.common.generation:
            self._generation = self.common.generation
            for again in self._sent[-_REMEMBERED:]:
                again()

    def _hand_in(self, kind: str, statement: Statement, send: Callable[[bytes], Receipt]) -> Receipt | None:
        sealed = self.organisation.seal(statement)
        envelope = write(sealed.to_json())
        self._payload = sealed.payload
        digest = digest_of(sealed.payload)

        def hand_in() -> Receipt:
            receipt = send(envelope)
            self._verified(self.common.ledger.acknowledge(kind, digest, receipt))
            return receipt

        try:
            receipt = hand_in()
        except CoordinatorRefusedError as refusal:
            self.common.ledger.refuse(digest, refusal.code)
            return None
        self._sent.append(hand_in)
        return receipt

    def _verified(self, checkpoint: Checkpoint) -> None:
        if checkpoint.size > self.seen.size:
            self.seen = SeenCheckpoint(size=checkpoint.size, root=hash_text(checkpoint.root))


class Requester(Person):
    """Starts releases; some are withdrawn at once, some replaced by others, some have little time."""

    def work(self) -> None:
        while not self.common.stopping.is_set():
            self.send_again()
            if len(self.common.started) - self.common.slowest() > _MOST_BEHIND:
                time.sleep(0.002)
                continue
            request = self._request()
            receipt = self.start_release(request)
            if receipt is not None:
                self.common.started.add(request.ceremony)
                self._go_on(request, receipt)

    def _request(self) -> Request:
        number = next(self.common.numbers)
        short = timedelta(milliseconds=self.dice.randrange(20, 2000))
        request = self.organisation.request(
            number=number,
            requester=self.name,
            version=f"1.{number}",
            at=now(),
            deadline=short if self.dice.random() < 0.15 else timedelta(hours=1),
            on_behalf_of="bob" if self.name == "ci" else None,
        )
        return replace(request, context=replace(request.context, checkpoint=self.seen))

    def _go_on(self, request: Request, receipt: Receipt) -> None:
        sealed = read_entry(receipt.entry).envelope
        fate = self.dice.random()
        if fate < 0.30:
            time.sleep(self.dice.random() * 0.05)
        if fate < 0.20:
            context = self.organisation.context(self.name, at=now(), seen=self.seen)
            self.cancel(
                Cancellation(
                    context=context,
                    ceremony=request.ceremony,
                    request=digest_of(sealed.payload),
                    seen=digest_of(receipt.entry),
                    reason=REASON_DIGEST,
                )
            )
        elif fate < 0.30:
            other = replace(
                request,
                context=self.organisation.context(self.name, at=now(), seen=self.seen),
                ceremony=ceremony_number(next(self.common.numbers)),
                subjects=(Subject(name="widget.tar.gz", digest=digest_of(receipt.entry)),),
                supersedes=digest_of(sealed.payload),
                deadline=now() + timedelta(hours=1),
                hard_stop=now() + timedelta(hours=1),
            )
            if self.start_release(other) is not None:
                self.common.started.add(other.ceremony)


class Signer(Person):
    """Follows the openings and decides on each; now and then says no, nothing, or something else later."""

    def __init__(self, common: Common, name: str) -> None:
        super().__init__(common, name)
        common.done[name] = 0
        self._openings: set[str] = set()
        self._following = self.connection.follow(types=["opened"], present=True)

    def work(self) -> None:
        for event in self._following:
            if isinstance(event, LoggedEntry):
                self._see(read_entry(event.entry).ceremony or "")
                self._decide(event.entry)
                self.common.done[self.name] += 1
                self.send_again()

    def close(self) -> None:
        self._following.close()
        super().close()

    def _see(self, ceremony: str) -> None:
        if ceremony in self._openings:
            self.common.ledger.problems.append(f"{self.name} was shown {ceremony} twice")
        self._openings.add(ceremony)

    def _decide(self, opening: bytes) -> None:
        envelope = read_entry(opening).envelope
        signed = signed_as(Request, authenticate(envelope, self.organisation.policy))
        if self.name in signed.statement.requesters:
            return
        choices, weights = [*Choice], (90, 5, 5)
        first = self.dice.choices(choices, weights)[0]
        digest = self.decide(signed, first)
        if digest is not None and self.dice.random() < 0.1:
            self.decide(signed, self.dice.choices(choices, weights)[0], replaces=digest)


class Watcher(Person):
    """Follows everything."""

    def __init__(self, common: Common, name: str, kind: Kind) -> None:
        super().__init__(common, name, kind)
        self._following: Following = self.connection.follow()

    def work(self) -> None:
        for event in self._following:
            if isinstance(event, LoggedEntry):
                if event.index != len(self.common.entries):
                    raise AssertionError(f"entry {event.index} came after {len(self.common.entries)} others")
                self.common.entries.append(event.entry)

    def close(self) -> None:
        self._following.close()
        super().close()
