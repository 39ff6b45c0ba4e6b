# SPDX-License-Identifier: Apache-2.0
"""What somebody else signed brings their view of the log along; two views are a fork, and are kept."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from quorumseal.ceremony.statements import Decision, SeenCheckpoint
from quorumseal.client.errors import CoordinatorRefusedError, CoordinatorUnreachableError
from quorumseal.client.values import CeremonyRecord
from quorumseal.refusal import Refusal
from quorumseal.tlog import ConsistencyProofError, read_fork_proof
from signer_agent.checkpoints import signed_by_log
from signer_agent.comparing import connect_met, meet, meet_bundle, meet_seen
from signer_agent.errors import ForkError
from signer_agent.journal import Journal
from signer_agent.log_memory import LogMemory
from signer_agent.observing import observe_head, observe_standing
from tests.burning import DAY, absence
from tests.organisation import NOW, Organisation
from tests.signer_agent.desks import Desk
from tests.simulated_coordinator import Message, SimulatedCoordinator, honest

ACME = Organisation()
LOG = ACME.policy.policy.log
NONE = SeenCheckpoint(size=9, root="sha256:" + "1" * 64)


class Views:
    """One coordinator that shows two histories: alice is in the first, everybody else in the second."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.first = SimulatedCoordinator(ACME)
        self.ceremony = self.first.open(ACME.request(number=1))
        self.second = self.first.fork()
        self.first.open(ACME.request(number=2, version="2.0"))
        self.second.open(ACME.request(number=3, version="3.0"))

    def alice_decides(self, seen: SeenCheckpoint | None = None) -> None:
        """Let alice approve in her view, and hand what she signed to the other."""
        decision = ACME.decision(
            "alice", self.first.chains[self.ceremony].ceremony.request, seen=seen or self.first.log.seen()
        )
        self.second.decide(ACME.seal(decision), None)

    def bob(self, hostile: Callable[[Message], Any] = honest) -> Desk:
        return Desk(self.folder / "bob", self.second, "bob", hostile=hostile)


@pytest.fixture
def views(tmp_path: Path) -> Views:
    return Views(tmp_path)


def proof_of(desk: Desk) -> tuple[int, int, bool]:
    """Return what the one fork-proof file on a desk shows: both sizes, and whether it convicts."""
    (file,) = desk.agent.home.state.glob("fork-proof-*.json")
    proof = read_fork_proof(file.read_bytes(), ACME.origin, [key.key for key in LOG.keys])
    assert desk.agent.home.block_file.exists()
    return proof.first_checkpoint.size, proof.second_checkpoint.size, proof.conclusive


def accuses_nobody(desk: Desk) -> bool:
    return not [*desk.agent.home.state.glob("fork-proof-*")] and not desk.agent.home.block_file.exists()


def test_a_decision_from_another_view_of_the_log_is_a_fork_to_whoever_is_shown_it(views: Views) -> None:
    views.alice_decides()
    bob = views.bob()
    with pytest.raises(ForkError):
        bob.decide(views.ceremony)
    assert proof_of(bob) == (3, 4, False)
    assert bob.key.signed == []


def test_what_is_signed_outside_any_ceremony_brings_another_view_along_too(views: Views) -> None:
    away = absence("alice", acme=ACME, until=NOW + DAY)
    seen = replace(away, context=replace(away.context, checkpoint=views.first.log.seen()))
    bob = views.bob()
    views.second.stand(ACME.seal(away))
    observe_standing(bob.agent)
    views.second.stand(ACME.seal(replace(seen, number=2)))
    with pytest.raises(ForkError):
        observe_standing(bob.agent)
    assert proof_of(bob) == (3, 5, False)


def test_two_views_at_one_size_convict_the_log(views: Views) -> None:
    bob = views.bob()
    bob.look(views.ceremony)
    views.alice_decides()
    with pytest.raises(ForkError):
        bob.look(views.ceremony)
    assert proof_of(bob) == (3, 3, True)


def test_a_decision_that_names_a_larger_log_than_it_stands_in_is_a_fork(views: Views) -> None:
    for number in range(4, 9):
        views.first.open(ACME.request(number=number, version=f"{number}.0"))
    views.alice_decides()
    bob = views.bob()
    with pytest.raises(ForkError):
        bob.look(views.ceremony)
    assert proof_of(bob) == (8, 4, False)


def test_a_proof_that_leads_elsewhere_is_a_fork(views: Views) -> None:
    views.alice_decides()

    def lies(message: Message) -> Any:
        record = message.content
        if message.method != "ceremony" or not message.reply:
            return record
        consistency = {size: proof[::-1] for size, proof in record.part.consistency.items()}
        return replace(record, part=replace(record.part, consistency=consistency))

    bob = views.bob(lies)
    with pytest.raises(ForkError):
        bob.look(views.ceremony)
    assert proof_of(bob) == (3, 4, False)


