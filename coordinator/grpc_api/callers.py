# SPDX-License-Identifier: Apache-2.0
"""Who calls, and what they may call.

The identity is that of the client certificate, whatever connection it comes through, and is judged again on
every call: a connection may outlast a certificate.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final, TypeAlias

from coordinator.certificates import CertificateRevokedError, Identity, Kind, identity_of
from coordinator.enrolment_errors import FoundingError
from coordinator.grpc_api.errors import (
    CallerNotAllowedError,
    NoCertificateError,
    OtherOrganisationError,
    TlsVersionError,
)
from quorumseal.ceremony.errors import SignerSuspendedError
from quorumseal.ceremony.values import instant_text

SERVICE: Final = "quorumseal.v1.CoordinatorService"
_HEALTH, _REFLECTION = "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"
_SIGNERS = frozenset({Kind.SIGNER})
_SIGNERS_AND_OPERATORS = frozenset({Kind.SIGNER, Kind.OPERATOR})
_EVERYBODY = frozenset(Kind)

CALLERS: Final[Mapping[str, frozenset[Kind]]] = {
    f"/{SERVICE}/GetOrganisation": _EVERYBODY,
    f"/{SERVICE}/Start": _SIGNERS,
    f"/{SERVICE}/Decide": _SIGNERS,
    f"/{SERVICE}/Act": _SIGNERS,
    f"/{SERVICE}/Stand": _SIGNERS,
    f"/{SERVICE}/Nudge": _SIGNERS,
    f"/{SERVICE}/GetCeremony": _EVERYBODY,
    f"/{SERVICE}/GetStanding": _EVERYBODY,
    f"/{SERVICE}/ListCeremonies": _EVERYBODY,
    f"/{SERVICE}/Follow": _EVERYBODY,
    f"/{SERVICE}/ListPresence": _EVERYBODY,
    f"/{SERVICE}/GetConsistency": _EVERYBODY,
    f"/{SERVICE}/HandBack": _SIGNERS,
    f"/{SERVICE}/Cosign": _SIGNERS,
    f"/{SERVICE}/PutEvidence": _SIGNERS,
    f"/{SERVICE}/GetEvidence": _EVERYBODY,
    f"/{SERVICE}/GetStatus": _EVERYBODY,
    f"/{SERVICE}/GetBundle": _EVERYBODY,
    f"/{SERVICE}/Publish": _SIGNERS_AND_OPERATORS,
    f"/{SERVICE}/RenewCertificate": _SIGNERS,
    f"/{SERVICE}/ListEnrolments": _EVERYBODY,
    f"/{SERVICE}/GetFounding": _EVERYBODY,
    f"/{SERVICE}/SignFounding": _SIGNERS,
    f"/{_HEALTH}/Check": _EVERYBODY,
    f"/{_HEALTH}/List": _EVERYBODY,
    f"/{_HEALTH}/Watch": _EVERYBODY,
    f"/{_REFLECTION}/ServerReflectionInfo": _EVERYBODY,
}
"""Which kinds of caller may make which call; a call that is not here may be made by nobody."""

_WHILE_FOUNDING: Final = frozenset(
    {
        f"/{SERVICE}/RenewCertificate",
        f"/{SERVICE}/ListEnrolments",
        f"/{SERVICE}/GetFounding",
        f"/{SERVICE}/SignFounding",
        f"/{_HEALTH}/Check",
        f"/{_HEALTH}/List",
        f"/{_HEALTH}/Watch",
    }
)
READING: Final = frozenset(method for method, kinds in CALLERS.items() if kinds == _EVERYBODY)
"""What somebody who is suspended may still call."""
SuspendedUntil: TypeAlias = Callable[[str], datetime | None]

AuthContext: TypeAlias = Mapping[str, Iterable[bytes]]


def _nobody(_: str) -> datetime | None:
    return None


class Callers:
    """Says who is calling, or refuses."""

    def __init__(
        self,
        organisation: str,
        *,
        revoked: Callable[[], Collection[str]] = tuple,
        now: Callable[[], datetime],
        suspended_until: SuspendedUntil = _nobody,
    ) -> None:
        self._organisation = organisation
        self._revoked = revoked
        self.suspended_until = suspended_until
        """Says of a signer until when they do not count; none where they do."""
        self._now = now
        self.founding = False
        """Whether the organisation is still being founded: then few calls are answered."""
        self._identity_of = lru_cache(maxsize=4096)(identity_of)

    def admit(self, method: str, auth_context: AuthContext) -> Identity:
        """Return the caller of ``method`` if they may make this call now."""
        identity = self.identify(
            versions=[each.decode("ascii", "replace") for each in auth_context.get("ssl_tls_version", ())],
            certificates=[*auth_context.get("x509_pem_cert", ())],
        )
        if identity.kind not in CALLERS.get(method, ()):
            allowed = ", ".join(sorted(CALLERS.get(method, ()))) or "nobody"
            raise CallerNotAllowedError(
                f"expected {method.rpartition('/')[2]} to be called by {allowed}, "
                f"got {identity.kind} {identity.name}",
                hint="present a certificate of the right kind",
            )
        if self.founding and method not in _WHILE_FOUNDING:
            raise FoundingError(f"expected {self._organisation} to be founded, got it without a policy yet")
        if method not in READING:
            self._require_counting(identity)
        return identity

    def identify(self, *, versions: Sequence[str], certificates: Sequence[bytes]) -> Identity:
        """Return who is at the other end of a connection, whatever they ask for; certificates are in PEM."""
        if [*versions] != ["TLSv1.3"]:
            raise TlsVersionError(
                f"expected a connection over TLS 1.3, got {[*versions]}",
                hint="use a client that speaks TLS 1.3",
            )
        if len(certificates) != 1:
            raise NoCertificateError(
                f"expected one client certificate, got {len(certificates)}",
                hint="present the certificate that the organisation's authority issued to you",
            )
        identity = self._identity_of(certificates[0])
        if identity.organisation != self._organisation:
            raise OtherOrganisationError(
                f"expected a certificate of {self._organisation}, got one of {identity.organisation}",
                hint="present the certificate that this organisation issued to you",
            )
        self.require_standing(identity.serial)
        identity.require_valid(at=self._now())
        return identity

    def require_standing(self, serial: str) -> None:
        """Refuse a certificate that was revoked, also in the middle of a call."""
        if serial in self._revoked():
            raise CertificateRevokedError(
                f"expected a certificate that stands, got {serial}, which was revoked"
            )

    def _require_counting(self, identity: Identity) -> None:
        until = self.suspended_until(identity.name) if identity.kind is Kind.SIGNER else None
        if until is not None:
            raise SignerSuspendedError(
                f"expected a caller who counts, got {identity.name}, suspended until {instant_text(until)}"
            )
