# SPDX-License-Identifier: Apache-2.0
"""Acts outside any ceremony on a real log, and extensions inside one."""

from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import text

from coordinator import batch
from coordinator.commands import Act, Repeated, Stand, Written
from coordinator.deadlines import Deadlines
from coordinator.errors import LogDamagedError, OldPolicyError
from coordinator.policies import Policies
from coordinator.rebuilding import rebuild_in
from quorumseal.ceremony import errors
from quorumseal.ceremony.chain import Chain, extend
from quorumseal.ceremony.commands import Command, Record
from quorumseal.ceremony.entries import Entry
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.standing_chain import replay_standing
from quorumseal.ceremony.statements import SeenCheckpoint, StandingAct
from quorumseal.ceremony.values import digest_of
from quorumseal.tlog import hash_text
from quorumseal.verifier.part import verify_logged, verify_seen_checkpoints
from quorumseal.verifier.trust import Trust
from quorumseal.verifier.verify import verify
from tests.burning import BURNING, DAY, HOUR, MINUTE, absence, delegation, extends, withdrawal
from tests.coordinator.workshop import Desk, Workshop
from tests.organisation import ARTIFACT, NOW, Organisation

TRUST = Trust(organisation=BURNING.name, policy=BURNING.policy.digest, minimum_version=1)
HANDED = BURNING.sign(delegation("alice", "engineering", "frank"))
BACK = BURNING.sign(withdrawal("alice", "engineering"))


@pytest.fixture
def organisation() -> Organisation:
    return BURNING


@pytest.fixture
def desk(workshop: Workshop) -> Desk:
    return workshop.desk()


def stand(act: Signed[StandingAct]) -> Stand:
    return Stand(policy=BURNING.policy, act=act)


def decide_for_alice(workshop: Workshop, desk: Desk, ceremony: str) -> Act:
    request = desk.chain(ceremony).ceremony.request
    decision = BURNING.decision("frank", request, at=workshop.time.now, roles=("engineering",))
    return Act(
        ceremony=ceremony,
        command=Record(BURNING.sign_decision(replace(decision, delegation=HANDED.digest))),
    )


def test_a_delegation_reaches_the_open_ceremonies_and_those_opened_later(
    workshop: Workshop, desk: Desk
) -> None:
    before, after = workshop.start(), workshop.start(BURNING.request(number=2, product="gadget"))
    desk.written(before)
    outcome = desk.written(stand(HANDED))
    assert (outcome.ceremony, outcome.state) == (None, None)
    workshop.check(outcome.receipt)
    desk.written(after)
    assert desk.types() == ["policy", "opened", "delegated", "delegated", "opened"]
    for start in (before, after):
        ceremony = start.request.statement.ceremony
        assert [*desk.chain(ceremony).ceremony.delegations] == [("alice", "engineering")]
        desk.written(decide_for_alice(workshop, desk, ceremony))
        for signer in ("bob", "carol", "rita"):
            desk.written(workshop.decide(signer, start))
        chain = desk.chain(ceremony)
        assert chain.ceremony.state is State.APPROVED
        bundle = desk.reader.bundle(ceremony)
        seats = verify(bundle, TRUST, {"widget.tar.gz": digest_of(ARTIFACT)}).seats
        assert seats["engineering"] == ("bob", "frank")
    assert rebuild_in(desk.storage).differing == ()


def test_a_withdrawal_reaches_them_too(workshop: Workshop, desk: Desk) -> None:
    start = workshop.start()
    ceremony = start.request.statement.ceremony
    desk.write(start, stand(HANDED), stand(BACK))
    assert desk.types() == ["policy", "opened", "delegated", "delegated", "withdrawn", "withdrawn"]
    with pytest.raises(errors.DelegationUnknownError):
        desk.written(decide_for_alice(workshop, desk, ceremony))


def test_the_same_act_again_is_the_same_entry(desk: Desk) -> None:
    first = desk.written(stand(HANDED))
    (again,) = desk.write(stand(HANDED))
    assert again == Repeated(ceremony=None, state=None, seq=1)
    receipt = desk.reader.receipt(None, 1)
    assert (receipt.entry, receipt.index) == (first.receipt.entry, first.receipt.index)
    with pytest.raises(errors.StandingOrderError):
        desk.written(stand(BURNING.sign(delegation("alice", "engineering", "carol"))))
    assert desk.types() == ["policy", "delegated"]


def test_an_absence_touches_no_ceremony(workshop: Workshop, desk: Desk) -> None:
    desk.written(workshop.start())
    desk.written(stand(BURNING.sign(absence("carol", until=NOW + DAY))))
    assert desk.types() == ["policy", "opened", "absent"]
    part = desk.reader.standing(0).part
    standing = replay_standing(part.entries).standing
    assert standing.away("carol", at=workshop.time.now)


