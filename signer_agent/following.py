# SPDX-License-Identifier: Apache-2.0
"""``agent run``: watch the log, say what waits for this signer, send again what was not acknowledged.

The stream is a bell, not a source: an entry that comes through it says which ceremony to look at, and the
look verifies everything.  A person's key is never here.  A machine's is, where its settings let it approve
what matches byte for byte.
"""

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue

from quorumseal.ceremony.entries import CONCLUSIONS, EntryType, read_entry
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.statements import CheckOutcome, Choice, Mode, Request, StandingAct
from quorumseal.client.errors import ClientError
from quorumseal.client.values import Head, LoggedEntry
from quorumseal.refusal import Refusal
from quorumseal.signatures import PrivateKey
from signer_agent.absences import settle_standing
from signer_agent.agent import Agent
from signer_agent.artifacts import Sources
from signer_agent.checkpoints import Signature
from signer_agent.connection import Stream
from signer_agent.cosigning import Cosigning
from signer_agent.deciding import look, require_decidable
from signer_agent.drafting import draft_decision
from signer_agent.errors import ForkError
from signer_agent.handing_back import Returned
from signer_agent.inbox import Inbox, open_inbox
from signer_agent.kept_entries import MOST_KEPT
from signer_agent.log_check import Found, LogCheck
from signer_agent.notices import Notice, Told
from signer_agent.observing import observe, observe_standing
from signer_agent.recollection import Stored
from signer_agent.review import Review, Standing
from signer_agent.signing import send, settle, sign_and_store

WARNINGS = (timedelta(hours=24), timedelta(hours=1), timedelta(minutes=10), timedelta(0))
_LONGEST_SLEEP = 30.0
_MOST_REMEMBERED = 10_000
_MOST_UNKEPT = 256
_SIZE_AHEAD = "log.size_ahead"
_REWOUND = "log.rewound"
_AGAIN_SECONDS = 5.0
_WITHOUT_NEWS = (EntryType.DELIVERED, EntryType.REPORTED)
"""Entries of an emergency that change nothing about it."""


@dataclass(frozen=True, slots=True)
class _Broken:
    error: ClientError


@dataclass(frozen=True, slots=True)
class _Over:
    """The stream has ended: by our wish, or for a reason."""

    error: BaseException | None = None


