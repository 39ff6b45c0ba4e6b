# SPDX-License-Identifier: Apache-2.0
"""An agent revokes and suspends by the verified log, and signs nothing with a key known to be revoked."""

from pathlib import Path

import pytest

from quorumseal.ceremony import errors
from quorumseal.ceremony.commands import Revoke
from quorumseal.ceremony.revoking import read_revoked
from quorumseal.ceremony.statements import RevocationReason, SuspensionReason
from quorumseal.refusal import Refusal
from signer_agent import absences
from signer_agent.drafting import Draft
from signer_agent.errors import UsageError
from signer_agent.observing import ObservedStanding, observe_standing
from signer_agent.signing import sign_and_store
from signer_agent.taking_out import find_key, guardians_beside, known_keys, write_revocation, write_suspension
from tests.burning import DAY, HOUR
from tests.losing import LOSING, by_guardian, key_id
from tests.organisation import NOW
from tests.signer_agent.desks import CountingKey, Desk
from tests.simulated_coordinator import SimulatedCoordinator

ALICE = key_id("alice")


@pytest.fixture
def coordinator() -> SimulatedCoordinator:
    return SimulatedCoordinator(LOSING)


def desk(tmp_path: Path, coordinator: SimulatedCoordinator, name: str) -> Desk:
    return Desk(tmp_path / name, coordinator, name)


def revocation(at: Desk, *, key: str = ALICE, hours: int = 1) -> Draft:
    seen = observe_standing(at.agent)
    return write_revocation(at.agent, seen, key, since=NOW - hours * HOUR, reason=RevocationReason.STOLEN)


def say(at: Desk, draft: Draft, key: CountingKey | None = None) -> ObservedStanding:
    absences.record(at.agent, [draft], key or at.key, LOSING.policy)
    return observe_standing(at.agent)


def test_an_owner_revokes_a_key_with_another_one_and_not_with_itself(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    alice = desk(tmp_path, coordinator, "alice")
    draft = revocation(alice)
    with pytest.raises(errors.RevocationSignerError, match="a key cannot revoke itself") as refused:
        say(alice, draft)
    assert "another key of alice (--with-key), or ask two of: bob, carol, dan" in refused.value.hint
    assert alice.key.signed == []
    seen = say(alice, draft, CountingKey(LOSING.spare_key("alice")))
    assert [*seen.standing.revoked] == [ALICE]


def test_the_second_guardian_makes_it_effective(tmp_path: Path, coordinator: SimulatedCoordinator) -> None:
    first, second = (desk(tmp_path, coordinator, name) for name in ("bob", "carol"))
    seen = say(first, revocation(first))
    key = find_key(seen, ALICE[7:15], at=NOW)
    assert (key.owner, key.revoked, key.waiting) == ("alice", None, ("bob",))
    assert guardians_beside(seen.policy.policy, "alice", "bob") == ("carol", "dan")
    key = find_key(say(second, revocation(second)), ALICE, at=NOW)
    assert key.revoked is not None
    assert key.waiting == ()


def test_a_later_act_takes_the_next_number(tmp_path: Path, coordinator: SimulatedCoordinator) -> None:
    bob = desk(tmp_path, coordinator, "bob")
    say(bob, revocation(bob))
    with pytest.raises(errors.RevocationLaterError):
        revocation(bob)
    seen = say(bob, revocation(bob, hours=2))
    assert seen.standing.next_number("bob", f"key {ALICE}") == 3


def test_two_guardians_suspend_somebody(tmp_path: Path, coordinator: SimulatedCoordinator) -> None:
    for name in ("bob", "carol"):
        at = desk(tmp_path, coordinator, name)
        draft = write_suspension(
            at.agent,
            observe_standing(at.agent),
            "erin",
            until=NOW + DAY,
            reason=SuspensionReason.INVESTIGATION,
        )
        say(at, draft)
    erin = desk(tmp_path, coordinator, "erin")
    seen = observe_standing(erin.agent)
    assert seen.standing.is_suspended("erin", at=NOW)
    (key,) = (key for key in known_keys(seen, at=NOW) if key.owner == "erin")
    assert key.suspended is not None
    (later,) = (key for key in known_keys(seen, at=NOW + DAY) if key.owner == "erin")
    assert later.suspended is None
    with pytest.raises(errors.SignerSuspendedError):
        absences.write_away(
            erin.agent, observe_standing(erin.agent), absences.Away(since=NOW, until=NOW + DAY)
        )


@pytest.mark.parametrize(
    ("named", "refusal"),
    [("", UsageError), (ALICE[7:14], UsageError), ("0" * 64, errors.KeyUnknownError)],
)
def test_a_key_is_named_by_enough_of_its_digest(
    tmp_path: Path, coordinator: SimulatedCoordinator, named: str, refusal: type[Refusal]
) -> None:
    seen = observe_standing(desk(tmp_path, coordinator, "bob").agent)
    with pytest.raises(refusal):
        find_key(seen, named, at=NOW)
    assert find_key(seen, ALICE.upper().replace("SHA256:", "sha256:"), at=NOW).id == ALICE


def test_no_decision_is_signed_with_a_key_that_the_ceremony_knows_to_be_revoked(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    ceremony = coordinator.open()
    acts = [by_guardian(each, "alice", since=NOW).envelope for each in ("bob", "carol")]
    coordinator.happen(ceremony, Revoke(read_revoked(acts, [LOSING.policy])))
    alice = desk(tmp_path, coordinator, "alice")
    review = alice.look(ceremony)
    draft = alice.draft(review)
    with pytest.raises(errors.KeyRevokedError):
        sign_and_store(alice.agent, draft, alice.key, LOSING.policy)
    assert alice.key.signed == []
    spare = CountingKey(LOSING.spare_key("alice"))
    assert sign_and_store(alice.agent, draft, spare, LOSING.policy).digest == draft.digest
