# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from quorumseal.ceremony.errors import CeremonyEndedError, RequesterDecidesError, SignedAfterDeadlineError
from quorumseal.ceremony.events import CeremonyRejected, QuorumReached
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.request_errors import AlreadyApprovedError, MustSupersedeError
from quorumseal.ceremony.statements import CheckOutcome, Choice, Decision, Subject
from quorumseal.ceremony.values import digest_of
from quorumseal.refusal import Refusal
from quorumseal.terminal import visible
from signer_agent.changes import changes_between
from signer_agent.deciding import look, require_decidable
from signer_agent.draft_screen import consequences_text
from signer_agent.drafting import consequences, draft_decision, make_reason
from signer_agent.errors import NotAwaitedError, UnreadableTextError, UsageError
from signer_agent.recollection import LastDecision
from signer_agent.review import Standing
from signer_agent.signing import sign_and_store
from tests.organisation import ARTIFACT, NOW, Organisation, changed
from tests.signer_agent.desks import Desk
from tests.simulated_coordinator import Message, SimulatedCoordinator

OTHER = b"other bytes under the same version\n"
OTHERS = (Subject(name="widget.tar.gz", digest=digest_of(OTHER)),)


@pytest.fixture
def coordinator() -> SimulatedCoordinator:
    return SimulatedCoordinator(Organisation())


def _elsewhere(desk: Desk, ceremony: str) -> None:
    desk.coordinator.decide_as(desk.agent.name, ceremony)


def _bob_for_security(desk: Desk, ceremony: str) -> None:
    desk.coordinator.decide_as("bob", ceremony, roles=["security"])


def _at_desk(desk: Desk, ceremony: str) -> None:
    desk.decide(ceremony)


def _signed_only(desk: Desk, ceremony: str) -> None:
    review = desk.look(ceremony)
    sign_and_store(desk.agent, desk.draft(review), desk.key, review.observation.policy)


def _sent_only(desk: Desk, ceremony: str) -> None:
    _signed_only(desk, ceremony)
    (stored,) = desk.agent.journal.signed(ceremony)
    desk.coordinator.decide(stored.envelope, None)


def _late(desk: Desk, _: str) -> None:
    desk.coordinator.pass_time(timedelta(hours=24))


def _cancelled(desk: Desk, ceremony: str) -> None:
    desk.coordinator.cancel_as("mallory", ceremony)


STANDINGS: dict[str, tuple[str, tuple[Callable[[Desk, str], None], ...], Standing]] = {
    "nobody has decided": ("alice", (), Standing.AWAITED),
    "the signer's role is filled": ("carol", (_bob_for_security,), Standing.OPEN),
    "the signer has decided": ("alice", (_at_desk,), Standing.DECIDED),
    "the signer has decided elsewhere": ("alice", (_elsewhere,), Standing.DECIDED),
    "signed and not acknowledged": ("alice", (_signed_only,), Standing.UNSENT),
    "in the log before its receipt is here": ("alice", (_sent_only,), Standing.DECIDED),
    "the signer asked for it": ("mallory", (), Standing.REQUESTED),
    "the signer has no role in the rule": ("ci", (), Standing.NO_ROLE),
    "the deadline has passed here": ("alice", (_late,), Standing.OVERDUE),
    "it has ended": ("alice", (_cancelled,), Standing.ENDED),
    "it has ended although something was not acknowledged": (
        "alice",
        (_signed_only, _cancelled),
        Standing.ENDED,
    ),
}


@pytest.mark.parametrize(("signer", "acts", "standing"), STANDINGS.values(), ids=STANDINGS.keys())
def test_what_a_ceremony_is_to_a_signer(
    tmp_path: Path,
    coordinator: SimulatedCoordinator,
    signer: str,
    acts: tuple[Callable[[Desk, str], None], ...],
    standing: Standing,
) -> None:
    ceremony = coordinator.open()
    desk = Desk(tmp_path / signer, coordinator, signer)
    for act in acts:
        act(desk, ceremony)
    assert desk.look(ceremony).standing is standing


