# SPDX-License-Identifier: Apache-2.0
"""Letting people in: an invitation becomes an enrolment and a client certificate, which its owner renews.

Everything here blocks, and may be called from any thread.  A code is never stored or logged, only its digest.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from coordinator.certificates import Authority, Identity, Kind, identity_of, requested_key
from coordinator.certificates.errors import CertificateRequestError, CertificateRevokedError
from coordinator.enrolment_errors import (
    EnrolmentClockError,
    InvitationExpiredError,
    InvitationUnknownError,
    InvitationUsedError,
    InvitationWithdrawnError,
    NotASignerError,
)
from coordinator.roster import Roster
from coordinator.storage import (
    CertificateRow,
    EnrolmentRow,
    InvitationOverError,
    InvitationRow,
    KeyEnrolledError,
    Storage,
)
from quorumseal.ceremony.enrolment import (
    Enrolment,
    code_digest,
    read_code,
    require_invited,
    require_new_keys,
    verify_enrolment,
)
from quorumseal.ceremony.enrolment_errors import KeyTakenError
from quorumseal.ceremony.policy import LONGEST_SKEW
from quorumseal.ceremony.values import instant_text, whole_milliseconds
from quorumseal.client.values import Enrolled, Invitation, Renewed
from quorumseal.signatures import JointEnvelope, PublicKey
from quorumseal.strict_json import write


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """Who lets people in: an authority, for how long, and where they go from then on."""

    authority: Authority
    client_authorities: bytes
    """By which the coordinator's own certificate is believed (PEM)."""
    lifetime: timedelta
    coordinator: str


