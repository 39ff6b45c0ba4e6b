# SPDX-License-Identifier: Apache-2.0
"""How well the rule works is counted once for each length of the log, and nobody waits for it."""

from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime, timedelta

import pytest
from starlette.applications import Starlette

from coordinator.web.measuring import Measured, Measuring, measure
from tests.coordinator.workshop import Workshop
from tests.organisation import NOW
from tests.web.asking import ask


class _Counting:
    """Counts when it is told to."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.asked: list[datetime] = []
        self.future: Future[Measured] = Future()
        self.measuring = Measuring("sqlite:///x", now, self._start)

    def _start(self, _: str, at: datetime) -> Future[Measured]:
        self.asked.append(at)
        self.future = Future()
        return self.future


def _measured(size: int) -> Measured:
    return Measured(size=size, at=NOW, since=NOW, ceremonies=0, all=True, measures=())


def test_it_is_counted_once_for_each_length_and_at_most_once_a_minute(workshop: Workshop) -> None:
    counting = _Counting(lambda: workshop.time.now)
    newest = counting.measuring.newest
    assert (newest(5), newest(6), len(counting.asked)) == (None, None, 1)
    counting.future.set_result(_measured(5))
    assert newest(5) == newest(6) == _measured(5)
    assert len(counting.asked) == 1
    workshop.time.pass_by(timedelta(minutes=1))
    newest(5)
    assert len(counting.asked) == 1
    newest(6)
    assert len(counting.asked) == 2


def test_a_count_that_fails_leaves_the_one_before(
    workshop: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    counting = _Counting(lambda: workshop.time.now)
    counting.measuring.newest(5)
    counting.future.set_result(_measured(5))
    workshop.time.pass_by(timedelta(minutes=1))
    counting.measuring.newest(6)
    counting.future.set_exception(ValueError("no"))
    assert counting.measuring.newest(6) == _measured(5)
    assert "could not be counted" in caplog.text


def test_a_count_is_of_the_last_days_or_of_the_newest_ceremonies(workshop: Workshop) -> None:
    workshop.approved()
    at = workshop.time.now
    whole = measure(workshop.database, at)
    assert (whole.ceremonies, whole.all, whole.size) == (1, True, 7)
    assert whole.measures[0][1].startswith("<svg")
    some = measure(workshop.database, at, most=0)
    assert (some.ceremonies, some.all) == (0, False)
    assert measure(workshop.database, at + timedelta(days=91)).ceremonies == 0


def test_the_page_draws_what_was_counted(
    pages: Callable[..., Starlette], workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop.approved()

    counted = measure(workshop.database, workshop.time.now)
    monkeypatch.setattr(Measuring, "newest", lambda *_: counted)
    answer = ask(pages(), "/effectiveness")
    assert "1 ceremony of the last 90 days." in answer.words
    assert answer.text.count("<svg") == answer.text.count("</svg>") >= 9
    assert " style=" not in answer.text
    assert "<script>" not in answer.text
