# SPDX-License-Identifier: Apache-2.0
"""Every RPC, from the client's values to the use cases and back, over a real mTLS connection."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from coordinator.certificates import Kind
from quorumseal.ceremony.budget import CEREMONY_BYTES, cost
from quorumseal.ceremony.statement_document import MAX_STATEMENT_BYTES
from quorumseal.ceremony.statements import Choice
from quorumseal.ceremony.values import digest_of
from quorumseal.client.connection import Connection, TlsFiles
from quorumseal.client.errors import CoordinatorRefusedError, CredentialsError, UnexpectedAnswerError
from quorumseal.client.values import (
    MAX_TEXT_BYTES,
    SALT_BYTES,
    Annex,
    Consistency,
    Head,
    LoggedEntry,
    Publication,
)
from quorumseal.signatures import Envelope, JointEnvelope
from quorumseal.strict_json import write
from quorumseal.verifier.bundle import MAX_BUNDLE_BYTES
from tests.grpc_api.stand_in import HASH, StandIn, envelope
from tests.organisation import NOW, Organisation, ceremony_number
from tests.running_coordinator import Site

CEREMONY = ceremony_number(1)
REASON = Annex(salt=b"s" * 32, text="because é")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("site"))


@pytest.fixture
def use_cases() -> StandIn:
    return StandIn()


@pytest.fixture
def connection(site: Site, use_cases: StandIn) -> Iterator[Connection]:
    with site.api(use_cases) as api, Connection(api.address, site.client_files("alice")) as connection:
        yield connection


def test_the_organisation_arrives_with_what_its_founders_signed(connection: Connection) -> None:
    organisation = connection.organisation()
    (version,) = organisation.policies
    assert JointEnvelope.read(version) == Organisation().policy.envelope
    assert (organisation.checkpoint, organisation.now) == (b"a checkpoint", NOW)


def test_statements_reach_the_use_cases_under_the_name_in_the_certificate(
    connection: Connection, use_cases: StandIn
) -> None:
    started = connection.start(envelope())
    assert (started.ceremony, started.created) == (CEREMONY, True)
    assert (started.receipt.entry, started.receipt.index) == (b'{"a":1}', 1)
    assert connection.decide(envelope(), REASON).state == "open"
    assert connection.decide(envelope()).receipt.inclusion == (HASH,)
    acted = connection.act(envelope(), REASON)
    assert (acted.state, acted.receipt.checkpoint) == ("cancelled", b"a checkpoint")
    assert connection.act(envelope()).receipt.index == 0
    assert connection.stand(envelope()).checkpoint == b"a checkpoint"
    assert connection.start(envelope(), [REASON, REASON]).ceremony == CEREMONY
    nudged = connection.nudge(CEREMONY)
    assert (nudged.told, nudged.next_at) == (("alice", "bob"), NOW)
    assert set(use_cases.reached) == {
        "start alice",
        "decide alice because é",
        "decide alice None",
        'act alice because é {"a":1}',
        'act alice None {"a":1}',
        'stand alice {"a":1}',
        "start alice because é because é",
        f"nudge alice {CEREMONY}",
    }


def test_what_is_read_arrives_whole(connection: Connection, use_cases: StandIn) -> None:
    assert connection.status() == b"a status"
    standing = connection.standing(known_size=2)
    assert (standing.part.checkpoint, standing.consistency) == (b"a checkpoint", (HASH, HASH))
    record = connection.ceremony(CEREMONY, known_size=3)
    assert record.part.entries == tuple(use_cases.entries)
    assert record.part.consistency == {1: (), 5: (HASH, HASH)}
    assert (record.consistency, record.annexes) == ((HASH,) * 3, (Annex(salt=b"s" * 32, text="why"),))
    assert record.publications == (Publication(destination="folder", state="published", detail="w-1.json"),)
    page = connection.list_ceremonies(states=["open"], product="widget", version="1.0", page_size=7)
    assert (page.ceremonies[0].opened_at, page.ceremonies[0].ended_at, page.next_token) == (NOW, None, "more")
    assert use_cases.reached["list [<State.OPEN: 'open'>] widget 1.0 7 "] == 1
    assert connection.consistency(2).proof == (HASH, HASH)
    assert connection.consistency(1, 7) == Consistency(checkpoint=b"a checkpoint of 7", proof=(HASH,))
    assert connection.bundle(CEREMONY) == b"b" * 200_000
    assert connection.publish(CEREMONY)[0].state == "failed"


def test_evidence_is_stored_by_its_digest_and_comes_back(connection: Connection) -> None:
    data = bytes(range(256)) * 4096
    assert connection.put_evidence(data) == digest_of(data)
    assert connection.evidence(digest_of(data)) == data


def test_a_refusal_arrives_with_its_code_message_and_hint(connection: Connection) -> None:
    with pytest.raises(CoordinatorRefusedError) as refused:
        connection.ceremony(ceremony_number(2))
    assert refused.value.code == "ceremony.unknown"
    assert str(refused.value) == f"expected a ceremony of this log, got {ceremony_number(2)}"
    with pytest.raises(CoordinatorRefusedError) as forbidden:
        connection.ceremony("no id")
    assert forbidden.value.code == "value.format"


def test_a_caller_is_told_which_kind_may_call(site: Site, use_cases: StandIn) -> None:
    olga = site.client_files("olga", Kind.AUDITOR)
    with (
        site.api(use_cases) as api,
        Connection(api.address, olga) as connection,
        pytest.raises(CoordinatorRefusedError) as refused,
    ):
        connection.start(envelope())
    assert refused.value.code == "caller.not_allowed"
    assert str(refused.value) == "expected Start to be called by signer, got auditor olga"
    assert refused.value.hint == "present a certificate of the right kind"
    assert not use_cases.reached


def test_a_stream_brings_what_is_there_then_what_comes(site: Site, use_cases: StandIn) -> None:
    with site.api(use_cases) as api, Connection(api.address, site.client_files("alice")) as connection:
        with connection.follow(present=True) as events:
            assert next(events) == LoggedEntry(0, b'{"entry":0}')
            assert next(events) == Head(1)
            assert [each.signer for each in connection.presence()] == ["alice"]
            api.run(use_cases.append(b"news", b"more"))
            assert [next(events), next(events)] == [LoggedEntry(1, b"news"), LoggedEntry(2, b"more")]
            assert events.cursor == 3
        assert list(events) == []


def test_a_connection_that_is_reopened_is_by_the_files_of_then_while_a_stream_goes_on(
    site: Site, use_cases: StandIn, tmp_path: Path
) -> None:
    alice, bob = site.client("alice"), site.client("bob")
    pair = tmp_path / "tls.pem"
    pair.write_bytes(alice.private_key_pem + alice.certificate_pem)
    files = TlsFiles(ca=site.folder / "authority.crt", certificate=pair, key=pair)
    with site.api(use_cases) as api, Connection(api.address, files) as connection:
        with connection.follow(present=True) as events:
            assert [next(events), next(events)] == [LoggedEntry(0, b'{"entry":0}'), Head(1)]
            pair.write_bytes(bob.private_key_pem + bob.certificate_pem)
            connection.reopen()
            with connection.follow(present=True) as others:
                assert next(others) == LoggedEntry(0, b'{"entry":0}')
                assert sorted(each.signer for each in connection.presence()) == ["alice", "bob"]
                api.run(use_cases.append(b"news"))
                assert next(events) == LoggedEntry(1, b"news")
        connection.reopen()
        assert connection.status() is not None


def test_files_that_cannot_be_read_are_named(site: Site, tmp_path: Path) -> None:
    files = site.client_files("alice")
    with pytest.raises(CredentialsError, match="nowhere"):
        Connection(
            "localhost:1", TlsFiles(ca=tmp_path / "nowhere", certificate=files.certificate, key=files.key)
        )


def test_a_bundle_larger_than_any_is_not_taken(connection: Connection, use_cases: StandIn) -> None:
    use_cases.bundle_bytes = MAX_BUNDLE_BYTES + 1
    with pytest.raises(UnexpectedAnswerError, match=f"at most {MAX_BUNDLE_BYTES} bytes"):
        connection.bundle(CEREMONY)


def test_the_largest_ceremony_arrives_with_the_longest_texts(
    connection: Connection, use_cases: StandIn
) -> None:
    organisation = Organisation()
    decision = organisation.decision("alice", organisation.sign_request(), Choice.REJECTION)
    shortest = organisation.seal(decision)
    most = CEREMONY_BYTES // cost(shortest)
    entry = write({"envelope": shortest.to_json(), "and what stands around it": "x" * 500})
    use_cases.entries = [entry] * most
    use_cases.annexes = (Annex(salt=b"s" * SALT_BYTES, text="x" * MAX_TEXT_BYTES),) * most
    record = connection.ceremony(CEREMONY, 54)
    assert (len(record.part.entries), len(record.annexes)) == (most, most)
    use_cases.entries = [bytes(CEREMONY_BYTES)]
    use_cases.annexes = use_cases.annexes[: CEREMONY_BYTES // cost(padded(shortest))]
    assert len(connection.ceremony(CEREMONY).part.entries[0]) == CEREMONY_BYTES


def padded(envelope: Envelope) -> Envelope:
    return replace(envelope, payload=bytes(MAX_STATEMENT_BYTES))
