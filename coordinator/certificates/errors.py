# SPDX-License-Identifier: Apache-2.0
"""Why a certificate was refused."""

from quorumseal.refusal import Refusal


class CertificateError(Refusal):
    """Base of every refusal of a certificate."""


class UnreadableCertificateError(CertificateError):
    """The bytes are not one X.509v3 certificate whose extensions can be read."""

    code = "certificate.unreadable"


class CertificateUseError(CertificateError):
    """The certificate is meant for something else than being a client."""

    code = "certificate.wrong_use"


class CertificateIdentityError(CertificateError):
    """The certificate does not name exactly one holder in the way that Quorumseal does."""

    code = "certificate.identity"


class CertificateNotYetValidError(CertificateError):
    """The certificate's time has not come."""

    code = "certificate.not_yet_valid"


class CertificateExpiredError(CertificateError):
    """The certificate's time is over."""

    code = "certificate.expired"


class AuthorityMismatchError(CertificateError):
    """Certificate and key do not make one of our authorities."""

    code = "certificate.authority_mismatch"


class OutlivesAuthorityError(CertificateError):
    """A certificate would be valid for longer than the authority that issues it."""

    code = "certificate.outlives_authority"


class CertificateRequestError(CertificateError):
    """The bytes are not one request, for a P-256 key, signed by that key."""

    code = "certificate.request"
    usual_hint = "let `quorumseal agent enroll` make the request, or ask for a P-256 key yourself"


class OtherNameError(CertificateError):
    """A request asks for a certificate of somebody or something else."""

    code = "certificate.other_name"
    usual_hint = "ask for no name, or for your own: the invitation or the old certificate says which"


class CertificateRevokedError(CertificateError):
    """The operator has withdrawn this certificate."""

    code = "certificate.revoked"
    usual_hint = "ask the operator for a new client certificate"
