# SPDX-License-Identifier: Apache-2.0
"""The composition root: settings in, a coordinator on a port out, wired by hand."""

import asyncio
import logging
import signal
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from coordinator.assembly import Coordinator
from coordinator.certificates import runs_out
from coordinator.clock import LogClock
from coordinator.grpc_api.server import ApiServer, ServerTls
from coordinator.metrics.observing import unobserved
from coordinator.settings import LogKeyFile, Settings, SettingsError, TlsFiles
from coordinator.values import Organisation
from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.values import digest_of
from quorumseal.signatures import Ed25519PrivateKey, KeyFileError, read_key_file

if TYPE_CHECKING:
    from coordinator.metrics.metering import Metering

_log = logging.getLogger(__name__)
_PEM_END = "-----END CERTIFICATE-----"


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
            notifications=settings.notifications,
            own_ports=self._own_ports,
            observe=self._observe,
            clock=clock,
        )
        self.api: ApiServer | None = None

    @property
    def address(self) -> str:
        """Where it listens, with the port that it really has."""
        assert self.api is not None  # noqa: S101 - it is started
        return f"{self._settings.listen.rpartition(':')[0]}:{self.api.port}"

    async def start(self) -> None:
        """Check that settings and log are about the same organisation, then serve."""
        settings = self._settings
        try:
            await asyncio.to_thread(self.coordinator.start)
            tls = read_tls(settings.tls)
            organisation = await self.coordinator.use_cases.organisation()
            check_organisation(settings, tls, organisation)
            warn_of_strangers(settings, organisation)
            if self.metering is not None:
                self.metering.bind()
            self.api = ApiServer(
                self.coordinator.use_cases,
                organisation=settings.organisation,
                listen=settings.listen,
                tls=tls,
                limits=settings.limits,
                now=now,
                lost=self.coordinator.lost,
                revoked=settings.tls.revoked,
                reflection=settings.reflection,
                observe=self._observe,
            )
            await self.api.start()
            self._start_metering(self.api, tls, organisation)
        except BaseException:
            await asyncio.to_thread(self._close)
            raise

    async def stop(self) -> None:
        """Let what is in progress finish, then close what stands behind it."""
        if self.api is not None:
            await self.api.stop()
        await asyncio.to_thread(self._close)

    def _start_metering(self, api: ApiServer, tls: ServerTls, organisation: Organisation) -> None:
        if self.metering is None:
            return
        readings = self.coordinator.readings(
            present=lambda: [signer for signer, _ in api.presence.present()],
            calls=lambda: api.gate.in_progress,
            expiries={
                "server": runs_out(tls.certificate),
                "client_authorities": runs_out(tls.client_authorities),
            },
        )
        self.metering.start(
            readings,
            channels=self._settings.notifications.channels,
            roles=organisation.policy.policy.roles,
        )
        _log.info("Prometheus reads %s", self.metering.url)

    def _close(self) -> None:
        if self.metering is not None:
            self.metering.close()
        self.coordinator.close()

    def _own_ports(self) -> tuple[int, ...]:
        """Where no notice is sent."""
        api = int(self._settings.listen.rpartition(":")[2]) if self.api is None else self.api.port
        return (api,) if self.metering is None else (api, self.metering.port)


def _metering(listen: str) -> "Metering":
    """Load Prometheus' library only where somebody asks for numbers."""
    from coordinator.metrics.metering import Metering

    return Metering(listen)


async def serve(settings: Settings, *, ready: Callable[[str, str | None], None]) -> None:
    """Serve until SIGTERM or SIGINT; ``ready`` is told the address, and what Prometheus reads."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    server = CoordinatorServer(settings)
    await server.start()
    try:
        ready(server.address, None if server.metering is None else server.metering.url)
        await stopping.wait()
    finally:
        await server.stop()


def now() -> datetime:
    """Return this machine's time."""
    return datetime.now(UTC)


def read_log_key(files: LogKeyFile) -> Ed25519PrivateKey:
    """Open the key that signs checkpoints."""
    passphrase = None
    if files.passphrase_file is not None:
        passphrase = _read(files.passphrase_file).removesuffix(b"\n").removesuffix(b"\r")
    try:
        key = read_key_file(_read(files.file), passphrase)
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
        certificate=_read(files.certificate),
        key=_read(files.key),
        client_authorities=_read(files.client_authorities),
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


def check_organisation(settings: Settings, tls: ServerTls, organisation: Organisation) -> None:
    """Refuse a log of another organisation, and authorities that its newest policy does not know."""
    require_organisation(settings, organisation.policy.policy)
    require_known_authorities(tls, organisation.policy.policy)


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


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(
            f"expected to read {path}, got {error.strerror}",
            hint="see who owns it: the coordinator's user must be able to read it",
        ) from None
