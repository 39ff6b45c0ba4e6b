# SPDX-License-Identifier: Apache-2.0
"""Whoever was invited gets in, once, with keys of their own; who is refused has changed nothing."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select

from coordinator.certificates import Authority, Identity, Kind, identity_of
from coordinator.certificates.errors import CertificateError
from coordinator.enrolling import Enrolling, Office
from coordinator.founding import found
from coordinator.inviting import InvitationState, Inviting
from coordinator.roster import Roster
from coordinator.storage import Storage
from coordinator.storage.schema import certificates, enrolled_keys, enrolments, invitations
from quorumseal.ceremony.enrolment import enrol, verify_enrolment
from quorumseal.ceremony.values import digest_of
from quorumseal.client.values import Enrolled
from quorumseal.refusal import Refusal
from quorumseal.signatures import JointEnvelope, P256PrivateKey, PrivateKey, Scheme
from tests.newcomer import Newcomer, request_for
from tests.organisation import NOW, Organisation, key_of

DAY = timedelta(days=1)
WEEK = 7 * DAY
LATER = NOW + timedelta(minutes=5)
TABLES = (invitations, enrolments, enrolled_keys, certificates)
AUTHORITY = Authority.create(
    "acme.example", at=NOW, lifetime=30 * DAY, randomness=lambda size: b"\x05" * size
)


@dataclass
class Door:
    """One coordinator's way in, whose clock stands where the test says."""

    storage: Storage
    now: datetime = LATER
    founding: Path | None = None

    def __post_init__(self) -> None:
        roster = Roster(self.storage, self.founding)
        self.enrolling = Enrolling(
            self.storage,
            roster,
            Office(
                authority=AUTHORITY,
                client_authorities=b"authorities",
                lifetime=WEEK,
                coordinator="coordinator.acme.example:7443",
            ),
            now=lambda: self.now,
            randomness=os.urandom,
        )
        self.inviting = Inviting(
            self.storage,
            roster,
            organisation="acme.example",
            now=lambda: self.now,
            randomness=os.urandom,
        )

    def invited(self, name: str = "dana", lasts: timedelta = DAY) -> Newcomer:
        """Invite somebody; return them with their keys."""
        code = self.inviting.invite(name, founder=False, lasts=lasts).code
        return Newcomer(name=name, code=code, signed_at=self.now)

    def enrol(self, newcomer: Newcomer, **changes: Any) -> Enrolled:
        """Use an invitation, with whatever is changed on the way."""
        sent: dict[str, Any] = {
            "code": newcomer.code,
            "envelope": newcomer.envelope,
            "certificate_request": newcomer.request,
        }
        return self.enrolling.enroll(**{**sent, **changes})

    def stored(self) -> list[list[tuple[Any, ...]]]:
        """Return all that is in the tables of this matter."""
        with self.storage.engines.reading() as connection:
            return [sorted(map(tuple, connection.execute(select(table))), key=repr) for table in TABLES]


@pytest.fixture
def door(database: str) -> Iterator[Door]:
    storage = Storage(database)
    yield Door(storage)
    storage.close()


def identity(enrolled: Enrolled) -> Identity:
    return identity_of(enrolled.certificate)


def test_an_invitation_becomes_an_enrolment_and_a_certificate_of_seven_days(door: Door) -> None:
    dana = door.invited()
    shown = door.enrolling.invitation(dana.code)
    assert (shown.organisation, shown.signer, shown.founder) == ("acme.example", "dana", False)
    assert shown.expires == LATER + DAY
    enrolled = door.enrol(dana)
    got = identity(enrolled)
    assert (got.organisation, got.kind, got.name) == ("acme.example", Kind.SIGNER, "dana")
    assert (got.not_after, enrolled.expires) == (LATER + WEEK, LATER + WEEK)
    assert (enrolled.authority, enrolled.coordinator) == (b"authorities", "coordinator.acme.example:7443")
    (row,) = door.storage.enrolments.enrolments()
    assert verify_enrolment(JointEnvelope.read(row.envelope)) == dana.enrolment
    assert [each.state for each in door.inviting.invitations()] == [InvitationState.USED]