@dataclass(slots=True)
class Watch:
    """One run of the agent."""

    agent: Agent
    tell: Callable[[Told], None]
    machine_key: Callable[[SignedPolicy], PrivateKey] | None = None
    """Opens the key of a machine signer that approves what matches; None for people, always."""
    sources: Sources = field(default_factory=Sources)
    cosigning: Cosigning | None = None
    """The witness, where this home has its key."""
    _events: "SimpleQueue[LoggedEntry | Head | _Broken | _Over]" = field(default_factory=SimpleQueue)
    _reviews: dict[str, Review] = field(default_factory=dict)
    _looked_at: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The entries of the ceremonies that this run has looked at lately."""
    _log: LogCheck = field(init=False)
    _key: PrivateKey | None = None
    _warned: set[tuple[str, datetime]] = field(default_factory=set)
    _again: set[str] = field(default_factory=set)
    _broken: str = ""
    """Why the stream is not there, which was said."""
    _refused: str = ""
    """What was last said to be wrong with the log."""
    _known: int = 0
    """How far the log was when it was last heard of."""
    _kept: list[LoggedEntry] = field(default_factory=list)
    """Entries on their way into the journal."""
    _stopped: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._log = LogCheck(self.agent)

    def run(self) -> None:
        """Watch until ``stop``."""
        with self.agent.home.running():
            if not self._wait_for_log():
                return
            self._known = self._log.size
            self._begin()
            self._cosign()
            stream = self.agent.connection.follow(
                self.agent.journal.kept.follow_from(self._known),
                present=True,
                on_break=lambda error: self._events.put(_Broken(error)),
                newest=lambda: self._log.newest,
            )
            reader = threading.Thread(target=self._read, args=(stream,), name="follow", daemon=True)
            reader.start()
            try:
                self._watch()
            finally:
                self._stopped.set()
                stream.close()
                reader.join(_LONGEST_SLEEP)
                self._keep()

    def stop(self) -> None:
        """End ``run``, from any thread or signal handler."""
        self._events.put(_Over())

    def _wait_for_log(self) -> bool:
        """Return once the log is whole; False where ``stop`` comes first.  What else is wrong ends this."""
        found = self._log.look()
        if found.refusal is not None and not self._log.short:
            raise found.refusal
        self._tell_log(found, before=False)
        while self._log.short:
            with suppress(Empty):
                self._events.get(timeout=self._log.pause)
                return False
            self._guarded(self.agent.upkeep)
            self._tell_log(self._log.look(), before=True)
        return True

    def _begin(self) -> None:
        if self.machine_key is not None and self._key is None and self._log.policy is not None:
            self._key = self.machine_key(self._log.policy)
        self._reviews.clear()
        for stored in self.agent.journal.pending():
            if not isinstance(stored.statement, Request):  # asking for a release anew is for its requester
                self._send_again(stored)
        inbox = open_inbox(self.agent)
        for review in inbox.reviews:
            self._remember(review)
        self._say(Notice.WATCHING, inbox=inbox)
        for review in inbox.waiting:
            self._say(Notice.WAITS, review=review)
            self._decide(review)

    def _read(self, stream: Stream) -> None:
        """Move what the stream brings to where it is handled; the body of a thread.

        A log that is shorter than it was may be whole again at any time: that ends nothing.
        """
        while not self._stopped.is_set():
            try:
                for event in stream:
                    self._events.put(event)
                return
            except ClientError as error:
                if error.code != _SIZE_AHEAD:
                    self._events.put(_Over(error))
                    return
                self._events.put(_Broken(error))
                self._stopped.wait(_AGAIN_SECONDS)
            except Exception as error:
                self._events.put(_Over(error))
                return

    def _watch(self) -> None:
        while True:
            self._guarded(self.agent.upkeep)
            if self._events.empty():
                self._keep()  # no head follows entries that come one by one
            if self._log.is_due and not self._broken:
                self._see_log()
            try:
                event = self._events.get(timeout=self._sleep())
            except Empty:
                if self._log.short:
                    self._see_log()
                self._retry()
                self._warn()
                self._cosign()
                continue
            match event:
                case _Over():
                    if event.error is not None:
                        raise event.error
                    return
                case _Broken():
                    if not self._broken:
                        self._say(Notice.BROKEN, refusal=event.error)
                    self._broken = event.error.code
                    if event.error.code == _SIZE_AHEAD:
                        self._see_log()
                    continue
            if self._broken:
                self._broken = ""
                self._log.expire()  # whatever it was, it may be another database now
                self._say(Notice.BACK)
            if isinstance(event, LoggedEntry):
                self._take(event)
            else:
                self._head(event.size)
                self._cosign()
            self._warn()

    def _take(self, logged: LoggedEntry) -> None:
        self._kept.append(logged)
        if len(self._kept) >= _MOST_UNKEPT:
            self._keep()
        if logged.index < self._known:
            return  # those before it are only kept
        self._known = logged.index + 1
        if self._log.short:
            self._see_log()  # nothing is written before it is recovered
        else:
            self._entry(logged)

    def _keep(self) -> None:
        """Put on the disk what was followed, for a coordinator that loses it."""
        if self._kept:
            end = self._log.size + MOST_KEPT  # a log that claims to be far longer wipes nothing out
            self.agent.journal.kept.keep([each for each in self._kept if each.index < end])
            self._kept.clear()

    def _entry(self, logged: LoggedEntry) -> None:
        try:
            entry = read_entry(logged.entry)
        except Refusal as refusal:
            self._say(Notice.REFUSED, refusal=refusal)
            return
        if entry.type is EntryType.POLICY:
            self._see_log()
        elif (
            entry.ceremony is not None
            and entry.type not in _WITHOUT_NEWS
            and entry.hash not in self._looked_at.get(entry.ceremony, ())
        ):
            self._look(entry.ceremony)
        if entry.type in CONCLUSIONS:
            self._cosign(concluded=logged.index + 1)

    def _cosign(self, *, concluded: int = 0) -> None:
        """Let the witness do what is due; what keeps it from that is said once, and stops nothing else."""
        cosigning, policy = self.cosigning, self._log.policy
        if cosigning is None or policy is None or self._broken or self._log.short:
            return
        try:
            cosigned = cosigning.tend(policy, concluded=concluded)
        except ForkError:
            raise
        except Refusal as refusal:
            self._suspect(refusal)
            if cosigning.is_news(refusal):
                self._say(Notice.REFUSED, refusal=refusal)
            return
        if cosigned is not None:  # what was not due says nothing of what keeps it from its work
            cosigning.is_news(None)
            self._say(Notice.COSIGNED, cosigned=cosigned)

    def _head(self, size: int) -> None:
        self._keep()
        shorter, self._known = size < self._known, size
        if shorter or self._log.short:
            self._see_log()

    def _see_log(self) -> None:
        """Look at the log, and begin anew where it has been recovered."""
        self._keep()
        was = self._log.short
        self._tell_log(self._log.look(), before=was)
        if was and not self._log.short and not self._guarded(self._begin):
            self._log.not_begun()

    def _tell_log(self, found: Found, *, before: bool) -> None:
        """Say what is new about the log, and what is wrong with it once; ``before``: it was short already."""
        if found.returned is not None:
            self._say(Notice.HANDED_BACK, returned=found.returned)
        if found.recovered:
            self._say(Notice.RECOVERED)
        code = "" if found.refusal is None else found.refusal.code
        if code not in ("", self._refused, self._broken):
            short = self._log.short and not before
            self._say(Notice.SHORTER if short else Notice.REFUSED, refusal=found.refusal)
        self._refused = code

    def _look(self, ceremony: str) -> None:
        before = self._reviews.get(ceremony)

        def look_again() -> None:
            review = look(self.agent, ceremony, policy=self._log.policy)
            self._again.discard(ceremony)
            self._remember(review)
            if review.standing is Standing.UNSENT and review.pending is not None:
                self._send_again(review.pending)  # signed in files, before the log had the request
                return
            concerns = review.ceremony.emergency is not None  # everybody is told of an emergency
            if review.standing is Standing.ENDED:
                if concerns or before is None or before.standing is not Standing.NO_ROLE:
                    self._say(Notice.ENDED, review=review)
                return
            if review.standing is Standing.NO_ROLE and not concerns:
                return
            waits = review.standing is Standing.AWAITED
            first = before is None or before.standing is not Standing.AWAITED
            self._say(Notice.WAITS if waits and first else Notice.MOVED, review=review)
            if waits:
                self._decide(review)

        if not self._guarded(look_again):
            self._again.add(ceremony)

    def _remember(self, review: Review) -> None:
        ceremony = review.request.statement.ceremony
        self._looked_at[ceremony] = review.observation.chain.hashes
        if len(self._looked_at) > _MOST_REMEMBERED:
            del self._looked_at[next(iter(self._looked_at))]
        if review.standing is Standing.ENDED:
            self._reviews.pop(ceremony, None)
        else:
            self._reviews[ceremony] = review

    def _retry(self) -> None:
        for ceremony in sorted(self._again) if not self._log.short else ():
            self._look(ceremony)

    def _decide(self, review: Review) -> None:
        """Let a machine approve what matches byte for byte; a person's agent has no key to do it with."""
        key = self._key
        if key is None or review.standing is not Standing.AWAITED or self._log.short:
            return
        if not _is_ordinary(review.request.statement):
            self._say(Notice.NOT_DECIDED, review=review)
            return

        def approve() -> None:
            checked = look(self.agent, review.request.statement.ceremony, sources=self.sources)
            require_decidable(checked, Choice.APPROVAL)
            checked.findings.require(unchecked=False)
            if checked.standing is not Standing.AWAITED or checked.findings.outcome is not CheckOutcome.PASS:
                self._say(Notice.NOT_DECIDED, review=checked)
                return
            draft = draft_decision(checked, Choice.APPROVAL)
            stored = sign_and_store(self.agent, draft, key, checked.observation.policy)
            sent = send(self.agent, stored, checked.observation.policy)
            self._say(Notice.DECIDED, review=checked, stored=sent)

        self._guarded(approve)

    def _send_again(self, stored: Stored) -> None:
        def send_again() -> None:
            if isinstance(stored.statement, StandingAct):
                sent = settle_standing(self.agent, stored, observe_standing(self.agent))
            else:
                sent = settle(self.agent, stored, observe(self.agent, stored.ceremony))
            self._say(Notice.SENT, stored=sent)

        self._guarded(send_again)

    def _guarded(self, action: Callable[[], object]) -> bool:
        """Do something, and go on when it is refused; only a fork ends the agent."""
        try:
            action()
        except ForkError:
            raise
        except Refusal as refusal:
            self._suspect(refusal)
            self._say(Notice.REFUSED, refusal=refusal)
            return False
        return True

    def _suspect(self, refusal: Refusal) -> None:
        """Look at the log at once where something was refused since it has lost its end."""
        if refusal.code == _REWOUND:
            self._log.expire()

    def _warn(self) -> None:
        """Say once when a deadline comes close for something that waits for this signer."""
        at = self.agent.now()
        for review in self._waiting():
            request, deadline = review.request.statement, review.ceremony.deadline
            moments = {(request.ceremony, deadline - left) for left in WARNINGS}
            due = {(ceremony, moment) for ceremony, moment in moments if moment <= at}
            if any(moment > request.opened_at for _, moment in due - self._warned):
                self._warned |= due
                self._say(Notice.DEADLINE, review=review)

    def _sleep(self) -> float:
        """Return how long nothing will become due."""
        at = self.agent.now()
        next_warnings = (
            review.ceremony.deadline - left - at for review in self._waiting() for left in WARNINGS
        )
        seconds = (wait.total_seconds() for wait in next_warnings if wait > timedelta(0))
        longest = 5.0 if self._again else _LONGEST_SLEEP
        if self._log.short or not self._broken:
            longest = min(longest, self._log.pause)
        return min([longest, *seconds])

    def _waiting(self) -> Iterable[Review]:
        return [review for review in self._reviews.values() if review.standing is Standing.AWAITED]

    def _say(
        self,
        notice: Notice,
        *,
        review: Review | None = None,
        inbox: Inbox | None = None,
        stored: Stored | None = None,
        cosigned: Signature | None = None,
        refusal: Refusal | None = None,
        returned: Returned | None = None,
    ) -> None:
        self.tell(
            Told(
                notice=notice,
                at=self.agent.now(),
                review=review,
                inbox=inbox,
                stored=stored,
                cosigned=cosigned,
                refusal=refusal,
                returned=returned,
            )
        )


def _is_ordinary(request: Request) -> bool:
    """Whether a machine may approve by itself: emergencies and what takes back or ratifies are for people."""
    return request.kind is Kind.RELEASE and request.mode is Mode.REGULAR
