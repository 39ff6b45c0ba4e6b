# SPDX-License-Identifier: Apache-2.0
"""A port for enrolment in this process, over real TLS: it lets in whom it invited, and can lose answers."""

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NoReturn

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.error_details_pb2 import ErrorInfo  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from grpc_status.rpc_status import to_status

from coordinator.certificates import Authority, Kind, requested_key, self_signed
from quorumseal.ceremony.enrolment import invitation_code, require_invited, verify_enrolment
from quorumseal.ceremony.values import instant_text
from quorumseal.client.enrolment import fingerprint
from quorumseal.signatures import JointEnvelope, PublicKey, Scheme, generate_key
from quorumseal.v1 import enrolment_pb2 as wire
from quorumseal.v1.enrolment_pb2_grpc import EnrolmentServiceServicer, add_EnrolmentServiceServicer_to_server

VALID = timedelta(days=7)
ORGANISATION = "acme.example"


@dataclass
class Reception(EnrolmentServiceServicer):
    """Invites one person, and counts what reached it."""

    signer: str = "alice"
    code: str = field(default_factory=lambda: invitation_code(secrets.token_bytes(16)))
    loses: int = 0
    """How many answers get lost after the deed is done."""
    refuses: str = ""
    """The code of a refusal; none where it lets people in."""
    other_key: bool = False
    """Whether the certificate is for somebody else's key."""
    invited: int = 0
    envelopes: list[bytes] = field(default_factory=list)
    address: str = ""
    fingerprint: str = ""
    authority: Authority = field(
        default_factory=lambda: Authority.create(
            ORGANISATION, at=datetime.now(UTC), lifetime=VALID * 100, randomness=secrets.token_bytes
        )
    )

    def GetInvitation(  # noqa: N802 - the wire's name
        self, request: wire.GetInvitationRequest, context: grpc.ServicerContext
    ) -> wire.GetInvitationResponse:
        self.invited += 1
        if request.code != self.code:
            _refuse(context, "invitation.unknown")
        return wire.GetInvitationResponse(
            organisation=ORGANISATION,
            log=f"{ORGANISATION}/log",
            signer=self.signer,
            founder=True,
            expires=instant_text(datetime.now(UTC) + timedelta(hours=1)),
        )

    def Enroll(  # noqa: N802 - the wire's name
        self, request: wire.EnrollRequest, context: grpc.ServicerContext
    ) -> wire.EnrollResponse:
        if self.refuses:
            _refuse(context, self.refuses)
        require_invited(
            verify_enrolment(JointEnvelope.read(request.envelope)),
            organisation=ORGANISATION,
            signer=self.signer,
            code=self.code,
            certificate_request=request.certificate_request,
        )
        self.envelopes.append(request.envelope)
        if self.loses:
            self.loses -= 1
            context.abort(grpc.StatusCode.UNAVAILABLE, "the answer is lost")
        key = requested_key(request.certificate_request, ORGANISATION, Kind.SIGNER, self.signer)
        return wire.EnrollResponse(
            certificate=self._certificate(_other() if self.other_key else key).decode(),
            authority=self.authority.certificate_pem.decode(),
            coordinator="coordinator.acme.example:7443",
            expires=instant_text(datetime.now(UTC) + VALID),
        )

    def _certificate(self, key: PublicKey) -> bytes:
        return self.authority.certify_client(
            Kind.SIGNER,
            self.signer,
            key,
            at=datetime.now(UTC),
            lifetime=VALID,
            randomness=secrets.token_bytes,
        )


@contextmanager
def at_work(reception: Reception) -> Iterator[Reception]:
    """Serve on a port that is free."""
    shown = self_signed(at=datetime.now(UTC), lifetime=VALID, randomness=secrets.token_bytes)
    server = grpc.server(ThreadPoolExecutor(max_workers=2))
    add_EnrolmentServiceServicer_to_server(reception, server)
    pair = (shown.private_key_pem, shown.certificate_pem)
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))
    server.start()
    reception.address, reception.fingerprint = f"127.0.0.1:{port}", fingerprint(shown.certificate_pem)
    try:
        yield reception
    finally:
        server.stop(None).wait()


def _other() -> PublicKey:
    return generate_key(Scheme.ECDSA_P256, secrets.token_bytes).public


def _refuse(context: grpc.ServicerContext, code: str) -> NoReturn:
    detail = AnyMessage()
    detail.Pack(ErrorInfo(reason=code, domain="quorumseal.dev", metadata={"hint": "ask for another"}))
    status = Status(code=grpc.StatusCode.FAILED_PRECONDITION.value[0], message="no", details=[detail])
    context.abort_with_status(to_status(status))
    raise AssertionError("abort raises")
