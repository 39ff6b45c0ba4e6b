# SPDX-License-Identifier: Apache-2.0
"""Statements at the door: signed by whom, handed in by whom, with which texts."""

from collections.abc import Callable, Collection
from datetime import datetime

from coordinator.commands import Act, Stand, Start
from coordinator.errors import AnnexError, CallerNotSignerError, EvidenceUnknownError, SeenCheckpointError
from coordinator.log_keys import LogKeys
from coordinator.policies import Policies
from coordinator.seen import SeenCheckpoints, Shown, nobody_cares, note_of
from coordinator.storage import Storage
from coordinator.uploading import KEPT
from coordinator.values import MAX_TEXT_BYTES, SALT_BYTES, Annex
from quorumseal.ceremony.commands import Record, command_of
from quorumseal.ceremony.commitments import commitments
from quorumseal.ceremony.errors import StatementFormatError
from quorumseal.ceremony.log_succession import anchors
from quorumseal.ceremony.policy import Log
from quorumseal.ceremony.policy_document import SignedPolicy, read_policy
from quorumseal.ceremony.signed import Signed, signed_as
from quorumseal.ceremony.statements import (
    CeremonyAct,
    Decision,
    Request,
    StandingAct,
    Statement,
)
from quorumseal.ceremony.timestamping import stamp_of
from quorumseal.signatures import Envelope


class Intake:
    """Turns envelopes into commands that the writer may judge."""

    def __init__(
        self,
        storage: Storage,
        policies: Policies,
        log_keys: LogKeys,
        *,
        now: Callable[[], datetime],
        shown: Shown = nobody_cares,
    ) -> None:
        self._storage = storage
        self._policies = policies
        self._log_keys = log_keys
        self._seen = SeenCheckpoints(storage)
        self._shown = shown
        self._now = now

    def request(
        self, envelope: Envelope, annexes: Collection[Annex], proposed: bytes | None, caller: str
    ) -> Start:
        """Take in a request with its texts; all of its evidence must be stored."""
        policy, signed = self._authenticate(envelope, caller)
        request = signed_as(Request, signed)
        check_annexes(commitments(request.statement), annexes)
        digests = {evidence.digest for evidence in request.statement.evidence}
        if proposed is not None:
            self._check_log(read_policy(proposed).log)
        until = self._now() + KEPT
        for digest in sorted(self._storage.evidence.missing(digests, until=until) if digests else ()):
            raise EvidenceUnknownError(
                f"expected the evidence that the request names to be stored, got none for {digest}",
                hint="send the file first, then start again",
            )
        return Start(policy=policy, request=request, annexes=tuple(annexes), proposed=proposed)

    def decision(self, envelope: Envelope, reason: Annex | None, timestamp: bytes, caller: str) -> Act:
        """Take in a decision, with the text of its reason and its timestamp where it has them."""
        policy, signed = self._authenticate(envelope, caller)
        decision = signed_as(Decision, signed)
        check_annexes(commitments(decision.statement), [reason] if reason else [])
        stamp = stamp_of(timestamp, decision, policy.policy) if timestamp else None
        return Act(ceremony=decision.statement.ceremony, command=Record(decision, stamp), annex=reason)

    def act(self, envelope: Envelope, annex: Annex | None, caller: str) -> Act:
        """Take in a cancellation, extension, veto or report, with its text where it has one."""
        signed = self._authenticate(envelope, caller)[1]
        act = signed.statement
        if not isinstance(act, CeremonyAct):
            raise StatementFormatError(
                "expected a signed cancellation, extension, veto or report, "
                f"got a signed {type(act).__name__.lower()}"
            )
        check_annexes(commitments(act), [annex] if annex else [])
        command = command_of(Signed(act, signed.envelope, signed.key, signed.digest))
        return Act(ceremony=act.ceremony, command=command, annex=annex)

    def standing_act(self, envelope: Envelope, caller: str) -> Stand:
        """Take in what is signed outside any ceremony."""
        policy, signed = self._authenticate(envelope, caller)
        act = signed.statement
        if not isinstance(act, StandingAct):
            raise StatementFormatError(
                "expected something that is signed outside any ceremony, "
                f"got a signed {type(act).__name__.lower()}"
            )
        return Stand(policy=policy, act=Signed(act, signed.envelope, signed.key, signed.digest))

    def _check_log(self, proposed: Log) -> None:
        """Refuse a policy under which this log could not go on, or that names a past which it never had."""
        self._log_keys.check_next(proposed)
        for anchor in anchors(proposed):
            self._seen.check(anchor)

    def _authenticate(self, envelope: Envelope, caller: str) -> tuple[SignedPolicy, Signed[Statement]]:
        policy, signed = self._policies.authenticate(envelope)
        if signed.signer != caller:
            raise CallerNotSignerError(
                f"expected a statement signed by {caller}, who calls, got one signed by {signed.signer}",
                hint="everybody hands in their own statements",
            )
        try:
            self._seen.check(signed.statement.context.checkpoint)
        except SeenCheckpointError:
            if note := note_of(signed.statement.context):
                self._shown(note, by=signed.signer)
            raise
        return policy, signed


def check_annexes(expected: frozenset[str], annexes: Collection[Annex]) -> None:
    """Refuse texts other than exactly those that a statement commits to."""
    for annex in annexes:
        if len(annex.salt) != SALT_BYTES:
            raise AnnexError(f"expected a salt of {SALT_BYTES} bytes, got {len(annex.salt)}")
        if not 1 <= len(annex.text.encode()) <= MAX_TEXT_BYTES or "\0" in annex.text:
            raise AnnexError(f"expected a text of 1 to {MAX_TEXT_BYTES} bytes without NUL, got another")
    given = {annex.commitment for annex in annexes}
    if given != expected or len(given) != len(annexes):
        raise AnnexError(
            f"expected the texts that the statement commits to ({', '.join(sorted(expected)) or 'none'}), "
            f"got {', '.join(sorted(given)) or 'none'}"
        )
