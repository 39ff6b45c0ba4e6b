# SPDX-License-Identifier: Apache-2.0
"""What an agent does without its coordinator: the same review, the same refusals, the same journal."""

import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from quorumseal.ceremony.errors import (
    CeremonyEndedError,
    RequesterDecidesError,
    SignedAfterDeadlineError,
    SignedInFutureError,
)
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.request_errors import EmergencyLimitError, MustSupersedeError
from quorumseal.ceremony.statements import Choice, Request, Subject
from quorumseal.ceremony.values import digest_of
from quorumseal.client.errors import CoordinatorUnreachableError
from quorumseal.offline.assembling import assemble, read_statements
from quorumseal.offline.errors import NothingKeptError
from quorumseal.offline.files import CarriedRequest, KnownOrganisation, read_organisation
from quorumseal.refusal import Refusal
from quorumseal.signatures import Envelope
from quorumseal.signatures.dsse import sign
from quorumseal.tlog import Checkpoint, sign_checkpoint
from quorumseal.verifier.errors import OtherBytesError
from signer_agent.artifacts import Sources
from signer_agent.deciding import require_decidable
from signer_agent.emergencies import Alarm, write_emergency, write_veto
from signer_agent.errors import ForkError, NotAwaitedError, OlderPolicyError
from signer_agent.inbox import open_inbox
from signer_agent.kept import kept_policies
from signer_agent.observing import observe_head, observe_policy
from signer_agent.offline import (
    carried_request,
    carried_statements,
    known_emergencies,
    review_carried,
)
from signer_agent.recollection import Fate
from signer_agent.requesting import Wanted
from signer_agent.review import Review, Standing
from signer_agent.signing import settle, sign_and_store
from signer_agent.unplugged import Unplugged
from tests.burning import BURNING, emergency_request
from tests.organisation import NOW, SUBJECTS, Organisation
from tests.signer_agent.desks import Desk
from tests.simulated_coordinator import SimulatedCoordinator

ACME = Organisation()
HOUR = timedelta(hours=1)


@pytest.fixture
def coordinator() -> SimulatedCoordinator:
    return SimulatedCoordinator(ACME)


@pytest.fixture
def desk(tmp_path: Path, coordinator: SimulatedCoordinator) -> Desk:
    return unplug(Desk(tmp_path / "alice", coordinator))


def known(coordinator: SimulatedCoordinator) -> KnownOrganisation:
    return KnownOrganisation(
        policies=(coordinator.organisation.policy.envelope,), checkpoint=coordinator.log.checkpoint()
    )


def unplug(desk: Desk, of: KnownOrganisation | None = None) -> Desk:
    """Pull the plug: from here on nothing reaches the coordinator."""
    connection = Unplugged(of or known(desk.coordinator), lambda: desk.coordinator.now)
    desk.agent = replace(desk.agent, connection=connection)
    return desk


def carried(coordinator: SimulatedCoordinator, request: Request | None = None) -> CarriedRequest:
    return CarriedRequest(known=known(coordinator), request=ACME.seal(request or ACME.request()))


def review(desk: Desk, request: Request | None = None) -> Review:
    sources = Sources(paths=(desk.artifact,))
    return review_carried(desk.agent, carried(desk.coordinator, request), sources=sources)


def decide(desk: Desk, choice: Choice = Choice.APPROVAL, request: Request | None = None) -> Review:
    seen = review(desk, request)
    sign_and_store(desk.agent, desk.draft(seen, choice), desk.key, seen.observation.policy)
    return review(desk, request)


def test_a_request_from_a_file_is_reviewed_like_any_other(desk: Desk) -> None:
    seen = review(desk)
    assert (seen.standing, seen.request.statement) == (Standing.AWAITED, ACME.request())
    assert seen.findings.found["widget.tar.gz"].matches
    assert desk.coordinator.calls == []