REFUSALS: dict[str, tuple[str, tuple[Callable[[Desk, str], None], ...], type[Refusal]]] = {
    "ended": ("alice", (_cancelled,), CeremonyEndedError),
    "requested": ("mallory", (), RequesterDecidesError),
    "no role": ("ci", (), NotAwaitedError),
    "overdue": ("alice", (_late,), SignedAfterDeadlineError),
}


@pytest.mark.parametrize("choice", Choice)
@pytest.mark.parametrize(("signer", "acts", "refusal"), REFUSALS.values(), ids=REFUSALS.keys())
def test_what_cannot_count_is_refused_before_anything_is_written(
    tmp_path: Path,
    coordinator: SimulatedCoordinator,
    signer: str,
    acts: tuple[Callable[[Desk, str], None], ...],
    refusal: type[Refusal],
    choice: Choice,
) -> None:
    ceremony = coordinator.open()
    desk = Desk(tmp_path / signer, coordinator, signer)
    for act in acts:
        act(desk, ceremony)
    with pytest.raises(refusal):
        desk.decide(ceremony, choice)
    assert desk.agent.journal.signed(ceremony) == ()
    assert desk.key.signed == []


def test_other_bytes_under_a_version_that_was_approved_are_refused(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    organisation = coordinator.organisation
    first = coordinator.open(organisation.request(number=1))
    desk = Desk(tmp_path / "alice", coordinator)
    desk.decide(first)
    # a coordinator that forgets the earlier ceremony lets the same version be asked for again
    coordinator.cancel_as("mallory", first)
    del coordinator.chains[first]
    second = coordinator.open(organisation.request(number=2, subjects=OTHERS))
    desk.artifact.write_bytes(OTHER)
    review = desk.look(second)
    assert review.standing is Standing.CONFLICT
    assert review.conflict is not None
    with pytest.raises(MustSupersedeError) as refused:
        desk.decide(second)
    assert refused.value.code == "request.must_supersede"
    require_decidable(review, Choice.REJECTION)
    assert len(desk.key.signed) == 1


def test_a_request_that_supersedes_the_approved_one_may_have_other_bytes(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    organisation = coordinator.organisation
    first = coordinator.open(organisation.request(number=1))
    desk = Desk(tmp_path / "alice", coordinator)
    desk.decide(first)
    earlier = coordinator.chains[first].ceremony.request.digest
    second = coordinator.open(organisation.request(number=2, subjects=OTHERS, supersedes=earlier))
    desk.artifact.write_bytes(OTHER)
    assert desk.look(second).standing is Standing.AWAITED
    assert desk.decide(second).state == "open"


@pytest.mark.parametrize("signer", ["alice", "erin"])
def test_what_a_quorum_approved_is_superseded_by_nothing(
    tmp_path: Path, coordinator: SimulatedCoordinator, signer: str
) -> None:
    first = coordinator.open(coordinator.organisation.request(number=1))
    for name in ("alice", "carol", "bob", "dan"):  # erin signs nothing, and sees how it ends
        Desk(tmp_path / name, coordinator, name).decide(first)
    desk = Desk(tmp_path / signer, coordinator, signer, artifact=OTHER)
    assert desk.look(first).standing is Standing.ENDED
    earlier = coordinator.chains[first].ceremony.request.digest
    second = coordinator.open_unasked(
        coordinator.organisation.request(number=2, subjects=OTHERS, supersedes=earlier)
    )
    assert desk.look(second).standing is Standing.CONFLICT
    signed = list(desk.key.signed)
    with pytest.raises(AlreadyApprovedError, match=f"ceremony {first}"):
        desk.decide(second)
    assert desk.key.signed == signed


@pytest.mark.parametrize("listed", [True, False], ids=["open in the list", "left out of the list"])
def test_a_request_that_supersedes_one_that_has_not_ended_may_not_have_other_bytes(
    tmp_path: Path, coordinator: SimulatedCoordinator, listed: bool
) -> None:
    def leave_out(message: Message) -> Any:
        if message.method == "list_ceremonies" and message.reply and not listed:
            return replace(message.content, ceremonies=())
        return message.content

    first = coordinator.open(coordinator.organisation.request(number=1))
    desk = Desk(tmp_path / "alice", coordinator, hostile=leave_out)
    desk.decide(first)
    earlier = coordinator.chains[first].ceremony.request.digest
    second = coordinator.open_unasked(
        coordinator.organisation.request(number=2, subjects=OTHERS, supersedes=earlier)
    )
    desk.artifact.write_bytes(OTHER)
    with pytest.raises(MustSupersedeError, match="not shown to have ended"):
        desk.decide(second)
    assert len(desk.key.signed) == 1


def test_a_chain_of_requests_is_followed_through_one_that_was_never_seen(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    organisation = coordinator.organisation
    first = coordinator.open(organisation.request(number=1))
    desk = Desk(tmp_path / "alice", coordinator)
    desk.decide(first)
    digests, ceremony = [coordinator.chains[first].ceremony.request.digest], first
    for number, data in ((2, b"never seen"), (3, OTHER)):
        subjects = (Subject(name="widget.tar.gz", digest=digest_of(data)),)
        ceremony = coordinator.open(
            organisation.request(number=number, subjects=subjects, supersedes=digests[-1])
        )
        digests.append(coordinator.chains[ceremony].ceremony.request.digest)
    desk.artifact.write_bytes(OTHER)
    assert desk.look(ceremony).standing is Standing.AWAITED


def test_a_decision_consents_to_every_role_held_and_role_narrows_it(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    ceremony = coordinator.open()
    review = Desk(tmp_path / "bob", coordinator, "bob").look(ceremony)
    assert review.roles == {"engineering", "security"}
    for chosen, roles in (((), {"engineering", "security"}), (("security",), {"security"})):
        statement = draft_decision(review, Choice.APPROVAL, roles=chosen).statement
        assert isinstance(statement, Decision)
        assert statement.roles == roles
    with pytest.raises(NotAwaitedError, match="got release"):
        draft_decision(review, Choice.APPROVAL, roles=("release",))


def test_only_the_agent_states_that_the_artifacts_passed(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    ceremony = coordinator.open()
    desk = Desk(tmp_path / "alice", coordinator)
    with pytest.raises(UsageError, match="only the agent itself"):
        draft_decision(look(desk.agent, ceremony), Choice.APPROVAL, checked=("artifacts",))
    for review, outcome in (
        (look(desk.agent, ceremony), CheckOutcome.UNKNOWN),
        (desk.look(ceremony), CheckOutcome.PASS),
    ):
        statement = draft_decision(review, Choice.APPROVAL, checked=("sbom",)).statement
        assert isinstance(statement, Decision)
        assert [(c.name, c.outcome) for c in statement.checks] == [
            ("artifacts", outcome),
            ("sbom", CheckOutcome.PASS),
        ]


@pytest.mark.parametrize("text", ["", "  ", "x" * 4001])
def test_a_reason_says_something_and_not_too_much(text: str) -> None:
    with pytest.raises(UsageError):
        make_reason(text, bytes)


@pytest.mark.parametrize("text", ["a\x1b[2Jb", "tab\there", "a\u202eb", "zero\u200bwidth", "\ud800", "\r"])
def test_a_reason_that_a_screen_would_not_show_is_refused(text: str) -> None:
    with pytest.raises(UnreadableTextError) as refused:
        make_reason(f"x{text}", bytes)
    assert visible(str(refused.value)) == str(refused.value), "a screen shows the message as it is"
    assert f"got U+{ord(next(c for c in text if not c.isprintable())):04X} in it" in str(refused.value)


def test_a_reason_is_hidden_by_32_random_bytes() -> None:
    reason = make_reason("two\nlines, naïve", lambda size: b"r" * size)
    assert reason.salt == b"r" * 32
    assert reason.commitment == digest_of(b"r" * 32 + "two\nlines, naïve".encode())


def test_the_consequences_are_what_the_rules_will_say(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    ceremony = coordinator.open()
    for signer in ("alice", "erin", "carol"):
        coordinator.decide_as(signer, ceremony)
    desk = Desk(tmp_path / "rita", coordinator, "rita")
    review = desk.look(ceremony)
    events = consequences(review, desk.draft(review))
    assert isinstance(events[-1], QuorumReached)
    assert consequences_text(review, events) == (
        "It completes the quorum: the release is approved and published.",
    )
    events = consequences(review, desk.draft(review, Choice.REJECTION))
    assert isinstance(events[-1], CeremonyRejected)
    assert "rejected" in consequences_text(review, events)[0]
    with pytest.raises(TypeError):
        consequences(review, replace(desk.draft(review), statement=review.request.statement))


def test_what_is_missing_afterwards_is_said(tmp_path: Path, coordinator: SimulatedCoordinator) -> None:
    ceremony = coordinator.open()
    desk = Desk(tmp_path / "alice", coordinator)
    review = desk.look(ceremony)
    said = consequences_text(review, consequences(review, desk.draft(review)))
    assert said[0] == "Then engineering needs one more: bob or erin."


def test_a_first_decision_and_an_unchanged_policy_are_told_apart(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    desk = Desk(tmp_path / "alice", coordinator)
    ceremony = coordinator.open()
    assert desk.look(ceremony).changes is None
    desk.decide(ceremony)
    assert desk.look(ceremony).changes == ()


def test_a_policy_that_changed_since_the_last_decision_is_told_in_sentences(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    desk = Desk(tmp_path / "alice", coordinator)
    ceremony = coordinator.open()
    desk.decide(ceremony)
    review = desk.look(ceremony)
    assert review.recollection.last is not None
    stricter = changed(
        coordinator.organisation, version=2, quorum={"engineering": 1, "security": 1}, veto=frozenset()
    ).build_policy()
    last = LastDecision(decision=review.recollection.last.decision, policy=stricter)
    then = replace(review, recollection=replace(review.recollection, last=last))
    assert then.changes is not None
    assert "engineering needed: 2 (it was 1)" in then.changes
    assert "release is needed now: 1" in then.changes
    assert "can veto: security was added" in then.changes


def test_each_change_of_a_rule_has_its_sentence() -> None:
    old = Organisation().build_policy()
    roles = dict(Organisation().roles)
    roles |= {"security": ("bob", "carol"), "managers": ("rita", "mallory", "ci", "dan")}
    new = changed(
        Organisation(),
        roles=roles,
        checks=frozenset({"sbom"}),
        origin="log.acme.example/next",
        p256=frozenset({"alice", "carol"}),
    ).build_policy()
    rule = replace(new.rules["standard"], deadline=timedelta(days=1))
    new = replace(new, rules={"standard": rule})
    said = changes_between(old, new, product="widget", kind=Kind.RELEASE, signer="alice")
    assert "in security: dan was removed" in said
    assert "may request: dan was added" in said
    assert "must be stated as checked: sbom was added" in said
    assert "deadline: 1 day (it was 3 days)" in said
    assert "log: log.acme.example/next (it was log.acme.example/test)" in said
    assert sum(sentence.startswith("your key: ") for sentence in said) == 2
    assert changes_between(old, old, product="widget", kind=Kind.RELEASE, signer="alice") == ()
    fewer = changed(Organisation(), quorum={"engineering": 2, "security": 1}).build_policy()
    assert "release is no longer needed (it was 1)" in changes_between(
        old, fewer, product="widget", kind=Kind.RELEASE, signer="alice"
    )


def test_a_review_is_a_function_of_what_was_verified(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    ceremony = coordinator.open()
    desk = Desk(tmp_path / "alice", coordinator)
    one, two = desk.look(ceremony), desk.look(ceremony)
    assert one.at == two.at == NOW
    assert digest_of(ARTIFACT) == one.request.statement.subjects[0].digest
    assert (one.standing, one.tally, one.roles, one.findings) == (
        two.standing,
        two.tally,
        two.roles,
        two.findings,
    )
