# SPDX-License-Identifier: Apache-2.0
"""Ask witnesses elsewhere for their cosignatures (c2sp.org/tlog-witness, ``add-checkpoint``).

Each has a thread of its own: one that does not answer holds up nobody else.  It is asked at once while
something waits for witnesses, otherwise at most once a minute, and only once the log has grown.
"""

import logging
import re
import ssl
from collections.abc import Callable
from datetime import datetime, timedelta

from coordinator.clock import LogClock
from coordinator.cosigning import Cosigning
from coordinator.errors import NotTakenError, WitnessRefusedError
from coordinator.notifying.connecting import OwnPorts
from coordinator.notifying.posting import Answer, exchange
from coordinator.policies import Policies
from coordinator.reading import LogReader
from coordinator.running_log import about
from coordinator.steady import Steady
from coordinator.storage import Storage
from coordinator.witness_settings import WitnessAddress
from quorumseal.refusal import Refusal
from quorumseal.tlog import Submission, Witness, add_lines, write_submission

SECONDS = 10.0
"""How long a witness may take over everything."""
EVERY = timedelta(minutes=1)
MOST_ANSWER_BYTES = 16 << 10
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=5)
_LONGEST_SLEEP = 1.0
_SIZE = re.compile(rb"(0|[1-9][0-9]{0,15})\n")
_log = logging.getLogger(__name__)

Ask = Callable[[WitnessAddress, bytes], Answer]


def ask_over_http(own_ports: OwnPorts) -> Ask:
    """Return what posts a submission, and verifies whom it posts to."""
    contexts: dict[str, ssl.SSLContext] = {}

    def ask(witness: WitnessAddress, body: bytes) -> Answer:
        context = contexts.setdefault(witness.name, witness.tls())
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        return exchange(
            witness.address,
            body,
            headers,
            seconds=SECONDS,
            own_ports=own_ports,
            tls=context,
            most_bytes=MOST_ANSWER_BYTES,
        )

    return ask


class OutsideWitness:
    """One witness elsewhere."""

    def __init__(
        self,
        witness: WitnessAddress,
        storage: Storage,
        reader: LogReader,
        policies: Policies,
        cosigning: Cosigning,
        ask: Ask,
        *,
        clock: LogClock,
    ) -> None:
        self._address = witness
        self._storage = storage
        self._reader = reader
        self._policies = policies
        self._cosigning = cosigning
        self._ask = ask
        self._clock = clock
        self._next: datetime | None = None
        self._failures = 0
        self._told = ""
        self.thread = Steady(f"witness {witness.name}", self._work)

    def tend(self) -> bool:
        """Have the newest checkpoint cosigned where that is due; say whether it was asked."""
        witnesses = self._policies.newest.policy.log.witnesses
        listed = next((each for each in witnesses if each.name == self._address.name), None)
        now = self._clock.now()
        if listed is None or self._waits(now):
            return False
        known = self._storage.cosignatures.newest(listed.name)
        if self._storage.log.size() <= known:
            return False
        try:
            self._submit(listed, known)
        except Refusal as reason:
            self._failures += 1
            self._next = now + min(_FIRST_PAUSE * 2 ** min(self._failures - 1, 10), _LONGEST_PAUSE)
            if reason.code != self._told:
                _log.warning(
                    "the witness %s did not cosign: %s", listed.name, reason, extra=about(reason=reason)
                )
            self._told = reason.code
        else:
            self._failures, self._next, self._told = 0, now + EVERY, ""
        return True

    def _waits(self, now: datetime) -> bool:
        """Whether it is too early: a pause after failures holds always, the minute while nothing waits."""
        if self._next is None or now >= self._next:
            return False
        return self._failures > 0 or not self._storage.cosignatures.awaited()

    def _submit(self, witness: Witness, known: int) -> None:
        """Ask by the size that it is believed to keep; once more by the one that it then says."""
        for last in (False, True):
            consistency = self._reader.consistency(known)
            submission = Submission(
                old_size=known, proof=consistency.proof, checkpoint=consistency.checkpoint
            )
            answer = self._ask(self._address, write_submission(submission))
            if answer.status == 200:
                self._cosigning.keep(_cosigned(consistency.checkpoint, answer.body), witness)
                return
            said = _SIZE.fullmatch(answer.body) if answer.status == 409 else None
            if last or said is None or int(said[1]) == known:
                raise _refused(witness, answer)
            known = int(said[1])
            if known > self._storage.log.size():
                raise WitnessRefusedError(
                    f"expected the witness {witness.name} to have seen at most this log, got one that has "
                    f"cosigned {known} entries",
                    hint="if it is right, this log has lost entries: compare it with agents and a backup",
                )

    def _work(self) -> float:
        self.tend()
        return _LONGEST_SLEEP


def _cosigned(note: bytes, answer: bytes) -> bytes:
    try:
        return add_lines(note, [answer.decode()])
    except UnicodeDecodeError:
        raise NotTakenError("expected lines of a note of the witness, got other bytes") from None


def _refused(witness: Witness, answer: Answer) -> WitnessRefusedError:
    meaning = {
        400: "it finds the submission malformed",
        403: "it trusts another key for this log",
        404: "it does not know this log",
        409: "it keeps another checkpoint of this log",
        422: "it does not accept the proof",
    }.get(answer.status, "it said no more")
    return WitnessRefusedError(
        f"expected a cosignature of {witness.name}, got status {answer.status}: {meaning}",
        hint="its operator lists logs by origin and key; `quorumseal policy show` has both",
    )
