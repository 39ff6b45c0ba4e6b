# SPDX-License-Identifier: Apache-2.0
"""Several coordinators on one PostgreSQL database are one coordinator to whoever calls them."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from coordinator.storage import notifications
from quorumseal.ceremony.entries import CONCLUSIONS, EntryType, read_entry
from quorumseal.ceremony.statements import Choice
from quorumseal.client.values import LoggedEntry, Receipt
from tests.conftest import DEEP
from tests.durability.audit import Audit, audit
from tests.durability.callers import Callers, Opened, Word, callers
from tests.durability.people import now
from tests.durability.published import wait_for_publication
from tests.running_coordinator import Site

pytestmark = [pytest.mark.postgresql, pytest.mark.timeout(0 if DEEP else 300)]

CALLS = 50
COPIES = CALLS // 5


class Race:
    """Fifty calls at once, to three coordinators, each of which would end a ceremony."""

    def __init__(self, people: Callers, pool: ThreadPoolExecutor, dice: random.Random) -> None:
        self._people = people
        self._pool = pool
        self._dice = dice

    def run(self, number: int) -> Opened:
        """One ceremony in four has its deadline at about the same time, too."""
        due = number % 4 == 0
        opened = self._people.open(number, deadline=timedelta(milliseconds=400 if due else 3_600_000))
        for coordinator, signer in enumerate(("alice", "erin", "carol")):
            self._people.hand_in(self._people.decision(opened, signer), coordinator)
        words = [
            self._people.decision(opened, "rita"),
            self._people.decision(opened, "dan"),
            self._people.decision(opened, "bob", Choice.REJECTION),
            self._people.cancellation(opened, "mallory"),
            self._people.cancellation(opened, "rita"),
        ]
        if due:
            left = (opened.request.statement.deadline - now()).total_seconds()
            time.sleep(max(0, left - self._dice.random() * 0.02))
        self._check(words, self._all_at_once(words))
        return opened

    def _all_at_once(self, words: list[Word]) -> list[tuple[Word, Receipt | str]]:
        calls = [(word, coordinator) for word in words for coordinator in range(COPIES)]
        self._dice.shuffle(calls)
        ready = threading.Barrier(len(calls))

        def call(word: Word, coordinator: int) -> tuple[Word, Receipt | str]:
            ready.wait()
            return word, self._people.hand_in(word, coordinator)

        return [future.result() for future in [self._pool.submit(call, *each) for each in calls]]

    def _check(self, words: list[Word], answers: list[tuple[Word, Receipt | str]]) -> None:
        """Whoever asks, however often, is told the same; and whoever is not counted is told why."""
        for word in words:
            told = {
                answer if isinstance(answer, str) else (answer.index, answer.entry)
                for other, answer in answers
                if other is word
            }
            assert len(told) == 1, told
            (answer,) = told
            assert not isinstance(answer, str) or answer == "ceremony.ended"


@pytest.fixture
def three(postgresql_site: Site) -> Iterator[Callers]:
    with callers(postgresql_site, 3) as people:
        yield people


def test_one_of_fifty_concurrent_last_words_ends_a_ceremony(
    three: Callers, count: Callable[..., int]
) -> None:
    ceremonies = count(40, deep=2_000)
    with ThreadPoolExecutor(CALLS) as pool:
        race = Race(three, pool, random.Random(9))
        for number in range(1, ceremonies + 1):
            opened = race.run(number)
            entries = check_alike(three, opened)
            ends = [entry for entry in map(read_entry, entries) if entry.type in CONCLUSIONS]
            assert len(ends) == 1
            if ends[0].type is EntryType.APPROVED:
                bundles = {three.connection("dan", number).bundle(opened.ceremony) for number in range(3)}
                assert len(bundles) == 1
    found = check_all(three)
    assert found.ceremonies == ceremonies
    assert found.approved > 0
    assert found.approved + found.rejected + found.cancelled + found.expired == ceremonies


def check_alike(people: Callers, opened: Opened) -> tuple[bytes, ...]:
    """Every coordinator shows the same entries of a ceremony."""
    shown = {people.connection("alice", number).ceremony(opened.ceremony).part.entries for number in range(3)}
    assert len(shown) == 1
    return shown.pop()


def check_all(people: Callers) -> Audit:
    """Every coordinator streams the same log, and it is as it was acknowledged."""
    wait_for_publication(people.connection("alice", 0))
    logs = [people.log(number) for number in range(len(people.addresses))]
    assert all(log == logs[0] for log in logs)
    return audit(people.site, people.ledger, logs[0])


def test_a_deadline_that_all_of_them_watch_expires_once(three: Callers, count: Callable[..., int]) -> None:
    ceremonies = count(12, deep=500)
    deadlines = {}
    for number in range(1, ceremonies + 1):
        opened = three.open(number, deadline=timedelta(milliseconds=300 + 50 * (number % 7)))
        deadlines[opened.ceremony] = opened.request.statement.deadline
    alice = three.connection("alice", 0)
    while alice.list_ceremonies(states=["open"]).ceremonies:
        time.sleep(0.05)
    entries = [read_entry(entry) for entry in three.log(1)]
    expired = [entry for entry in entries if entry.type is EntryType.EXPIRED]
    assert sorted(entry.ceremony or "" for entry in expired) == sorted(deadlines)
    assert all(entry.at >= deadlines[entry.ceremony or ""] for entry in expired)
    check_all(three)


def test_what_one_coordinator_writes_is_heard_at_another_without_asking(
    postgresql_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that is listened to never looks by itself here: only PostgreSQL can have told it."""
    monkeypatch.setattr(notifications, "_SECONDS", 3600.0)
    with postgresql_site.in_process() as listening, callers(postgresql_site, 1) as people:
        people.addresses.append(listening.address)
        with people.connection("alice", 1).follow(types=["opened"]) as following:
            events = iter(following)
            for number in range(1, 11):
                opened = people.open(2 * number)  # an even number: at the other coordinator
                event = next(event for event in events if isinstance(event, LoggedEntry))
                assert read_entry(event.entry).ceremony == opened.ceremony
        monkeypatch.undo()
        people.open(100)  # wakes the one that listens once more, so that it can be stopped
