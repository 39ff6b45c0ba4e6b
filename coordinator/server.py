# SPDX-License-Identifier: Apache-2.0
"""The composition root: settings in, a coordinator on a port out, wired by hand."""

import asyncio
import logging
import os
import signal
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from coordinator.assembly import Coordinator
from coordinator.certificates import runs_out
from coordinator.clock import LogClock
from coordinator.enrolling import Enrolling
from coordinator.enrolment_settings import EnrolmentPort
from coordinator.grpc_api.enrolment_server import EnrolmentServer, OwnTls
from coordinator.grpc_api.joining import Joining
from coordinator.grpc_api.server import SIEM, ApiServer, ServerTls
from coordinator.letting_in import LettingIn
from coordinator.metrics.catalogue import PAGES, SIEM_BLOCKED, SIEM_WAITING
from coordinator.metrics.observing import Observation, unobserved
from coordinator.named_files import read_named, read_passphrase
from coordinator.next_command import next_command
from coordinator.peers import nobody
from coordinator.policies import Policies
from coordinator.revoking import Revocations, revoked_by
from coordinator.settings import LogKeyFile, Settings, SettingsError, TlsFiles
from coordinator.siem.exporting import Exporting
from coordinator.siem.sinks import open_sink
from coordinator.stamping import Fetch
from coordinator.storage import Storage
from coordinator.tls_files import Reloading
from coordinator.values import Organisation
from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.values import digest_of
from quorumseal.client.timestamping import AuthorityAddress, fetch_timestamp
from quorumseal.signatures import Ed25519PrivateKey, KeyFileError, read_key_file

if TYPE_CHECKING:
    from coordinator.metrics.metering import Metering
    from coordinator.web.opening import Pages

