# SPDX-License-Identifier: Apache-2.0
"""An organisation with as many signers as a measurement wants, and a coordinator process that serves it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import grpc

from coordinator.founding import found
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import Request
from quorumseal.strict_json import write
from quorumseal.v1 import coordinator_pb2 as wire
from quorumseal.v1.coordinator_pb2_grpc import CoordinatorServiceStub
from tests.organisation import Organisation
from tests.running_coordinator import Site, Subprocess

if TYPE_CHECKING:
    from quorumseal.v1.coordinator_pb2_grpc import CoordinatorServiceAsyncStub

REQUESTER = "rita"
_OPTIONS = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0)]


def crowd(size: int, *, needed: int, founded: datetime | None = None) -> Organisation:
    """Return an organisation whose only role asks for ``needed`` of ``size`` engineers."""
    engineers = tuple(f"engineer-{number:04}" for number in range(size))
    return Organisation(
        roles={"engineering": engineers, "managers": (REQUESTER,)},
        quorum={"engineering": needed},
        machines=frozenset(),
        p256=frozenset(),
        founders=engineers[:needed],
        founded=founded or datetime.now(UTC),
    )


def signed_request(
    organisation: Organisation,
    number: int,
    *,
    at: datetime | None = None,
    deadline: timedelta = timedelta(hours=12),
) -> Signed[Request]:
    """Return a request for a version of its own."""
    request = organisation.request(
        number=number,
        requester=REQUESTER,
        version=f"1.{number}",
        at=at or datetime.now(UTC).replace(microsecond=0),
        deadline=deadline,
    )
    return organisation.sign_request(request)


def start_message(request: Signed[Request]) -> wire.StartRequest:
    """Return the message that opens a ceremony."""
    return wire.StartRequest(envelope=write(request.envelope.to_json()))


def decision_message(organisation: Organisation, signer: str, request: Signed[Request]) -> wire.DecideRequest:
    """Return the message that carries a signer's approval."""
    envelope = organisation.seal(organisation.decision(signer, request))
    return wire.DecideRequest(envelope=write(envelope.to_json()))


@dataclass
class Bench:
    """A running coordinator, and channels to it under any signer's certificate."""

    site: Site
    server: Subprocess
    _channels: dict[str, grpc.aio.Channel] = field(default_factory=dict)

    def channel(self, signer: str) -> grpc.aio.Channel:
        """Return the signer's own connection."""
        if signer not in self._channels:
            files = self.site.client(signer)
            credentials = grpc.ssl_channel_credentials(
                self.site.authority.certificate_pem, files.private_key_pem, files.certificate_pem
            )
            self._channels[signer] = grpc.aio.secure_channel(self.server.address, credentials, _OPTIONS)
        return self._channels[signer]

    def stub(self, signer: str) -> "CoordinatorServiceAsyncStub":
        """Return the coordinator's API as this signer."""
        return CoordinatorServiceStub(self.channel(signer))

    async def close(self) -> None:
        """Close every connection."""
        await asyncio.gather(*(channel.close() for channel in self._channels.values()))

    @property
    def memory_kib(self) -> int:
        """How much memory the server process holds now."""
        status = Path(f"/proc/{self.server.process.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")))


@contextmanager
def bench(folder: Path, organisation: Organisation, **limits: int) -> Iterator[Bench]:
    """Found the organisation in an embedded database and serve it, in a process of its own."""
    site = Site(folder, organisation, limits=limits)
    found(
        f"sqlite:///{folder / 'coordinator.db'}",
        organisation.log_key,
        organisation.policy,
        at=organisation.founded,
    )
    (folder / "published").mkdir()
    with site.subprocess() as server:
        yield Bench(site, server)
