# SPDX-License-Identifier: Apache-2.0
"""The coordinator's folder of an organisation across machines, before anybody has enrolled.

It holds no key that approves: people make theirs on their own machines.  Everything is made in a folder
beside its place and moved there whole, so a failure leaves nothing behind.
"""

import secrets
import shutil
import ssl
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from coordinator.certificates import Authority, self_signed
from quorumseal.ceremony.policy_schema import SCHEMA_NAME, policy_schema
from quorumseal.ceremony.policy_source import compile_policy
from quorumseal.ceremony.values import whole_milliseconds
from quorumseal.cli.coordinator_folder import (
    FOLDER,
    new_key,
    settings_text,
    write_coordinator,
    write_credentials,
    write_passphrase,
    write_secret,
)
from quorumseal.cli.files import write_new
from quorumseal.cli.org.organisation_plan import AUTHORITY_VALID, POLICY_VALID, Plan
from quorumseal.cli.policy.template import policy_text
from quorumseal.client.enrolment import fingerprint
from quorumseal.signatures import Ed25519PrivateKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Across:
    """Where people who have an invitation find the coordinator: HOST:PORT."""

    enrol_listen: str
    enrol_address: str


def make_coordinator(folder: Path, plan: Plan, across: Across, *, at: datetime) -> str:
    """Make the coordinator's folder, which is not there yet; return the fingerprint of its enrolment port."""
    scratch = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    try:
        shown = _make(scratch, plan, across, whole_milliseconds(at))
        scratch.rename(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return shown


def _make(folder: Path, plan: Plan, across: Across, at: datetime) -> str:
    authority = Authority.create(plan.name, at=at, lifetime=AUTHORITY_VALID, randomness=secrets.token_bytes)
    log_key = new_key()
    source = _policy(plan, authority, log_key, at)
    folder.mkdir(mode=FOLDER, parents=True)
    write_new(folder / "policy.toml", source.encode())
    write_new(folder / SCHEMA_NAME, policy_schema())
    write_coordinator(folder, plan, authority, log_key, at=at, certificate_valid=POLICY_VALID)
    write_secret(folder / "ca.key.pem", authority.key_file(write_passphrase(folder / "ca.passphrase")))
    enrolment = self_signed(at=at, lifetime=AUTHORITY_VALID, randomness=secrets.token_bytes)
    write_credentials(folder, enrolment, "enrolment.pem", "enrolment.key.pem")
    settings = settings_text(plan, publish_to="published", more=_sections(plan, across))
    write_new(folder / "coordinator.toml", settings.encode())
    (folder / "published").mkdir()
    return fingerprint(enrolment.certificate_pem)


def _policy(plan: Plan, authority: Authority, log_key: Ed25519PrivateKey, at: datetime) -> str:
    """Write the policy without people's keys; refuse one that nobody's keys could make good."""
    certificate = ssl.PEM_cert_to_DER_cert(authority.certificate_pem.decode())
    stand_ins = {person: new_key().public for person in plan.people}
    with_keys, without = (
        plan.draft(keys, log_key=log_key.public, authority=certificate, at=at) for keys in (stand_ins, {})
    )
    compile_policy(policy_text(with_keys))
    return policy_text(without)


def _sections(plan: Plan, across: Across) -> str:
    return f"""
[authority] # makes the certificates that people connect with; its key approves nothing
certificate = "ca.pem"
key = "ca.key.pem"
passphrase_file = "ca.passphrase" # keep it elsewhere where you can
client_days = 7 # agents renew theirs after two thirds of it

[enrolment] # where people with an invitation, and no certificate yet, are answered
listen = "{across.enrol_listen}"
address = "{across.enrol_address}" # what invitations say
coordinator = "{plan.reached}" # where agents go from then on
certificate = "enrolment.pem" # signs itself; invitations give its fingerprint
key = "enrolment.key.pem"

[founding] # matters until the log has its first entry
policy = "policy.toml"
"""
