# SPDX-License-Identifier: Apache-2.0
"""Statements at the door: signed by whom, handed in by whom, with which texts.  Before the writer's queue."""

from collections.abc import Callable
from datetime import datetime

from coordinator.commands import Act, Start
from coordinator.errors import AnnexError, CallerNotSignerError, EvidenceUnknownError, NotServedError
from coordinator.policies import Policies
from coordinator.seen import SeenCheckpoints
from coordinator.storage import Storage
from coordinator.uploading import KEPT
from coordinator.values import MAX_TEXT_BYTES, SALT_BYTES, Annex
from quorumseal.ceremony.commands import Cancel, Record
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.signed import Signed, signed_as
from quorumseal.ceremony.statements import Cancellation, Decision, Mode, Request, Statement
from quorumseal.signatures import Envelope


class Intake:
    """Turns envelopes into commands that the writer may judge."""

    def __init__(self, storage: Storage, policies: Policies, *, now: Callable[[], datetime]) -> None:
        self._storage = storage
        self._policies = policies
        self._seen = SeenCheckpoints(storage)
        self._now = now

    def request(self, envelope: Envelope, caller: str) -> Start:
        """Take in a request, all of whose evidence must be stored."""
        policy, signed = self._authenticate(envelope, caller)
        request = signed_as(Request, signed)
        _check_served(request.statement)
        digests = {evidence.digest for evidence in request.statement.evidence}
        until = self._now() + KEPT
        for digest in sorted(self._storage.evidence.missing(digests, until=until) if digests else ()):
            raise EvidenceUnknownError(
                f"expected the evidence that the request names to be stored, got none for {digest}",
                hint="send the file first, then start again",
            )
        return Start(policy=policy, request=request)

    def decision(self, envelope: Envelope, reason: Annex | None, caller: str) -> Act:
        """Take in a decision, with the text of its reason where it has one."""
        decision = signed_as(Decision, self._authenticate(envelope, caller)[1])
        _check_annex(decision.statement.reason, reason)
        return Act(ceremony=decision.statement.ceremony, command=Record(decision), annex=reason)

    def cancellation(self, envelope: Envelope, reason: Annex, caller: str) -> Act:
        """Take in a cancellation with the text of its reason."""
        cancellation = signed_as(Cancellation, self._authenticate(envelope, caller)[1])
        _check_annex(cancellation.statement.reason, reason)
        return Act(ceremony=cancellation.statement.ceremony, command=Cancel(cancellation), annex=reason)

    def _authenticate(self, envelope: Envelope, caller: str) -> tuple[SignedPolicy, Signed[Statement]]:
        policy, signed = self._policies.authenticate(envelope)
        if signed.signer != caller:
            raise CallerNotSignerError(
                f"expected a statement signed by {caller}, who calls, got one signed by {signed.signer}",
                hint="everybody hands in their own statements",
            )
        self._seen.check(signed.statement.context.checkpoint)
        return policy, signed


def _check_served(request: Request) -> None:
    if request.kind is not Kind.RELEASE or request.mode is not Mode.REGULAR:
        raise NotServedError(
            f"expected a {Kind.RELEASE} in mode {Mode.REGULAR}, got a {request.kind} in mode {request.mode}"
        )


def _check_annex(commitment: str | None, annex: Annex | None) -> None:
    if annex is None:
        if commitment is not None:
            raise AnnexError("expected the text that the statement commits to, got none")
        return
    if commitment is None:
        raise AnnexError("expected no text, since the statement commits to none, got one")
    if len(annex.salt) != SALT_BYTES:
        raise AnnexError(f"expected a salt of {SALT_BYTES} bytes, got {len(annex.salt)}")
    if not 1 <= len(annex.text.encode()) <= MAX_TEXT_BYTES or "\0" in annex.text:
        raise AnnexError(f"expected a text of 1 to {MAX_TEXT_BYTES} bytes without NUL, got another")
    if annex.commitment != commitment:
        raise AnnexError(f"expected the text that {commitment} commits to, got one of {annex.commitment}")