def without_proofs(message: Message) -> Any:
    if message.reply and isinstance(message.content, CeremonyRecord):
        return replace(message.content, part=replace(message.content.part, consistency={}))
    return message.content


def test_a_proof_that_was_not_sent_is_asked_for(views: Views) -> None:
    views.second.decide_as("erin", views.ceremony, seen=views.second.log.seen())
    bob = views.bob(without_proofs)
    assert bob.decide(views.ceremony).state == "open"
    assert views.second.calls.count("consistency") >= 1
    assert accuses_nobody(bob)


def test_a_fork_cannot_be_hidden_by_leaving_the_proof_out(views: Views) -> None:
    views.alice_decides()
    bob = views.bob(without_proofs)
    with pytest.raises(ForkError):
        bob.look(views.ceremony)
    assert proof_of(bob) == (3, 4, False)


def test_an_answer_that_does_not_come_accuses_nobody_and_is_asked_for_again(views: Views) -> None:
    views.second.decide_as("erin", views.ceremony, seen=views.second.log.seen())

    def deaf(message: Message) -> Any:
        if message.method == "consistency":
            raise CoordinatorUnreachableError("expected an answer, got none")
        return without_proofs(message)

    bob = views.bob(deaf)
    with pytest.raises(CoordinatorUnreachableError):
        bob.decide(views.ceremony)
    assert accuses_nobody(bob)
    assert bob.key.signed == []
    assert len(bob.agent.journal.log.met(ACME.origin)) == 1
    bob = bob.reopened()
    assert bob.decide(views.ceremony).state == "open"
    assert bob.agent.journal.log.met(ACME.origin) == ()


def test_what_was_met_while_nobody_answered_is_a_fork_as_soon_as_somebody_does(views: Views) -> None:
    views.alice_decides()

    def deaf(message: Message) -> Any:
        if message.method == "consistency":
            raise CoordinatorUnreachableError("expected an answer, got none")
        return without_proofs(message)

    bob = views.bob(deaf)
    with pytest.raises(CoordinatorUnreachableError):
        bob.look(views.ceremony)
    bob = bob.reopened()
    (other,) = views.second.chains.keys() - {views.ceremony}
    with pytest.raises(ForkError):  # of another ceremony altogether
        bob.look(other)
    assert proof_of(bob)[2] is False


@pytest.mark.parametrize("signature", ["", "A" * 91 + "="])
def test_without_the_logs_signature_a_contradiction_is_refused_and_proves_nothing(
    views: Views, signature: str
) -> None:
    views.alice_decides(replace(views.first.log.seen(), signature=signature))
    bob = views.bob()
    with pytest.raises(ConsistencyProofError, match="3 entries that a signer had seen"):
        bob.decide(views.ceremony)
    assert accuses_nobody(bob)
    assert bob.key.signed == []


def test_one_made_up_signature_does_not_hide_another_that_holds(views: Views) -> None:
    made_up = ACME.decision(
        "erin",
        views.second.chains[views.ceremony].ceremony.request,
        seen=replace(views.first.log.seen(), signature="A" * 91 + "="),
    )
    views.second.decide(ACME.seal(made_up), None)
    views.alice_decides()
    bob = views.bob()
    with pytest.raises(ForkError):
        bob.look(views.ceremony)


def test_the_empty_log_is_the_past_of_every_log_and_has_one_root(views: Views) -> None:
    views.alice_decides(SeenCheckpoint(size=0, root=NONE.root))
    bob = views.bob()
    with pytest.raises(ConsistencyProofError):
        bob.look(views.ceremony)
    assert accuses_nobody(bob)


def test_a_file_from_another_view_is_a_fork_at_once_where_the_sizes_meet(views: Views) -> None:
    bob = views.bob()
    bob.look(views.ceremony)
    meet(bob.agent, LOG, views.second.log.checkpoint(3))
    with pytest.raises(ForkError):
        meet(bob.agent, LOG, views.first.log.checkpoint(3))
    assert proof_of(bob) == (3, 3, True)


def test_a_file_of_another_size_waits_for_the_coordinator(views: Views) -> None:
    bob = views.bob()
    connect_met(bob.agent, LOG)
    meet(bob.agent, LOG, views.second.log.checkpoint(2))
    connect_met(bob.agent, LOG)  # nothing is known yet to connect it to
    assert len(bob.agent.journal.log.met(ACME.origin)) == 1
    bob.look(views.ceremony)
    assert bob.agent.journal.log.met(ACME.origin) == ()
    views.second.decide_as("erin", views.ceremony)
    views.second.decide_as("carol", views.ceremony)
    bob.look(views.ceremony)
    other = views.first
    for number in range(4, 6):
        other.open(ACME.request(number=number, version=f"{number}.0"))
    meet(bob.agent, LOG, other.log.checkpoint(4))
    with pytest.raises(ForkError):
        bob.look(views.ceremony)
    assert proof_of(bob) == (4, 5, False)


