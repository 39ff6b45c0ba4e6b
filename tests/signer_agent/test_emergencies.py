# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from quorumseal.ceremony.emergency import SHORTEST_WHY
from quorumseal.ceremony.errors import (
    CeremonyEndedError,
    NoEmergencyError,
    ReportNotAllowedError,
    VetoNotAllowedError,
)
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.request_errors import (
    EmergencyError,
    EmergencyLimitError,
    EmergencyPeopleError,
    RatificationError,
    RevocationError,
)
from quorumseal.ceremony.statements import Choice, Mode, Request, Subject
from quorumseal.refusal import Refusal
from signer_agent.deciding import require_decidable
from signer_agent.drafting import Draft
from signer_agent.emergencies import USUAL_TIME, write_emergency
from signer_agent.errors import NoSuchCeremonyError, TextMissingError, UsageError
from signer_agent.recollection import Fate
from signer_agent.review import Standing
from signer_agent.signing import settle
from tests.burning import BREAK_GLASS, BURNING, HOUR, PROVISIONAL, WINDOW, emergency_request
from tests.organisation import NOW, Organisation
from tests.signer_agent.fires import ALARM, IMPACT, WANTED, WHY, Fire
from tests.simulated_coordinator import Message


@pytest.fixture
def fire(tmp_path: Path) -> Fire:
    return Fire(tmp_path)


def _draft(fire: Fire, **fields: Any) -> Draft:
    return write_emergency(
        fire.desk("mallory").agent, fire.organisation.policy, WANTED, replace(ALARM, **fields)
    )


def test_an_emergency_says_all_that_the_rules_ask_for(fire: Fire) -> None:
    draft = _draft(fire)
    request = draft.statement
    assert isinstance(request, Request)
    assert (request.mode, request.kind) == (Mode.BREAK_GLASS, Kind.RELEASE)
    emergency = request.emergency
    assert emergency is not None
    assert (emergency.reason, emergency.incident, emergency.people) == ("outage", "INC-7", 2)
    assert (emergency.provisional_until, emergency.ratify_by) == (NOW + PROVISIONAL, NOW + PROVISIONAL)
    assert request.deadline == NOW + WINDOW + USUAL_TIME
    assert request.deadline < request.hard_stop <= emergency.provisional_until
    texts = {annex.commitment: annex.text for annex in draft.annexes}
    assert (texts[request.why or ""], texts[emergency.impact]) == (WHY, IMPACT)


def test_an_emergency_ends_provisional_and_its_texts_reach_those_who_join(fire: Fire) -> None:
    ceremony = fire.break_glass()
    review = fire.desk("alice").look(ceremony)
    assert review.standing is Standing.AWAITED
    assert {WHY, IMPACT} <= set(review.observation.reasons.values())
    fire.join(ceremony, "alice", "carol")
    assert fire.coordinator.state(ceremony) is State.OPEN
    fire.pass_time(WINDOW, ceremony)
    assert fire.coordinator.state(ceremony) is State.PROVISIONAL


NOT_WRITTEN: dict[str, tuple[dict[str, Any], type[Refusal]]] = {
    "a why that is too short": ({"why": "x" * (SHORTEST_WHY - 1)}, UsageError),
    "a why of blanks": ({"why": " " * 80}, UsageError),
    "no impact": ({"impact": " "}, UsageError),
}


@pytest.mark.parametrize(("fields", "refusal"), NOT_WRITTEN.values(), ids=NOT_WRITTEN.keys())
def test_an_emergency_that_explains_nothing_is_not_written(
    fire: Fire, fields: dict[str, Any], refusal: type[Refusal]
) -> None:
    with pytest.raises(refusal):
        _draft(fire, **fields)


def test_a_rule_without_break_glass_has_no_emergencies(tmp_path: Path) -> None:
    with pytest.raises(EmergencyError) as refused:
        _draft(Fire(tmp_path, Organisation()))
    assert "before it is needed" in refused.value.hint


def test_the_times_can_be_shorter_than_the_rule_allows(fire: Fire) -> None:
    request = _draft(fire, provisional=6 * HOUR, ratify=12 * HOUR).statement
    assert isinstance(request, Request)
    assert request.emergency is not None
    assert request.emergency.provisional_until == NOW + 6 * HOUR
    assert request.emergency.ratify_by == NOW + 12 * HOUR
    assert request.hard_stop == NOW + 6 * HOUR


def test_a_deadline_that_somebody_asks_for_is_taken_as_it_is(fire: Fire) -> None:
    wanted = replace(WANTED, deadline=timedelta(minutes=30))
    draft = write_emergency(fire.desk("mallory").agent, fire.organisation.policy, wanted, ALARM)
    assert isinstance(draft.statement, Request)
    assert draft.statement.deadline == NOW + timedelta(minutes=30)