def test_what_was_signed_is_part_of_the_ceremony_when_it_is_looked_at_again(desk: Desk) -> None:
    again = decide(desk)
    assert again.standing is Standing.DECIDED
    assert again.own is not None
    statements = carried_statements(desk.agent, again.request.statement.ceremony)
    assert [envelope.payload for envelope in statements.statements] == [again.own.envelope.payload]


def test_a_changed_mind_travels_with_what_it_replaces(tmp_path: Path) -> None:
    coordinator = SimulatedCoordinator(Organisation(veto=frozenset({"release"})))
    desk = unplug(Desk(tmp_path / "alice", coordinator))
    acme = coordinator.organisation
    file = CarriedRequest(known=known(coordinator), request=acme.seal(acme.request()))
    for choice in (Choice.APPROVAL, Choice.REJECTION):
        seen = review_carried(desk.agent, file)
        sign_and_store(desk.agent, desk.draft(seen, choice), desk.key, seen.observation.policy)
    back = carried_statements(desk.agent, acme.request().ceremony)
    assert (len(back.statements), len(back.annexes)) == (2, 1)
    seen = review_carried(desk.agent, file)
    assert seen.own is not None
    assert (seen.own.statement.choice, seen.own.statement.replaces) == (
        Choice.REJECTION,
        digest_of(back.statements[0].payload),
    )


def test_the_text_of_a_request_is_shown_under_its_commitment(desk: Desk) -> None:
    assert review(desk).observation.reasons == {}


def test_other_bytes_under_one_version_are_refused_across_files_and_log(
    desk: Desk, coordinator: SimulatedCoordinator
) -> None:
    decide(desk)
    other = ACME.request(number=2, subjects=(Subject(name="widget.tar.gz", digest=digest_of(b"other")),))
    desk.artifact.write_bytes(b"other")
    with pytest.raises(MustSupersedeError):
        require_decidable(review(desk, other), Choice.APPROVAL)
    logged = Desk(desk.folder, coordinator, artifact=b"other")
    ceremony = coordinator.open(other)
    with pytest.raises(MustSupersedeError):
        require_decidable(logged.look(ceremony), Choice.APPROVAL)


def test_other_bytes_than_the_request_names_are_refused(desk: Desk) -> None:
    desk.artifact.write_bytes(b"not the widget\n")
    with pytest.raises(OtherBytesError):
        review(desk).findings.require(unchecked=True)


@pytest.mark.parametrize(
    ("person", "later", "refusal"),
    [
        ("mallory", HOUR, RequesterDecidesError),
        ("ci", HOUR, NotAwaitedError),
        ("alice", HOUR * 24, SignedAfterDeadlineError),
    ],
)
def test_who_must_not_decide_is_told_so_before_anything_is_signed(
    tmp_path: Path,
    coordinator: SimulatedCoordinator,
    person: str,
    later: timedelta,
    refusal: type[Refusal],
) -> None:
    desk = unplug(Desk(tmp_path / person, coordinator, person))
    coordinator.now = NOW + later
    with pytest.raises(refusal):
        require_decidable(review(desk), Choice.APPROVAL)


def test_a_request_dated_ahead_of_this_machine_is_not_reviewed(desk: Desk) -> None:
    with pytest.raises(SignedInFutureError):
        review(desk, ACME.request(at=NOW + HOUR))


def test_after_the_rejection_that_ends_it_nothing_more_is_signed(desk: Desk) -> None:
    ended = decide(desk, Choice.REJECTION)
    with pytest.raises(CeremonyEndedError):
        require_decidable(ended, Choice.APPROVAL)


def test_another_policy_of_the_same_version_is_refused(desk: Desk) -> None:
    decide(desk)
    mallorys = Organisation(quorum={"engineering": 1})
    of = replace(known(desk.coordinator), policies=(mallorys.policy.envelope,))
    with pytest.raises(Refusal) as refused:
        review_carried(unplug(desk, of).agent, CarriedRequest(known=of, request=ACME.seal(ACME.request())))
    assert refused.value.code == "policy_chain.broken"
    trusting = replace(desk.agent, trust=replace(desk.agent.trust, policy=mallorys.policy.digest))
    with pytest.raises(OlderPolicyError):
        observe_policy(trusting)


