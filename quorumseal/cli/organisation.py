# SPDX-License-Identifier: Apache-2.0
"""A working organisation in one directory: authority, coordinator, a home for each person, the first policy.

Everything is made in a folder beside its place and moved there whole, so a failure leaves nothing behind.
"""

import secrets
import shutil
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from coordinator.certificates import Authority, Credentials, Kind
from coordinator.founding import found
from quorumseal.ceremony.policy_document import SignedPolicy, signed_policy, write_policy
from quorumseal.ceremony.policy_source import compile_policy
from quorumseal.ceremony.values import digest_of, whole_milliseconds
from quorumseal.cli.files import write_new
from quorumseal.cli.policy_template import Draft, policy_text
from quorumseal.signatures import (
    Ed25519PrivateKey,
    JointEnvelope,
    PrivateKey,
    Scheme,
    generate_key,
    write_key_file,
)
from quorumseal.signatures.dsse import sign
from quorumseal.verifier.trust import Trust, write_trust
from signer_agent.settings import settings_text

KEYS_VALID = timedelta(days=365)
AUTHORITY_VALID = timedelta(days=3650)
_SECRET, _FOLDER = 0o600, 0o700


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What organisation to make."""

    name: str
    roles: Mapping[str, Sequence[str]]
    quorum: Mapping[str, int]
    requesters: Sequence[str]
    products: Sequence[str]
    listen: str
    passphrase: bytes
    machines: Sequence[str] = ()
    """Who of them is a program, which asks on behalf of a person."""
    spare_keys: Sequence[str] = ()
    """Who gets a second key."""
    rejection: str = "veto"
    emergency: Mapping[str, int] = field(default_factory=dict)
    """How many of which role release in an emergency; none where there are no emergencies."""
    guardians: Sequence[str] = ()
    veto_window: str = "10m"
    drill: bool = False

    @property
    def people(self) -> list[str]:
        """Everybody who has a role."""
        return [*dict.fromkeys(person for members in self.roles.values() for person in members)]


def make_organisation(folder: Path, plan: Plan, *, at: datetime) -> SignedPolicy:
    """Make the organisation in ``folder``, which is not there yet; return its policy."""
    scratch = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    try:
        policy = _Maker(scratch, plan, whole_milliseconds(at)).make()
        scratch.rename(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return policy


class _Maker:
    def __init__(self, folder: Path, plan: Plan, at: datetime) -> None:
        self._folder, self._plan, self._at = folder, plan, at
        self._authority = Authority.create(
            plan.name, at=at, lifetime=AUTHORITY_VALID, randomness=secrets.token_bytes
        )
        self._keys = {person: _new_key() for person in plan.people}
        self._spare = {person: _new_key() for person in plan.spare_keys}
        self._log_key = _new_key()

    def make(self) -> SignedPolicy:
        """Write every file, and the log's first entry."""
        source = policy_text(self._draft())
        payload = write_policy(compile_policy(source))
        policy = signed_policy(JointEnvelope.of(sign(payload, key) for key in self._keys.values()))
        self._folder.mkdir(mode=_FOLDER, parents=True)
        trust = write_trust(Trust(organisation=self._plan.name, policy=policy.digest, minimum_version=1))
        write_new(self._folder / "policy.toml", source.encode())
        write_new(self._folder / "trust.json", trust)
        self._write_authority()
        self._write_coordinator(policy)
        for person, key in self._keys.items():
            self._write_home(person, key, trust)
        return policy

    def _draft(self) -> Draft:
        plan, certificate = self._plan, self._authority.certificate_pem
        return Draft(
            organisation=plan.name,
            people={person: key.public for person, key in self._keys.items()},
            machines=frozenset(plan.machines),
            roles=plan.roles,
            quorum=plan.quorum,
            requesters=plan.requesters,
            products=plan.products,
            origin=f"{plan.name}/log",
            log_key=self._log_key.public,
            authorities=[digest_of(ssl.PEM_cert_to_DER_cert(certificate.decode()))],
            valid_from=self._at,
            valid_until=self._at + KEYS_VALID,
            spare={person: key.public for person, key in self._spare.items()},
            rejection=plan.rejection,
            emergency=plan.emergency,
            guardians=frozenset(plan.guardians),
            veto_window=plan.veto_window,
            drill=plan.drill,
        )

    def _write_authority(self) -> None:
        folder = self._folder / "authority"
        folder.mkdir(mode=_FOLDER)
        write_new(folder / "ca.pem", self._authority.certificate_pem)
        write_new(folder / "ca.key.pem", self._authority.key_file(self._plan.passphrase), mode=_SECRET)

    def _write_coordinator(self, policy: SignedPolicy) -> None:
        folder = self._folder / "coordinator"
        folder.mkdir(mode=_FOLDER)
        host = self._plan.listen.rpartition(":")[0].strip("[]")
        credentials = self._authority.issue_server(
            [*dict.fromkeys([host, "localhost", "127.0.0.1"])],
            at=self._at,
            lifetime=KEYS_VALID,
            randomness=secrets.token_bytes,
        )
        passphrase = secrets.token_urlsafe(24).encode()
        write_new(folder / "log.passphrase", passphrase + b"\n", mode=_SECRET)
        write_new(folder / "log.key.pem", write_key_file(self._log_key, passphrase), mode=_SECRET)
        _write_credentials(folder, credentials)
        write_new(folder / "ca.pem", self._authority.certificate_pem)
        write_new(folder / "coordinator.toml", _coordinator_settings(self._plan).encode())
        (self._folder / "published").mkdir()
        found(f"sqlite:///{folder / 'coordinator.db'}", self._log_key, policy, at=self._at)

    def _write_home(self, person: str, key: Ed25519PrivateKey, trust: bytes) -> None:
        folder = self._folder / "people" / person
        folder.mkdir(mode=_FOLDER, parents=True)
        credentials = self._authority.issue_client(
            Kind.SIGNER, person, at=self._at, lifetime=KEYS_VALID, randomness=secrets.token_bytes
        )
        _write_credentials(folder, credentials)
        write_new(folder / "ca.pem", self._authority.certificate_pem)
        write_new(folder / "trust.json", trust)
        write_new(folder / "signing.key.pem", write_key_file(key, self._plan.passphrase), mode=_SECRET)
        if (spare := self._spare.get(person)) is not None:
            write_new(folder / "spare.key.pem", write_key_file(spare, self._plan.passphrase), mode=_SECRET)
        settings = settings_text(name=person, coordinator=self._plan.listen)
        write_new(folder / "agent.toml", settings.encode())


def _write_credentials(folder: Path, credentials: Credentials) -> None:
    write_new(folder / "certificate.pem", credentials.certificate_pem)
    write_new(folder / "tls.key.pem", credentials.private_key_pem, mode=_SECRET)


def _coordinator_settings(plan: Plan) -> str:
    return f"""\
# The coordinator's settings.  Paths are relative to this file.
format = 0
organisation = "{plan.name}"
listen = "{plan.listen}"
database = "sqlite:///coordinator.db"

[log_key]
file = "log.key.pem"
passphrase_file = "log.passphrase" # keep it elsewhere where you can: a credentials folder, a secret store

[tls]
certificate = "certificate.pem"
key = "tls.key.pem"
client_authorities = "ca.pem"
revoked = [] # serial numbers of client certificates

[publish]
directories = ["../published"]
"""


def _new_key() -> Ed25519PrivateKey:
    key: PrivateKey = generate_key(Scheme.ED25519, secrets.token_bytes)
    assert isinstance(key, Ed25519PrivateKey)  # noqa: S101 - that is what was asked for
    return key