# How many people: as the log says


def test_after_a_veto_the_next_one_needs_three_people(fire: Fire) -> None:
    fire.veto(fire.break_glass(), "erin")
    ceremony = fire.break_glass()
    broken = fire.coordinator.chains[ceremony].ceremony
    assert broken.request.statement.emergency is not None
    assert broken.request.statement.emergency.people == 3
    assert broken.vetoed_by == {"erin"}
    fire.join(ceremony, "alice", "carol")
    assert broken.window_ends is None
    assert fire.desk("bob").look(ceremony).standing is Standing.AWAITED
    assert fire.coordinator.chains[ceremony].ceremony.window_ends is None
    fire.join(ceremony, "bob")
    assert fire.coordinator.chains[ceremony].ceremony.window_ends is not None


def test_nobody_asks_for_fewer_people_than_the_log_demands(fire: Fire) -> None:
    fire.veto(fire.break_glass(), "erin")
    with pytest.raises(EmergencyPeopleError):
        _draft(fire, people=2)


def test_while_a_report_is_late_the_next_one_needs_three_people(fire: Fire) -> None:
    first = fire.burn()
    fire.coordinator.pass_time(BREAK_GLASS.report + HOUR)
    other = replace(WANTED, version="2.0")
    desk = fire.desk("mallory")
    draft = write_emergency(desk.agent, fire.organisation.policy, other, ALARM)
    assert isinstance(draft.statement, Request)
    assert draft.statement.emergency is not None
    assert draft.statement.emergency.people == 3
    fire.report(first, "erin")
    draft = write_emergency(desk.agent, fire.organisation.policy, other, ALARM)
    assert isinstance(draft.statement, Request)
    assert draft.statement.emergency is not None
    assert draft.statement.emergency.people == 2


def test_more_people_than_needed_can_be_asked_for(fire: Fire) -> None:
    request = _draft(fire, people=4).statement
    assert isinstance(request, Request)
    assert request.emergency is not None
    assert request.emergency.people == 4


def test_one_more_is_not_written_while_one_is_open(fire: Fire) -> None:
    fire.break_glass()
    with pytest.raises(EmergencyLimitError):
        write_emergency(
            fire.desk("rita").agent, fire.organisation.policy, replace(WANTED, version="2.0"), ALARM
        )


def test_an_open_emergency_can_be_superseded(fire: Fire) -> None:
    first = fire.break_glass()
    digest = fire.coordinator.chains[first].ceremony.request.digest
    other = (Subject(name="widget.tar.gz", digest=f"sha256:{'2' * 64}"),)
    fire.break_glass(wanted=replace(WANTED, subjects=other, supersedes=digest))
    assert fire.coordinator.state(first) is State.SUPERSEDED


def test_a_coordinator_that_hides_a_veto_gets_no_approval_from_whoever_saw_it(tmp_path: Path) -> None:
    """The list leaves out what carol's agent was shown: it looks there all the same."""
    hidden: list[str] = []

    def hides(message: Message) -> Any:
        if message.method == "list_ceremonies" and message.reply:
            kept = tuple(s for s in message.content.ceremonies if s.ceremony not in hidden)
            return replace(message.content, ceremonies=kept)
        return message.content

    fire = Fire(tmp_path, hostile={"carol": hides})
    vetoed = fire.break_glass()
    fire.desk("carol").look(vetoed)
    fire.veto(vetoed, "erin")
    hidden.append(vetoed)
    later = emergency_request(number=50, at=fire.coordinator.now + HOUR, people=2)
    fire.coordinator.pass_time(HOUR)
    fire.coordinator.open_unasked(later)
    review = fire.desk("carol").look(later.ceremony)
    with pytest.raises(EmergencyPeopleError):
        require_decidable(review, Choice.APPROVAL)
    require_decidable(review, Choice.REJECTION)


def test_an_opening_that_misstates_who_vetoed_is_not_approved(fire: Fire) -> None:
    fire.veto(fire.break_glass(), "erin")
    fire.coordinator.pass_time(HOUR)
    later = emergency_request(number=50, at=fire.coordinator.now, people=3)
    fire.coordinator.open_unasked(later)
    review = fire.desk("carol").look(later.ceremony)
    assert review.background.vetoed_by == {"erin"}
    with pytest.raises(EmergencyPeopleError) as refused:
        require_decidable(review, Choice.APPROVAL)
    assert "got one that says nobody" in str(refused.value)