def test_a_checkpoint_of_another_history_is_a_fork_and_blocks_signing(
    desk: Desk, coordinator: SimulatedCoordinator
) -> None:
    review(desk)
    forked = Checkpoint(ACME.origin, coordinator.log.size, digest_bytes(b"another history"))
    file = carried(coordinator)
    note = sign_checkpoint(forked, ACME.log_key)
    with pytest.raises(ForkError):
        review_carried(desk.agent, replace(file, known=replace(file.known, checkpoint=note)))
    assert desk.agent.home.block_file.exists()


def digest_bytes(data: bytes) -> bytes:
    return bytes.fromhex(digest_of(data).removeprefix("sha256:"))


def test_a_checkpoint_that_the_log_did_not_sign_is_refused(desk: Desk) -> None:
    file = carried(desk.coordinator)
    note = sign_checkpoint(Checkpoint(ACME.origin, 9, digest_bytes(b"")), ACME.key("alice"))
    with pytest.raises(Refusal) as refused:
        review_carried(desk.agent, replace(file, known=replace(file.known, checkpoint=note)))
    assert refused.value.code.startswith("log.")


def test_a_home_keeps_what_it_verified_for_the_day_without_a_coordinator(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    desk = Desk(tmp_path / "alice", coordinator)
    with pytest.raises(NothingKeptError):
        kept_policies(desk.agent.home)
    observe_head(desk.agent, observe_policy(desk.agent))
    assert kept_policies(desk.agent.home) == (ACME.policy.envelope,)
    before = desk.agent.home.policies_file.stat()
    observe_policy(desk.agent)
    assert desk.agent.home.policies_file.stat().st_ino == before.st_ino
    assert read_organisation(desk.agent.home.policies_file.read_bytes()).checkpoint is None


def test_without_any_checkpoint_nothing_is_signed(tmp_path: Path, coordinator: SimulatedCoordinator) -> None:
    of = KnownOrganisation(policies=(ACME.policy.envelope,))
    desk = unplug(Desk(tmp_path / "alice", coordinator), of)
    with pytest.raises(NothingKeptError):
        review(desk)


def test_nothing_is_handed_in_without_a_coordinator(desk: Desk) -> None:
    nowhere = desk.agent.connection
    assert nowhere.list_ceremonies().ceremonies == ()
    for call in (
        lambda: nowhere.ceremony("x"),
        lambda: nowhere.start(b""),
        lambda: nowhere.decide(b""),
        lambda: nowhere.act(b""),
        lambda: nowhere.stand(b""),
        nowhere.standing,
        nowhere.follow,
    ):
        with pytest.raises(CoordinatorUnreachableError):
            call()


def test_what_was_signed_from_a_file_is_sent_once_the_log_has_the_request(
    desk: Desk, coordinator: SimulatedCoordinator
) -> None:
    decide(desk)
    back = Desk(desk.folder, coordinator)
    assert open_inbox(back.agent).unreadable == ()
    coordinator.now = NOW + HOUR
    ceremony = coordinator.open(ACME.request())
    seen = back.look(ceremony)
    assert seen.standing is Standing.UNSENT
    assert seen.pending is not None
    assert settle(back.agent, seen.pending, seen.observation).fate is Fate.RECORDED


def burning_desk(folder: Path, name: str, coordinator: SimulatedCoordinator) -> Desk:
    return unplug(Desk(folder / name, coordinator, name))


def emergency_file(folder: Path, coordinator: SimulatedCoordinator) -> CarriedRequest:
    """Let rita break the glass in a file."""
    rita = burning_desk(folder, "rita", coordinator)
    wanted = Wanted(product="widget", version="1.0", subjects=SUBJECTS)
    draft = write_emergency(rita.agent, BURNING.policy, wanted, ALARM, past=())
    envelope = sign(draft.payload, rita.key)
    return CarriedRequest(known=known(coordinator), request=envelope, annexes=draft.annexes)


ALARM = Alarm(
    reason="outage", why="nobody can sign in, and each hour costs data", incident="I-2", impact="all"
)


def test_a_veto_in_files_names_the_one_entry_that_everybody_has(tmp_path: Path) -> None:
    coordinator = SimulatedCoordinator(BURNING)
    file = emergency_file(tmp_path, coordinator)
    envelopes: list[Envelope] = []
    desks = [burning_desk(tmp_path, name, coordinator) for name in ("alice", "carol")]
    for desk in desks:
        seen = review_carried(desk.agent, file, sources=Sources(paths=(desk.artifact,)))
        sign_and_store(desk.agent, desk.draft(seen), desk.key, seen.observation.policy)
        envelopes += carried_statements(desk.agent, seen.request.statement.ceremony).statements
    carol = desks[1]
    seen = review_carried(carol.agent, file, own=False)
    draft = write_veto(carol.agent, seen, "this is the wrong branch")
    sign_and_store(carol.agent, draft, carol.key, seen.observation.policy)
    carols = carried_statements(carol.agent, seen.request.statement.ceremony).statements
    made = assemble(
        BURNING.policy,
        carried_request(file, BURNING.policy),
        read_statements([*envelopes, *carols], BURNING.policy),
        now=NOW,
    )
    assert made.chain.ceremony.stopped_by == "carol"


def test_an_emergency_that_was_seen_in_a_file_alone_is_not_asked_of_the_log(tmp_path: Path) -> None:
    coordinator = SimulatedCoordinator(BURNING)
    desk = burning_desk(tmp_path, "alice", coordinator)
    review_carried(desk.agent, emergency_file(tmp_path, coordinator))
    assert desk.agent.journal.emergencies() == ()
    assert known_emergencies(desk.agent, BURNING.policy) == ()


def test_what_the_log_showed_of_emergencies_bounds_the_next_one_without_it(tmp_path: Path) -> None:
    coordinator = SimulatedCoordinator(BURNING)
    desk = Desk(tmp_path / "rita", coordinator, "rita")
    ceremony = coordinator.open(emergency_request(requester="mallory"))
    desk.look(ceremony)
    unplug(desk)
    (open_one,) = known_emergencies(desk.agent, BURNING.policy)
    assert (open_one.ceremony, open_one.state) == (ceremony, State.OPEN)
    wanted = Wanted(product="gadget", version="2.0", subjects=SUBJECTS)
    with pytest.raises(EmergencyLimitError):
        write_emergency(desk.agent, BURNING.policy, wanted, ALARM, past=[open_one])
    coordinator.now = NOW + HOUR * 2
    (over,) = known_emergencies(desk.agent, BURNING.policy)
    assert over.state is State.EXPIRED
    draft = write_emergency(desk.agent, BURNING.policy, wanted, ALARM, past=[over])
    assert isinstance(draft.statement, Request)
    assert draft.statement.emergency is not None


def test_entries_after_a_gap_are_left_out_of_what_is_known(tmp_path: Path) -> None:
    coordinator = SimulatedCoordinator(BURNING)
    desk = Desk(tmp_path / "alice", coordinator)
    ceremony = coordinator.open(emergency_request(requester="mallory"))
    desk.look(ceremony)
    for name in ("erin", "carol"):
        coordinator.decide_as(name, ceremony, roles=[r for r in BURNING.quorum if name in BURNING.roles[r]])
    entries = [entry.payload for entry in coordinator.entries[ceremony]]
    with sqlite3.connect(desk.agent.home.journal_file) as journal:
        journal.executemany(
            "INSERT INTO entries VALUES (?, ?, ?, ?, '')",
            [(digest_of(entries[seq]), ceremony, seq, entries[seq]) for seq in (1, 2)],
        )
    journal.close()
    assert desk.agent.journal.entries(ceremony) == tuple(entries[:3])
    (seen,) = known_emergencies(desk.agent, BURNING.policy)
    assert seen.state is State.OPEN