def test_the_database_does_not_hold_the_code(door: Door) -> None:
    dana = door.invited()
    door.enrol(dana)
    assert dana.code not in repr(door.stored())
    assert dana.code.replace("-", "") not in repr(door.stored())


def test_an_answer_that_was_lost_is_given_again(door: Door) -> None:
    dana = door.invited()
    first = door.enrol(dana)
    after = door.stored()
    door.now += 2 * DAY  # the invitation has run out, and the certificate has not
    assert door.enrol(dana) == first
    assert door.stored() == after


Sent = tuple[Newcomer, dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Thief(Newcomer):
    """Somebody whose signing key is really another's."""

    @property
    def key(self) -> PrivateKey:
        return key_of(self.key_seed, self.scheme)


def with_key_of(name: str, dana: Newcomer) -> Newcomer:
    return Thief(name="dana", code=dana.code, signed_at=dana.signed_at, key_seed=name)


def used(door: Door, dana: Newcomer) -> Sent:
    door.enrol(dana)
    return replace(dana, key_seed="another key"), {}


def expired(door: Door, dana: Newcomer) -> Sent:
    door.now += DAY
    return replace(dana, signed_at=door.now), {}


def withdrawn(door: Door, dana: Newcomer) -> Sent:
    assert door.inviting.withdraw("dana") == 1
    return dana, {}


def key_of_another_enrolment(door: Door, dana: Newcomer) -> Sent:
    door.enrol(with_seed(door.invited("erik"), "shared"))
    return with_seed(dana, "shared"), {}


def with_seed(person: Newcomer, seed: str) -> Newcomer:
    return replace(person, key_seed=seed)


def witness_that_is_anothers_key(door: Door, dana: Newcomer) -> Sent:
    erik = door.invited("erik")
    door.enrol(erik)
    mixed = replace(dana.enrolment, witness=erik.key.public)
    return dana, {"envelope": enrol(mixed, dana.key, erik.key)}


BAD: dict[str, tuple[str, Callable[[Door, Newcomer], Sent]]] = {
    "a code that nobody has": (
        "invitation.unknown",
        lambda _, dana: (dana, {"code": "0000-" * 7 + "0000"}),
    ),
    "what is no code": ("invitation.malformed", lambda _, dana: (dana, {"code": "let me in"})),
    "an invitation that was used": ("invitation.used", used),
    "an invitation that ran out": ("invitation.expired", expired),
    "an invitation that was withdrawn": ("invitation.withdrawn", withdrawn),
    "another name than the invitation's": (
        "enrolment.other_invitation",
        lambda _, dana: (replace(dana, name="alice"), {}),
    ),
    "another organisation": (
        "enrolment.other_invitation",
        lambda _, dana: (replace(dana, organisation="evil"), {}),
    ),
    "somebody else's enrolment": (
        "enrolment.other_invitation",
        lambda door, dana: (dana, {"envelope": door.invited("erik").envelope}),
    ),
    "an enrolment that one key signed": (
        "enrolment.not_both_keys",
        lambda _, dana: (dana, {"envelope": JointEnvelope.of(dana.envelope.envelopes[:1])}),
    ),
    "another certificate request": (
        "enrolment.other_request",
        lambda _, dana: (dana, {"certificate_request": request_for()}),
    ),
    "an enrolment from before the invitation": (
        "enrolment.clock",
        lambda _, dana: (replace(dana, signed_at=LATER - DAY), {}),
    ),
    "an enrolment from tomorrow": (
        "enrolment.clock",
        lambda _, dana: (replace(dana, signed_at=LATER + DAY), {}),
    ),
    "a key of the policy": ("key.taken", lambda _, dana: (with_key_of("alice", dana), {})),
    "the log's key": (
        "key.taken",
        lambda _, dana: (with_key_of("log.acme.example/test", dana), {}),
    ),
    "a key of another enrolment": ("key.taken", key_of_another_enrolment),
    "a witness key that is another's signing key": ("key.taken", witness_that_is_anothers_key),
}


@pytest.mark.parametrize(("code", "spoil"), BAD.values(), ids=BAD)
def test_whoever_was_not_invited_like_this_is_refused_and_changes_nothing(
    door: Door, code: str, spoil: Callable[[Door, Newcomer], Sent]
) -> None:
    newcomer, changes = spoil(door, dana := door.invited())
    before = door.stored()
    with pytest.raises(Refusal) as refused:
        door.enrol(newcomer, **changes)
    assert (refused.value.code, bool(refused.value.hint)) == (code, True)
    assert dana.code not in str(refused.value) + refused.value.hint
    assert door.stored() == before


REQUESTS: dict[str, tuple[Callable[[], bytes], str]] = {
    "another person's name": (
        lambda: request_for(x509.UniformResourceIdentifier("quorumseal://acme.example/signer/alice")),
        "certificate.other_name",
    ),
    "an operator's name": (
        lambda: request_for(x509.UniformResourceIdentifier("quorumseal://acme.example/operator/dana")),
        "certificate.other_name",
    ),
    "a second name": (
        lambda: request_for(
            x509.UniformResourceIdentifier("quorumseal://acme.example/signer/dana"),
            x509.DNSName("coordinator.acme.example"),
        ),
        "certificate.other_name",
    ),
    "a common name": (lambda: request_for(common_name="alice"), "certificate.other_name"),
    "no request": (lambda: b"let me in", "certificate.request"),
    "a request that was changed": (lambda: request_for()[:-1] + b"\x00", "certificate.request"),
    "too much": (lambda: b"0" * 9000, "certificate.request"),
}


@pytest.mark.parametrize(("request_", "code"), REQUESTS.values(), ids=REQUESTS)
def test_a_certificate_is_for_the_invited_name_and_nothing_else(
    door: Door, request_: Callable[[], bytes], code: str
) -> None:
    dana, asked = door.invited(), request_()
    before = door.stored()
    enrolment = replace(dana.enrolment, certificate_request=digest_of(asked))
    envelope = enrol(enrolment, dana.key, dana.witness)
    with pytest.raises(CertificateError) as refused:
        door.enrol(dana, envelope=envelope, certificate_request=asked)
    assert (refused.value.code, bool(refused.value.hint)) == (code, True)
    assert door.stored() == before


def test_a_request_may_name_its_owner(door: Door) -> None:
    own = x509.UniformResourceIdentifier("quorumseal://acme.example/signer/dana")
    first = identity(door.enrol(door.invited()))
    assert identity_of(door.enrolling.renew(first, request_for(own)).certificate).name == "dana"


def test_the_key_of_a_connection_is_not_the_key_that_signs(door: Door) -> None:
    dana = replace(door.invited(), scheme=Scheme.ECDSA_P256)
    assert isinstance(dana.key, P256PrivateKey)
    secret = ec.derive_private_key(int.from_bytes(dana.key.scalar), ec.SECP256R1())
    asked = request_for(key=secret)
    enrolment = replace(dana.enrolment, certificate_request=digest_of(asked))
    with pytest.raises(CertificateError, match="for connections only"):
        door.enrol(dana, envelope=enrol(enrolment, dana.key, dana.witness), certificate_request=asked)
    assert identity(door.enrol(dana)).name == "dana"


def test_of_two_coordinators_one_wins_an_invitation(door: Door, database: str) -> None:
    second = Storage(database)
    other = Door(second)
    for round_ in range(5):
        dana = door.invited(f"dana{round_}")
        rivals = [(door, dana), (other, replace(dana, key_seed=f"a rival's {round_}"))]
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda each: outcome(each[0], each[1]), rivals))
        assert sorted(isinstance(each, Enrolled) for each in answers) == [False, True], answers
        assert {each for each in answers if isinstance(each, str)} == {"invitation.used"}
    assert len(door.storage.enrolments.enrolments()) == 5
    second.close()