def test_nobody_approves_without_the_requesters_words(fire: Fire) -> None:
    request = emergency_request(at=fire.coordinator.now)
    fire.coordinator.open(request)
    with pytest.raises(TextMissingError) as refused:
        require_decidable(fire.desk("alice").look(request.ceremony), Choice.APPROVAL)
    assert refused.value.code == "request.text_missing"
    require_decidable(fire.desk("alice").look(request.ceremony), Choice.REJECTION)


# Vetoes and reports


def test_any_member_of_any_role_stops_it(fire: Fire) -> None:
    ceremony = fire.break_glass()
    fire.join(ceremony, "alice", "carol")
    assert fire.veto(ceremony, "rita").state == "rejected"
    assert fire.coordinator.chains[ceremony].ceremony.stopped_by == "rita"


def test_nobody_stops_the_same_release_twice(fire: Fire) -> None:
    fire.veto(fire.break_glass(), "erin")
    ceremony = fire.break_glass()
    with pytest.raises(VetoNotAllowedError):
        fire.veto(ceremony, "erin")
    assert len(fire.desk("erin").key.signed) == 1
    fire.veto(ceremony, "bob")


NO_VETO: dict[str, tuple[Callable[[Fire], str], type[Refusal]]] = {
    "of an ordinary ceremony": (lambda fire: fire.coordinator.open(), NoEmergencyError),
    "of what was released": (lambda fire: fire.burn(), CeremonyEndedError),
}


@pytest.mark.parametrize(("begin", "refusal"), NO_VETO.values(), ids=NO_VETO.keys())
def test_a_veto_that_cannot_count_is_not_signed(
    fire: Fire, begin: Callable[[Fire], str], refusal: type[Refusal]
) -> None:
    ceremony = begin(fire)
    with pytest.raises(refusal):
        fire.veto(ceremony, "erin")
    assert fire.desk("erin").key.signed == []


def test_whoever_took_no_part_reports(fire: Fire) -> None:
    ceremony = fire.burn()
    assert fire.coordinator.chains[ceremony].ceremony.report_due is not None
    assert fire.report(ceremony, "erin").state == "provisional"
    assert fire.coordinator.chains[ceremony].ceremony.report_due is None


@pytest.mark.parametrize("person", ["mallory", "alice", "carol"])
def test_whoever_took_part_does_not_report(fire: Fire, person: str) -> None:
    ceremony = fire.burn()
    before = len(fire.desk(person).key.signed)
    with pytest.raises(ReportNotAllowedError):
        fire.report(ceremony, person)
    assert len(fire.desk(person).key.signed) == before


def test_only_what_was_released_is_reported_on(fire: Fire) -> None:
    with pytest.raises(NoEmergencyError):
        fire.report(fire.break_glass(), "erin")


def test_a_veto_whose_answer_was_lost_is_sent_again_and_not_signed_again(tmp_path: Path) -> None:
    from quorumseal.client.errors import CoordinatorUnreachableError
    from signer_agent.errors import NoReceiptError

    def lost(message: Message) -> Any:
        if message.method == "act" and message.reply:
            raise CoordinatorUnreachableError("no answer")
        return message.content

    fire = Fire(tmp_path, hostile={"erin": lost})
    ceremony = fire.break_glass()
    with pytest.raises(NoReceiptError):
        fire.veto(ceremony, "erin")
    desk = fire.desk("erin").reopened()
    (pending,) = desk.agent.journal.pending()
    settled = settle(desk.agent, pending, desk.look(ceremony).observation)
    assert (settled.fate, len(desk.key.signed)) == (Fate.RECORDED, 1)


# Ratifications and revocations


def test_the_full_quorum_ratifies_what_an_emergency_released(fire: Fire) -> None:
    emergency = fire.burn()
    ceremony = fire.ratify(emergency)
    request = fire.coordinator.chains[ceremony].ceremony.request.statement
    assert request.ratified is not None
    assert request.ratified.conclusion == fire.coordinator.chains[emergency].conclusion
    assert request.requesters == {"rita", "mallory"}
    review = fire.desk("alice").look(ceremony)
    assert review.background.about is not None
    assert review.background.about.chain.id == emergency
    fire.join(ceremony, "alice", "bob", "carol", "dan")
    assert fire.coordinator.state(ceremony) is State.APPROVED


def test_whoever_asked_for_the_emergency_does_not_ratify_it(fire: Fire) -> None:
    organisation = replace(BURNING, roles={**BURNING.roles, "engineering": ("alice", "bob", "mallory")})
    fire = Fire(fire.folder / "other", organisation)
    fire.folder.mkdir()
    ceremony = fire.ratify(fire.burn())
    assert fire.desk("mallory").look(ceremony).standing is Standing.REQUESTED


NO_RATIFICATION: dict[str, Callable[[Fire], str]] = {
    "an open emergency": lambda fire: fire.break_glass(),
    "a regular release": lambda fire: fire.coordinator.open(),
}