_log = logging.getLogger(__name__)
_LOOK_EVERY = 0.5
TIMESTAMP_SECONDS = 5.0
"""How long the authority may take: nothing is published meanwhile."""
_PEM_END = "-----END CERTIFICATE-----"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where a coordinator is reached."""

    address: str
    metrics: str | None
    """What Prometheus reads."""
    pages: str | None
    """Where browsers begin."""


class CoordinatorServer:
    """A coordinator with its API.  Started and stopped in one event loop."""

    def __init__(self, settings: Settings, *, clock: LogClock | None = None) -> None:
        self._settings = settings
        self.metering = None if settings.metrics is None else _metering(settings.metrics)
        self._observe = unobserved if self.metering is None else self.metering.observe
        self.coordinator = Coordinator(
            settings.database,
            *(read_log_key(file) for file in settings.log_keys),
            publish_to=settings.publish_to,
            fetch_timestamp=_fetch_timestamp(settings.timestamps),
            witnesses=settings.witnesses,
            notifications=settings.notifications,
            own_ports=self._own_ports,
            observe=self._observe,
            clock=clock,
            anchor=settings.anchor,
            ask_peers=nobody if settings.peers is None else settings.peers.ask,
        )
        self.api: ApiServer | None = None
        self.enrolment: EnrolmentServer | None = None
        self.pages: Pages | None = None
        self.siem: Exporting | None = None
        self.tls: Reloading[ServerTls]
        self._served = asyncio.Event()
        self._founding: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """Where it listens, with the port that it really has."""
        assert self.api is not None  # noqa: S101 - it is started
        return f"{self._settings.listen.rpartition(':')[0]}:{self.api.port}"

    @property
    def enrolment_address(self) -> str | None:
        """Where people enrol, with the port that it really has."""
        port = self._settings.enrolment.port
        if self.enrolment is None or port is None:
            return None
        return f"{port.listen.rpartition(':')[0]}:{self.enrolment.port}"

    async def start(self) -> None:
        """Check that settings and log are about the same organisation, then serve."""
        try:
            storage = await asyncio.to_thread(self.coordinator.open)
            empty = await asyncio.to_thread(storage.log.size) == 0
            organisation = None
            if not (empty and self._settings.enrolment.founding):
                organisation = await self._started()
            self.tls = await asyncio.to_thread(self._reloading, storage)
            if self.metering is not None:
                self.metering.bind()
            await self._serve(storage, founded=organisation is not None)
            if organisation is not None:
                await self._begin(organisation)
            else:
                self._founding = asyncio.create_task(self._wait_for_the_founding(storage))
        except BaseException:
            await asyncio.to_thread(self._close)
            raise

    async def _started(self) -> Organisation:
        """Start what stands behind the API, if it is that of the right organisation."""
        await asyncio.to_thread(self.coordinator.start)
        organisation = await self.coordinator.use_cases.organisation()
        require_organisation(self._settings, organisation.policy.policy)
        return organisation

    async def _serve(self, storage: Storage, *, founded: bool) -> None:
        """Listen on the usual port, and where people enrol."""
        settings = self._settings
        door = LettingIn(settings, storage, self.coordinator.log_keys, now=now)
        enrolling = await asyncio.to_thread(door.enrolling)
        self.api = ApiServer(
            self.coordinator.use_cases if founded else None,
            organisation=settings.organisation,
            listen=settings.listen,
            tls=self.tls.current,
            renewed=self.tls.renewed,
            limits=settings.limits,
            now=now,
            lost=self.coordinator.lost,
            rewound=self.coordinator.rewound,
            impaired=self._impaired,
            joining=Joining(door.founders(), enrolling, founded=self._wait_until_served),
            revocations=self._revocations(storage),
            reflection=settings.reflection,
            observe=self._observe,
        )
        if settings.enrolment.port is not None and enrolling is not None:
            self.enrolment = self._enrolment_server(settings.enrolment.port, enrolling)
            await self.enrolment.start()
        await self.api.start()

    async def _begin(self, organisation: Organisation) -> None:
        """Begin what needs a policy, and let those go on who wait for that."""
        warn_of_strangers(self._settings, organisation)
        assert self.api is not None  # noqa: S101 - it is started
        await asyncio.to_thread(self._open_pages, self.api)
        self._start_siem(organisation)
        self._start_metering(self.api, organisation)
        self._served.set()

    async def _wait_until_served(self) -> None:
        await self._served.wait()

    async def _wait_for_the_founding(self, storage: Storage) -> None:
        """Serve everything as soon as there is a policy, whichever coordinator wrote it."""
        while not self._served.is_set():
            await asyncio.sleep(_LOOK_EVERY)
            try:
                if await asyncio.to_thread(storage.log.size) == 0:
                    continue
                organisation = await self._started()
                assert self.api is not None  # noqa: S101 - it is started
                await self.api.open(self.coordinator.use_cases)
                await self._begin(organisation)
                _log.info("%s is founded, and served", self._settings.organisation)
            except Exception:
                _log.exception("unforeseen error in beginning to serve; it is tried again")

    async def stop(self) -> None:
        """Let what is in progress finish, then close what stands behind it."""
        if self._founding is not None:
            self._founding.cancel()
        if self.enrolment is not None:
            await self.enrolment.stop()
        if self.pages is not None:
            await asyncio.to_thread(self.pages.close)
        if self.api is not None:
            await self.api.stop()
        await asyncio.to_thread(self._close)

    def _open_pages(self, api: ApiServer) -> None:
        """Load what pages are made with only where somebody reads them."""
        settings = self._settings
        if settings.pages is None:
            return
        from coordinator.web.opening import open_pages

        self.pages = open_pages(
            settings,
            settings.pages,
            api.callers,
            self.coordinator.live,
            now=now,
            own_ports=self._own_ports,
            observe=self._observe,
        )

    def _start_siem(self, organisation: Organisation) -> None:
        """Hand entries on as they come, where somebody takes them."""
        if self._settings.siem is None:
            return
        live, policy = self.coordinator.live, organisation.policy.policy
        self.siem = Exporting(
            self.coordinator.open(),
            open_sink(self._settings.siem, self._own_ports),
            self._settings.siem.cursor,
            size=lambda: live.size,
            whose=(policy.organisation, policy.log.origin),
            elapsed=time.monotonic,
            observe=self._observe,
        )
        self.siem.thread.start()

    def _impaired(self) -> dict[str, bool]:
        """Say of parts that the health service knows by name whether they are not as they should be."""
        return {} if self.siem is None else {SIEM: self.siem.progress().blocked}

    def _reloading(self, storage: Storage) -> Reloading[ServerTls]:
        files = self._settings.tls
        return Reloading(
            (files.certificate, files.key, files.client_authorities), lambda: self._read_tls(storage)
        )

    def _read_tls(self, storage: Storage) -> ServerTls:
        """Read the files; authorities that the newest policy does not know are refused."""
        tls = read_tls(self._settings.tls)
        if storage.log.size() > 0:
            require_known_authorities(tls, Policies(storage).newest.policy)
        return tls

    def _revocations(self, storage: Storage) -> Revocations:
        settings = self._settings
        by_file = (lambda: settings.tls.revoked) if settings.file is None else revoked_by(settings.file)
        return Revocations(by_file, storage.certificates.revoked)

    def _enrolment_server(self, port: EnrolmentPort, enrolling: Enrolling) -> EnrolmentServer:
        tls = OwnTls(certificate=read_named(port.certificate), key=read_named(port.key))
        return EnrolmentServer(
            enrolling, listen=port.listen, tls=tls, elapsed=time.monotonic, observe=self._observe
        )

    def _start_metering(self, api: ApiServer, organisation: Organisation) -> None:
        if self.metering is None:
            return
        readings = self.coordinator.readings(
            present=lambda: [signer for signer, _ in api.presence.present()],
            calls=lambda: api.gate.in_progress,
            expiries=self._expiries,
            parts=self._parts,
        )
        self.metering.start(
            readings,
            channels=self._settings.notifications.channels,
            roles=organisation.policy.policy.roles,
        )
        _log.info("Prometheus reads %s", self.metering.url)

    def _parts(self) -> list[Observation]:
        """Read what not every coordinator has."""
        seen = []
        if self.pages is not None:
            seen += [Observation(PAGES, count, what) for what, count in sorted(self.pages.counts().items())]
        if self.siem is not None:
            progress = self.siem.progress()
            seen.append(Observation(SIEM_WAITING, progress.waiting))
            seen.append(Observation(SIEM_BLOCKED, progress.blocked_seconds))
        return seen

    def _expiries(self) -> dict[str, datetime]:
        expiries = {
            "server": runs_out(self.tls.current.certificate),
            "client_authorities": runs_out(self.tls.current.client_authorities),
        }
        pages = self._settings.pages
        if pages is not None and pages.certificate is not None:
            expiries["pages"] = runs_out(read_named(pages.certificate))
        return expiries

    def _close(self) -> None:
        if self.metering is not None:
            self.metering.close()
        if self.siem is not None:
            self.siem.close()
        self.coordinator.close()

    def _own_ports(self) -> tuple[int, ...]:
        """Where no notice is sent."""
        api = int(self._settings.listen.rpartition(":")[2]) if self.api is None else self.api.port
        others = [each.port for each in (self.metering, self.pages) if each is not None]
        return (api, *others)


def _fetch_timestamp(address: AuthorityAddress | None) -> Fetch | None:
    if address is None:
        return None
    return partial(fetch_timestamp, address, randomness=os.urandom, seconds=TIMESTAMP_SECONDS)


def _metering(listen: str) -> "Metering":
    """Load Prometheus' library only where somebody asks for numbers."""
    from coordinator.metrics.metering import Metering

    return Metering(listen)


