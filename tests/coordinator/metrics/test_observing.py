# SPDX-License-Identifier: Apache-2.0
"""From what happens to a ceremony to numbers: one row for each thing that can happen."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from coordinator.metrics.catalogue import (
    BREAKGLASS_NOTICE_FAILURES,
    NOTIFICATION_FAILURES,
    ROLE_RESPONSE,
    TIME_TO_QUORUM,
    Metric,
)
from coordinator.metrics.observing import observations_of, observations_of_failure
from quorumseal.ceremony.chain import Chain, extend, open_chain
from quorumseal.ceremony.commands import Expire, Record
from quorumseal.ceremony.statements import Choice
from tests.burning import BURNING, WINDOW, emergency_request, joins, vetoes
from tests.organisation import NOW, Organisation, changed

STAGED = changed(BURNING, stages=(frozenset({"engineering"}), frozenset({"security", "release"})))
Seen = list[tuple[Metric, float, str]]
Step = Callable[[Chain], tuple[Chain, Seen]]


def at(minute: float, command: Callable[[Chain], object]) -> Step:
    """Do something some minutes after the opening, and see what is counted."""

    def step(chain: Chain) -> tuple[Chain, Seen]:
        longer, entries = extend(chain, command(chain), at=NOW + timedelta(minutes=minute))  # type: ignore[arg-type] # a table's
        seen = observations_of(chain.ceremony, longer.ceremony, entries)
        return longer, [(each.metric, each.value / 60, each.label) for each in seen]

    return step


def decide(
    minute: float, signer: str, choice: Choice = Choice.APPROVAL, *, again: bool = False, ahead: float = 0
) -> Step:
    """Decide; ``ahead`` is by how many minutes the signer's clock is wrong."""

    def command(chain: Chain) -> Record:
        acme = STAGED if chain.ceremony.rule.stages else BURNING
        decision = acme.decision(
            signer,
            chain.ceremony.request,
            choice,
            at=NOW + timedelta(minutes=minute + ahead),
            replaces=chain.ceremony.decisions[signer].digest if again else None,
        )
        return Record(acme.sign_decision(decision))

    return at(minute, command)


def join(minute: float, signer: str, choice: Choice = Choice.APPROVAL, *, again: bool = False) -> Step:
    """Join an emergency."""
    return at(
        minute,
        lambda chain: joins(
            chain,
            signer,
            choice,
            at=NOW + timedelta(minutes=minute),
            replaces=chain.ceremony.decisions[signer].digest if again else None,
        ),
    )


def clock(minute: float) -> Step:
    """Let time pass."""
    return at(minute, lambda _: Expire())


QUORUM, RESPONSE = TIME_TO_QUORUM, ROLE_RESPONSE
REGULAR: list[tuple[str, list[Step], Seen]] = [
    ("a first decision", [decide(5, "alice")], [(RESPONSE, 5, "engineering")]),
    (
        "somebody in two roles",
        [decide(5, "bob")],
        [(RESPONSE, 5, "engineering"), (RESPONSE, 5, "security")],
    ),
    ("the second of a role", [decide(5, "alice"), decide(7, "erin")], [(RESPONSE, 7, "engineering")]),
    ("an abstention answers too", [decide(3, "carol", Choice.ABSTENTION)], [(RESPONSE, 3, "security")]),
    ("so does a rejection", [decide(3, "rita", Choice.REJECTION)], [(RESPONSE, 3, "release")]),
    (
        "a change of mind is no answer",
        [decide(1, "alice"), decide(2, "carol"), decide(9, "alice", Choice.ABSTENTION, again=True)],
        [],
    ),
    (
        "the last approval",
        [decide(1, "alice"), decide(2, "erin"), decide(3, "carol"), decide(40, "rita")],
        [(RESPONSE, 40, "release"), (QUORUM, 40, "regular")],
    ),
    ("an expiry", [decide(1, "alice"), clock(60 * 24 * 30)], []),
]
IN_STAGES: list[tuple[str, list[Step], Seen]] = [
    ("the first stage", [decide(10, "alice")], [(RESPONSE, 10, "engineering")]),
    (
        "the second waits from its turn on",
        [decide(10, "alice"), decide(30, "erin"), decide(35, "carol")],
        [(RESPONSE, 5, "security")],
    ),
    (
        "a clock ahead makes nobody wait less than nothing",
        [decide(10, "alice"), decide(30, "erin", ahead=1), decide(30.5, "carol")],
        [(RESPONSE, 0, "security")],
    ),
]
EMERGENCY: list[tuple[str, list[Step], Seen]] = [
    ("somebody joins", [join(2, "alice")], [(RESPONSE, 2, "engineering")]),
    (
        "the window opens",
        [join(2, "alice"), join(4, "carol")],
        [(RESPONSE, 4, "security"), (QUORUM, 4, "break-glass")],
    ),
    (
        "nobody vetoes",
        [join(2, "alice"), join(4, "carol"), clock(4 + WINDOW.total_seconds() / 60)],
        [],
    ),
    (
        "a veto",
        [join(2, "alice"), at(3, lambda chain: vetoes(chain, "rita", at=NOW + timedelta(minutes=3)))],
        [],
    ),
]
CASES = [
    *((f"regular: {name}", BURNING, steps, seen) for name, steps, seen in REGULAR),
    *((f"stages: {name}", STAGED, steps, seen) for name, steps, seen in IN_STAGES),
    *((f"emergency: {name}", None, steps, seen) for name, steps, seen in EMERGENCY),
]


@pytest.mark.parametrize(
    ("organisation", "steps", "expected"), [row[1:] for row in CASES], ids=[row[0] for row in CASES]
)
def test_what_the_last_step_says(
    organisation: Organisation | None, steps: list[Step], expected: Seen
) -> None:
    acme = organisation or BURNING
    request = acme.sign_request(None if organisation else emergency_request())
    chain, opening = open_chain(acme.policy, request, at=NOW)
    assert observations_of(None, chain.ceremony, [opening]) == []
    seen: Seen = []
    for step in steps:
        chain, seen = step(chain)
    assert seen == expected


def test_only_what_is_about_an_emergency_counts_as_that() -> None:
    (failure,) = observations_of_failure("chat", urgent=False)
    assert (failure.metric, failure.value, failure.label) == (NOTIFICATION_FAILURES, 1, "chat")
    failure, urgent = observations_of_failure("chat", urgent=True)
    assert (failure.metric, failure.label) == (NOTIFICATION_FAILURES, "chat")
    assert (urgent.metric, urgent.label) == (BREAKGLASS_NOTICE_FAILURES, "")