class Enrolling:
    """Invitations, enrolments and client certificates of one organisation."""

    def __init__(
        self,
        storage: Storage,
        roster: Roster,
        office: Office,
        *,
        now: Callable[[], datetime],
        randomness: Callable[[int], bytes],
    ) -> None:
        self._storage = storage
        self._roster = roster
        self._office = office
        self._now = now
        self._randomness = randomness

    @property
    def organisation(self) -> str:
        """Whom people join."""
        return self._office.authority.organisation

    def invitation(self, code: str) -> Invitation:
        """Return what an invitation is for, as long as it can be used."""
        row = self._invitation(read_code(code))
        _require_open(row, at=self._now())
        return Invitation(
            organisation=row.organisation,
            log=self._roster.log().origin,
            signer=row.signer,
            founder=row.founder,
            expires=row.expires_at,
        )

    def enroll(self, code: str, envelope: JointEnvelope, certificate_request: bytes) -> Enrolled:
        """Use an invitation up; what is refused has changed nothing."""
        at = whole_milliseconds(self._now())
        code = read_code(code)
        row = self._invitation(code)
        stored = write(envelope.to_json())
        before = self._storage.enrolments.enrolment(row.code)
        enrolment = verify_enrolment(envelope)
        require_invited(
            enrolment,
            organisation=row.organisation,
            signer=row.signer,
            code=code,
            certificate_request=certificate_request,
        )
        if before is not None and before.envelope == stored:  # the answer was lost
            return self._enrolled(before.serial)
        _require_open(row, at=at)
        _require_clock(enrolment, row, at=at)
        require_new_keys(enrolment, self._roster.taken(enrolment))
        certificate = self._issue(row.signer, certificate_request, at=at, other_keys=enrolment)
        try:
            self._storage.enrolments.enrol(
                EnrolmentRow(
                    code=row.code,
                    signer=row.signer,
                    founder=row.founder,
                    at=at,
                    envelope=stored,
                    serial=certificate.serial,
                ),
                {enrolment.key.spki: False, enrolment.witness.spki: True},
                certificate,
            )
        except InvitationOverError:
            return self._lost_race(row.code, stored)
        except KeyEnrolledError:
            raise KeyTakenError("expected new keys, got one that somebody enrolled just now") from None
        return self._enrolled(certificate.serial)

    def renew(self, caller: Identity, certificate_request: bytes) -> Renewed:
        """Issue the caller's next certificate."""
        if not self._roster.belongs(caller.name):
            raise NotASignerError(
                f"expected a signer of the newest policy, or somebody who enrolled since, got {caller.name}"
            )
        certificate = self._issue(caller.name, certificate_request, at=whole_milliseconds(self._now()))
        if not self._storage.certificates.renew(certificate, instead_of=caller.serial):
            raise CertificateRevokedError(
                f"expected a certificate that stands, got {caller.serial}, which was revoked"
            )
        return Renewed(certificate=certificate.certificate, authority=self._office.client_authorities)

    def _invitation(self, code: str) -> InvitationRow:
        row = self._storage.enrolments.invitation(code_digest(code))
        if row is None or row.organisation != self.organisation:
            raise InvitationUnknownError(
                f"expected the code of an invitation to {self.organisation}, got another"
            )
        return row

    def _issue(
        self, name: str, request: bytes, *, at: datetime, other_keys: Enrolment | None = None
    ) -> CertificateRow:
        authority = self._office.authority
        key = requested_key(request, authority.organisation, Kind.SIGNER, name)
        if other_keys is not None and key == other_keys.key:
            raise CertificateRequestError(
                "expected a key that is used for connections only, got the signing key",
                hint="make another key for the certificate request",
            )
        return self._certify(Kind.SIGNER, name, key, at=at, lasts=self._office.lifetime)

    def certify_auditor(self, name: str, request: bytes, *, lasts: timedelta) -> CertificateRow:
        """Issue the certificate of somebody who reads everything and writes nothing."""
        at = whole_milliseconds(self._now())
        key = requested_key(request, self.organisation, Kind.AUDITOR, name)
        row = self._certify(Kind.AUDITOR, name, key, at=at, lasts=lasts)
        self._storage.certificates.keep(row)
        return row

    def _certify(
        self, kind: Kind, name: str, key: PublicKey, *, at: datetime, lasts: timedelta
    ) -> CertificateRow:
        authority = self._office.authority
        certificate = authority.certify_client(
            kind,
            name,
            key,
            at=at,
            lifetime=min(lasts, authority.not_after - at.replace(microsecond=0)),
            randomness=self._randomness,
        )
        identity = identity_of(certificate)
        return CertificateRow(
            serial=identity.serial,
            name=name,
            issued_at=at,
            not_after=identity.not_after,
            certificate=certificate,
        )

    def _enrolled(self, serial: str) -> Enrolled:
        row = self._storage.certificates.get(serial)
        assert row is not None  # noqa: S101 - it is stored with the enrolment that names it
        return Enrolled(
            certificate=row.certificate,
            authority=self._office.client_authorities,
            coordinator=self._office.coordinator,
            expires=row.not_after,
        )

    def _lost_race(self, code: str, envelope: bytes) -> Enrolled:
        """Answer whoever came second: with what their own earlier attempt got, or with a refusal."""
        winner = self._storage.enrolments.enrolment(code)
        if winner is not None and winner.envelope == envelope:
            return self._enrolled(winner.serial)
        row = self._storage.enrolments.invitation(code)
        assert row is not None  # noqa: S101 - it was there, and none is ever removed
        _require_open(row, at=self._now())
        raise AssertionError("an invitation that can still be used was not lost")


def _require_open(row: InvitationRow, *, at: datetime) -> None:
    if row.used_at is not None:
        raise InvitationUsedError(
            f"expected an invitation that nobody has used, got one of {row.signer}, "
            f"used at {instant_text(row.used_at)}"
        )
    if row.withdrawn_at is not None:
        raise InvitationWithdrawnError(
            f"expected an invitation that stands, got one of {row.signer}, "
            f"withdrawn at {instant_text(row.withdrawn_at)}"
        )
    if at >= row.expires_at:
        raise InvitationExpiredError(
            f"expected an invitation that still runs, got one of {row.signer} "
            f"until {instant_text(row.expires_at)}"
        )


def _require_clock(enrolment: Enrolment, row: InvitationRow, *, at: datetime) -> None:
    if not row.made_at - LONGEST_SKEW <= enrolment.signed_at <= at + LONGEST_SKEW:
        raise EnrolmentClockError(
            f"expected an enrolment signed between {instant_text(row.made_at)} and {instant_text(at)}, "
            f"got one of {instant_text(enrolment.signed_at)}"
        )
