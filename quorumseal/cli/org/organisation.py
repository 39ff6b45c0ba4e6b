# SPDX-License-Identifier: Apache-2.0
"""A working organisation in one directory: authority, coordinator, a home for each person, the first policy.

Everything is made in a folder beside its place and moved there whole, so a failure leaves nothing behind.
"""

import secrets
import shutil
import ssl
from datetime import datetime
from pathlib import Path

from coordinator.certificates import Authority, Kind
from coordinator.founding import found
from quorumseal.ceremony.policy_document import SignedPolicy, signed_policy, write_policy
from quorumseal.ceremony.policy_schema import SCHEMA_NAME, policy_schema
from quorumseal.ceremony.policy_source import compile_policy
from quorumseal.ceremony.values import whole_milliseconds
from quorumseal.cli.coordinator_folder import (
    FOLDER,
    new_key,
    settings_text,
    write_coordinator,
    write_credentials,
    write_secret,
)
from quorumseal.cli.files import write_new
from quorumseal.cli.org.organisation_plan import AUTHORITY_VALID, POLICY_VALID, Plan
from quorumseal.cli.policy.template import Draft, policy_text
from quorumseal.signatures import Ed25519PrivateKey, JointEnvelope, write_key_file
from quorumseal.signatures.dsse import sign
from quorumseal.verifier.trust import Trust, write_trust
from signer_agent.enrolling import WITNESS_FILE
from signer_agent.settings import settings_text as agent_settings


def make_organisation(folder: Path, plan: Plan, *, passphrase: bytes, at: datetime) -> SignedPolicy:
    """Make the organisation in ``folder``, which is not there yet; return its policy.

    Everybody's key is opened by the same ``passphrase`` at first.
    """
    scratch = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    try:
        policy = _Maker(scratch, plan, passphrase, whole_milliseconds(at)).make()
        scratch.rename(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return policy


class _Maker:
    def __init__(self, folder: Path, plan: Plan, passphrase: bytes, at: datetime) -> None:
        self._folder, self._plan, self._passphrase, self._at = folder, plan, passphrase, at
        self._authority = Authority.create(
            plan.name, at=at, lifetime=AUTHORITY_VALID, randomness=secrets.token_bytes
        )
        self._keys = {person: new_key() for person in plan.people}
        self._spare = {person: new_key() for person in plan.spare_keys}
        self._witnesses = {person: new_key() for person in plan.people}
        self._log_key = new_key()

    def make(self) -> SignedPolicy:
        """Write every file, and the log's first entry."""
        source = policy_text(self._draft())
        payload = write_policy(compile_policy(source))
        policy = signed_policy(JointEnvelope.of(sign(payload, key) for key in self._keys.values()))
        self._folder.mkdir(mode=FOLDER, parents=True)
        trust = write_trust(Trust(organisation=self._plan.name, policy=policy.digest, minimum_version=1))
        write_new(self._folder / "policy.toml", source.encode())
        write_new(self._folder / SCHEMA_NAME, policy_schema())
        write_new(self._folder / "trust.json", trust)
        self._write_authority()
        self._write_coordinator(policy)
        for person, key in self._keys.items():
            self._write_home(person, key, trust)
        return policy

    def _draft(self) -> Draft:
        return self._plan.draft(
            {person: key.public for person, key in self._keys.items()},
            log_key=self._log_key.public,
            authority=ssl.PEM_cert_to_DER_cert(self._authority.certificate_pem.decode()),
            at=self._at,
            spare={person: key.public for person, key in self._spare.items()},
            witnesses={person: key.public for person, key in self._witnesses.items()},
        )

    def _write_authority(self) -> None:
        folder = self._folder / "authority"
        folder.mkdir(mode=FOLDER)
        write_new(folder / "ca.pem", self._authority.certificate_pem)
        write_secret(folder / "ca.key.pem", self._authority.key_file(self._passphrase))

    def _write_coordinator(self, policy: SignedPolicy) -> None:
        folder = self._folder / "coordinator"
        folder.mkdir(mode=FOLDER)
        write_coordinator(
            folder, self._plan, self._authority, self._log_key, at=self._at, certificate_valid=POLICY_VALID
        )
        settings = settings_text(self._plan, publish_to="../published")
        write_new(folder / "coordinator.toml", settings.encode())
        (self._folder / "published").mkdir()
        found(f"sqlite:///{folder / 'coordinator.db'}", self._log_key, policy, at=self._at)

    def _write_home(self, person: str, key: Ed25519PrivateKey, trust: bytes) -> None:
        folder = self._folder / "people" / person
        folder.mkdir(mode=FOLDER, parents=True)
        credentials = self._authority.issue_client(
            Kind.SIGNER, person, at=self._at, lifetime=POLICY_VALID, randomness=secrets.token_bytes
        )
        write_credentials(folder, credentials)
        write_new(folder / "ca.pem", self._authority.certificate_pem)
        write_new(folder / "trust.json", trust)
        write_secret(folder / "signing.key.pem", write_key_file(key, self._passphrase))
        if (spare := self._spare.get(person)) is not None:
            write_secret(folder / "spare.key.pem", write_key_file(spare, self._passphrase))
        write_secret(folder / WITNESS_FILE, write_key_file(self._witnesses[person], None))
        settings = agent_settings(name=person, coordinator=self._plan.listen, witness_key=WITNESS_FILE)
        write_new(folder / "agent.toml", settings.encode())
