# SPDX-License-Identifier: Apache-2.0
"""The RPCs of the usual port by which people belong: certificates, enrolments, the founding."""

import asyncio
from collections.abc import Awaitable, Callable

from coordinator.certificates import Identity
from coordinator.enrolling import Enrolling
from coordinator.enrolment_errors import NoAuthorityError
from coordinator.founders import Founders
from coordinator.grpc_api import messages
from quorumseal.client.values import FoundingRecord
from quorumseal.v1 import coordinator_pb2 as wire


async def _at_once() -> None:
    """Wait for nothing."""


class Joining:
    """One method for each RPC; ``caller`` has been admitted, the request has been parsed."""

    def __init__(
        self,
        founders: Founders | None = None,
        enrolling: Enrolling | None = None,
        *,
        founded: Callable[[], Awaitable[None]] = _at_once,
    ) -> None:
        self._given = founders
        self._enrolling = enrolling
        self._founded = founded
        """Returns once everything is served."""

    @property
    def _founders(self) -> Founders:
        if self._given is None:
            raise NoAuthorityError("expected a coordinator that people join, got one that they do not")
        return self._given

    async def renew_certificate(
        self, request: wire.RenewCertificateRequest, caller: Identity
    ) -> wire.RenewCertificateResponse:
        """Issues the caller's next client certificate."""
        if self._enrolling is None:
            raise NoAuthorityError("expected a coordinator with a certificate authority, got one without")
        renewed = await asyncio.to_thread(self._enrolling.renew, caller, request.certificate_request)
        return wire.RenewCertificateResponse(
            certificate=renewed.certificate.decode(), authority=renewed.authority.decode()
        )

    async def list_enrolments(
        self, _: wire.ListEnrolmentsRequest, __: Identity
    ) -> wire.ListEnrolmentsResponse:
        """Who enrolled, oldest first."""
        found = await asyncio.to_thread(self._founders.enrolments)
        return wire.ListEnrolmentsResponse(enrolments=[messages.enrolment_message(each) for each in found])

    async def get_founding(self, _: wire.GetFoundingRequest, __: Identity) -> wire.GetFoundingResponse:
        """How far the founding is."""
        found = await self._shown(await asyncio.to_thread(self._founders.look))
        return wire.GetFoundingResponse(founding=found)

    async def sign_founding(
        self, request: wire.SignFoundingRequest, caller: Identity
    ) -> wire.SignFoundingResponse:
        """Adds a founder's signature."""
        envelope = messages.read_envelope(request.envelope)
        record = await asyncio.to_thread(self._founders.sign, envelope, caller=caller.name)
        return wire.SignFoundingResponse(founding=await self._shown(record))

    async def _shown(self, record: FoundingRecord) -> wire.Founding:
        if record.founded:
            await self._founded()
        return messages.founding_message(record)
