# SPDX-License-Identifier: Apache-2.0
"""A coordinator on loopback with real mTLS: in this process for speed, or as a process that can be killed.

site = Site(folder, Organisation())
with site.in_process() as coordinator:      # or site.subprocess()
    coordinator.address, site.client_files("alice")
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Generic, TypeVar

from coordinator.certificates import Authority, Credentials, Kind
from coordinator.errors import LogNotEmptyError
from coordinator.founding import found
from coordinator.grpc_api.server import ApiServer, ServerTls
from coordinator.limits import Limits
from coordinator.revoking import Revocations
from coordinator.server import CoordinatorServer
from coordinator.settings import read_settings
from coordinator.use_cases import UseCases
from quorumseal.client.connection import TlsFiles
from quorumseal.signatures import write_key_file
from tests.organisation import Organisation
from tests.prepared_tables import with_tables

HOST = "127.0.0.1"
DAY = timedelta(days=1)
PATIENCE = 30
_RUN = "from quorumseal.cli.main import entry; raise SystemExit(entry())"
_Result = TypeVar("_Result")
_Server = TypeVar("_Server")


@dataclass
class Site:
    """One organisation's folder: certificate authority, log key, settings, database."""

    folder: Path
    organisation: Organisation = field(default_factory=Organisation)
    database: str = "sqlite:///coordinator.db"
    limits: dict[str, int] = field(default_factory=dict)
    reflection: bool = False
    more: str = ""
    """Further sections of the settings."""
    revoked: tuple[str, ...] = ()
    port: int = 0
    own_authority: Authority | None = None

    def __post_init__(self) -> None:
        self.started_at = datetime.now(UTC)
        self.authority = self.own_authority or Authority.create(
            self.organisation.name, at=self.started_at, lifetime=30 * DAY, randomness=os.urandom
        )
        server = self.authority.issue_server(
            ["localhost", HOST], at=self.started_at, lifetime=DAY, randomness=os.urandom
        )
        self.server_tls = ServerTls(
            certificate=server.certificate_pem,
            key=server.private_key_pem,
            client_authorities=self.authority.certificate_pem,
        )
        self.write("server.crt", server.certificate_pem)
        self.write("server.key", server.private_key_pem)
        self.write("authority.crt", self.authority.certificate_pem)
        self.write("log.key", write_key_file(self.organisation.log_key, None))
        self._clients: dict[tuple[Kind, str], Credentials] = {}

    def write(self, name: str, data: bytes) -> Path:
        """Write a file of the site."""
        path = self.folder / name
        path.write_bytes(data)
        path.chmod(0o600)
        return path

    @property
    def settings(self) -> Path:
        """The settings file, written anew."""
        limits = "\n".join(f"{name} = {value}" for name, value in self.limits.items())
        return self.write(
            "coordinator.toml",
            f"""
format = 0
organisation = "{self.organisation.name}"
listen = "{HOST}:{self.port}"
database = "{self.database}"
[log_key]
file = "log.key"
[tls]
certificate = "server.crt"
key = "server.key"
client_authorities = "authority.crt"
revoked = {json.dumps(list(self.revoked))}
[publish]
directories = ["published"]
[limits]
{limits}
[development]
reflection = {json.dumps(self.reflection)}
{self.more}
""".encode(),
        )

    def client(self, name: str, kind: Kind = Kind.SIGNER) -> Credentials:
        """Return a client's certificate and key, the same ones every time."""
        if (kind, name) not in self._clients:
            self._clients[kind, name] = self.authority.issue_client(
                kind, name, at=self.started_at, lifetime=DAY, randomness=os.urandom
            )
        return self._clients[kind, name]

    def client_files(self, name: str, kind: Kind = Kind.SIGNER) -> TlsFiles:
        """Write a client's files and say where they are."""
        credentials = self.client(name, kind)
        return TlsFiles(
            ca=self.folder / "authority.crt",
            certificate=self.write(f"{kind}-{name}.crt", credentials.certificate_pem),
            key=self.write(f"{kind}-{name}.key", credentials.private_key_pem),
        )

    def found(self) -> None:
        """Write the organisation's policy into the log, unless one is there."""
        database = with_tables(read_settings(self.settings).database)
        with suppress(LogNotEmptyError):
            found(database, self.organisation.log_key, self.organisation.policy, at=datetime.now(UTC))

    @contextmanager
    def api(self, use_cases: UseCases) -> Iterator["InProcess[ApiServer]"]:
        """Serve any use cases, in this process."""

        async def start() -> ApiServer:
            api = ApiServer(
                use_cases,
                organisation=self.organisation.name,
                listen=f"{HOST}:{self.port}",
                tls=self.server_tls,
                limits=Limits(**self.limits),
                now=lambda: datetime.now(UTC),
                revocations=Revocations(lambda: frozenset(self.revoked)),
                reflection=self.reflection,
            )
            await api.start()
            return api

        with InProcess[ApiServer]() as running:
            running.server = running.run(start())
            running.address = f"{HOST}:{running.server.port}"
            try:
                yield running
            finally:
                running.run(running.server.stop())

    @contextmanager
    def in_process(self) -> Iterator["InProcess[CoordinatorServer]"]:
        """Serve the real coordinator, in this process."""
        self.found()

        async def start() -> CoordinatorServer:
            server = CoordinatorServer(read_settings(self.settings))
            await server.start()
            return server

        with InProcess[CoordinatorServer]() as running:
            running.server = running.run(start())
            running.address = running.server.address
            try:
                yield running
            finally:
                running.run(running.server.stop())

    @contextmanager
    def subprocess(self) -> Iterator["Subprocess"]:
        """Serve the real coordinator as a process; it is killed at the end where it still runs."""
        self.found()
        running = Subprocess(self.settings)
        try:
            yield running
        finally:
            running.kill()


class InProcess(Generic[_Server]):
    """A server in a thread with an event loop of its own."""

    server: _Server
    address: str

    def __enter__(self) -> "InProcess[_Server]":
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="coordinator", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(PATIENCE)
        self.loop.close()

    def run(self, coroutine: Coroutine[Any, Any, _Result]) -> _Result:
        """Run something in the server's loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(PATIENCE)


class Subprocess:
    """`quorumseal coordinator run` as a process, ready to be asked and to be killed."""

    def __init__(self, settings: Path) -> None:
        command = [sys.executable, "-c", _RUN, "coordinator", "run", "--settings", str(settings), "--json"]
        with (settings.parent / "coordinator.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if "listening" not in line:
            self.process.wait(PATIENCE)
            self.kill()
            raise RuntimeError((settings.parent / "coordinator.log").read_text())
        told = json.loads(line)
        self.address: str = told["listening"]
        self.metrics: str = told["metrics"] or ""
        """What Prometheus reads."""

    def kill(self) -> None:
        """End it with no warning, as a power cut would."""
        self._end(signal.SIGKILL)

    def terminate(self) -> int:
        """Ask it to stop, and return its exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code