@pytest.mark.parametrize("begin", NO_RATIFICATION.values(), ids=NO_RATIFICATION.keys())
def test_only_a_provisional_emergency_is_ratified(fire: Fire, begin: Callable[[Fire], str]) -> None:
    ceremony = begin(fire)
    with pytest.raises(RatificationError):
        fire.ratify(ceremony)
    assert fire.desk("rita").key.signed == []


def test_what_has_lapsed_is_not_ratified(fire: Fire) -> None:
    emergency = fire.burn()
    fire.coordinator.pass_time(PROVISIONAL)
    with pytest.raises(RatificationError) as refused:
        fire.ratify(emergency)
    assert "has lapsed" in str(refused.value)


def test_a_ratification_ends_before_the_emergency_lapses(fire: Fire) -> None:
    emergency = fire.burn()
    fire.coordinator.pass_time(PROVISIONAL - 2 * HOUR)
    request = fire.coordinator.chains[fire.ratify(emergency)].ceremony.request.statement
    assert request.deadline == request.hard_stop == NOW + PROVISIONAL


def test_a_deadline_after_the_lapse_is_refused(fire: Fire) -> None:
    emergency = fire.burn()
    with pytest.raises(RatificationError):
        fire.ratify(emergency, deadline=PROVISIONAL + HOUR)


def _ratification_of(fire: Fire, emergency: str, **fields: Any) -> str:
    """Open a ratification as no honest requester would write it."""
    desk = fire.desk("rita")
    from signer_agent.succeeding import Succession, write_ratification

    draft = write_ratification(desk.agent, desk.look(emergency).observation, Succession())
    assert isinstance(draft.statement, Request)
    assert draft.statement.ratified is not None
    changed = replace(draft.statement, ratified=replace(draft.statement.ratified, **fields))
    return fire.coordinator.open_unasked(changed)


LIES: dict[str, dict[str, Any]] = {
    "another request": {"request": f"sha256:{'1' * 64}"},
    "another conclusion": {"conclusion": f"sha256:{'1' * 64}"},
    "other requesters": {"requesters": frozenset({"erin"})},
}


@pytest.mark.parametrize("fields", LIES.values(), ids=LIES.keys())
def test_a_ratification_of_something_else_is_not_approved(fire: Fire, fields: dict[str, Any]) -> None:
    ceremony = _ratification_of(fire, fire.burn(), **fields)
    review = fire.desk("alice").look(ceremony)
    with pytest.raises(RatificationError):
        require_decidable(review, Choice.APPROVAL)


def _release(fire: Fire) -> str:
    ceremony = fire.coordinator.open()
    fire.join(ceremony, "alice", "bob", "carol", "dan")
    return ceremony


def test_a_release_is_taken_back_by_its_rule(fire: Fire) -> None:
    released = _release(fire)
    ceremony = fire.revoke(released)
    request = fire.coordinator.chains[ceremony].ceremony.request.statement
    assert request.subjects[0].digest == fire.coordinator.chains[released].ceremony.request.digest
    review = fire.desk("alice").look(ceremony)
    assert review.background.about is not None
    assert review.background.about.chain.id == released
    assert review.findings.found["request"].matches
    assert "it deletes what it should keep" in review.observation.reasons.values()
    fire.join(ceremony, "alice", "bob", "carol", "dan")
    assert fire.coordinator.state(ceremony) is State.APPROVED


def test_a_provisional_release_is_taken_back_too(fire: Fire) -> None:
    ceremony = fire.revoke(fire.burn())
    fire.join(ceremony, "alice", "bob", "carol", "dan")
    assert fire.coordinator.state(ceremony) is State.APPROVED


def test_what_was_never_released_is_not_revoked(fire: Fire) -> None:
    with pytest.raises(RevocationError):
        fire.revoke(fire.coordinator.open())


def test_a_revocation_of_what_nobody_shows_is_not_decided_on(tmp_path: Path) -> None:
    def hides(message: Message) -> Any:
        if message.method == "list_ceremonies" and message.reply:
            kept = tuple(s for s in message.content.ceremonies if s.kind != "release")
            return replace(message.content, ceremonies=kept)
        return message.content

    fire = Fire(tmp_path, hostile={"alice": hides})
    ceremony = fire.revoke(_release_without(fire))
    with pytest.raises(NoSuchCeremonyError):
        fire.desk("alice").look(ceremony)


def _release_without(fire: Fire) -> str:
    ceremony = fire.coordinator.open()
    for person in ("erin", "bob", "carol", "dan"):
        fire.coordinator.decide_as(person, ceremony)
    return ceremony
