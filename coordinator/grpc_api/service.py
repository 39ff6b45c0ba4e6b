# SPDX-License-Identifier: Apache-2.0
"""The RPCs: message → value → use case → message, a few lines each."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import nullcontext

from coordinator.certificates import Identity, Kind
from coordinator.errors import EvidenceTooLargeError
from coordinator.grpc_api import messages
from coordinator.grpc_api.errors import MessageFieldError, TooLongError
from coordinator.grpc_api.presence import Presence
from coordinator.grpc_api.streams import closing, thinned
from coordinator.limits import Limits
from coordinator.use_cases import DEFAULT_PAGE_SIZE, UseCases
from quorumseal.ceremony import values
from quorumseal.ceremony.entries import EntryType
from quorumseal.ceremony.lifecycle import State
from quorumseal.v1 import coordinator_pb2 as wire

CHUNK_BYTES = 64 << 10


class Service:
    """One method for each RPC; ``caller`` has been admitted, the request has been parsed."""

    def __init__(self, use_cases: UseCases | None, presence: Presence, limits: Limits) -> None:
        self._opened = use_cases
        self._presence = presence
        self._limits = limits

    @property
    def _use_cases(self) -> UseCases:
        assert self._opened is not None  # noqa: S101 - while it is founded, the gate lets nobody get here
        return self._opened

    def open(self, use_cases: UseCases) -> None:
        """Serve an organisation that was founded just now."""
        self._opened = use_cases

    async def get_organisation(
        self, _: wire.GetOrganisationRequest, __: Identity
    ) -> wire.GetOrganisationResponse:
        """The policies and the newest checkpoint."""
        return messages.organisation_message(await self._use_cases.organisation())

    async def start(self, request: wire.StartRequest, caller: Identity) -> wire.StartResponse:
        """Opens a ceremony."""
        envelope = messages.read_envelope(request.envelope)
        annexes = messages.read_annexes(request.annexes)
        started = await self._use_cases.start(envelope, annexes, request.policy or None, caller=caller.name)
        return messages.started_message(started)

    async def decide(self, request: wire.DecideRequest, caller: Identity) -> wire.DecideResponse:
        """Records a decision."""
        envelope = messages.read_envelope(request.envelope)
        reason = messages.read_annex(request.reason) if request.HasField("reason") else None
        recorded = await self._use_cases.decide(envelope, reason, request.timestamp, caller=caller.name)
        return messages.decided_message(recorded)

    async def act(self, request: wire.ActRequest, caller: Identity) -> wire.ActResponse:
        """Records a cancellation, extension, veto or report."""
        envelope = messages.read_envelope(request.envelope)
        annex = messages.read_annex(request.annex) if request.HasField("annex") else None
        return messages.acted_message(await self._use_cases.act(envelope, annex, caller=caller.name))

    async def stand(self, request: wire.StandRequest, caller: Identity) -> wire.StandResponse:
        """Records an absence, a delegation or its withdrawal."""
        envelope = messages.read_envelope(request.envelope)
        receipt = await self._use_cases.stand(envelope, caller=caller.name)
        return wire.StandResponse(receipt=messages.receipt_message(receipt))

    async def nudge(self, request: wire.NudgeRequest, caller: Identity) -> wire.NudgeResponse:
        """Reminds those whose decision is awaited."""
        nudged = await self._use_cases.nudge(values.ceremony_id(request.ceremony), caller=caller.name)
        return wire.NudgeResponse(told=nudged.told, next_at=values.instant_text(nudged.next_at))

    async def get_standing(self, request: wire.GetStandingRequest, _: Identity) -> wire.GetStandingResponse:
        """The entries of no ceremony."""
        known_size = messages.read_size("known_size", request.known_size)
        return messages.standing_message(await self._use_cases.standing(known_size))

    async def get_ceremony(self, request: wire.GetCeremonyRequest, _: Identity) -> wire.GetCeremonyResponse:
        """One ceremony with its proof."""
        known_size = messages.read_size("known_size", request.known_size)
        record = await self._use_cases.ceremony(values.ceremony_id(request.ceremony), known_size)
        return messages.ceremony_message(record)

    async def list_ceremonies(
        self, request: wire.ListCeremoniesRequest, _: Identity
    ) -> wire.ListCeremoniesResponse:
        """Summaries, newest first."""
        page_size, page_token = messages.read_page(request.page_size, request.page_token)
        page = await self._use_cases.list_ceremonies(
            states=messages.read_choices("states", request.states, State),
            product=values.name(request.product) if request.product else "",
            version=values.version(request.version) if request.version else "",
            page_size=page_size or DEFAULT_PAGE_SIZE,
            page_token=page_token,
        )
        return wire.ListCeremoniesResponse(
            ceremonies=[messages.summary_message(summary) for summary in page.items],
            next_page_token=page.next_token,
        )

    async def follow(self, request: wire.FollowRequest, caller: Identity) -> AsyncIterator[bytes]:
        """Entries as they come; the messages are already bytes, shared by all followers."""
        if request.present and caller.kind is not Kind.SIGNER:
            raise MessageFieldError(f"present: expected a signer to be present, got {caller.kind}")
        await self._use_cases.shown(request.checkpoint, caller=caller.name)
        events = self._use_cases.follow(
            messages.read_size("from_index", request.from_index),
            types=messages.read_choices("types", request.types, EntryType),
            ceremony=values.ceremony_id(request.ceremony) if request.ceremony else "",
        )
        with self._presence.of(caller.name) if request.present else nullcontext():
            wanted = thinned(events, asyncio.get_running_loop().time)
            async with closing(events), closing(wanted):
                async for event in wanted:
                    yield messages.event_bytes(event)

    async def list_presence(self, _: wire.ListPresenceRequest, __: Identity) -> wire.ListPresenceResponse:
        """Which agents are connected."""
        return wire.ListPresenceResponse(
            present=[
                wire.Presence(signer=signer, since=values.instant_text(since))
                for signer, since in self._presence.present()
            ]
        )

    async def get_consistency(
        self, request: wire.GetConsistencyRequest, caller: Identity
    ) -> wire.GetConsistencyResponse:
        """The newest checkpoint, proved from an older one."""
        await self._use_cases.shown(request.checkpoint, caller=caller.name)
        consistency = await self._use_cases.consistency(
            messages.read_size("known_size", request.known_size), messages.read_size("size", request.size)
        )
        return wire.GetConsistencyResponse(checkpoint=consistency.checkpoint, consistency=consistency.proof)

    async def hand_back(self, request: wire.HandBackRequest, caller: Identity) -> wire.HandBackResponse:
        """Takes back what a rewound log has lost."""
        handed = await self._use_cases.hand_back(
            request.checkpoint,
            [(messages.read_size("index", each.index), each.entry) for each in request.entries],
            [(values.ceremony_id(each.ceremony), messages.read_annex(each.annex)) for each in request.texts],
            caller=caller.name,
        )
        return wire.HandBackResponse(rewound=handed.rewound, from_index=handed.start, to_index=handed.end)

    async def cosign(self, request: wire.CosignRequest, caller: Identity) -> wire.CosignResponse:
        """Takes a cosignature of a checkpoint."""
        await self._use_cases.cosign(request.checkpoint, caller=caller.name)
        return wire.CosignResponse()

    async def put_evidence(
        self, requests: AsyncIterator[wire.PutEvidenceRequest], caller: Identity
    ) -> wire.PutEvidenceResponse:
        """Stores a file of evidence."""
        digest = await self._use_cases.put_evidence(self._chunks(requests), caller=caller.name)
        return wire.PutEvidenceResponse(digest=digest)

    async def get_evidence(self, request: wire.GetEvidenceRequest, _: Identity) -> AsyncIterator[bytes]:
        """A file of evidence, in chunks."""
        async with closing(self._use_cases.evidence(values.digest(request.digest))) as pieces:
            async for piece in pieces:
                for chunk in _chunked(piece):
                    yield wire.GetEvidenceResponse(chunk=chunk).SerializeToString()

    async def get_status(self, _: wire.GetStatusRequest, __: Identity) -> AsyncIterator[bytes]:
        """What was revoked and what has lapsed."""
        for chunk in _chunked(await self._use_cases.status()):
            yield wire.GetStatusResponse(chunk=chunk).SerializeToString()

    async def get_bundle(self, request: wire.GetBundleRequest, _: Identity) -> AsyncIterator[bytes]:
        """The bundle of an approved or provisional ceremony, in chunks."""
        for chunk in _chunked(await self._use_cases.bundle(values.ceremony_id(request.ceremony))):
            yield wire.GetBundleResponse(chunk=chunk).SerializeToString()

    async def publish(self, request: wire.PublishRequest, _: Identity) -> wire.PublishResponse:
        """Tries again to publish."""
        publications = await self._use_cases.publish(values.ceremony_id(request.ceremony))
        return wire.PublishResponse(
            publications=[messages.publication_message(publication) for publication in publications]
        )

    async def _chunks(self, requests: AsyncIterator[wire.PutEvidenceRequest]) -> AsyncIterator[bytes]:
        size = 0
        while (request := await self._next_piece(requests)) is not None:
            size += len(request.chunk)
            if not request.chunk:
                raise MessageFieldError("chunk: expected some bytes of the file, got none")
            if size > self._limits.evidence_bytes:
                raise EvidenceTooLargeError(
                    f"expected evidence of at most {self._limits.evidence_bytes} bytes, got more",
                    hint="name where a large file can be found in the ticket, or as a locator",
                )
            yield request.chunk

    async def _next_piece(
        self, requests: AsyncIterator[wire.PutEvidenceRequest]
    ) -> wire.PutEvidenceRequest | None:
        try:
            async with asyncio.timeout(self._limits.write_seconds):
                return await anext(requests, None)
        except TimeoutError:
            raise TooLongError(
                f"expected some bytes of the file within {self._limits.write_seconds} s, got none",
                hint="send it again",
            ) from None


def _chunked(data: bytes) -> list[bytes]:
    return [data[start : start + CHUNK_BYTES] for start in range(0, len(data), CHUNK_BYTES)]
