# SPDX-License-Identifier: Apache-2.0
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import pytest

from quorumseal.ceremony.commands import Deliver
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.client.errors import ClientError, CoordinatorRefusedError, CoordinatorUnreachableError
from quorumseal.client.values import HandedBack, LogEvent
from quorumseal.offline.files import CarriedRequest, KnownOrganisation
from quorumseal.terminal import Look, Screen
from signer_agent import following, log_check
from signer_agent.absences import Away, write_away
from signer_agent.artifacts import Sources
from signer_agent.cosigning import Cosigning
from signer_agent.errors import AlreadyRunningError, ForkError
from signer_agent.following import Watch
from signer_agent.following_screen import RunningScreen, told_json
from signer_agent.handing_back import Returned
from signer_agent.journal import Journal
from signer_agent.notices import Notice, Told
from signer_agent.observing import observe_standing
from signer_agent.offline import review_carried
from signer_agent.recollection import Fate
from signer_agent.review import Standing
from signer_agent.signing import sign_and_store
from tests.burning import BURNING
from tests.organisation import ARTIFACT, Organisation
from tests.signer_agent.desks import CountingKey, Desk
from tests.signer_agent.fires import Fire
from tests.simulated_coordinator import Message, SimulatedCoordinator

PATIENCE = 30.0


class Running:
    """An agent at work in a thread, and what it says."""

    def __init__(
        self, desk: Desk, *, witness: Callable[[bytes], object] | None = None, **fields: Any
    ) -> None:
        self.desk = desk
        self.error: BaseException | None = None
        self._told: SimpleQueue[Told] = SimpleQueue()
        self._fields = fields
        self._witness = witness
        self._ready = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        try:
            agent = self.desk.agent
            journal = Journal.open(agent.home.journal_file)
            self.desk.agent = replace(agent, journal=journal)
            name, organisation = agent.name, self.desk.coordinator.organisation
            self.watch = Watch(
                agent=self.desk.agent,
                tell=self._told.put,
                cosigning=Cosigning(self.desk.agent, organisation.witness_key(name), self._witness)
                if self._witness
                else None,
                **self._fields,
            )
            self._ready.set()
            self.watch.run()
            journal.close()
        except BaseException as error:
            self.error = error
            self._ready.set()

    def next(self, *notices: Notice) -> Told:
        """Return the next thing that it says, which must be one of these."""
        try:
            told = self._told.get(timeout=PATIENCE)
        except Empty:
            raise AssertionError(f"expected {notices}, got silence ({self.error!r})") from None
        assert told.notice in notices, (told, told.refusal)
        return told

    def start(self) -> None:
        self.desk.agent.journal.close()  # SQLite stays in the thread that opened it
        self.thread.start()
        assert self._ready.wait(PATIENCE)

    def end(self) -> None:
        """Wait for its end."""
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()


@contextmanager
def running(desk: Desk, **fields: Any) -> Iterator[Running]:
    run = Running(desk, **fields)
    run.start()
    try:
        yield run
    finally:
        run.watch.stop()
        run.end()


@pytest.fixture
def coordinator() -> SimulatedCoordinator:
    return SimulatedCoordinator(Organisation())


