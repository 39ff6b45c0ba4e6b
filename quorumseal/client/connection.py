# SPDX-License-Identifier: Apache-2.0
"""A connection to a coordinator.  What it returns are the coordinator's claims."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import grpc

from quorumseal.client import messages
from quorumseal.client.errors import ClientError, CredentialsError, UnexpectedAnswerError
from quorumseal.client.following import Following
from quorumseal.client.retrying import retry
from quorumseal.client.statuses import error_of
from quorumseal.client.values import (
    MAX_EVIDENCE_BYTES,
    Acted,
    Annex,
    CeremonyRecord,
    Consistency,
    Decided,
    EnrolmentRecord,
    FoundingRecord,
    HandedBack,
    LoggedEntry,
    Nudged,
    OrganisationRecord,
    Page,
    Presence,
    Publication,
    Receipt,
    Renewed,
    StandingRecord,
    Started,
)
from quorumseal.v1 import coordinator_pb2 as wire
from quorumseal.v1.coordinator_pb2_grpc import CoordinatorServiceStub
from quorumseal.verifier.bundle import MAX_BUNDLE_BYTES

DEFAULT_TIMEOUT = 30.0
DEFAULT_PATIENCE = 5.0
TRANSFER_TIMEOUT = 300.0
CHUNK_BYTES = 64 << 10
MAX_ANSWER_BYTES = 64 << 20
"""No honest answer is larger: the most is a full ceremony with its texts (docs/spec/rpc.md, limits)."""
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """The authority that the coordinator's certificate comes from, and one's own certificate and key."""

    ca: Path
    certificate: Path
    key: Path


class Connection:
    """A coordinator, by its RPCs.  Safe to use from several threads; close it, or use it as a context.

    ``timeout`` is for one attempt, ``patience`` for how long an attempt that fails in passing is repeated.
    """

    def __init__(
        self,
        target: str,
        tls: TlsFiles,
        *,
        server_name: str | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        patience: float = DEFAULT_PATIENCE,
    ) -> None:
        self.target = target
        self._timeout = timeout
        self._patience = patience
        self._tls = tls
        self._server_name = server_name
        self._before: grpc.Channel | None = None
        self._channel = grpc.secure_channel(target, credentials_of(tls), options(server_name))
        self._stub = CoordinatorServiceStub(self._channel)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End everything that is in progress."""
        self._channel.close()
        if self._before is not None:
            self._before.close()

    def reopen(self) -> None:
        """Use the files as they are now for whatever is called from now on; what is in progress goes on."""
        if self._before is not None:
            self._before.close()
        self._before = self._channel
        self._channel = grpc.secure_channel(
            self.target, credentials_of(self._tls), options(self._server_name)
        )
        self._stub = CoordinatorServiceStub(self._channel)

    def organisation(self) -> OrganisationRecord:
        """Return the organisation's policies and the newest checkpoint."""
        request = wire.GetOrganisationRequest()
        return messages.organisation_of(self._ask(self._stub.GetOrganisation, request))

    def start(
        self, envelope: bytes, annexes: Collection[Annex] = (), proposed: bytes | None = None
    ) -> Started:
        """Hand in a signed request with its texts; the same one again returns the same ceremony."""
        texts = [wire.Annex(salt=annex.salt, text=annex.text) for annex in annexes]
        request = wire.StartRequest(envelope=envelope, annexes=texts, policy=proposed or b"")
        return messages.started_of(self._ask(self._stub.Start, request))

    def decide(self, envelope: bytes, reason: Annex | None = None, timestamp: bytes = b"") -> Decided:
        """Hand in a signed decision, with its timestamp if any; the same one again returns the same entry."""
        text = messages.annex_message(reason)
        request = wire.DecideRequest(envelope=envelope, reason=text, timestamp=timestamp)
        return messages.decided_of(self._ask(self._stub.Decide, request))

    def act(self, envelope: bytes, annex: Annex | None = None) -> Acted:
        """Hand in a signed cancellation, extension, veto or report, with its text where it has one."""
        request = wire.ActRequest(envelope=envelope, annex=messages.annex_message(annex))
        return messages.acted_of(self._ask(self._stub.Act, request))

    def stand(self, envelope: bytes) -> Receipt:
        """Hand in a signed absence, delegation or withdrawal."""
        response = self._ask(self._stub.Stand, wire.StandRequest(envelope=envelope))
        return messages.receipt_of(response.receipt)

    def standing(self, known_size: int = 0) -> StandingRecord:
        """Return the entries of no ceremony, with the proof that their log extends ``known_size``."""
        request = wire.GetStandingRequest(known_size=known_size)
        return messages.standing_of(self._ask(self._stub.GetStanding, request))

    def nudge(self, ceremony: str) -> Nudged:
        """Remind those whose decision is awaited."""
        return messages.nudged_of(self._ask(self._stub.Nudge, wire.NudgeRequest(ceremony=ceremony)))

    def ceremony(self, ceremony: str, known_size: int = 0) -> CeremonyRecord:
        """Return a ceremony, with the proof that its log extends the one of ``known_size``."""
        request = wire.GetCeremonyRequest(ceremony=ceremony, known_size=known_size)
        return messages.ceremony_of(self._ask(self._stub.GetCeremony, request))

    def list_ceremonies(
        self,
        *,
        states: Collection[str] = (),
        product: str = "",
        version: str = "",
        page_size: int = 0,
        page_token: str = "",
    ) -> Page:
        """Return one page of summaries, newest first; empty filters mean all."""
        request = wire.ListCeremoniesRequest(
            states=sorted(states),
            product=product,
            version=version,
            page_size=page_size,
            page_token=page_token,
        )
        return messages.page_of(self._ask(self._stub.ListCeremonies, request))

    def follow(
        self,
        from_index: int = 0,
        *,
        types: Collection[str] = (),
        ceremony: str = "",
        present: bool = False,
        patience: float | None = None,
        on_break: Callable[[ClientError], None] | None = None,
        newest: Callable[[], bytes] = bytes,
    ) -> Following:
        """Return the log's entries from an index on, as they come; see ``Following``.

        ``newest`` is asked, whenever the stream is opened, for the newest checkpoint that was verified.
        """

        def open_stream(cursor: int) -> Any:
            return self._stub.Follow(
                wire.FollowRequest(
                    from_index=cursor,
                    types=sorted(types),
                    ceremony=ceremony,
                    present=present,
                    checkpoint=newest(),
                )
            )

        return Following(open_stream, from_index, target=self.target, patience=patience, on_break=on_break)

    def presence(self) -> tuple[Presence, ...]:
        """Return whose agents are connected to this coordinator."""
        response = self._ask(self._stub.ListPresence, wire.ListPresenceRequest())
        return tuple(messages.presence_of(each) for each in response.present)

    def consistency(self, known_size: int, size: int = 0, newest: bytes = b"") -> Consistency:
        """Return the newest checkpoint, or that of a size, and the proof from the one of ``known_size``.

        By ``newest``, the newest that was verified, the coordinator learns whether it has lost entries.
        """
        request = wire.GetConsistencyRequest(known_size=known_size, size=size, checkpoint=newest)
        response = self._ask(self._stub.GetConsistency, request)
        return Consistency(checkpoint=response.checkpoint, proof=tuple(response.consistency))

    def hand_back(
        self,
        checkpoint: bytes,
        entries: Collection[LoggedEntry] = (),
        texts: Collection[tuple[str, Annex]] = (),
    ) -> HandedBack:
        """Hand back entries and texts that the log has lost; return which those are."""
        request = wire.HandBackRequest(
            checkpoint=checkpoint,
            entries=[wire.LoggedEntry(index=each.index, entry=each.entry) for each in entries],
            texts=[
                wire.HandedText(ceremony=ceremony, annex=messages.annex_message(annex))
                for ceremony, annex in texts
            ],
        )
        response = self._ask(self._stub.HandBack, request)
        return HandedBack(rewound=response.rewound, start=response.from_index, end=response.to_index)

    def cosign(self, checkpoint: bytes) -> None:
        """Hand in a checkpoint with this signer's cosignature under it."""
        self._ask(self._stub.Cosign, wire.CosignRequest(checkpoint=checkpoint))

    def put_evidence(self, data: bytes) -> str:
        """Store a file of evidence; return its digest as the coordinator computed it."""

        def chunks() -> Iterator[wire.PutEvidenceRequest]:
            for start in range(0, len(data), CHUNK_BYTES):
                yield wire.PutEvidenceRequest(chunk=data[start : start + CHUNK_BYTES])

        def call() -> wire.PutEvidenceResponse:
            return self._answer(lambda: self._stub.PutEvidence(chunks(), timeout=TRANSFER_TIMEOUT))

        return retry(call, patience=self._patience).digest

    def evidence(self, digest: str) -> bytes:
        """Return a file of evidence; whoever uses it compares its digest."""
        request = wire.GetEvidenceRequest(digest=digest)
        return self._fetch(self._stub.GetEvidence, request, MAX_EVIDENCE_BYTES)

    def status(self) -> bytes:
        """Return what was revoked and what has lapsed; whoever uses it verifies it."""
        return self._fetch(self._stub.GetStatus, wire.GetStatusRequest(), MAX_BUNDLE_BYTES)

    def bundle(self, ceremony: str) -> bytes:
        """Return the bundle of an approved or provisional ceremony; whoever uses it verifies it."""
        request = wire.GetBundleRequest(ceremony=ceremony)
        return self._fetch(self._stub.GetBundle, request, MAX_BUNDLE_BYTES)

    def publish(self, ceremony: str) -> tuple[Publication, ...]:
        """Try again to publish an approved ceremony."""
        response = self._ask(self._stub.Publish, wire.PublishRequest(ceremony=ceremony))
        return tuple(messages.publication_of(each) for each in response.publications)

    def renew_certificate(self, certificate_request: bytes) -> Renewed:
        """Return the caller's next client certificate, for the key of a PKCS #10 request (DER)."""
        request = wire.RenewCertificateRequest(certificate_request=certificate_request)
        response = self._ask(self._stub.RenewCertificate, request)
        return Renewed(certificate=response.certificate.encode(), authority=response.authority.encode())

    def enrolments(self) -> tuple[EnrolmentRecord, ...]:
        """Return who enrolled, oldest first; whoever uses them verifies them."""
        response = self._ask(self._stub.ListEnrolments, wire.ListEnrolmentsRequest())
        return tuple(messages.enrolment_of(each) for each in response.enrolments)

    def founding(self) -> FoundingRecord:
        """Return how far the founding is."""
        return messages.founding_of(self._ask(self._stub.GetFounding, wire.GetFoundingRequest()).founding)

    def sign_founding(self, envelope: bytes) -> FoundingRecord:
        """Hand in one founder's signature of the first policy; the same one again changes nothing."""
        request = wire.SignFoundingRequest(envelope=envelope)
        return messages.founding_of(self._ask(self._stub.SignFounding, request).founding)

    def _ask(self, method: Callable[..., _Answer], request: object) -> _Answer:
        """Make a call that may be repeated: every RPC here is, by what it sends or asks."""
        return retry(
            lambda: self._answer(lambda: method(request, timeout=self._timeout)), patience=self._patience
        )

    def _fetch(self, method: Callable[..., Iterable[Any]], request: object, most: int) -> bytes:
        return retry(
            lambda: self._answer(lambda: _join(method(request, timeout=TRANSFER_TIMEOUT), most)),
            patience=self._patience,
        )

    def _answer(self, call: Callable[[], _Answer]) -> _Answer:
        try:
            return call()
        except grpc.RpcError as error:
            raise error_of(error, self.target) from None


