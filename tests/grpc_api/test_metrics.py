# SPDX-License-Identifier: Apache-2.0
"""The numbers of a real coordinator, scraped while it runs a ceremony."""

import socket
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from coordinator.certificates import Kind
from coordinator.metrics.catalogue import METRICS, Scope
from coordinator.metrics.serving import MetricsAddressError
from quorumseal.ceremony.statements import Absence
from quorumseal.client.connection import Connection
from quorumseal.client.values import Annex
from quorumseal.strict_json import write
from tests.burning import BURNING, DAY, emergency_request
from tests.databases import new_database
from tests.grpc_api.knocking import knock, wait_until
from tests.organisation import REASON, SALT, Organisation, changed
from tests.running_coordinator import Site
from tests.scraping import fetch, scrape

NOW = datetime.now(UTC).replace(microsecond=0)
ACME = Organisation(founded=NOW)
ON = '[metrics]\nenabled = true\nlisten = "127.0.0.1:0"'


@pytest.fixture
def acme(tmp_path: Path) -> Site:
    return Site(tmp_path, ACME, more=ON)


def test_a_ceremony_is_seen_from_its_opening_to_its_publication(acme: Site) -> None:
    request = ACME.sign_request(ACME.request(at=NOW))
    with acme.subprocess() as coordinator:
        before = scrape(coordinator.metrics)
        assert before["quorumseal_ceremonies_open"] == 0
        assert before["quorumseal_checkpoint_size"] == 1
        with Connection(coordinator.address, acme.client_files("mallory"), patience=1) as mallory:
            mallory.start(write(request.envelope.to_json()))
        assert scrape(coordinator.metrics)["quorumseal_ceremonies_open"] == 1
        for signer in ("alice", "erin", "carol", "rita"):
            with Connection(coordinator.address, acme.client_files(signer), patience=1) as connection:
                connection.decide(write(ACME.seal(ACME.decision(signer, request)).to_json()))
        wait_until(lambda: scrape(coordinator.metrics)["quorumseal_publications published"] == 1)
        after = scrape(coordinator.metrics)
        assert coordinator.terminate() == 0
    assert (after["quorumseal_ceremonies_open"], after["quorumseal_ceremonies_total approved"]) == (0, 1)
    assert after["quorumseal_checkpoint_size"] == 1 + 6
    assert after["quorumseal_outbox_backlog"] == 0
    assert after["quorumseal_time_to_quorum_seconds_count regular"] == 1
    assert after["quorumseal_role_response_seconds_count engineering"] == 2
    assert after["quorumseal_role_response_seconds_count security"] == 1
    assert after["quorumseal_writer_batch_commands_count"] == 5
    assert after["quorumseal_writer_batch_commands_sum"] == 5
    assert after["quorumseal_writer_commit_seconds_count"] == 5
    assert 0 < after["quorumseal_writer_commit_seconds_sum"] < 60
    assert after["quorumseal_writer_lost_races_total"] == 0
    assert after["quorumseal_database_up"] == 1
    assert after["process_open_fds"] > 3


def test_refusals_agents_and_certificates_are_seen(acme: Site) -> None:
    with acme.subprocess() as coordinator:
        with knock(acme, coordinator.address, acme.client("alice")) as alice:
            for _ in range(2):
                alice.refusal("Start", b"\xff")
        with knock(acme, coordinator.address, acme.client("olga", Kind.AUDITOR)) as olga:
            olga.refusal("Start")
        with Connection(coordinator.address, acme.client_files("bob"), patience=1) as bob:
            following = bob.follow(present=True)
            next(following)
            found = scrape(coordinator.metrics)
            following.close()
            wait_until(lambda: scrape(coordinator.metrics)["quorumseal_agent_connected security"] == 0)
    assert found["quorumseal_refusals_total message.malformed"] == 2
    assert found["quorumseal_refusals_total caller.not_allowed"] == 1
    assert found["quorumseal_agent_connected engineering"] == 1
    assert found["quorumseal_agent_connected security"] == 1
    assert found["quorumseal_agent_connected release"] == 0
    assert found["quorumseal_calls_in_progress"] >= 1
    lifetime = found["quorumseal_certificate_expiry_timestamp_seconds server"] - NOW.timestamp()
    assert 0 < lifetime < found["quorumseal_certificate_expiry_timestamp_seconds client_authorities"]


def test_every_metric_is_there_or_waits_for_an_emergency_or_for_what_is_not_set_up(acme: Site) -> None:
    with acme.subprocess() as coordinator:
        _, text = fetch(coordinator.metrics)
    described = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE quorumseal_")}
    missing = {each.name for each in METRICS} - described
    assert missing == {
        "quorumseal_breakglass_ratify_by_timestamp_seconds",
        "quorumseal_pages",
        "quorumseal_siem_blocked_seconds",
        "quorumseal_siem_waiting_entries",
    }


