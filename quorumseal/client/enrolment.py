# SPDX-License-Identifier: Apache-2.0
"""A coordinator as somebody meets it who has an invitation and no certificate yet.

The port for enrolment shows a certificate that signs itself; its fingerprint stands in the invitation.  Get
the certificate, compare, and only then speak: the certificate is the one root that is believed.
"""

import socket
import ssl
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

import grpc

from quorumseal.ceremony.values import digest_of, instant
from quorumseal.client.connection import DEFAULT_PATIENCE, DEFAULT_TIMEOUT, options
from quorumseal.client.errors import CoordinatorUnreachableError, CredentialsError
from quorumseal.client.retrying import retry
from quorumseal.client.statuses import error_of
from quorumseal.client.values import ENROLMENT_SERVER_NAME, Enrolled, Invitation
from quorumseal.v1 import enrolment_pb2 as wire
from quorumseal.v1.enrolment_pb2_grpc import EnrolmentServiceStub

_Answer = TypeVar("_Answer")


def fetch_certificate(target: str, *, timeout: float = DEFAULT_TIMEOUT) -> bytes:
    """Return the certificate (PEM) that HOST:PORT shows, which nobody has verified; send nothing else."""
    host, _, port = target.rpartition(":")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the fingerprint is what is compared, by the caller
    context.set_alpn_protocols(["h2"])
    try:
        with (
            socket.create_connection((host.strip("[]"), int(port)), timeout) as plain,
            context.wrap_socket(plain, server_hostname=ENROLMENT_SERVER_NAME) as wrapped,
        ):
            shown = wrapped.getpeercert(binary_form=True)
    except (OSError, ValueError) as error:
        raise CoordinatorUnreachableError(
            f"expected an answer from the coordinator at {target}, got none ({error})",
            hint="compare the address with the one in the invitation, and try again",
        ) from None
    assert shown is not None  # noqa: S101 - a server of TLS 1.3 always shows one
    return ssl.DER_cert_to_PEM_cert(shown).encode()


def fingerprint(certificate: bytes) -> str:
    """Return the digest of a certificate (PEM) as an invitation gives it."""
    try:
        return digest_of(ssl.PEM_cert_to_DER_cert(certificate.decode("ascii").strip()))
    except ValueError as error:
        raise CredentialsError(f"expected a certificate in PEM, got {error}") from None


class EnrolmentConnection:
    """The port for enrolment, believed by the one certificate whose fingerprint was compared."""

    def __init__(
        self,
        target: str,
        certificate: bytes,
        *,
        timeout: float = DEFAULT_TIMEOUT,
        patience: float = DEFAULT_PATIENCE,
    ) -> None:
        self.target = target
        self._timeout = timeout
        self._patience = patience
        self._channel = grpc.secure_channel(
            target, grpc.ssl_channel_credentials(certificate), options(ENROLMENT_SERVER_NAME)
        )
        self._stub = EnrolmentServiceStub(self._channel)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connection."""
        self._channel.close()

    def invitation(self, code: str) -> Invitation:
        """Return what an invitation is for; this does not use it up."""
        response = self._ask(self._stub.GetInvitation, wire.GetInvitationRequest(code=code))
        return Invitation(
            organisation=response.organisation,
            log=response.log,
            signer=response.signer,
            founder=response.founder,
            expires=instant(response.expires),
        )

    def enroll(self, code: str, envelope: bytes, certificate_request: bytes) -> Enrolled:
        """Use an invitation up; the same enrolment again returns the same certificate."""
        request = wire.EnrollRequest(code=code, envelope=envelope, certificate_request=certificate_request)
        response = self._ask(self._stub.Enroll, request)
        return Enrolled(
            certificate=response.certificate.encode(),
            authority=response.authority.encode(),
            coordinator=response.coordinator,
            expires=instant(response.expires),
        )

    def _ask(self, method: Callable[..., _Answer], request: object) -> _Answer:
        def call() -> _Answer:
            try:
                return method(request, timeout=self._timeout)
            except grpc.RpcError as error:
                raise error_of(error, self.target) from None

        return retry(call, patience=self._patience)
