# SPDX-License-Identifier: Apache-2.0
"""What a founder's machine refuses to sign, whatever the coordinator compiled."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from quorumseal.ceremony.enrolment import Enrolment
from quorumseal.ceremony.policy import Policy, Signer, SignerKey
from quorumseal.ceremony.policy_document import write_policy
from quorumseal.ceremony.values import digest_of
from quorumseal.client.values import EnrolmentRecord, FoundingRecord
from quorumseal.signatures import PublicKey
from signer_agent.errors import OtherPolicyError
from signer_agent.founding import FirstPolicy, Joined, first_policy, require_same
from tests.newcomer import Newcomer
from tests.organisation import NOW, Organisation, key_of

ACME = Organisation(machines=frozenset(), p256=frozenset())
PEOPLE = {name: Newcomer(name=name, organisation=ACME.name) for name in ACME.build_policy().signers}
FOUNDERS = ("alice", "bob", "carol")
Change = Callable[[Policy], Policy]


def signer_of(
    enrolment: Enrolment, *, key: PublicKey | None = None, witness: PublicKey | None = None
) -> Signer:
    listed = ACME.build_policy().signers[enrolment.signer]
    valid = listed.keys[0]
    return Signer(
        name=listed.name,
        kind=listed.kind,
        keys=(SignerKey(key=key or enrolment.key, valid_from=NOW, valid_until=valid.valid_until),),
        witness=witness or enrolment.witness,
    )


def compiled() -> Policy:
    return replace(
        ACME.build_policy(), signers={name: signer_of(each.enrolment) for name, each in PEOPLE.items()}
    )


def offered(policy: Policy, **fields: object) -> FoundingRecord:
    record = FoundingRecord(
        payload=write_policy(policy),
        signed=("bob",),
        missing=("alice", "carol"),
        unenrolled=(),
        enrolments=tuple(
            EnrolmentRecord(envelope=each.bytes, at=NOW, founder=name in FOUNDERS)
            for name, each in PEOPLE.items()
        ),
        founded=False,
        policy=b"",
        checkpoint=b"",
    )
    return replace(record, **fields)  # type: ignore[arg-type] # names and types are the caller's


def seen(record: FoundingRecord, *, log: str = ACME.origin) -> FirstPolicy:
    return first_policy(record, Joined(enrolment=PEOPLE["alice"].enrolment, log=log))


def with_signer(name: str, **keys: PublicKey) -> Change:
    return lambda policy: replace(
        policy, signers={**policy.signers, name: signer_of(PEOPLE[name].enrolment, **keys)}
    )


def test_a_policy_that_says_what_everybody_enrolled_can_be_signed() -> None:
    first = seen(offered(compiled()))
    assert first.policy == compiled()
    assert first.unproved == ()


def test_whose_key_nobody_proved_is_said() -> None:
    proved = [each for each in offered(compiled()).enrolments if each.envelope != PEOPLE["mallory"].bytes]
    assert seen(offered(compiled(), enrolments=tuple(proved))).unproved == ("mallory",)


OTHER = key_of("somebody else's").public


@pytest.mark.parametrize(
    ("why", "change"),
    [
        ("the keys that alice enrolled", with_signer("alice", key=OTHER)),
        ("the keys that alice enrolled", with_signer("alice", witness=OTHER)),
        ("the keys that bob enrolled", with_signer("bob", key=OTHER)),
        ("the keys that bob enrolled", with_signer("bob", witness=OTHER)),
        ("version 1 of acme.example", lambda policy: replace(policy, version=2)),
        ("version 1 of acme.example", lambda policy: replace(policy, organisation="evil.example")),
        ("version 1 of acme.example", lambda policy: replace(policy, previous="sha256:" + "1" * 64)),
        (
            "the log log.acme.example/test, as invited",
            lambda policy: replace(policy, log=replace(policy.log, origin="log.evil.example")),
        ),
    ],
)
def test_a_policy_that_says_anything_else_is_not_signed(why: str, change: Change) -> None:
    with pytest.raises(OtherPolicyError, match=why):
        seen(offered(change(compiled())))


def test_a_second_key_that_nobody_enrolled_is_not_signed() -> None:
    policy = compiled()
    alice = policy.signers["alice"]
    more = (*alice.keys, replace(alice.keys[0], key=OTHER))
    policy = replace(policy, signers={**policy.signers, "alice": replace(alice, keys=more)})
    with pytest.raises(OtherPolicyError, match="the keys that alice enrolled"):
        seen(offered(policy))


def test_a_founder_who_never_enrolled_is_refused() -> None:
    with pytest.raises(OtherPolicyError, match="an enrolment of the founder zoe"):
        seen(offered(compiled(), missing=("alice", "zoe")))


def test_an_enrolment_in_another_organisation_is_refused() -> None:
    foreign = Newcomer(name="bob", organisation="evil.example")
    record = offered(compiled(), enrolments=(EnrolmentRecord(envelope=foreign.bytes, at=NOW, founder=True),))
    with pytest.raises(OtherPolicyError, match="expected enrolments in acme"):
        seen(record)


def test_a_policy_without_me_is_not_signed() -> None:
    policy = compiled()
    roles = {n: replace(r, members=r.members - {"alice"}) for n, r in policy.roles.items()}
    policy = replace(policy, roles=roles, signers={n: s for n, s in policy.signers.items() if n != "alice"})
    with pytest.raises(OtherPolicyError, match="alice in the policy's roster"):
        seen(offered(policy))


def test_who_joined_again_is_known_by_any_keys_that_they_proved() -> None:
    again = Newcomer(name="bob", organisation=ACME.name, key_seed="bob again")
    record = offered(compiled())
    more = (*record.enrolments, EnrolmentRecord(envelope=again.bytes, at=NOW, founder=True))
    assert seen(replace(record, enrolments=more)).unproved == ()


def test_who_joined_after_the_founding_is_not_in_the_first_policy_and_may_trust_it() -> None:
    zoe = Joined(enrolment=Newcomer(name="zoe", organisation=ACME.name).enrolment, log=ACME.origin)
    record = offered(compiled())
    assert first_policy(replace(record, founded=True), zoe).digest == digest_of(record.payload)
    with pytest.raises(OtherPolicyError, match="zoe in the policy's roster"):
        first_policy(record, zoe)


def test_another_policy_than_the_confirmed_one_is_refused() -> None:
    first = seen(offered(compiled()))
    require_same(first, None, "whatever")
    require_same(first, first.digest, "as it is")
    with pytest.raises(OtherPolicyError, match=r"as --policy says, got sha256:"):
        require_same(first, "sha256:" + "0" * 64, "as --policy says")
