# SPDX-License-Identifier: Apache-2.0
"""A coordinator whose organisation is being founded by people elsewhere: its folder, and what they do."""

import base64
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from coordinator.certificates import Authority, self_signed
from coordinator.inviting import Inviting
from coordinator.letting_in import LettingIn
from coordinator.log_keys import LogKeys
from coordinator.server import CoordinatorServer
from coordinator.settings import read_settings
from coordinator.storage import Storage
from quorumseal.client.connection import Connection, TlsFiles
from quorumseal.client.enrolment import EnrolmentConnection, fetch_certificate, fingerprint
from quorumseal.client.values import FoundingRecord
from quorumseal.signatures import PrivateKey
from quorumseal.signatures.dsse import sign
from quorumseal.strict_json import write
from tests.newcomer import Newcomer
from tests.organisation import Organisation
from tests.running_coordinator import HOST, InProcess, Site

FOUNDERS = ("alice", "bob", "carol")
_PASSPHRASE = b"correct horse"
DAY = timedelta(days=1)
_PATIENCE = 20.0

_POLICY = """
format = 0
organisation = "acme.example"
version = 1
expires = 2036-11-20T14:00:00.000Z
clock_skew = "2m"
authorities = ["{authority}"]
[roles]
engineering = ["alice", "bob"]
security = ["carol"]
[rules.standard]
quorum = {{ engineering = 1, security = 1 }}
requesters = ["engineering"]
deadline = "3d"
longest = "1w"
[products.widget]
release = "standard"
[governance]
engineering = 1
security = 1
[log]
origin = "log.acme.example/test"
[[log.keys]]
scheme = "ed25519"
spki = "{log_key}"
from_size = 0
[signers.alice]
kind = "person"
[signers.bob]
kind = "person"
[signers.carol]
kind = "person"
"""


def small_policy(authority: Authority, log_key: PrivateKey) -> str:
    """Return the policy.toml of a coordinator, without anybody's keys."""
    return _POLICY.format(
        authority=fingerprint(authority.certificate_pem),
        log_key=base64.b64encode(log_key.public.spki).decode(),
    )


@dataclass
class FoundingSite:
    """The folder of a coordinator that people join, and the people."""

    folder: Path
    database: str = "sqlite:///coordinator.db"
    client_days: int = 7

    def __post_init__(self) -> None:
        self.acme = Organisation()
        self.site = Site(self.folder, self.acme, database=self.database, more=self._more())
        authority = self.site.authority
        own = self_signed(at=datetime.now(UTC), lifetime=30 * DAY, randomness=os.urandom)
        self.site.write("authority.key", authority.key_file(_PASSPHRASE))
        self.site.write("authority.pass", _PASSPHRASE + b"\n")
        self.site.write("enrolment.crt", own.certificate_pem)
        self.site.write("enrolment.key", own.private_key_pem)
        self.site.write("policy.toml", small_policy(authority, self.acme.log_key).encode())
        self.fingerprint = fingerprint(own.certificate_pem)

    def _more(self) -> str:
        return f"""
[authority]
certificate = "authority.crt"
key = "authority.key"
passphrase_file = "authority.pass"
client_days = {self.client_days}
[enrolment]
listen = "{HOST}:0"
address = "coordinator.acme.example:7445"
coordinator = "coordinator.acme.example:7443"
certificate = "enrolment.crt"
key = "enrolment.key"
[founding]
policy = "policy.toml"
"""

    @contextmanager
    def door(self) -> Iterator[LettingIn]:
        """Work on the coordinator's own machine, beside it."""
        settings = read_settings(self.site.settings)
        storage = Storage(settings.database)
        try:
            yield LettingIn(settings, storage, LogKeys(self.acme.log_key), now=lambda: datetime.now(UTC))
        finally:
            storage.close()

    def invite(self, name: str, *, founder: bool = True, lasts: timedelta = DAY) -> str:
        """Invite somebody, and return the code."""
        with self.door() as door:
            inviting: Inviting = door.inviting()
            return inviting.invite(name, founder=founder, lasts=lasts).code

    @contextmanager
    def running(self) -> Iterator["Running"]:
        """Serve, in this process, whatever there is yet."""

        async def start() -> CoordinatorServer:
            server = CoordinatorServer(read_settings(self.site.settings))
            await server.start()
            return server

        with InProcess[CoordinatorServer]() as process:
            process.server = process.run(start())
            process.address = process.server.address
            running = Running(self, process)
            try:
                yield running
            finally:
                process.run(process.server.stop())


@dataclass
class Running:
    """A coordinator that is being founded, and what people do with it."""

    site: FoundingSite
    process: InProcess[CoordinatorServer]

    @property
    def port(self) -> str:
        """Where people enrol."""
        address = self.process.server.enrolment_address
        assert address is not None
        return address

    def enrolling(self, patience: float = 0.0) -> EnrolmentConnection:
        """Connect to the enrolment port, whose certificate is the right one."""
        certificate = fetch_certificate(self.port)
        assert fingerprint(certificate) == self.site.fingerprint
        return EnrolmentConnection(self.port, certificate, patience=patience)

    def newcomer(self, name: str, code: str | None = None) -> Newcomer:
        """Invite somebody as a founder unless they have a code, with keys made just now."""
        return Newcomer(name=name, code=code or self.site.invite(name), signed_at=soon())

    def join(self, newcomer: Newcomer) -> TlsFiles:
        """Enrol, and return what they connect with from then on."""
        with self.enrolling(_PATIENCE) as port:
            enrolled = port.enroll(newcomer.code, newcomer.bytes, newcomer.request)
        return self.files(newcomer, enrolled.certificate)

    def files(self, newcomer: Newcomer, certificate: bytes) -> TlsFiles:
        """Write what somebody connects with."""
        pem = newcomer.tls_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return TlsFiles(
            ca=self.site.folder / "authority.crt",
            certificate=self.site.site.write(f"{newcomer.name}.crt", certificate),
            key=self.site.site.write(f"{newcomer.name}.key", pem),
        )

    def connect(self, files: TlsFiles, patience: float = 0.0) -> Connection:
        """Connect to the usual port."""
        return Connection(self.process.address, files, server_name="localhost", patience=patience)

    def sign(self, newcomer: Newcomer, files: TlsFiles) -> FoundingRecord:
        """Fetch the first policy, and sign it."""
        with self.connect(files, _PATIENCE) as connection:
            payload = connection.founding().payload
            return connection.sign_founding(write(sign(payload, newcomer.key).to_json()))

    def everybody(self) -> dict[Newcomer, TlsFiles]:
        """Have every founder join."""
        people = [self.newcomer(name) for name in FOUNDERS]
        return {person: self.join(person) for person in people}


def soon() -> datetime:
    """Return this instant, in whole milliseconds."""
    at = datetime.now(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def again(newcomer: Newcomer, code: str) -> Newcomer:
    """Return the same person with another invitation and other keys."""
    return replace(newcomer, code=code, key_seed=f"{newcomer.name} again", signed_at=soon())