async def serve(
    settings: Settings, *, ready: Callable[["Listening"], None], stopping: Callable[[], None]
) -> None:
    """Serve until SIGTERM or SIGINT; ``ready`` is told where it listens."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = CoordinatorServer(settings)
    await server.start()
    try:
        ready(
            Listening(
                address=server.address,
                metrics=None if server.metering is None else server.metering.url,
                pages=None if server.pages is None else server.pages.url,
            )
        )
        if server.coordinator.rewound():
            _log.critical(
                "the log is rewound: it answers reads only, and nothing is written until `%s`; as long, "
                "`coordinator health` ends with 1",
                next_command(settings.file, "recover"),
            )
        await stop.wait()
        stopping()
    finally:
        await server.stop()


def now() -> datetime:
    """Return this machine's time."""
    return datetime.now(UTC)


def read_log_key(files: LogKeyFile) -> Ed25519PrivateKey:
    """Open the key that signs checkpoints."""
    passphrase = read_passphrase(files.passphrase_file)
    try:
        key = read_key_file(read_named(files.file), passphrase)
    except KeyFileError as error:
        hint = "see that passphrase_file holds the passphrase of this very key file"
        raise SettingsError(f"settings.log_key.file ({files.file}): {error}", hint=hint) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SettingsError(
            f"settings.log_key.file ({files.file}): expected an Ed25519 key, got another",
            hint="name the log key that the policy names",
        )
    return key


