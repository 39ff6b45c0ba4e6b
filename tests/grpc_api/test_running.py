# SPDX-License-Identifier: Apache-2.0
"""The real coordinator, from its settings to its end: a ceremony over the wire, SIGTERM, kill -9."""

import ssl
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from coordinator.certificates import Kind
from coordinator.grpc_api.errors import AddressError
from coordinator.server import read_tls, require_known_authorities
from coordinator.settings import SettingsError, read_settings
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import Choice, Request
from quorumseal.ceremony.values import digest_of
from quorumseal.cli.main import main as entry
from quorumseal.client.connection import Connection
from quorumseal.client.errors import ClientError, CoordinatorRefusedError, CoordinatorUnreachableError
from quorumseal.client.values import Annex, Head, LoggedEntry
from quorumseal.strict_json import write
from quorumseal.verifier.outcomes import Outcome
from quorumseal.verifier.part import verify_part
from quorumseal.verifier.trust import Trust
from quorumseal.verifier.verify import verify
from tests.organisation import REASON, SALT, SUBJECTS, Organisation
from tests.running_coordinator import Site

NOW = datetime.now(UTC).replace(microsecond=0)
ACME = Organisation(founded=NOW)


@pytest.fixture
def acme(tmp_path: Path) -> Site:
    return Site(tmp_path, ACME)


def connect(site: Site, address: str, name: str, kind: Kind = Kind.SIGNER) -> Connection:
    return Connection(address, site.client_files(name, kind), patience=1)


def request(number: int = 1) -> Signed[Request]:
    return ACME.sign_request(ACME.request(number=number, version=f"1.{number}", at=NOW))


def sealed(signer: str, about: Signed[Request], choice: Choice = Choice.APPROVAL) -> bytes:
    return write(ACME.seal(ACME.decision(signer, about, choice)).to_json())


def start(site: Site, address: str, about: Signed[Request]) -> None:
    with connect(site, address, "mallory") as mallory:
        assert mallory.start(write(about.envelope.to_json())).created
        assert not mallory.start(write(about.envelope.to_json())).created


def approve(site: Site, address: str, about: Signed[Request], *signers: str) -> list[str]:
    states = []
    for signer in signers:
        with connect(site, address, signer) as connection:
            states.append(connection.decide(sealed(signer, about)).state)
    return states


def test_a_ceremony_over_the_wire_ends_in_a_bundle_that_verifies(acme: Site) -> None:
    about = request()
    with acme.in_process() as coordinator, connect(acme, coordinator.address, "alice") as alice:
        following = alice.follow(present=True)
        assert [next(following), next(following)][1] == Head(1)
        start(acme, coordinator.address, about)
        opened = next(following)
        assert isinstance(opened, LoggedEntry)
        assert opened.index == 1
        assert approve(acme, coordinator.address, about, "alice", "erin", "carol", "dan") == [
            "open",
            "open",
            "open",
            "approved",
        ]
        record = alice.ceremony(about.statement.ceremony, known_size=1)
        assert verify_part(record.part, ACME.policy).chain.ceremony.state == "approved"
        bundle = alice.bundle(about.statement.ceremony)
        following.close()
    trust = Trust(organisation=ACME.name, policy=ACME.policy.digest, minimum_version=1)
    verified = verify(bundle, trust, {subject.name: subject.digest for subject in SUBJECTS})
    assert verified.request == about.statement


def test_a_statement_is_handed_in_by_its_signer_only(acme: Site) -> None:
    about = request()
    with acme.in_process() as coordinator:
        start(acme, coordinator.address, about)
        with connect(acme, coordinator.address, "bob") as bob:
            with pytest.raises(CoordinatorRefusedError) as refused:
                bob.decide(sealed("alice", about))
            assert refused.value.code == "caller.not_the_signer"
            with pytest.raises(CoordinatorRefusedError) as unreasoned:
                bob.decide(sealed("bob", about, Choice.REJECTION))
            assert unreasoned.value.code == "annex.commitment"
            reason = Annex(salt=SALT, text=REASON)
            assert bob.decide(sealed("bob", about, Choice.REJECTION), reason).state == "rejected"
            assert bob.ceremony(about.statement.ceremony).annexes == (reason,)


def test_evidence_survives_the_wire_and_the_database(acme: Site) -> None:
    data = bytes(range(256)) * 5_000
    with acme.in_process() as coordinator, connect(acme, coordinator.address, "mallory") as mallory:
        digest = mallory.put_evidence(data)
        assert mallory.evidence(digest) == data


def test_what_was_acknowledged_survives_kill_9(acme: Site) -> None:
    about = request()
    with acme.subprocess() as coordinator:
        start(acme, coordinator.address, about)
        assert approve(acme, coordinator.address, about, "alice", "erin") == ["open", "open"]
        with connect(acme, coordinator.address, "alice") as alice:
            before = alice.ceremony(about.statement.ceremony)
            coordinator.kill()
            with pytest.raises(CoordinatorUnreachableError):
                alice.organisation()
    with acme.subprocess() as coordinator, connect(acme, coordinator.address, "alice") as alice:
        after = alice.ceremony(about.statement.ceremony)
        assert after.part.entries == before.part.entries
        again = alice.decide(sealed("alice", about))
        assert again.receipt.entry == before.part.entries[1]


def test_sigterm_ends_streams_and_exits_with_0(acme: Site) -> None:
    breaks: list[ClientError] = []
    with acme.subprocess() as coordinator, connect(acme, coordinator.address, "alice") as alice:
        following = alice.follow(on_break=breaks.append, patience=0.5)
        assert [next(following), next(following)][1] == Head(1)
        assert coordinator.terminate() == 0
        with pytest.raises(CoordinatorUnreachableError):
            next(following)
    assert breaks[0].code == "coordinator.closing"


def test_two_coordinators_do_not_share_a_port(acme: Site, tmp_path_factory: pytest.TempPathFactory) -> None:
    with acme.in_process() as coordinator:
        other = Site(tmp_path_factory.mktemp("other"), ACME, port=int(coordinator.address.rpartition(":")[2]))
        with pytest.raises(AddressError, match="expected to listen on"), other.in_process():
            pass
        with connect(acme, coordinator.address, "alice") as alice:
            assert alice.organisation().policies


def test_an_authority_that_the_policy_does_not_list_lets_nobody_in(acme: Site) -> None:
    settings = read_settings(acme.settings)
    stranger = f"sha256:{'5' * 64}"
    own = digest_of(ssl.PEM_cert_to_DER_cert(acme.authority.certificate_pem.decode()))
    for listed, welcome in (((), True), ((own, stranger), True), ((stranger,), False)):
        policy = replace(ACME.policy.policy, authorities=listed)
        if welcome:
            require_known_authorities(read_tls(settings.tls), policy)
        else:
            with pytest.raises(SettingsError, match="expected authorities that policy version 1 lists"):
                require_known_authorities(read_tls(settings.tls), policy)


def test_a_coordinator_finds_its_settings_wrong_before_it_listens(
    acme: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    acme.found()
    settings = acme.settings
    wrong = settings.read_text().replace(f'organisation = "{ACME.name}"', 'organisation = "other"')
    settings.write_text(wrong)
    assert entry(["coordinator", "run", "--settings", str(settings)]) != Outcome.VERIFIED
    said = capsys.readouterr()
    assert "expected acme.example, whose log this database holds, got other" in " ".join(said.err.split())
    assert not said.out
