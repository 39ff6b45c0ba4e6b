# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL for tests: databases on a server that is there, and servers of their own to be mistreated."""

import os
import secrets
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import chown, rmtree

from sqlalchemy import create_engine, make_url, text

HOST = "127.0.0.1"
PATIENCE = 30


@contextmanager
def new_database(server: str) -> Iterator[str]:
    """Make a database on a server, and drop it at the end."""
    url, name = make_url(server).set(drivername="postgresql+psycopg"), f"quorumseal_{uuid.uuid4().hex}"
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        yield url.set(drivername="postgresql", database=name).render_as_string(hide_password=False)
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    finally:
        admin.dispose()


def programs() -> Path | None:
    """Return where PostgreSQL's own programs are on this machine, if they are."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return found[-1].parent if found else None


class OwnServer:
    """A PostgreSQL server of one test, which may be stopped, killed and started again."""

    def __init__(self, folder: Path, bin_: Path, options: tuple[str, ...] = ()) -> None:
        self._folder = folder
        self._bin = bin_
        self._options = options
        # The server refuses to run as root.  Popen's own way to another user is to fork, which gRPC's threads
        # do not survive.
        root = os.geteuid() == 0
        self._as = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] if root else []
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"postgresql://quorumseal@{HOST}:{self._port}/postgres"
        if root:
            chown(folder, "postgres", "postgres")
        self._run("initdb", "--pgdata=cluster", "--username=quorumseal", "--auth=trust", "--no-sync")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [*self._as, str(self._bin / "postgres"), "-D", "cluster", "-h", HOST, "-p", str(self._port)]
        command += ["-k", str(self._folder), "-c", "max_connections=100", *self._options]
        with (self._folder / "server.txt").open("ab") as log:
            self._process = subprocess.Popen(command, cwd=self._folder, stdout=log, stderr=log)
        for _ in range(10 * PATIENCE):
            if self._process.poll() is not None:
                break
            with suppress(subprocess.CalledProcessError):
                return self._run("pg_isready", "-h", HOST, "-p", str(self._port), "-d", "postgres")
            time.sleep(0.1)
        raise RuntimeError(f"{self._process.poll()}: {(self._folder / 'server.txt').read_text()}")

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """Stop it: at once, but in order; with SIGQUIT, as a crash would."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(PATIENCE)
            self._process = None

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [*self._as, str(self._bin / program), *arguments],
            cwd=self._folder,
            check=True,
            capture_output=True,
        )


@contextmanager
def own_server(bin_: Path, *options: str) -> Iterator[OwnServer]:
    """Run a server of one's own, in a folder that its user can reach."""
    folder = Path(tempfile.mkdtemp(prefix="quorumseal-"))
    server = None
    try:
        server = OwnServer(folder, bin_, options)
        server.start()
        yield server
    finally:
        if server is not None:
            server.stop()
        rmtree(folder)


def free_port() -> int:
    """Find a port below those that outgoing connections take, so that it stays free while nobody listens."""
    while True:
        port = secrets.randbelow(12_000) + 20_000
        with socket.socket() as probe, suppress(OSError):
            probe.bind((HOST, port))
            return port