def read_tls(files: TlsFiles) -> ServerTls:
    """Read the server's certificate and key and the authorities; refuse a pair that is none."""
    require_pair(files)
    require_authorities(files)
    return ServerTls(
        certificate=read_named(files.certificate),
        key=read_named(files.key),
        client_authorities=read_named(files.client_authorities),
    )


def require_pair(files: TlsFiles) -> None:
    """Refuse a certificate and a key that do not belong together."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(files.certificate, files.key, password=lambda: b"")
    except (ssl.SSLError, OSError) as error:
        raise SettingsError(
            f"settings.tls: expected {files.certificate} and {files.key} to be a certificate and its "
            f"unencrypted key, got {error}",
            hint="restore both from the same backup, or have a new pair issued",
        ) from None


def require_authorities(files: TlsFiles) -> None:
    """Refuse authorities that are no certificates."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_verify_locations(files.client_authorities)
    except (ssl.SSLError, OSError) as error:
        raise SettingsError(
            f"settings.tls.client_authorities: expected certificates in {files.client_authorities}, "
            f"got {error}",
            hint="name the file with the certificates of your organisation's authorities, in PEM",
        ) from None


def require_organisation(settings: Settings, policy: Policy) -> None:
    """Refuse a log of another organisation."""
    if policy.organisation != settings.organisation:
        raise SettingsError(
            f"settings.organisation: expected {policy.organisation}, whose log this database holds, "
            f"got {settings.organisation}",
            hint="name the organisation, or the database, that is meant",
        )


def require_known_authorities(tls: ServerTls, policy: Policy) -> None:
    """Refuse authorities that the newest policy does not know."""
    for authority in _certificates(tls.client_authorities):
        if policy.authorities and digest_of(authority) not in policy.authorities:
            raise SettingsError(
                f"settings.tls.client_authorities: expected authorities that policy version "
                f"{policy.version} lists, got {digest_of(authority)}",
                hint="an authority that can let people in is part of the policy",
            )


def warn_of_strangers(settings: Settings, organisation: Organisation) -> None:
    """Say who would be told of nothing, because no signer has that name."""
    for name in strangers(settings, organisation.policy.policy):
        _log.warning("settings.notifications.people.%s: expected a signer of the newest policy", name)


def strangers(settings: Settings, policy: Policy) -> list[str]:
    """List who has routes and is no signer."""
    return sorted(settings.notifications.routes.people.keys() - policy.signers.keys())


def _certificates(pem: bytes) -> list[bytes]:
    blocks = pem.decode("ascii", "replace").split(_PEM_END)[:-1]
    return [ssl.PEM_cert_to_DER_cert(block[block.index("-----BEGIN") :] + _PEM_END) for block in blocks]
