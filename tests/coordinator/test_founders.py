# SPDX-License-Identifier: Apache-2.0
"""The first policy is compiled once, signed by its founders, and founds the log once, whoever was killed."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from coordinator.certificates import Authority
from coordinator.founders import Founders
from coordinator.log_keys import LogKeys
from coordinator.roster import Roster
from coordinator.storage import Storage
from quorumseal.ceremony.policy_document import read_policy
from quorumseal.ceremony.values import digest_of
from quorumseal.client.enrolment import fingerprint
from quorumseal.client.values import FoundingRecord
from quorumseal.refusal import Refusal
from quorumseal.signatures import Ed25519PrivateKey, Envelope
from quorumseal.signatures.dsse import sign
from quorumseal.strict_json import write
from tests.coordinator.test_enrolling import AUTHORITY, DAY, LATER, Door
from tests.founding_site import FOUNDERS, small_policy
from tests.newcomer import Newcomer
from tests.organisation import Organisation, key_of
from tests.prepared_tables import with_tables

OURS = Organisation().log_key


@dataclass
class Founding:
    """One coordinator on a database whose log is empty, and the people who join."""

    storage: Storage
    file: Path
    authority: Authority = AUTHORITY
    people: dict[str, Newcomer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.door = Door(self.storage, founding=self.file)
        self.founders = self.with_log_key(OURS)

    def with_log_key(self, log_key: Ed25519PrivateKey) -> Founders:
        return Founders(
            self.storage,
            Roster(self.storage, self.file),
            LogKeys(log_key),
            organisation="acme.example",
            authority=fingerprint(self.authority.certificate_pem),
            now=lambda: LATER,
        )

    def join(self, *names: str, founder: bool = True) -> None:
        """Have people enrol."""
        for name in names:
            code = self.door.inviting.invite(name, founder=founder, lasts=DAY).code
            self.people[name] = Newcomer(name=name, code=code, signed_at=LATER)
            self.door.enrol(self.people[name])

    def signature(self, name: str, payload: bytes | None = None) -> Envelope:
        """Sign what is to be signed."""
        return sign(self.founders.look().payload if payload is None else payload, self.people[name].key)

    def sign(self, *names: str) -> FoundingRecord:
        """Hand in signatures."""
        return [self.founders.sign(self.signature(name), caller=name) for name in names][-1]


def code_of(refused: pytest.ExceptionInfo[Refusal]) -> str:
    assert refused.value.hint
    return refused.value.code


@pytest.fixture
def acme(empty_database: str, tmp_path: Path) -> Iterator[Founding]:
    (tmp_path / "policy.toml").write_text(small_policy(AUTHORITY, OURS))
    storage = Storage(with_tables(empty_database))
    yield Founding(storage, tmp_path / "policy.toml")
    storage.close()


def test_nothing_is_to_be_signed_until_everybody_has_enrolled(acme: Founding) -> None:
    assert acme.founders.look().unenrolled == FOUNDERS
    acme.join("alice", "bob")
    record = acme.founders.look()
    assert (record.payload, record.unenrolled, record.founded) == (b"", ("carol",), False)
    assert len(record.enrolments) == 2
    acme.join("carol")
    record = acme.founders.look()
    assert (record.unenrolled, record.missing) == ((), FOUNDERS)
    assert read_policy(record.payload).signers["bob"].witness == acme.people["bob"].witness.public


def test_what_is_to_be_signed_stays_whatever_becomes_of_policy_toml(acme: Founding) -> None:
    acme.join(*FOUNDERS)
    payload = acme.founders.look().payload
    acme.file.write_text(acme.file.read_text().replace('deadline = "3d"', 'deadline = "2d"'))
    assert acme.founders.look().payload == payload
    again = acme.founders.compile(again=False)
    assert again != payload, "nobody has signed yet, so the operator may change it"
    assert acme.founders.look().payload == again


def test_a_second_compile_is_refused_once_somebody_signed_unless_told_to_begin_again(acme: Founding) -> None:
    acme.join(*FOUNDERS)
    first = acme.sign("alice").payload
    acme.file.write_text(acme.file.read_text().replace('deadline = "3d"', 'deadline = "2d"'))
    with pytest.raises(Refusal, match="signed by alice") as refused:
        acme.founders.compile(again=False)
    assert code_of(refused) == "founding.signed_already"
    assert acme.founders.look().signed == ("alice",)
    second = acme.founders.compile(again=True)
    record = acme.founders.look()
    assert (record.payload, record.signed, record.missing) == (second, (), FOUNDERS)
    with pytest.raises(Refusal) as stale:
        acme.founders.sign(acme.signature("alice", first), caller="alice")
    assert code_of(stale) == "founding.other_payload"
    kept = acme.storage.first_policies.all()
    assert [(row.payload, sorted(row.envelopes)) for row in kept] == [(first, ["alice"]), (second, [])]
    assert acme.sign(*FOUNDERS).founded


def test_nothing_is_compiled_twice_to_the_same(acme: Founding) -> None:
    acme.join(*FOUNDERS)
    payload = acme.founders.look().payload
    assert acme.founders.compile(again=False) == payload
    assert len(acme.storage.first_policies.all()) == 1


def test_the_last_signature_founds_the_log_once(acme: Founding) -> None:
    acme.join(*FOUNDERS)
    assert not acme.sign("alice", "bob", "bob").founded
    record = acme.sign("carol")
    assert (record.founded, record.signed, acme.storage.log.size()) == (True, FOUNDERS, 1)
    assert acme.founders.look() == record
    with pytest.raises(Refusal) as refused:
        acme.founders.sign(sign(record.payload, acme.people["alice"].key), caller="alice")
    assert code_of(refused) == "founding.over"
    with pytest.raises(Refusal) as compiled:
        acme.founders.compile(again=True)
    assert code_of(compiled) == "founding.over"


def test_a_coordinator_that_was_killed_before_it_founded_does_so_when_it_is_asked(acme: Founding) -> None:
    acme.join(*FOUNDERS)
    number = 1
    for name in FOUNDERS:  # as far as the signature is stored, and no further
        envelope = acme.signature(name)
        assert acme.storage.first_policies.sign(number, name, write(envelope.to_json()), at=LATER)
    assert acme.storage.log.size() == 0
    assert acme.founders.look().founded
    assert acme.storage.log.size() == 1


def test_two_coordinators_found_one_organisation(acme: Founding, empty_database: str) -> None:
    second = Storage(empty_database)
    other = Founding(second, acme.file)
    acme.join(*FOUNDERS)
    payload = acme.founders.look().payload
    assert other.founders.look().payload == payload
    acme.sign("alice")
    envelopes = {name: acme.signature(name) for name in ("bob", "carol")}
    with ThreadPoolExecutor(2) as pool:
        answers = list(
            pool.map(
                lambda each: each[0].sign(envelopes[each[1]], caller=each[1]),
                [(acme.founders, "bob"), (other.founders, "carol")],
            )
        )
    assert any(answer.founded for answer in answers)
    assert acme.founders.look() == other.founders.look()
    assert acme.storage.log.size() == 1
    second.close()


@pytest.mark.parametrize(
    ("caller", "key", "code"),
    [
        ("alice", "bob", "founding.signature"),
        ("dana", "alice", "founding.not_a_founder"),
        ("alice", "a stranger", "founding.signature"),
    ],
)
def test_only_a_founder_signs_and_only_with_the_key_that_they_enrolled(
    acme: Founding, caller: str, key: str, code: str
) -> None:
    acme.join(*FOUNDERS)
    payload = acme.founders.look().payload
    secret = acme.people[key].key if key in acme.people else key_of(key)
    with pytest.raises(Refusal) as refused:
        acme.founders.sign(sign(payload, secret), caller=caller)
    assert code_of(refused) == code
    assert acme.founders.look().missing == FOUNDERS


def test_whoever_was_invited_as_no_founder_has_keys_in_the_policy_and_signs_nothing(acme: Founding) -> None:
    acme.join("alice", "carol")
    acme.join("bob", founder=False)
    record = acme.founders.look()
    assert (record.missing, "bob" in read_policy(record.payload).signers) == (("alice", "carol"), True)
    with pytest.raises(Refusal) as refused:
        acme.founders.sign(acme.signature("bob"), caller="bob")
    assert code_of(refused) == "founding.not_a_founder"
    assert acme.sign("alice", "carol").founded


def test_a_key_that_was_lost_before_the_policy_was_compiled_is_replaced_by_the_next_enrolment(
    acme: Founding,
) -> None:
    acme.join("alice")
    lost = acme.people["alice"]
    acme.door.now += timedelta(seconds=1)
    code = acme.door.inviting.invite("alice", founder=True, lasts=DAY).code
    acme.people["alice"] = replace(lost, code=code, key_seed="a new one")
    acme.door.enrol(acme.people["alice"])
    acme.join("bob", "carol")
    (key,) = read_policy(acme.founders.look().payload).signers["alice"].keys
    assert key.key == acme.people["alice"].key.public
    assert acme.sign(*FOUNDERS).founded


def test_founders_who_could_not_meet_the_quorum_are_told_before_anybody_signs(acme: Founding) -> None:
    acme.join("alice", "bob")
    acme.join("carol", founder=False)
    with pytest.raises(Refusal) as refused:
        acme.founders.look()
    assert code_of(refused) == "founding.founders_short"
    assert acme.storage.first_policies.newest() is None


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('organisation = "acme.example"', 'organisation = "evil.example"', "founding.foreign_policy"),
        (fingerprint(AUTHORITY.certificate_pem), digest_of(b"another"), "founding.foreign_policy"),
        ("format = 0", "format = 0\nfromat = 1", "json.unknown_field"),
        ("[roles]", "[[roles]", "policy.invalid"),
    ],
)
def test_a_policy_that_is_not_this_coordinators_is_not_put_to_anybody(
    acme: Founding, old: str, new: str, code: str
) -> None:
    acme.join(*FOUNDERS)
    acme.file.write_text(acme.file.read_text().replace(old, new))
    with pytest.raises(Refusal) as refused:
        acme.founders.look()
    assert refused.value.code == code
    assert acme.storage.first_policies.newest() is None


def test_a_log_key_that_this_coordinator_does_not_hold_founds_nothing(acme: Founding) -> None:
    acme.join(*FOUNDERS)
    other = key_of("another log")
    assert isinstance(other, Ed25519PrivateKey)
    with pytest.raises(Refusal, match="whose log key this coordinator holds") as refused:
        acme.with_log_key(other).look()
    assert code_of(refused) == "founding.foreign_policy"


def test_a_policy_toml_that_is_gone_is_named(acme: Founding) -> None:
    acme.file.unlink()
    with pytest.raises(Refusal, match="first policy in") as refused:
        acme.founders.look()
    assert code_of(refused) == "coordinator.founding"


def test_only_those_in_policy_toml_are_invited_to_found(acme: Founding) -> None:
    with pytest.raises(Refusal, match="alice, bob, carol") as refused:
        acme.door.inviting.invite("dana", founder=True, lasts=DAY)
    assert code_of(refused) == "invitation.not_in_policy"