def test_no_name_of_a_person_is_anywhere_in_it(acme: Site) -> None:
    with acme.subprocess() as coordinator, knock(acme, coordinator.address, acme.client("alice")) as alice:
        alice.refusal("Start", b"\xff")
        labels = " ".join(scrape(coordinator.metrics))
    for name in ACME.policy.policy.signers:
        assert f" {name}" not in labels


@pytest.mark.parametrize("more", ["", '[metrics]\nenabled = false\nlisten = "127.0.0.1:0"'])
def test_nothing_listens_where_the_settings_do_not_say_so(tmp_path: Path, more: str) -> None:
    with Site(tmp_path, ACME, more=more).subprocess() as coordinator:
        assert coordinator.metrics == ""
        assert coordinator.terminate() == 0
    assert "Prometheus" not in (tmp_path / "coordinator.log").read_text()


def test_an_emergency_and_an_absence_are_seen(tmp_path: Path) -> None:
    acme = changed(BURNING, founded=NOW)
    site, request = Site(tmp_path, acme, more=ON), acme.sign_request(emergency_request(acme, at=NOW))
    why = Annex(salt=SALT, text=REASON)
    with site.subprocess() as coordinator:

        def calling(name: str) -> Connection:
            return Connection(coordinator.address, site.client_files(name), patience=1)

        with calling("mallory") as mallory:
            mallory.start(write(request.envelope.to_json()), [why])
        opened = scrape(coordinator.metrics)
        for signer, role in (("alice", "engineering"), ("carol", "security")):
            decision = acme.decision(signer, request, roles=(role,))
            with calling(signer) as connection:
                connection.decide(write(acme.seal(decision).to_json()))
        with calling("dan") as dan:
            away = Absence(context=acme.context("dan", at=NOW), number=1, since=NOW, until=NOW + DAY)
            dan.stand(write(acme.seal(away).to_json()))
        found = scrape(coordinator.metrics)
    assert opened["quorumseal_breakglass_open"] == opened["quorumseal_ceremonies_open"] == 1
    assert opened["quorumseal_role_available_signers security"] == 3
    assert found["quorumseal_time_to_quorum_seconds_count break-glass"] == 1
    assert found["quorumseal_time_to_quorum_seconds_count regular"] == 0
    assert found["quorumseal_role_available_signers security"] == 2
    assert found["quorumseal_breakglass_total provisional"] == 0, "anybody can still veto it"
    lines = (tmp_path / "coordinator.log").read_text()
    for turn in ("opened", "window-opened"):
        assert f"an emergency: {turn} ceremony={request.statement.ceremony}" in lines


def test_no_notice_is_ever_posted_to_the_metrics_port(acme: Site) -> None:
    with acme.in_process() as coordinator:
        server = coordinator.server
        assert server.metering is not None
        assert set(server._own_ports()) == {int(coordinator.address.rpartition(":")[2]), server.metering.port}


def test_a_port_that_is_taken_stops_the_start_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        site = Site(tmp_path, ACME, more=f"{ON.replace(':0', f':{taken.getsockname()[1]}')}")
        with pytest.raises(MetricsAddressError, match="expected to listen on"), site.in_process():
            pass
    with site.in_process() as coordinator:
        assert coordinator.server.metering is not None
        assert scrape(coordinator.server.metering.url)


@pytest.mark.postgresql
def test_coordinators_of_one_database_say_the_same_of_it_and_add_up_otherwise(
    tmp_path: Path, postgresql_address: str
) -> None:
    request = ACME.sign_request(ACME.request(at=NOW))
    with new_database(postgresql_address) as database:
        site = Site(tmp_path, ACME, database=database, more=ON)
        with site.subprocess() as first, site.subprocess() as second:
            with Connection(first.address, site.client_files("mallory"), patience=1) as mallory:
                mallory.start(write(request.envelope.to_json()))
            signers = {"alice": first, "erin": second, "carol": second, "rita": first}
            for signer, coordinator in signers.items():
                with Connection(coordinator.address, site.client_files(signer), patience=1) as connection:
                    connection.decide(write(ACME.seal(ACME.decision(signer, request)).to_json()))
            wait_until(lambda: scrape(first.metrics)["quorumseal_publications published"] == 1)
            one, other = scrape(first.metrics), scrape(second.metrics)
    shared = tuple(each.name for each in METRICS if each.scope is Scope.SHARED)
    compared = [name for name in one if name.startswith(shared)]
    assert len(compared) > len(shared)
    assert {name: one[name] for name in compared} == {name: other[name] for name in compared}
    for name, together in (
        ("quorumseal_time_to_quorum_seconds_count regular", 1),
        ("quorumseal_role_response_seconds_count engineering", 2),
        ("quorumseal_writer_commit_seconds_count", 5),
    ):
        assert one[name] + other[name] == together