def test_the_same_enrolment_at_two_coordinators_gets_one_certificate(door: Door, database: str) -> None:
    second = Storage(database)
    dana = door.invited()
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda each: outcome(each, dana), [door, Door(second)]))
    assert answers[0] == answers[1]
    assert isinstance(answers[0], Enrolled)
    second.close()


def test_of_two_people_with_one_key_one_gets_in_wherever_they_knock(door: Door, database: str) -> None:
    second = Storage(database)
    people = [replace(door.invited(name), key_seed="shared") for name in ("dana", "erik")]
    rivals = list(zip((door, Door(second)), people, strict=True))
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda each: outcome(*each), rivals))
    assert sorted(isinstance(each, Enrolled) for each in answers) == [False, True], answers
    assert "key.taken" in answers
    open_ = [each.signer for each in door.inviting.invitations() if each.state is InvitationState.OPEN]
    assert len(open_) == 1, "the one who was refused may come back with another key"
    second.close()


def outcome(door: Door, newcomer: Newcomer) -> Enrolled | str:
    try:
        return door.enrol(newcomer)
    except Refusal as refusal:
        return refusal.code


def test_a_person_may_prove_their_own_keys_again_when_their_certificate_ran_out(door: Door) -> None:
    dana = door.invited()
    door.enrol(dana)
    door.now += 30 * DAY - timedelta(hours=1)
    back = door.invited()
    assert (back.key.public, back.witness.public) == (dana.key.public, dana.witness.public)
    again = door.enrol(back)
    assert identity(again).not_after == AUTHORITY.not_after, "no certificate outlives its authority"
    third = door.invited()
    swapped = replace(third.enrolment, key=third.witness.public, witness=third.key.public)
    with pytest.raises(Refusal) as refused:
        door.enrol(
            third, envelope=enrol(replace(swapped, code=third.enrolment.code), third.witness, third.key)
        )
    assert refused.value.code == "key.taken"


