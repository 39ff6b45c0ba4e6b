# SPDX-License-Identifier: Apache-2.0
"""Threads that go on whatever went wrong, and say so when they cannot."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from coordinator.commands import Start
from coordinator.deadlines import Deadlines
from coordinator.errors import ClosingError, DestinationError
from coordinator.live import Live
from coordinator.notifying import Notifier, Routes
from coordinator.publishing import Publishing
from coordinator.steady import Steady, pause_after
from coordinator.storage import Append, Storage
from quorumseal.ceremony.lifecycle import State
from tests.coordinator.workshop import Place, Workshop

LONG = 30.0
BUG = "cannot happen"
ends_a_thread = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


class _Work:
    """Raises what it is told to, in this order, and then does its work with nothing to do after it."""

    def __init__(self, *errors: BaseException, pause: float = LONG) -> None:
        self._errors = list(errors)
        self._pause = pause
        self.calls = 0
        self.done = threading.Event()

    def __call__(self) -> float:
        self.calls += 1
        if self._errors:
            raise self._errors.pop(0)
        self.done.set()
        return self._pause


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coordinator.steady._FIRST_PAUSE", 0.01)


@pytest.fixture
def steady() -> Iterator[Callable[[_Work], Steady]]:
    threads: list[Steady] = []

    def start(work: _Work) -> Steady:
        threads.append(Steady("tested", work))
        threads[-1].start()
        return threads[-1]

    yield start
    for thread in threads:
        thread.close()


@pytest.mark.parametrize(
    ("errors", "seconds"), [(0, 1), (1, 2), (2, 4), (5, 32), (6, 60), (7, 60), (10**9, 60)]
)
def test_the_pauses_after_unforeseen_errors_grow_to_a_minute(
    errors: int, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coordinator.steady._FIRST_PAUSE", 1.0)
    assert pause_after(errors) == seconds


@pytest.mark.parametrize("error", [ValueError(BUG), OSError(BUG), MemoryError(), DestinationError("no room")])
def test_no_error_ends_a_steady_thread(
    error: Exception, steady: Callable[[_Work], Steady], caplog: pytest.LogCaptureFixture
) -> None:
    work = _Work(error, error)
    thread = steady(work)
    assert work.done.wait(LONG)
    assert (work.calls, thread.alive) == (3, True)
    tracebacks = [record for record in caplog.records if record.exc_info]
    assert len(tracebacks) == (0 if isinstance(error, DestinationError) else 2)
    assert {record.levelno for record in caplog.records} <= {logging.WARNING, logging.ERROR}


def test_news_ends_a_pause_but_not_the_one_after_an_unforeseen_error(
    steady: Callable[[_Work], Steady], monkeypatch: pytest.MonkeyPatch
) -> None:
    idle = _Work()
    thread = steady(idle)
    assert idle.done.wait(LONG)
    idle.done.clear()
    thread.wake()
    assert idle.done.wait(LONG)
    monkeypatch.setattr("coordinator.steady._FIRST_PAUSE", LONG)
    broken = _Work(ValueError(BUG))
    thread = steady(broken)
    _until(lambda: broken.calls == 1)
    thread.wake()
    assert not broken.done.wait(0.1)


@pytest.mark.parametrize("errors", [(), (ValueError(BUG),), (DestinationError("no room"),)])
def test_closing_waits_for_no_pause(
    errors: tuple[Exception, ...], steady: Callable[[_Work], Steady], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coordinator.steady._FIRST_PAUSE", LONG)
    work = _Work(*errors)
    thread = steady(work)
    _until(lambda: work.calls == 1)
    began = time.monotonic()
    thread.close()
    assert time.monotonic() - began < LONG / 2
    assert not thread.alive


@ends_a_thread
def test_a_thread_that_cannot_go_on_does_not_pass_for_alive(steady: Callable[[_Work], Steady]) -> None:
    thread = steady(_Work(SystemExit()))
    _until(lambda: not thread.alive)


def test_publishing_outlives_an_unforeseen_error(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    desk, _ = workshop.approved()
    place = Place()
    clock = workshop.time.clock()
    notifier = Notifier(desk.storage, Routes(), clock=clock)
    publishing = Publishing(desk.storage, desk.reader, desk.policies, [place], clock=clock, notifier=notifier)
    monkeypatch.setattr(desk.storage.outbox, "claim", _once_broken(desk.storage.outbox.claim))
    publishing.thread.start()
    _until(lambda: len(place.published) == 1)
    publishing.thread.close()


def test_deadlines_outlive_an_unforeseen_error(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    desk, start = workshop.desk(), workshop.start()
    desk.written(start)
    workshop.time.pass_by(timedelta(days=1))
    deadlines = Deadlines(desk.storage, desk.writer, clock=workshop.time.clock())
    ceremonies = desk.storage.ceremonies
    monkeypatch.setattr(ceremonies, "next_due", _once_broken(ceremonies.next_due))
    deadlines.thread.start()
    ceremony = start.request.statement.ceremony
    _until(lambda: desk.chain(ceremony).ceremony.state is State.EXPIRED)
    deadlines.thread.close()


def test_one_ceremony_that_cannot_expire_keeps_no_other_from_it(workshop: Workshop) -> None:
    class Failing(Storage):
        def append(self, append: Append) -> None:
            if "expired" in [entry.type for entry in append.entries]:
                raise ValueError(BUG)
            super().append(append)

    desk = workshop.desk(storage=Failing)
    for number in (1, 2):
        desk.written(workshop.start(workshop.organisation.request(number=number, version=f"1.{number}")))
    workshop.time.pass_by(timedelta(days=1))
    deadlines = Deadlines(desk.storage, desk.writer, clock=workshop.time.clock())
    assert deadlines.expire_due() == 0, "and nothing is raised"


def test_listening_outlives_an_unforeseen_error(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = workshop.desk()
    live = Live(desk.storage)

    def hear(heard: Callable[[], None], stopping: threading.Event) -> None:
        heard()
        stopping.wait(LONG)

    monkeypatch.setattr(desk.storage, "listen", _once_broken(hear))
    thread = Steady("listening", live.listen)
    desk.written(workshop.start())
    thread.start()
    _until(lambda: live.size == 2)
    live.close()
    thread.close()


def test_the_writer_outlives_an_unforeseen_error_even_in_what_mends_errors(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, start = workshop.desk(), workshop.start()
    storage = desk.storage
    monkeypatch.setattr(storage, "append", _once_broken(storage.append))
    monkeypatch.setattr(storage, "forget_connections", _once_broken(storage.forget_connections))
    (failed,) = desk.write(start)
    assert isinstance(failed, ValueError)
    assert desk.written(start).state is State.OPEN
    assert desk.writer.alive


@ends_a_thread
def test_nobody_waits_for_a_check_that_ends_the_writer(workshop: Workshop) -> None:
    writer = workshop.desk().writer

    def check(error: BaseException) -> Start:
        raise error

    async def ask(error: BaseException) -> BaseException | None:
        answers = [asyncio.ensure_future(writer.run(lambda: check(error))) for _ in range(2)]
        await asyncio.wait(answers, timeout=LONG)
        assert isinstance(answers[1].exception(), type(answers[0].exception()))
        return answers[0].exception()

    assert isinstance(asyncio.run(ask(ValueError(BUG))), ValueError)
    assert writer.alive
    assert isinstance(asyncio.run(ask(SystemExit())), ClosingError)
    _until(lambda: not writer.alive)


@ends_a_thread
def test_nobody_waits_for_a_writer_that_cannot_go_on(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = workshop.desk(running=False)
    monkeypatch.setattr("coordinator.writer.MOST_IN_BATCH", 1)
    monkeypatch.setattr(desk.storage, "append", _once_broken(desk.storage.append, SystemExit()))
    starts = [workshop.start(workshop.organisation.request(number=n, version=f"1.{n}")) for n in (1, 2)]
    answers = [desk.writer.submit(start) for start in starts]
    desk.writer.start()
    assert all(isinstance(answer.exception(timeout=LONG), ClosingError) for answer in answers)
    _until(lambda: not desk.writer.alive)
    with pytest.raises(ClosingError):
        desk.writer.submit(starts[0])


@ends_a_thread
def test_a_coordinator_names_the_threads_that_it_has_lost(workshop: Workshop) -> None:
    coordinator = workshop.coordinator()
    assert coordinator.lost() == []
    running = coordinator._running
    assert running is not None
    for thread in (running._publishing.thread, running._deadlines.thread):
        thread._work = _Work(SystemExit())
    _until(lambda: coordinator.lost() == ["deadlines", "publishing"])
    running._writer.close()
    assert coordinator.lost() == ["writer", "deadlines", "publishing"]
    coordinator.close()
    assert coordinator.lost() == [], "what was closed is not lost"


def _once_broken(real: Callable[..., object], error: BaseException | None = None) -> Callable[..., object]:
    """Raise at the first call, and do what is asked at all others."""
    errors = [error or ValueError(BUG)]

    def broken(*arguments: object, **options: object) -> object:
        if errors:
            raise errors.pop()
        return real(*arguments, **options)

    return broken


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + LONG
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)
