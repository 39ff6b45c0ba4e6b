# SPDX-License-Identifier: Apache-2.0
"""Revocations and suspensions on a real log: they reach every open ceremony with the act itself."""

import pytest

from coordinator.commands import Act, Repeated, Stand
from coordinator.rebuilding import rebuild_in
from quorumseal.ceremony import errors
from quorumseal.ceremony.commands import Record
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import StandingAct
from quorumseal.ceremony.values import digest_of
from quorumseal.verifier.trust import Trust
from quorumseal.verifier.verify import verify
from tests.burning import HOUR
from tests.coordinator.workshop import Desk, Workshop
from tests.losing import LOSING, by_guardian, by_owner, key_id, suspends
from tests.organisation import ARTIFACT, NOW, Organisation

TRUST = Trust(organisation=LOSING.name, policy=LOSING.policy.digest, minimum_version=1)


@pytest.fixture
def organisation() -> Organisation:
    return LOSING


@pytest.fixture
def desk(workshop: Workshop) -> Desk:
    return workshop.desk()


def stand(act: Signed[StandingAct]) -> Stand:
    return Stand(policy=LOSING.policy, act=act)


def test_a_revocation_by_two_guardians_reaches_open_ceremonies_with_the_second(
    workshop: Workshop, desk: Desk
) -> None:
    before, after = workshop.start(), workshop.start(LOSING.request(number=2, product="gadget"))
    ceremony = before.request.statement.ceremony
    desk.written(before)
    for signer in ("alice", "bob", "carol"):
        desk.written(workshop.decide(signer, before))
    desk.written(stand(by_guardian("bob", "alice", since=NOW)))
    assert "alice" in desk.chain(ceremony).ceremony.decisions
    outcome = desk.written(stand(by_guardian("carol", "alice", since=NOW)))
    workshop.check(outcome.receipt)
    assert "alice" not in desk.chain(ceremony).ceremony.decisions
    desk.written(workshop.decide("rita", before))
    assert desk.chain(ceremony).ceremony.state is State.OPEN
    desk.written(after)
    assert desk.types()[-5:] == ["key-revoked", "key-revoked", "key-revoked", "decided", "opened"]
    assert [*desk.chain(after.request.statement.ceremony).ceremony.revoked] == [key_id("alice")]
    with pytest.raises(errors.KeyRevokedError):
        desk.written(workshop.decide("alice", after))
    desk.written(workshop.decide("erin", before))
    bundle = desk.reader.bundle(ceremony)
    assert verify(bundle, TRUST, {"widget.tar.gz": digest_of(ARTIFACT)}).seats["engineering"] == (
        "bob",
        "erin",
    )
    assert rebuild_in(desk.storage).differing == ()


def test_a_suspension_reaches_open_ceremonies_and_ends_by_itself(workshop: Workshop, desk: Desk) -> None:
    start = workshop.start()
    ceremony = start.request.statement.ceremony
    desk.written(start)
    desk.written(workshop.decide("alice", start))
    for guardian in ("bob", "carol"):
        desk.written(stand(suspends(guardian, "alice", until=NOW + HOUR)))
    assert desk.chain(ceremony).ceremony.decisions == {}
    anew = LOSING.decision("alice", start.request, at=workshop.time.now)
    with pytest.raises(errors.SignerSuspendedError):
        desk.written(Act(ceremony=ceremony, command=Record(LOSING.sign_decision(anew))))
    workshop.time.pass_by(HOUR)
    (repeated,) = desk.write(workshop.decide("alice", start))
    assert isinstance(repeated, Repeated), "what fell stays fallen: she decides anew"
    again = LOSING.decision("alice", start.request, at=workshop.time.now)
    desk.written(Act(ceremony=ceremony, command=Record(LOSING.sign_decision(again))))
    assert [*desk.chain(ceremony).ceremony.decisions] == ["alice"]
    assert desk.types()[-4:] == ["suspended", "suspended", "suspended", "decided"]


def test_a_concluded_ceremony_stays_as_it_is(workshop: Workshop, desk: Desk) -> None:
    start = workshop.start()
    desk.written(start)
    for signer in ("alice", "bob", "carol", "dan"):
        desk.written(workshop.decide(signer, start))
    desk.written(stand(by_owner("alice", since=NOW)))
    chain = desk.chain(start.request.statement.ceremony)
    assert chain.ceremony.state is State.APPROVED
    assert not chain.ceremony.revoked


def test_what_is_over_is_in_no_opening(workshop: Workshop, desk: Desk) -> None:
    for guardian in ("bob", "carol"):
        desk.written(stand(suspends(guardian, "alice", until=NOW + HOUR)))
    workshop.time.pass_by(HOUR)
    start = workshop.start()
    desk.written(start)
    assert not desk.chain(start.request.statement.ceremony).ceremony.suspended
