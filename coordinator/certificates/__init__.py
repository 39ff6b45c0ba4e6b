# SPDX-License-Identifier: Apache-2.0
"""Who may talk to the coordinator: a small certificate authority, and the reading of client certificates.

``Authority`` issues for one organisation; ``identity_of`` says who presents a certificate.  The identity of a
caller is the URI ``quorumseal://ORGANISATION/KIND/NAME`` in the certificate and nothing else.
"""

from coordinator.certificates.authority import Authority, Credentials
from coordinator.certificates.enrolling import requested_key, self_signed
from coordinator.certificates.errors import (
    AuthorityMismatchError,
    CertificateError,
    CertificateExpiredError,
    CertificateIdentityError,
    CertificateNotYetValidError,
    CertificateRequestError,
    CertificateRevokedError,
    CertificateUseError,
    OtherNameError,
    OutlivesAuthorityError,
    UnreadableCertificateError,
)
from coordinator.certificates.identity import Identity, Kind, identity_of, identity_uri, runs_out
from coordinator.certificates.looking import Seen, look_at

__all__ = [
    "Authority",
    "AuthorityMismatchError",
    "CertificateError",
    "CertificateExpiredError",
    "CertificateIdentityError",
    "CertificateNotYetValidError",
    "CertificateRequestError",
    "CertificateRevokedError",
    "CertificateUseError",
    "Credentials",
    "Identity",
    "Kind",
    "OtherNameError",
    "OutlivesAuthorityError",
    "Seen",
    "UnreadableCertificateError",
    "identity_of",
    "identity_uri",
    "look_at",
    "requested_key",
    "runs_out",
    "self_signed",
]
