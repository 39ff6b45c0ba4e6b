# SPDX-License-Identifier: Apache-2.0
"""What an agent makes of a log that may have lost its end, by what it is refused and what it is told."""

from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from quorumseal.client.errors import CoordinatorRefusedError
from quorumseal.client.values import HandedBack
from signer_agent.errors import ForkError
from signer_agent.log_check import LONGEST_PAUSE, LogCheck
from tests.organisation import Organisation
from tests.signer_agent.desks import Desk
from tests.simulated_coordinator import Message, SimulatedCoordinator

WHOLE = HandedBack(rewound=False, start=3, end=3)
LOST = HandedBack(rewound=True, start=2, end=3)
UNREACHABLE = "coordinator.unreachable"


class Answers:
    """A coordinator that says what a test has it say."""

    def __init__(self) -> None:
        self.check = ""
        """What the newest checkpoint is refused with."""
        self.asked: HandedBack | str = WHOLE
        """What it says that its log has lost, or what it refuses to say so with."""
        self.handed: list[int] = []
        """How many entries came with each call that hands back."""

    def __call__(self, message: Message) -> Any:
        if message.method == "organisation" and not message.reply and self.check == "policy_chain.below_seen":
            refuse(self.check)
        if message.method == "consistency" and not message.reply and self.check:
            refuse(self.check)
        if message.method == "hand_back" and message.reply:
            if isinstance(self.asked, str):
                refuse(self.asked)
            return self.asked
        if message.method == "hand_back":
            self.handed.append(len(message.content[1]))
        return message.content


def refuse(code: str) -> None:
    raise CoordinatorRefusedError(code, "expected otherwise", retryable=code == UNREACHABLE)


class At:
    """One agent that has signed once, at a coordinator that answers as it is told."""

    def __init__(self, folder: Path) -> None:
        self.coordinator = SimulatedCoordinator(Organisation())
        self.answers = Answers()
        ceremony = self.coordinator.open()
        first = Desk(folder / "alice", self.coordinator)
        first.decide(ceremony)
        self.desk = first.reopened(hostile=self.answers)
        self.log = LogCheck(self.desk.agent)


@pytest.fixture
def at(tmp_path: Path) -> At:
    return At(tmp_path)


class Case(NamedTuple):
    """One answer, and what it means to an agent for which all was well before, and to one that waited."""

    description: str
    check: str
    asked: HandedBack | str
    short: bool
    stays_short: bool
    refusal: str


CASES = [
    Case("all is well", "", WHOLE, False, False, ""),
    Case("it says that it has lost what this agent saw", "log.rewound", LOST, True, True, ""),
    Case("it has lost what only others saw", "", LOST, True, True, ""),
    Case("it has lost the policy, too", "policy_chain.below_seen", LOST, True, True, ""),
    Case("it lags behind another", "log.size_ahead", WHOLE, True, True, "log.size_ahead"),
    Case("it is shorter, and will not say why", "log.behind", "internal", True, True, "log.behind"),
    Case("something else is wrong", "log.other_answer", WHOLE, False, True, "log.other_answer"),
    Case("it does not answer", UNREACHABLE, LOST, False, True, UNREACHABLE),
    Case("it answers half", "", UNREACHABLE, False, True, UNREACHABLE),
    Case(
        "it knows nothing of the checkpoint", "", "recovery.handed_back", False, False, "recovery.handed_back"
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[case.description for case in CASES])
def test_nothing_goes_on_exactly_while_the_log_lacks_something(at: At, case: Case) -> None:
    at.answers.check, at.answers.asked = case.check, case.asked
    found = at.log.look()
    assert at.log.short is case.short
    assert (found.refusal.code if found.refusal else "") == case.refusal
    assert (found.returned is not None) is (case.short and not case.refusal)
    assert not found.recovered


@pytest.mark.parametrize("case", CASES, ids=[case.description for case in CASES])
def test_whoever_waits_goes_on_only_once_the_coordinator_has_shown_everything(at: At, case: Case) -> None:
    at.answers.check, at.answers.asked = "log.rewound", HandedBack(rewound=True, start=1, end=4)
    at.log.look()
    at.answers.check, at.answers.asked = case.check, case.asked
    at.coordinator.pass_time(timedelta(minutes=1))
    found = at.log.look()
    assert at.log.short is case.stays_short
    assert found.recovered is not case.stays_short


def test_the_same_things_are_handed_back_once_a_minute_and_others_at_once(at: At) -> None:
    at.answers.check, at.answers.asked = "log.rewound", LOST
    assert at.log.look().returned is not None
    first = list(at.answers.handed)
    assert sum(first) == 1
    for _ in range(3):
        assert at.log.look().returned is None
    assert at.answers.handed == [*first, 0, 0, 0]
    at.coordinator.pass_time(timedelta(minutes=1))
    assert at.log.look().returned is None
    assert sum(at.answers.handed) == 2
    at.answers.asked = HandedBack(rewound=True, start=1, end=3)
    returned = at.log.look().returned
    assert returned is not None
    assert (returned.start, returned.entries) == (1, 1)


def test_between_two_looks_a_rewound_log_is_only_asked_after(at: At) -> None:
    at.answers.check, at.answers.asked = "log.rewound", LOST
    at.log.look()
    at.coordinator.calls.clear()
    at.log.look()
    assert at.coordinator.calls == ["hand_back"]
    at.answers.check, at.answers.asked = "", WHOLE
    assert at.log.look().recovered
    assert (at.log.size, at.log.newest) == (at.coordinator.log.size, at.coordinator.log.checkpoint())


def test_a_fork_is_no_log_that_lost_its_end(tmp_path: Path) -> None:
    coordinator = SimulatedCoordinator(Organisation())
    ceremony = coordinator.open()
    second, answers = coordinator.fork(), Answers()
    desk = Desk(tmp_path / "alice", coordinator)
    coordinator.decide_as("erin", ceremony)
    desk.look(ceremony)
    desk.coordinator = second
    log = LogCheck(desk.reopened(hostile=answers).agent)
    answers.check, answers.asked = "log.rewound", LOST
    log.look()
    assert log.short
    second.decide_as("carol", ceremony)
    answers.check = ""
    second.pass_time(timedelta(minutes=1))
    with pytest.raises(ForkError):
        log.look()


def test_a_log_that_is_short_is_left_alone_for_seconds_and_a_whole_one_for_a_minute(at: At) -> None:
    assert at.log.pause == 0.0
    at.log.look()
    assert at.log.pause == 60.0
    at.coordinator.pass_time(timedelta(seconds=50))
    assert at.log.pause == 10.0
    at.log.expire()
    assert (at.log.pause, at.log.is_due) == (0.0, True)
    at.answers.asked = LOST
    pauses = []
    for _ in range(30):
        at.log.look()
        pauses.append(at.log.pause)
    assert pauses[0] < 1.0
    assert max(pauses) <= LONGEST_PAUSE + 1.0
    assert max(pauses[10:]) > 1.0
