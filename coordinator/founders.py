# SPDX-License-Identifier: Apache-2.0
"""The founding of an organisation whose founders sit at machines of their own.

The first policy is compiled when everybody has enrolled, each founder signs it, and with the last signature
it becomes entry 0 of the log.  Every step is stored before it is answered, so a coordinator that is killed in
between, or another one on the same database, goes on from there.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from coordinator.enrolment_errors import (
    ForeignPolicyError,
    FoundedAlreadyError,
    FoundersSignatureError,
    NotAFounderError,
    OtherPayloadError,
    SignedAlreadyError,
)
from coordinator.errors import LogNotEmptyError
from coordinator.founding import found_in
from coordinator.log_keys import LogKeys
from coordinator.policies import Policies
from coordinator.roster import Roster
from coordinator.storage import FirstPolicyRow, Storage
from quorumseal.ceremony.founding import first_policy, unenrolled
from quorumseal.ceremony.policy_document import read_policy, signed_policy
from quorumseal.ceremony.values import digest_of, whole_milliseconds
from quorumseal.client.values import EnrolmentRecord, FoundingRecord
from quorumseal.signatures import Envelope, JointEnvelope, SignatureError
from quorumseal.strict_json import write


class Founders:
    """The founding, as its founders see it.  Everything blocks, and may be called from any thread."""

    def __init__(
        self,
        storage: Storage,
        roster: Roster,
        log_keys: LogKeys,
        *,
        organisation: str,
        authority: str,
        now: Callable[[], datetime],
    ) -> None:
        self._storage = storage
        self._roster = roster
        self._log_keys = log_keys
        self._organisation = organisation
        self._authority = authority
        """The digest of the certificate authority (DER) that lets people in."""
        self._now = now

    def enrolments(self) -> tuple[EnrolmentRecord, ...]:
        """Return who enrolled, oldest first."""
        return self._roster.enrolments()

    def look(self) -> FoundingRecord:
        """Return how far the founding is; compile the first policy if it is time to."""
        if self._roster.founded:
            return self._founded()
        source, enrolled = self._roster.source(), self._roster.enrolled()
        waited_for = unenrolled(source, enrolled)
        newest = self._storage.first_policies.newest()
        if newest is None and not waited_for:
            payload = self._compile()
            self._storage.first_policies.propose(payload, at=self._at(), allowed=lambda row: row is None)
            newest = self._storage.first_policies.newest()
        if newest is None:
            return self._record(unenrolled=waited_for, founders=self._roster.founders())
        return self._go_on(newest)

    def sign(self, envelope: Envelope, *, caller: str) -> FoundingRecord:
        """Add a founder's signature; the last one founds the organisation."""
        if self._roster.founded:
            raise FoundedAlreadyError(f"expected {self._organisation} to be founded yet, got it founded")
        newest = self._storage.first_policies.newest()
        if newest is None or envelope.payload != newest.payload:
            expected = "nothing yet" if newest is None else digest_of(newest.payload)
            raise OtherPayloadError(
                f"expected a signature of the first policy ({expected}), got one of "
                f"{digest_of(envelope.payload)}"
            )
        policy = read_policy(newest.payload)
        if caller not in self._roster.founders_of(policy):
            raise NotAFounderError(f"expected a founder of {self._organisation}, got {caller}")
        (key,) = policy.signer(caller).keys
        try:
            envelope.verify(key.key)
        except SignatureError:
            raise FoundersSignatureError(
                f"expected a signature by key {key.key.key_id} of {caller}, got another"
            ) from None
        kept = write(envelope.to_json())
        if not self._storage.first_policies.sign(newest.number, caller, kept, at=self._at()):
            raise OtherPayloadError("expected a signature of what is signed now, got one of what was")
        return self.look()

    def compile(self, *, again: bool) -> bytes:
        """Compile policy.toml for its founders to sign; ``again`` also where some have signed another."""
        if self._roster.founded:
            raise FoundedAlreadyError(f"expected {self._organisation} to be founded yet, got it founded")
        payload = self._compile()

        def allowed(row: FirstPolicyRow | None) -> bool:
            return row is None or again or (not row.envelopes and row.payload != payload)

        if not self._storage.first_policies.propose(payload, at=self._at(), allowed=allowed):
            newest = self._storage.first_policies.newest()
            if newest is not None and newest.envelopes:
                raise SignedAlreadyError(
                    f"expected a first policy that nobody has signed, "
                    f"got one signed by {', '.join(sorted(newest.envelopes))}"
                )
        return payload

    def _compile(self) -> bytes:
        payload = first_policy(self._roster.source(), self._roster.enrolled(), self._roster.founders())
        policy = read_policy(payload)
        if policy.organisation != self._organisation:
            raise ForeignPolicyError(
                f"expected a policy of {self._organisation}, got one of {policy.organisation}"
            )
        if self._authority not in policy.authorities:
            raise ForeignPolicyError(
                f"expected a policy that lists authority {self._authority}, got one without"
            )
        if not self._log_keys.holds(policy.log.key_at(1)):
            raise ForeignPolicyError(
                f"expected a policy whose log key this coordinator holds, got {policy.log.key_at(1).key_id}"
            )
        return payload

    def _go_on(self, newest: FirstPolicyRow) -> FoundingRecord:
        """Found the organisation if every founder has signed."""
        policy = read_policy(newest.payload)
        founders = self._roster.founders_of(policy)
        if founders - newest.envelopes.keys():
            return self._record(newest, founders=founders)
        joint = JointEnvelope.of(Envelope.read(each) for each in newest.envelopes.values())
        with suppress(LogNotEmptyError):  # another coordinator, or an earlier try, was first
            found_in(self._storage, self._log_keys.at(policy.log, 1), signed_policy(joint), at=self._at())
        return self._founded()

    def _founded(self) -> FoundingRecord:
        first = Policies(self._storage).all[0]
        checkpoint = self._storage.log.checkpoint()
        assert checkpoint is not None  # noqa: S101 - the first entry has one
        return self._record(
            signed=frozenset(first.signers),
            payload=first.envelope.payload,
            policy=write(first.envelope.to_json()),
            checkpoint=checkpoint.note,
        )

    def _record(
        self,
        newest: FirstPolicyRow | None = None,
        *,
        founders: frozenset[str] = frozenset(),
        signed: frozenset[str] = frozenset(),
        unenrolled: tuple[str, ...] = (),
        payload: bytes = b"",
        policy: bytes = b"",
        checkpoint: bytes = b"",
    ) -> FoundingRecord:
        if newest is not None:
            payload, signed = newest.payload, founders & newest.envelopes.keys()
        return FoundingRecord(
            payload=payload,
            signed=tuple(sorted(signed)),
            missing=tuple(sorted(founders - signed)),
            unenrolled=unenrolled,
            enrolments=self._roster.enrolments(),
            founded=bool(policy),
            policy=policy,
            checkpoint=checkpoint,
        )

    def _at(self) -> datetime:
        return whole_milliseconds(self._now())
