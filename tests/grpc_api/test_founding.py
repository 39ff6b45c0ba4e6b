# SPDX-License-Identifier: Apache-2.0
"""An organisation is founded by people elsewhere, and served from then on without a restart."""

from pathlib import Path

import pytest

from quorumseal.ceremony.policy_document import read_policy, signed_policy
from quorumseal.client.errors import ClientError
from quorumseal.signatures import JointEnvelope
from quorumseal.signatures.dsse import sign
from quorumseal.strict_json import write
from quorumseal.verifier.part import open_log_checkpoint
from tests.founding_site import FOUNDERS, FoundingSite
from tests.organisation import key_of


@pytest.fixture
def site(tmp_path: Path) -> FoundingSite:
    return FoundingSite(tmp_path)


def code_of(refused: pytest.ExceptionInfo[ClientError]) -> str:
    assert refused.value.hint
    return refused.value.code


def test_three_founders_found_an_organisation_that_is_served_at_once(site: FoundingSite) -> None:
    with site.running() as running:
        people = running.everybody()
        (alice, hers), (bob, his), (carol, carols) = people.items()
        with running.connect(hers) as connection:
            before = connection.founding()
            assert (before.signed, before.missing, before.unenrolled) == ((), FOUNDERS, ())
            with pytest.raises(ClientError) as refused:
                connection.organisation()
            assert code_of(refused) == "coordinator.founding"
        running.sign(alice, hers)
        middle = running.sign(bob, his)
        assert (middle.signed, middle.missing, middle.founded) == (("alice", "bob"), ("carol",), False)
        founded = running.sign(carol, carols)
        assert (founded.signed, founded.missing, founded.founded) == (FOUNDERS, (), True)
        with running.connect(hers) as connection:
            organisation = connection.organisation()
            assert connection.founding() == founded
        policy = signed_policy(JointEnvelope.read(founded.policy))
        assert policy.signers == FOUNDERS
        assert policy.policy.signers["alice"].witness == alice.witness.public
        assert open_log_checkpoint(founded.checkpoint, policy.policy.log).size == 1
        assert organisation.checkpoint == founded.checkpoint


def test_a_founding_goes_on_after_the_coordinator_was_stopped_in_the_middle(site: FoundingSite) -> None:
    with site.running() as running:
        people = running.everybody()
        (alice, hers), *others = people.items()
        payload = running.sign(alice, hers).payload
    with site.running() as running:
        record = [running.sign(person, files) for person, files in others][-1]
        assert record.founded
        assert record.payload == payload
    with site.running() as running, running.connect(hers) as connection:
        assert connection.founding().founded
        assert read_policy(payload).organisation == "acme.example"


def test_who_has_not_enrolled_is_named_and_nothing_is_compiled(site: FoundingSite) -> None:
    with site.running() as running:
        alice = running.newcomer("alice")
        with running.connect(running.join(alice)) as connection:
            record = connection.founding()
            assert (record.payload, record.unenrolled) == (b"", ("bob", "carol"))
            with pytest.raises(ClientError) as refused:
                connection.sign_founding(write(sign(b"{}", alice.key).to_json()))
        assert code_of(refused) == "founding.other_payload"


def test_another_payload_key_or_person_founds_nothing(site: FoundingSite) -> None:
    with site.running() as running:
        people = running.everybody()
        (alice, hers), *_ = people.items()
        with running.connect(hers) as connection:
            payload = connection.founding().payload
            forged = {
                "founding.other_payload": sign(payload + b" ", alice.key),
                "founding.signature": sign(payload, key_of("a stranger")),
            }
            for code, envelope in forged.items():
                with pytest.raises(ClientError) as refused:
                    connection.sign_founding(write(envelope.to_json()))
                assert code_of(refused) == code
            assert connection.founding().missing == FOUNDERS