def test_what_is_due_by_the_clock_is_done_again_and_again_and_its_refusal_ends_nothing(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    desk, done = Desk(tmp_path / "alice", coordinator), threading.Event()
    times: list[int] = []

    def upkeep() -> None:
        times.append(len(times))
        if len(times) == 1:
            raise CoordinatorUnreachableError("expected an answer, got none")
        done.set()

    desk.agent = replace(desk.agent, upkeep=upkeep)
    with running(desk) as run:
        run.next(Notice.WATCHING)
        assert isinstance(run.next(Notice.REFUSED).refusal, CoordinatorUnreachableError)
        coordinator.open(coordinator.organisation.request(number=1))
        run.next(Notice.WAITS)
        assert done.wait(PATIENCE)


def test_it_says_what_waits_and_what_happens(tmp_path: Path, coordinator: SimulatedCoordinator) -> None:
    first = coordinator.open(coordinator.organisation.request(number=1))
    with running(Desk(tmp_path / "alice", coordinator)) as run:
        assert run.next(Notice.WATCHING).inbox is not None
        assert run.next(Notice.WAITS).review is not None
        second = coordinator.open(coordinator.organisation.request(number=2, version="2.0"))
        told = run.next(Notice.WAITS)
        assert told.review is not None
        assert told.review.request.statement.ceremony == second
        coordinator.decide_as("erin", first)
        run.next(Notice.MOVED)
        coordinator.cancel_as("mallory", first)
        ended = run.next(Notice.ENDED)
        assert ended.review is not None
        assert ended.review.ceremony.state is State.CANCELLED


def test_it_sends_what_was_signed_in_files_once_the_log_has_the_request(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    desk, acme = Desk(tmp_path / "alice", coordinator), coordinator.organisation
    known = KnownOrganisation(policies=(acme.policy.envelope,), checkpoint=coordinator.log.checkpoint())
    carried = CarriedRequest(known=known, request=acme.seal(acme.request()))
    review = review_carried(desk.agent, carried)
    sign_and_store(desk.agent, desk.draft(review), desk.key, review.observation.policy)
    with running(desk) as run:
        run.next(Notice.REFUSED)  # nobody knows that ceremony yet
        run.next(Notice.WATCHING)
        ceremony = coordinator.open(acme.request())
        sent = run.next(Notice.SENT)
        assert sent.stored is not None
        assert sent.stored.ceremony == ceremony
    assert [entry.envelope for entry in coordinator.decisions(ceremony)] == [sent.stored.envelope]


def test_it_sends_again_what_was_signed_and_not_acknowledged(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    ceremony = coordinator.open()
    desk = Desk(tmp_path / "alice", coordinator)
    review = desk.look(ceremony)
    sign_and_store(desk.agent, desk.draft(review), desk.key, review.observation.policy)
    with running(desk.reopened()) as run:
        sent = run.next(Notice.SENT)
        assert sent.stored is not None
        assert sent.stored.state == "open"
        run.next(Notice.WATCHING)
    assert len(coordinator.decisions(ceremony)) == 1
    assert len(desk.key.signed) == 1


def test_it_sends_again_what_was_signed_outside_any_ceremony(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    desk = Desk(tmp_path / "alice", coordinator)
    away = Away(since=coordinator.now, until=coordinator.now + timedelta(days=1))
    (draft,) = write_away(desk.agent, observe_standing(desk.agent), away)
    sign_and_store(desk.agent, draft, desk.key, coordinator.organisation.policy)
    with running(desk.reopened()) as run:
        sent = run.next(Notice.SENT)
        assert sent.stored is not None
        assert sent.stored.fate is Fate.RECORDED
        run.next(Notice.WATCHING)
    assert coordinator.standing.standing.away("alice", at=coordinator.now)
    assert len(desk.key.signed) == 1


def test_a_person_decides_while_the_agent_runs_in_the_same_home(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    ceremony = coordinator.open()
    with running(Desk(tmp_path / "alice", coordinator)) as run:
        run.next(Notice.WATCHING)
        run.next(Notice.WAITS)
        assert Desk(tmp_path / "alice", coordinator).decide(ceremony).state == "open"
        moved = run.next(Notice.MOVED).review
        assert moved is not None
        assert moved.standing is Standing.DECIDED
        with pytest.raises(AlreadyRunningError), run.desk.agent.home.running():
            pass


def test_the_deadline_of_what_waits_is_announced_once(
    tmp_path: Path, coordinator: SimulatedCoordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_LONGEST_SLEEP", 0.05)
    coordinator.open()
    with running(Desk(tmp_path / "alice", coordinator)) as run:
        run.next(Notice.WATCHING)
        run.next(Notice.WAITS)
        coordinator.pass_time(timedelta(hours=23, minutes=30))
        told = run.next(Notice.DEADLINE)
        assert told.review is not None
        coordinator.pass_time(timedelta(minutes=25))
        run.next(Notice.DEADLINE)
        coordinator.open(coordinator.organisation.request(number=9, version="9.0", at=coordinator.now))
        run.next(Notice.WAITS)


def test_a_machine_approves_what_matches_and_only_that(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    organisation = Organisation(
        roles={**Organisation().roles, "engineering": ("alice", "bob", "erin", "robot")},
        machines=frozenset({"ci", "robot"}),
    )
    coordinator = SimulatedCoordinator(organisation)
    desk = Desk(tmp_path / "robot", coordinator, "robot")
    folder = tmp_path / "builds"
    folder.mkdir()
    (folder / "widget.tar.gz").write_bytes(desk.artifact.read_bytes())
    with running(desk, machine_key=lambda _: desk.key, sources=Sources(directory=folder)) as run:
        run.next(Notice.WATCHING)
        ceremony = coordinator.open(organisation.request(number=1))
        run.next(Notice.WAITS)
        decided = run.next(Notice.DECIDED)
        assert decided.stored is not None
        run.next(Notice.MOVED)
        (folder / "widget.tar.gz").write_bytes(b"a build of something else")
        other = coordinator.open(organisation.request(number=2, version="2.0"))
        run.next(Notice.WAITS)
        refused = run.next(Notice.REFUSED).refusal
        assert refused is not None
        assert refused.code == "artifact.other_bytes"
        (folder / "widget.tar.gz").unlink()
        coordinator.open(organisation.request(number=3, version="3.0"))
        run.next(Notice.WAITS)
        missing = run.next(Notice.REFUSED).refusal
        assert missing is not None
        assert missing.code == "usage.artifacts_missing"
    assert len(coordinator.decisions(ceremony)) == 1
    assert coordinator.decisions(other) == []
    assert len(desk.key.signed) == 1


def test_a_fork_ends_it(tmp_path: Path, coordinator: SimulatedCoordinator) -> None:
    ceremony = coordinator.open()
    second = coordinator.fork()
    desk = Desk(tmp_path / "alice", coordinator)
    coordinator.decide_as("erin", ceremony)
    desk.look(ceremony)
    second.decide_as("carol", ceremony)
    desk.coordinator = second
    run = Running(desk.reopened())
    run.start()
    run.end()
    assert isinstance(run.error, ForkError)
    assert desk.agent.home.block_file.exists()


def test_a_broken_connection_is_told_once_and_so_is_its_return(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    desk = Desk(tmp_path / "alice", coordinator)
    stream = FlakyStream()
    desk.agent.connection.follow = stream  # type: ignore[method-assign,assignment] # a network that fails
    with running(desk) as run:
        run.next(Notice.WATCHING)
        assert eventually(lambda: stream.on_break is not None)
        for _ in range(3):
            stream.on_break(CoordinatorUnreachableError("expected an answer, got none"))
        run.next(Notice.BROKEN)
        ceremony = coordinator.open()
        stream.events.put(coordinator_event(coordinator))
        run.next(Notice.BACK)
        waits = run.next(Notice.WAITS)
        assert waits.review is not None
        assert waits.review.request.statement.ceremony == ceremony


class FlakyStream:
    """A stream that a test feeds."""

    def __init__(self) -> None:
        self.events: SimpleQueue[LogEvent | ClientError | None] = SimpleQueue()
        self.on_break: Any = None

    def __call__(self, *_: object, on_break: Any, **__: object) -> "FlakyStream":
        self.on_break = on_break
        return self

    def __iter__(self) -> Iterator[LogEvent]:
        while (event := self.events.get()) is not None:
            if isinstance(event, ClientError):
                raise event
            yield event

    def close(self) -> None:
        self.events.put(None)


def coordinator_event(coordinator: SimulatedCoordinator) -> LogEvent:
    with coordinator.connection("alice").follow(coordinator.log.size - 1) as stream:
        return next(iter(stream))


def test_every_notice_has_its_line(tmp_path: Path, coordinator: SimulatedCoordinator) -> None:
    ceremony = coordinator.open()
    desk = Desk(tmp_path / "alice", coordinator)
    stored = desk.decide(ceremony)
    review = desk.look(ceremony)
    refusal = CoordinatorUnreachableError("no answer \x1b[2J", hint="is it running?")
    out = StringIO()
    screen = RunningScreen(
        Screen(out, StringIO(), look=Look(), err_look=Look()),
        "alice",
        "c:1",
        review=lambda named: ["quorumseal", "review", named, "--home", "my home"],
    )
    for notice in Notice:
        if notice is not Notice.WATCHING:
            told = Told(
                notice=notice,
                at=desk.agent.now(),
                review=review,
                stored=stored,
                refusal=refusal,
                returned=Returned(rewound=True, start=3, end=8, entries=4, texts=1),
            )
            screen.tell(told)
            assert told_json(told)["notice"] == str(notice)
    lines = out.getvalue().splitlines()
    assert "      quorumseal review widget@1.0 --home 'my home'" in lines
    lines = out.getvalue().splitlines()
    assert "\x1b" not in out.getvalue()
    assert any("connected again" in line for line in lines)
    assert any("[coordinator.unreachable] no answer" in line for line in lines)
    assert any("has lost entries 3 to 7: this agent handed back 4 of 5" in line for line in lines)
    assert sum("nothing is signed until it is whole again" in line for line in lines) == 2
    assert any("quorumseal review widget@1.0" in line for line in lines)


@pytest.mark.parametrize("follow", [Fire.ratify, Fire.revoke], ids=["ratification", "revocation"])
def test_a_machine_ratifies_and_revokes_nothing_by_itself(
    tmp_path: Path, follow: Callable[[Fire, str], str]
) -> None:
    burning = replace(
        BURNING,
        machines=frozenset({"ci", "robot"}),
        roles={**BURNING.roles, "engineering": ("alice", "bob", "robot")},
    )
    fire = Fire(tmp_path, burning)
    folder = tmp_path / "artifacts"
    folder.mkdir()
    (folder / "widget.tar.gz").write_bytes(ARTIFACT)
    desk = fire.desk("robot")
    ceremony = follow(fire, fire.burn())
    with running(desk, machine_key=lambda _: desk.key, sources=Sources(directory=folder)) as run:
        run.next(Notice.WATCHING)
        run.next(Notice.WAITS)
        told = run.next(Notice.NOT_DECIDED)
        assert told.review is not None
        assert told.review.request.statement.ceremony == ceremony
    assert desk.key.signed == []


def test_whoever_has_no_role_hears_of_an_emergency_too_and_not_of_each_delivery(tmp_path: Path) -> None:
    fire = Fire(tmp_path)
    desk = fire.desk("ci")
    with running(desk) as run:
        run.next(Notice.WATCHING)
        ceremony = fire.break_glass()
        told = run.next(Notice.MOVED)
        assert told.review is not None
        assert told.review.standing is Standing.NO_ROLE
        fire.coordinator.happen(ceremony, Deliver("ci", "mail", f"sha256:{'3' * 64}"))
        fire.veto(ceremony, "erin")
        ended = run.next(Notice.ENDED)
        assert ended.review is not None
        assert ended.review.ceremony.stopped_by == "erin"


def test_it_witnesses_as_it_begins_and_at_once_when_a_ceremony_concludes(tmp_path: Path) -> None:
    organisation = Organisation(witnessing=frozenset({"alice"}))
    coordinator = SimulatedCoordinator(organisation)
    ceremony = coordinator.open()
    desk, notes = Desk(tmp_path / "alice", coordinator), list[bytes]()
    out = StringIO()
    screen = Screen(out, out, look=Look(), err_look=Look())
    drawn = RunningScreen(screen, "alice", "here", review=lambda _: [])
    with running(desk, witness=notes.append) as run:
        run.next(Notice.WATCHING)
        told = [run.next(Notice.WAITS, Notice.COSIGNED), run.next(Notice.WAITS, Notice.COSIGNED)]
        coordinator.cancel_as("mallory", ceremony)
        told += [run.next(Notice.ENDED), run.next(Notice.COSIGNED)]
    cosigned = [each for each in told if each.notice is Notice.COSIGNED]
    assert [told_json(each)["size"] for each in cosigned] == [2, 3]
    assert len(notes) == 2
    for each in cosigned:
        drawn.tell(each)
    assert out.getvalue().count("your witness key vouches for the log: 2 entries") == 1
    assert "3 entries" not in out.getvalue()


def test_what_keeps_the_witness_from_its_work_is_said_once_and_stops_nothing_else(tmp_path: Path) -> None:
    organisation = Organisation(witnessing=frozenset({"alice"}))
    coordinator = SimulatedCoordinator(organisation)
    ceremonies = [coordinator.open(organisation.request(number=n, version=f"{n}.0")) for n in (1, 2)]

    def busy(_: bytes) -> None:
        raise CoordinatorUnreachableError("expected an answer, got none")

    with running(Desk(tmp_path / "alice", coordinator), witness=busy) as run:
        run.next(Notice.WATCHING)
        told = [run.next(Notice.WAITS, Notice.REFUSED).notice for _ in range(3)]
        for ceremony in ceremonies:
            coordinator.cancel_as("mallory", ceremony)
            told.append(run.next(Notice.ENDED, Notice.REFUSED).notice)
    assert told.count(Notice.REFUSED) == 1


def test_entries_that_come_one_by_one_are_on_the_disk_at_once(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    desk = Desk(tmp_path / "alice", coordinator)
    stream = FlakyStream()
    desk.agent.connection.follow = stream  # type: ignore[method-assign,assignment] # it brings no heads
    with running(desk) as run:
        run.next(Notice.WATCHING)
        coordinator.open()
        stream.events.put(coordinator_event(coordinator))
        run.next(Notice.WAITS)
        assert eventually(lambda: held(desk) == 1)


def test_a_log_that_loses_entries_is_handed_them_and_the_agent_goes_on_once_it_is_whole(
    tmp_path: Path, coordinator: SimulatedCoordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_AGAIN_SECONDS", 0.05)
    first = coordinator.open(coordinator.organisation.request(number=1))
    desk = Desk(tmp_path / "alice", coordinator)
    stream = FlakyStream()
    desk.agent.connection.follow = stream  # type: ignore[method-assign,assignment] # a restored coordinator
    with running(desk, machine_key=lambda _: desk.key) as run:
        run.next(Notice.WATCHING)
        run.next(Notice.WAITS)
        run.next(Notice.REFUSED)  # it has no artifacts
        coordinator.lost = HandedBack(rewound=True, start=1, end=2)
        stream.events.put(CoordinatorRefusedError("log.size_ahead", "expected fewer"))
        run.next(Notice.BROKEN)
        returned = run.next(Notice.HANDED_BACK).returned
        assert returned is not None
        assert (returned.start, returned.end) == (1, 2)
        coordinator.cancel_as("mallory", first)
        second = coordinator.open(coordinator.organisation.request(number=2, version="2.0"))
        stream.events.put(coordinator_event(coordinator))
        run.next(Notice.BACK)
        coordinator.lost = HandedBack(rewound=False, start=4, end=4)
        run.next(Notice.RECOVERED)
        run.next(Notice.WATCHING)
        review = run.next(Notice.WAITS).review
        assert review is not None
        assert review.request.statement.ceremony == second
        run.next(Notice.REFUSED)


class Rewound:
    """A coordinator whose log lacks what it had, until it is recovered."""

    def __init__(self, desk: Desk) -> None:
        self.coordinator = desk.coordinator
        self.short = True
        self.seen = threading.Event()
        self._asked = 0
        desk.agent = replace(desk.agent, connection=desk.coordinator.connection(desk.agent.name, self))

    def __call__(self, message: Message) -> Any:
        if not self.short or message.reply:
            return message.content
        if message.method == "hand_back":
            self._asked += 1
            if self._asked == 4:
                self.seen.set()
            self.coordinator.lost = HandedBack(rewound=True, start=1, end=2)
            return message.content
        return refuse("log.rewound")

    def recover(self) -> None:
        """Bring everything back."""
        self.short = False
        self.coordinator.lost = HandedBack(rewound=False, start=2, end=2)


def test_started_on_a_rewound_log_it_hands_back_waits_and_goes_on_having_signed_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_check, "LONGEST_PAUSE", 0.1)
    coordinator = SimulatedCoordinator(
        Organisation(
            roles={**Organisation().roles, "engineering": ("alice", "bob", "robot")},
            machines=frozenset({"ci", "robot"}),
            witnessing=frozenset({"robot"}),
        )
    )
    desk = Desk(tmp_path / "robot", coordinator, "robot")
    coordinator.open()
    rewound, opened, cosigned = Rewound(desk), list[int](), list[bytes]()

    def open_key(policy: SignedPolicy) -> CountingKey:
        opened.append(policy.policy.version)
        return desk.key

    with running(
        desk, machine_key=open_key, witness=cosigned.append, sources=Sources(paths=(desk.artifact,))
    ) as run:
        returned = run.next(Notice.HANDED_BACK).returned
        assert returned is not None
        assert (returned.start, returned.end) == (1, 2)
        assert rewound.seen.wait(PATIENCE)  # it has asked again and again, and said nothing more
        assert (opened, cosigned, desk.key.signed) == ([], [], [])
        assert "follow" not in coordinator.calls
        rewound.recover()
        run.next(Notice.RECOVERED)
        run.next(Notice.WATCHING)
        run.next(Notice.WAITS)
        run.next(Notice.DECIDED)
        run.next(Notice.COSIGNED)
    assert (opened, len(cosigned), len(desk.key.signed)) == ([1], 1, 1)


def test_whoever_waits_for_a_log_can_stop_it(tmp_path: Path, coordinator: SimulatedCoordinator) -> None:
    desk = Desk(tmp_path / "alice", coordinator)
    Rewound(desk)
    with running(desk) as run:
        run.next(Notice.HANDED_BACK)
    assert run.error is None


def test_a_log_that_is_shorter_and_does_not_say_why_is_waited_for_too(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    desk = Desk(tmp_path / "alice", coordinator)
    desk.look(coordinator.open())
    behind = SimulatedCoordinator(coordinator.organisation)
    with running(elsewhere(desk, behind)) as run:
        refusal = run.next(Notice.SHORTER).refusal
        assert refusal is not None
        assert refusal.code == "log.size_ahead"
        behind.open()
        run.next(Notice.RECOVERED)
        run.next(Notice.WATCHING)
        run.next(Notice.WAITS)


def test_what_else_is_wrong_at_the_start_ends_it(tmp_path: Path, coordinator: SimulatedCoordinator) -> None:
    def unreachable(_: Message) -> Any:
        raise CoordinatorUnreachableError("expected an answer, got none")

    run = Running(Desk(tmp_path / "alice", coordinator, hostile=unreachable))
    run.start()
    run.end()
    assert isinstance(run.error, CoordinatorUnreachableError)


def test_a_fork_ends_it_while_it_waits(
    tmp_path: Path, coordinator: SimulatedCoordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_check, "LONGEST_PAUSE", 0.1)
    ceremony = coordinator.open()
    second, desk = coordinator.fork(), Desk(tmp_path / "alice", coordinator)
    coordinator.decide_as("erin", ceremony)
    desk.look(ceremony)
    second.decide_as("carol", ceremony)
    desk = elsewhere(desk, second)
    rewound, run = Rewound(desk), Running(desk)
    run.start()
    run.next(Notice.HANDED_BACK)
    rewound.recover()
    run.end()
    assert isinstance(run.error, ForkError)
    assert desk.agent.home.block_file.exists()


def test_the_log_is_looked_at_once_a_minute_also_where_nothing_comes(
    tmp_path: Path, coordinator: SimulatedCoordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_LONGEST_SLEEP", 0.05)
    desk = Desk(tmp_path / "alice", coordinator)
    stream = FlakyStream()
    desk.agent.connection.follow = stream  # type: ignore[method-assign,assignment] # it brings no heads
    with running(desk) as run:
        run.next(Notice.WATCHING)
        coordinator.open()
        stream.events.put(coordinator_event(coordinator))
        run.next(Notice.WAITS)
        looks = coordinator.calls.count("consistency")
        coordinator.pass_time(timedelta(seconds=61))
        assert eventually(lambda: coordinator.calls.count("consistency") > looks)


def elsewhere(desk: Desk, coordinator: SimulatedCoordinator) -> Desk:
    """Return a desk at which another coordinator answers."""
    desk.coordinator = coordinator
    return desk.reopened()


def refuse(code: str) -> Any:
    raise CoordinatorRefusedError(code, "expected a longer log")


def held(desk: Desk) -> int:
    journal = Journal.open(desk.agent.home.journal_file)
    try:
        return journal.kept.count()
    finally:
        journal.close()


def eventually(happened: Callable[[], bool]) -> bool:
    """Return whether something comes about in good time."""
    until = time.monotonic() + PATIENCE
    while not happened():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True