def _join(responses: Iterable[Any], most: int) -> bytes:
    data = bytearray()
    for response in responses:
        data += response.chunk
        if len(data) > most:
            raise UnexpectedAnswerError(
                f"expected at most {most} bytes, got more",
                hint="ask the coordinator's operator what it sends",
            )
    return bytes(data)


def credentials_of(tls: TlsFiles) -> grpc.ChannelCredentials:
    """Read the files, or say which of them cannot be read."""
    try:
        ca, certificate = tls.ca.read_bytes(), tls.certificate.read_bytes()
        # One file for both is read once: it may be replaced by the next pair at any moment.
        key = certificate if tls.key == tls.certificate else tls.key.read_bytes()
    except OSError as error:
        raise CredentialsError(
            f"expected to read {error.filename}, got {error.strerror}",
            hint="the operator issues these files; agent.toml says where they are",
        ) from None
    return grpc.ssl_channel_credentials(ca, key, certificate)


def options(server_name: str | None) -> list[tuple[str, Any]]:
    """Return how a channel behaves, whatever it is for."""
    chosen: list[tuple[str, Any]] = [
        ("grpc.max_receive_message_length", MAX_ANSWER_BYTES),
        ("grpc.enable_retries", 0),  # ours say why, and know which refusals pass
        ("grpc.enable_http_proxy", 0),
        ("grpc.keepalive_time_ms", 20_000),
        ("grpc.keepalive_timeout_ms", 20_000),
        ("grpc.initial_reconnect_backoff_ms", 200),
        ("grpc.min_reconnect_backoff_ms", 200),
        ("grpc.max_reconnect_backoff_ms", 5_000),
    ]
    if server_name is not None:
        chosen.append(("grpc.ssl_target_name_override", server_name))
    return chosen