def test_what_statements_in_files_name_is_met_where_the_log_signed_it(views: Views) -> None:
    bob = views.bob()
    seen = views.first.log.seen(2)
    meet_seen(bob.agent, LOG, [NONE, SeenCheckpoint(size=0, root=NONE.root), replace(seen, signature="")])
    assert bob.agent.journal.log.met(ACME.origin) == ()
    meet_seen(bob.agent, LOG, [seen, seen])
    assert bob.agent.journal.log.met(ACME.origin) == (views.first.log.checkpoint(2),)


def test_a_bundle_of_another_view_is_a_fork_to_whoever_fetches_it(views: Views) -> None:
    bob = views.bob()
    bob.look(views.ceremony)
    meet_bundle(bob.agent, LOG, views.second.log.bundle(views.second.entries[views.ceremony]))
    for signer in ("alice", "erin", "carol", "rita"):
        views.first.decide_as(signer, views.ceremony)
    other = views.first.log.bundle(views.first.entries[views.ceremony])
    with pytest.raises(CoordinatorRefusedError):  # the log is not that long, it says: that accuses nobody yet
        meet_bundle(bob.agent, LOG, other)
    assert accuses_nobody(bob)
    for number in range(4, 10):
        views.second.open(ACME.request(number=number, version=f"{number}.0"))
    with pytest.raises(ForkError):
        bob.look(views.ceremony)
    assert proof_of(bob) == (8, 9, False)


def test_what_was_met_keeps_everything_back_until_it_is_connected(views: Views) -> None:
    """Whoever cosigns or asks for something looks at the newest checkpoint alone."""
    bob = views.bob()
    bob.look(views.ceremony)
    views.first.open(ACME.request(number=4, version="4.0"))
    met = signed_by_log(views.first.log.checkpoint(), LOG)
    bob.agent.journal.log.meet(met.checkpoint, met.note, at=NOW)
    with pytest.raises(CoordinatorRefusedError):  # the log is not that long, it says
        observe_head(bob.agent, ACME.policy)
    assert accuses_nobody(bob)
    views.second.open(ACME.request(number=5, version="5.0"))
    with pytest.raises(ForkError):
        observe_head(bob.agent, ACME.policy)


def test_a_receipt_that_nobody_connects_is_kept_and_asked_about_later(views: Views) -> None:
    first = views.first

    def other_receipt(message: Message) -> Any:
        if message.method == "decide" and message.reply:
            (pending,) = bob.agent.journal.pending()
            assert isinstance(pending.statement, Decision)
            first.decide_as("erin", views.ceremony)
            return first.decide(pending.envelope, None)
        return message.content

    bob = views.bob(other_receipt)
    with pytest.raises(Refusal) as refused:
        bob.decide(views.ceremony)
    assert refused.value.code == "log.size_ahead"
    assert accuses_nobody(bob)
    for number in range(4, 9):
        views.second.open(ACME.request(number=number, version=f"{number}.0"))
    bob = bob.reopened()
    with pytest.raises(ForkError):
        bob.look(views.ceremony)


def test_an_agent_remembers_so_many_checkpoints_and_the_newest_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signer_agent.log_memory.MOST_VERIFIED", 3)
    monkeypatch.setattr("signer_agent.log_memory.MOST_MET", 2)
    coordinator = SimulatedCoordinator(ACME)
    desk = Desk(tmp_path / "bob", coordinator, "bob")
    memory: LogMemory = desk.agent.journal.log
    for number in range(1, 6):
        ceremony = coordinator.open(ACME.request(number=number, version=f"{number}.0"))
        desk.look(ceremony)
    assert [size for size in range(1, 7) if memory.at(ACME.origin, size)] == [4, 5, 6]
    for size in (1, 2, 3):
        meet(desk.agent, LOG, coordinator.log.checkpoint(size))
    assert len(memory.met(ACME.origin)) == 2


def test_what_an_agent_remembers_of_the_log_survives_its_program(views: Views) -> None:
    bob = views.bob()
    bob.look(views.ceremony)
    meet(bob.agent, LOG, views.second.log.checkpoint(2))
    bob.agent.journal.close()
    with Journal.open(bob.agent.home.journal_file) as journal:
        assert journal.log.at(ACME.origin, 3) == views.second.log.checkpoint(3)
        assert journal.log.met(ACME.origin) == (views.second.log.checkpoint(2),)