def test_a_signer_of_the_policy_renews_for_their_own_name(door: Door) -> None:
    alice = of("alice")
    renewed = door.enrolling.renew(alice, request_for())
    got = identity_of(renewed.certificate)
    assert (got.name, got.not_after, renewed.authority) == ("alice", LATER + WEEK, b"authorities")
    assert got.serial != alice.serial
    other = x509.UniformResourceIdentifier("quorumseal://acme.example/signer/bob")
    with pytest.raises(CertificateError) as refused:
        door.enrolling.renew(alice, request_for(other))
    assert refused.value.code == "certificate.other_name"
    assert [row.serial for row in door.storage.certificates.of("alice")] == [got.serial]


def test_a_revoked_certificate_renews_nothing(door: Door) -> None:
    first = identity(door.enrol(door.invited()))
    second = identity_of(door.enrolling.renew(first, request_for()).certificate)
    assert door.inviting.revoke_certificates("dana") == sorted([first.serial, second.serial])
    assert door.storage.certificates.revoked() == {first.serial, second.serial}
    with pytest.raises(Refusal) as refused:
        door.enrolling.renew(second, request_for())
    assert refused.value.code == "certificate.revoked"
    with pytest.raises(Refusal) as nothing:
        door.inviting.revoke_certificates("dana")
    assert (nothing.value.code, bool(nothing.value.hint)) == ("certificate.none_issued", True)


def test_whoever_belongs_nowhere_renews_nothing(door: Door) -> None:
    with pytest.raises(Refusal) as refused:
        door.enrolling.renew(of("stranger"), request_for())
    assert (refused.value.code, bool(refused.value.hint)) == ("certificate.not_a_signer", True)


def of(name: str) -> Identity:
    return identity_of(
        AUTHORITY.issue_client(
            Kind.SIGNER, name, at=LATER, lifetime=DAY, randomness=os.urandom
        ).certificate_pem
    )


def test_nobody_founds_what_is_founded_and_nobody_is_withdrawn_twice(door: Door) -> None:
    with pytest.raises(Refusal) as later:
        door.inviting.invite("dana", founder=True, lasts=DAY)
    assert later.value.code == "invitation.founder_later"
    with pytest.raises(Refusal) as nobody:
        door.inviting.withdraw("dana")
    assert nobody.value.code == "invitation.none_open"
    with pytest.raises(Refusal) as odd:
        door.inviting.invite("Dana Smith", founder=False, lasts=DAY)
    assert odd.value.code == "value.format"


def test_an_invitation_of_another_organisation_is_unknown_here(empty_database: str) -> None:
    other = Organisation(name="other.example")
    found(empty_database, other.log_key, other.policy, at=NOW)
    storage = Storage(empty_database)
    door = Door(storage)
    dana = door.invited()
    with storage.engines.writing() as connection:
        connection.execute(invitations.update().values(organisation="other.example"))
    with pytest.raises(Refusal) as refused:
        door.enrol(dana)
    assert refused.value.code == "invitation.unknown"
    storage.close()