def test_what_stands_comes_with_proofs_from_every_checkpoint_that_its_signers_had_seen(
    workshop: Workshop, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coordinator.storage.log._MOST_NODES", 1)  # however many they are
    desk.written(workshop.start())
    newest = desk.reader.newest_checkpoint()
    away = absence("carol", until=NOW + DAY)
    seen = SeenCheckpoint(size=newest.size, root=hash_text(newest.root))
    desk.written(stand(BURNING.sign(replace(away, context=replace(away.context, checkpoint=seen)))))
    part = desk.reader.standing(0).part
    assert [*part.consistency] == [newest.size]
    verify_seen_checkpoints(part, verify_logged(part, BURNING.policy.policy.log))


def test_another_coordinator_hears_of_it(workshop: Workshop, desk: Desk) -> None:
    other = workshop.desk()
    desk.written(stand(HANDED))
    start = workshop.start()
    other.written(start)
    assert other.chain(start.request.statement.ceremony).ceremony.delegations
    assert other.write(stand(HANDED)) == [Repeated(ceremony=None, state=None, seq=1)]


def test_an_act_under_another_policy_is_refused(desk: Desk) -> None:
    second = BURNING.sign_policy(replace(BURNING.policy.policy, version=2, previous=BURNING.policy.digest))
    with pytest.raises(OldPolicyError):
        desk.written(Stand(policy=second, act=HANDED))


def test_a_ceremony_that_is_due_takes_no_delegation(workshop: Workshop, desk: Desk) -> None:
    start = workshop.start()
    desk.written(start)
    workshop.time.pass_by(2 * DAY)
    late = BURNING.sign(delegation("alice", "engineering", "frank", until=NOW + 9 * DAY))
    desk.written(stand(late))
    assert desk.types() == ["policy", "opened", "delegated", "expired"]


def test_standing_entries_that_do_not_replay_are_damage(desk: Desk) -> None:
    desk.write(stand(HANDED), stand(BACK))
    with desk.storage.engines.writing() as connection:
        connection.execute(text("UPDATE entries SET seq = 9 WHERE type = 'delegated'"))
    with pytest.raises(LogDamagedError, match="got some that do not"):
        Policies(desk.storage)


def test_an_extension_moves_the_deadline_that_is_watched(workshop: Workshop, desk: Desk) -> None:
    request = BURNING.request()
    start = workshop.start(replace(request, deadline=request.deadline - 2 * HOUR))
    ceremony, deadline = start.request.statement.ceremony, start.request.statement.deadline
    desk.written(start)
    chain = desk.chain(ceremony)
    command = extends(chain, "rita", deadline=deadline + HOUR, at=workshop.time.now)
    first = desk.written(Act(ceremony=ceremony, command=command))
    assert isinstance(first, Written)
    (again,) = desk.write(Act(ceremony=ceremony, command=command))
    assert again == Repeated(ceremony=ceremony, state=State.OPEN, seq=1)
    row = desk.storage.ceremonies.get(ceremony)
    assert row is not None
    assert (row.deadline, row.due_at) == (deadline + HOUR, deadline + HOUR)
    deadlines = Deadlines(desk.storage, desk.writer, clock=workshop.time.clock())
    workshop.time.pass_by(deadline - workshop.time.now)
    assert deadlines.expire_due() == 0
    workshop.time.pass_by(HOUR)
    assert deadlines.expire_due() == 1
    assert desk.chain(ceremony).ceremony.state is State.EXPIRED


def test_an_extension_that_comes_too_late_is_refused_and_the_end_recorded(
    workshop: Workshop, desk: Desk
) -> None:
    request = BURNING.request()
    start = workshop.start(replace(request, deadline=request.deadline - 2 * HOUR))
    ceremony, deadline = start.request.statement.ceremony, start.request.statement.deadline
    desk.written(start)
    command = extends(desk.chain(ceremony), "rita", deadline=deadline + HOUR, at=workshop.time.now)
    workshop.time.pass_by(deadline - workshop.time.now + MINUTE)
    with pytest.raises(errors.CeremonyEndedError):
        desk.written(Act(ceremony=ceremony, command=command))
    assert desk.types()[-1] == "expired"


def test_a_ceremony_that_takes_no_delegation_keeps_nobody_else_from_it(
    workshop: Workshop, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop.damaged = True
    start, other = workshop.start(), workshop.start(BURNING.request(number=2, product="gadget"))
    desk.write(start, other)
    full = start.request.statement.ceremony

    def extending(chain: Chain, command: Command, *, at: datetime) -> tuple[Chain, tuple[Entry, ...]]:
        if chain.id == full:
            raise errors.CeremonyFullError("expected room for a delegation, got none")
        return extend(chain, command, at=at)

    monkeypatch.setattr(batch, "extend", extending)
    desk.written(stand(HANDED))
    assert not desk.chain(full).ceremony.delegations
    assert desk.chain(other.request.statement.ceremony).ceremony.delegations
