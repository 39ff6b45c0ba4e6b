# SPDX-License-Identifier: Apache-2.0
"""The last approval in the very instant of the deadline: the rules and the verifier give one answer."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from quorumseal.ceremony.chain import Chain, extend
from quorumseal.ceremony.commands import Cancel, Command, Expire
from quorumseal.ceremony.entries import Entry
from quorumseal.ceremony.values import digest_of
from quorumseal.verifier.verify import verify
from tests.burning import (
    BURNING,
    DAY,
    HOUR,
    MINUTE,
    WINDOW,
    emergency_request,
    extends,
    joins,
    open_emergency,
    vetoes,
)
from tests.deadline_instant import AFTER_THE_DEADLINE, FIRST, INSTANT, LAST
from tests.forging import relinked, verdict
from tests.organisation import ARTIFACT, NOW
from tests.simulated_log import SimulatedLog

DEADLINE = NOW + DAY
EXTENDED = NOW + DAY * 2


def waiting(*, extended: bool) -> tuple[Chain, list[Entry]]:
    """Return a ceremony that lacks one approval."""
    request = BURNING.sign_request(replace(BURNING.request(), hard_stop=NOW + DAY * 3))
    chain, entries = BURNING.run(*FIRST, request=request)
    if not extended:
        return chain, entries
    chain, more = extend(chain, extends(chain, "rita", EXTENDED, at=NOW + HOUR), at=NOW + HOUR)
    return chain, [*entries, *more]


def judged(entries: list[Entry]) -> str:
    """Return what a consumer says to the bundle of these entries."""
    log = SimulatedLog(BURNING)
    log.append(entries)
    bundle = log.bundle(entries)
    return verdict(lambda: verify(bundle, log.trust, {"widget.tar.gz": digest_of(ARTIFACT)}))


@pytest.mark.parametrize("extended", [False, True], ids=["the request's", "an extended one"])
@pytest.mark.parametrize(("after", "types"), AFTER_THE_DEADLINE.values(), ids=AFTER_THE_DEADLINE)
def test_what_is_logged_before_the_deadline_counts(
    after: timedelta, types: list[str], extended: bool
) -> None:
    chain, entries = waiting(extended=extended)
    deadline = EXTENDED if extended else DEADLINE
    _, more = extend(chain, joins(chain, LAST, at=NOW + HOUR * 2), at=deadline + after)
    assert [str(entry.type) for entry in more] == types
    honest = "accepted" if types[-1] == "approved" else "ceremony.unapproved"
    assert judged([*entries, *more[: 1 if types[0] == "expired" else None]]) == honest
    assert judged([*entries, *more]) == honest


@pytest.mark.parametrize("extended", [False, True], ids=["the request's", "an extended one"])
@pytest.mark.parametrize("after", [timedelta(0), INSTANT, HOUR])
def test_a_log_that_counts_it_all_the_same_is_refused(after: timedelta, extended: bool) -> None:
    chain, entries = waiting(extended=extended)
    deadline = EXTENDED if extended else DEADLINE
    _, more = extend(chain, joins(chain, LAST, at=NOW + HOUR * 2), at=deadline - INSTANT)
    forged = relinked([*entries, *(replace(entry, at=deadline + after) for entry in more)])
    assert judged(forged) == "chain.outcome"


@pytest.mark.parametrize("after", [-INSTANT, -HOUR])
def test_a_log_that_lets_it_expire_too_early_is_refused(after: timedelta) -> None:
    chain, entries = waiting(extended=False)
    _, more = extend(chain, Expire(), at=DEADLINE)
    forged = relinked([*entries, *(replace(entry, at=DEADLINE + after) for entry in more)])
    assert judged(forged) == "ceremony.not_due"


@pytest.mark.parametrize(
    ("signed_at", "code"),
    [(DEADLINE - INSTANT, "accepted"), (DEADLINE, "decision.signed_after_deadline")],
)
def test_whoever_signs_at_the_deadline_comes_too_late_by_their_own_clock(
    signed_at: datetime, code: str
) -> None:
    chain, _ = waiting(extended=False)
    last = joins(chain, LAST, at=signed_at)
    assert verdict(lambda: extend(chain, last, at=DEADLINE - MINUTE)) == code


@pytest.mark.parametrize(("at", "first"), [(DEADLINE - INSTANT, None), (DEADLINE, "expired")])
def test_every_other_act_meets_the_same_instant(at: datetime, first: str | None) -> None:
    chain, _ = waiting(extended=False)
    acts: dict[str, Command] = {
        "extended": extends(chain, "rita", EXTENDED, at=NOW + HOUR),
        "cancelled": Cancel(BURNING.sign_cancellation(BURNING.cancellation("mallory", chain))),
    }
    for kind, act in acts.items():
        assert [str(entry.type) for entry in extend(chain, act, at=at)[1]] == [first or kind]


# An emergency has two such instants: the end of its veto window, and the deadline.


@pytest.mark.parametrize(("before", "outcome"), [(INSTANT, "vetoed"), (timedelta(0), "provisional")])
def test_a_veto_counts_until_the_window_ends_and_not_in_its_end(before: timedelta, outcome: str) -> None:
    chain = open_emergency()
    for signer in ("alice", "carol"):
        chain, _ = extend(chain, joins(chain, signer), at=NOW)
    veto = vetoes(chain, "erin", at=NOW + MINUTE)
    assert [str(e.type) for e in extend(chain, veto, at=NOW + WINDOW - before)[1]] == [outcome]


@pytest.mark.parametrize(("before", "outcome"), [(INSTANT, "provisional"), (timedelta(0), "expired")])
def test_a_window_ends_before_the_deadline_or_not_at_all(before: timedelta, outcome: str) -> None:
    chain = open_emergency(request=emergency_request(deadline=HOUR))
    met = NOW + HOUR - WINDOW - before
    for signer in ("alice", "carol"):
        chain, _ = extend(chain, joins(chain, signer), at=met)
    assert [str(e.type) for e in extend(chain, Expire(), at=NOW + HOUR)[1]] == [outcome]
