# SPDX-License-Identifier: Apache-2.0
"""At least once, whatever receivers do, whoever is killed, and however many coordinators there are."""

import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from coordinator.errors import NoticeRefusedError, NotTakenError, StorageFailedError
from coordinator.notifying import Heard, Notice, NoticeType, Notifier, Notifying, Route, Routes
from coordinator.notifying.backing_off import LONGEST_DELAY, failed
from coordinator.notifying.channels import Channel, Message
from coordinator.notifying.opening import open_channels
from coordinator.notifying.posting import WaitError
from coordinator.notifying.routes import row_of
from coordinator.notifying.settings import NotificationSettings, SlackSettings, WebhookSettings
from coordinator.storage import DeliveryState, Storage
from quorumseal.ceremony.statements import Choice
from tests.coordinator.notifying.receivers import (
    DIE,
    HANG,
    NOTICE,
    SECRET,
    HttpReceiver,
    http_receiver,
    no_ports,
)
from tests.coordinator.workshop import Workshop

HOOK, CHAT = Route(channel="hook"), Route(channel="chat")
ROUTES = Routes(people={"alice": (HOOK,), "bob": (HOOK,), "carol": (CHAT,)}, audit=(HOOK,), fallback=CHAT)
URGENT = replace(NOTICE, type=NoticeType.BREAK_GLASS_INVOKED)


def settings(folder: Path, hook: HttpReceiver, chat: HttpReceiver | None = None) -> NotificationSettings:
    """Route alice, bob and the auditors to a webhook, carol to a chat, which is the fallback too."""
    secret, url = folder / "hook.secret", folder / "chat.url"
    secret.write_bytes(SECRET)
    url.write_text((chat or hook).url)
    return NotificationSettings(
        channels={
            "hook": WebhookSettings(url=hook.url, secret_file=secret, seconds=1),
            "chat": SlackSettings(url_file=url, seconds=1),
        },
        routes=ROUTES,
        attempts=4,
    )


@dataclass
class Post:
    """What delivers on a workshop's database, and what it heard."""

    workshop: Workshop
    storage: Storage
    settings: NotificationSettings
    said: list[tuple[str, str, str]] = field(default_factory=list)
    deaf: bool = False

    def __post_init__(self) -> None:
        self.notifier = Notifier(self.storage, ROUTES, clock=self.workshop.time.clock())
        self.notifying = self.open()

    def open(self, channels: dict[str, Channel] | None = None) -> Notifying:
        """Open one more, as after a restart."""
        return Notifying(
            self.storage,
            channels or open_channels(self.settings, no_ports),
            ROUTES,
            clock=self.workshop.time.clock(),
            most_attempts=self.settings.attempts,
            heard=Heard(self._hear("delivered"), self._hear("failed"), self._hear("dead")),
            jitter=lambda: 1.0,
        )

    def _hear(self, what: str) -> Callable[[Notice, Route, datetime], None]:
        def hear(notice: Notice, route: Route, _: datetime) -> None:
            if self.deaf:
                raise NotTakenError("expected the log to take it, got none")
            self.said.append((what, notice.recipient, str(route)))

        return hear

    def states(self, notice: Notice = NOTICE) -> dict[str, tuple[DeliveryState, int]]:
        """Say how far a notice is on each of its ways."""
        return {row.channel: (row.state, row.attempts) for row in self.storage.notices.of(notice.id)}


@pytest.fixture
def hook() -> Iterator[HttpReceiver]:
    with http_receiver() as receiver:
        yield receiver


@pytest.fixture
def chat() -> Iterator[HttpReceiver]:
    with http_receiver() as receiver:
        yield receiver


@pytest.fixture
def post(workshop: Workshop, tmp_path: Path, hook: HttpReceiver, chat: HttpReceiver) -> Post:
    return Post(workshop, workshop.desk(running=False).storage, settings(tmp_path, hook, chat))


def test_a_notice_is_delivered_once_however_often_it_is_told(post: Post, hook: HttpReceiver) -> None:
    for _ in range(3):
        post.notifier.tell([NOTICE])
        post.notifying.deliver_due("hook")
    assert hook.ids == [NOTICE.id]
    assert post.states() == {"hook": (DeliveryState.DELIVERED, 1)}
    assert post.said == [("delivered", "alice", "hook")]


def test_nobody_is_told_who_has_no_route(post: Post) -> None:
    post.notifier.tell([replace(NOTICE, recipient="dan")])
    assert post.storage.notices.counts() == {}


@pytest.mark.parametrize("answer", [500, 429, HANG, DIE])
def test_what_was_not_taken_is_delivered_later_under_the_same_id(
    answer: int | str, post: Post, hook: HttpReceiver
) -> None:
    hook.answers = [answer, answer, 200]
    post.notifier.tell([NOTICE])
    assert post.notifying.deliver_due("hook") == 1
    assert post.notifying.deliver_due("hook") == 0
    for seconds, state in ((1, 1), (1, 2), (3, 2), (1, 3)):
        post.workshop.time.pass_by(timedelta(seconds=seconds))
        post.notifying.deliver_due("hook")
        assert post.states()["hook"][1] == state
    assert hook.ids == [NOTICE.id] * 3
    assert post.states() == {"hook": (DeliveryState.DELIVERED, 3)}
    assert [what for what, *_ in post.said] == ["failed", "failed", "delivered"]
    for _, headers, body in hook.requests:
        assert headers["webhook-id"] in body.decode()


def test_after_the_last_attempt_it_goes_to_the_fallback_and_is_counted(
    post: Post, hook: HttpReceiver, chat: HttpReceiver
) -> None:
    hook.answers = [500] * 9
    post.notifier.tell([NOTICE])
    for _ in range(4):
        post.notifying.deliver_due("hook")
        post.workshop.time.pass_by(LONGEST_DELAY)
    assert len(hook.requests) == 4
    assert post.notifying.deliver_due("hook") == 0
    assert post.states() == {"hook": (DeliveryState.DEAD, 4), "chat": (DeliveryState.PENDING, 0)}
    assert post.notifying.deliver_due("chat") == 1
    assert "This is for alice, who could not be told (hook)." in chat.requests[0][2].decode()
    assert [row.detail for row in post.storage.notices.dead()] == [
        "expected status 2xx of the receiver, got 500 (attempt 4)"
    ]
    assert post.storage.notices.counts() == {
        ("hook", DeliveryState.DEAD): 1,
        ("chat", DeliveryState.DELIVERED): 1,
    }
    assert [what for what, *_ in post.said] == ["failed", "failed", "failed", "dead", "delivered"]


@pytest.mark.parametrize("answer", [400, 404, 302])
def test_what_is_refused_for_good_goes_to_the_fallback_at_once(
    answer: int, post: Post, hook: HttpReceiver
) -> None:
    hook.answers = [answer]
    post.notifier.tell([NOTICE])
    post.notifying.deliver_due("hook")
    assert post.states() == {"hook": (DeliveryState.DEAD, 1), "chat": (DeliveryState.PENDING, 0)}


def test_the_fallback_has_no_fallback(post: Post, chat: HttpReceiver) -> None:
    chat.answers = [404]
    carols = replace(NOTICE, recipient="carol")
    post.notifier.tell([carols])
    post.notifying.deliver_due("chat")
    assert post.states(carols) == {"chat": (DeliveryState.DEAD, 1)}


def test_what_is_urgent_goes_to_the_fallback_soon_and_is_tried_further(
    post: Post, hook: HttpReceiver
) -> None:
    hook.answers = [500, 500, 500, 200]
    post.notifier.tell([URGENT])
    for expected in ({}, {}, {"chat": (DeliveryState.PENDING, 0)}):
        post.notifying.deliver_due("hook")
        assert {k: v for k, v in post.states(URGENT).items() if k == "chat"} == expected
        post.workshop.time.pass_by(timedelta(seconds=10))
    post.notifying.deliver_due("hook")
    assert post.states(URGENT)["hook"] == (DeliveryState.DELIVERED, 4)


def test_a_delivery_that_could_not_be_put_on_record_is_made_again(post: Post, hook: HttpReceiver) -> None:
    post.deaf = True
    post.notifier.tell([NOTICE])
    post.notifying.deliver_due("hook")
    assert post.states() == {"hook": (DeliveryState.PENDING, 1)}
    post.deaf = False
    post.workshop.time.pass_by(timedelta(seconds=2))
    post.notifying.deliver_due("hook")
    assert hook.ids == [NOTICE.id] * 2
    assert post.said == [("delivered", "alice", "hook")]


def test_a_restart_between_attempts_loses_nothing_and_doubles_nothing(post: Post, hook: HttpReceiver) -> None:
    hook.answers = [500]
    bobs = replace(NOTICE, recipient="bob")
    post.notifier.tell([NOTICE])
    post.notifying.deliver_due("hook")
    post.notifying.close()
    post.notifier.tell([NOTICE, bobs])
    again = post.open()
    again.deliver_due("hook")
    assert hook.ids == [NOTICE.id, bobs.id]
    post.workshop.time.pass_by(timedelta(seconds=2))
    again.deliver_due("hook")
    assert hook.ids == [NOTICE.id, bobs.id, NOTICE.id]
    assert again.deliver_due("hook") == 0


def test_what_somebody_was_killed_over_is_delivered_when_the_claim_ends(
    post: Post, hook: HttpReceiver
) -> None:
    post.notifier.tell([NOTICE])
    now = post.workshop.time.now
    claimed = post.storage.notices.claim("hook", now, until=now + timedelta(seconds=60), limit=4)
    assert [row.id for row in claimed] == [NOTICE.id]
    assert post.notifying.deliver_due("hook") == 0
    post.workshop.time.pass_by(timedelta(seconds=60))
    assert post.notifying.deliver_due("hook") == 1
    assert hook.ids == [NOTICE.id]


def many(number: int) -> list[Notice]:
    return [replace(NOTICE, cause=str(each)) for each in range(number)]


def eventually(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_two_coordinators_never_deliver_the_same_notice(
    workshop: Workshop, post: Post, hook: HttpReceiver
) -> None:
    other = Post(workshop, workshop.desk(running=False).storage, post.settings)
    post.notifier.tell(many(40))
    with closing(post.notifying), closing(other.notifying):
        post.notifying.start()
        other.notifying.start()
        eventually(lambda: len(hook.requests) >= 40 and len(post.said) + len(other.said) >= 40)
    assert Counter(hook.ids) == Counter(notice.id for notice in many(40))
    assert post.storage.notices.counts() == {("hook", DeliveryState.DELIVERED): 40}


def test_a_slow_receiver_holds_nobody_else_and_gets_two_at_a_time(
    post: Post, hook: HttpReceiver, chat: HttpReceiver
) -> None:
    hook.answers = [HANG] * 100
    with closing(post.notifying):
        post.notifying.start()
        post.notifier.wake = post.notifying.wake
        post.notifier.tell(many(20))
        eventually(lambda: hook.at_once == 2)
        started = time.monotonic()
        post.notifier.tell([replace(NOTICE, recipient="carol")])
        eventually(lambda: len(chat.requests) == 1)
        assert time.monotonic() - started < 0.8  # woken, and not by the next look
        assert hook.most_at_once == 2
        post.notifying._stopping = True


class _Place:
    """A channel that does what a test says."""

    def __init__(self, do: Callable[[Message], None]) -> None:
        self._do = do

    def deliver(self, message: Message, address: str, *, at: datetime) -> None:
        assert (address, at.tzinfo) == ("", UTC)
        self._do(message)


def test_what_waited_behind_a_slow_one_is_left_to_whoever_claims_it_next(post: Post) -> None:
    taken: list[str] = []

    def slow(message: Message) -> None:
        taken.append(message.notice.cause)
        post.workshop.time.pass_by(timedelta(seconds=31))

    notifying = post.open({"hook": _Place(slow)})
    post.notifier.tell(many(3))
    assert notifying.deliver_due("hook") == 3
    assert sorted(taken) == ["0", "1", "2"]


def test_a_defect_of_a_channel_costs_one_attempt_and_no_thread(post: Post) -> None:
    def broken(_: Message) -> None:
        raise ZeroDivisionError("hunter2")

    notifying = post.open({"hook": _Place(broken)})
    post.notifier.tell([NOTICE])
    assert notifying.deliver_due("hook") == 1
    (row,) = post.storage.notices.of(NOTICE.id)
    assert (row.state, row.detail) == (DeliveryState.PENDING, "ZeroDivisionError (attempt 1)")


def test_a_database_that_fails_is_waited_for(
    post: Post, hook: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim, failures = post.storage.notices.claim, [StorageFailedError("expected an answer"), ValueError("?")]

    def failing(*arguments: object, **named: object) -> object:
        if failures:
            raise failures.pop()
        return claim(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(post.storage.notices, "claim", failing)
    post.notifier.tell([NOTICE])
    with closing(post.notifying):
        post.notifying.start()
        eventually(lambda: hook.ids == [NOTICE.id])


def test_no_log_line_no_detail_and_no_error_shows_a_secret(
    workshop: Workshop, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with http_receiver(500, 404, DIE, HANG, 302) as receiver:
        post = Post(workshop, workshop.desk(running=False).storage, settings(tmp_path, receiver))
        post.notifier.tell([*many(3), *(replace(each, recipient="carol") for each in many(2))])
        for channel in ("hook", "chat"):
            post.notifying.deliver_due(channel)
        rows = [row for notice in many(3) for row in post.storage.notices.of(notice.id)]
        channels = repr(open_channels(post.settings, no_ports))
    for shown in (caplog.text, repr(rows), channels):
        assert "room=1" not in shown  # a chat's address is its secret
        assert SECRET.decode().removeprefix("whsec_") not in shown
    assert "notice for carol over chat" in caplog.text


AT = NOTICE.at
ROW = row_of(NOTICE, HOOK, at=AT)


@pytest.mark.parametrize(
    ("attempts", "jitter", "seconds"),
    [
        (0, 1.0, 2),
        (0, 0.0, 1),
        (1, 1.0, 4),
        (4, 1.0, 32),
        (8, 1.0, 512),
        (9, 1.0, 900),
        (99, 1.0, 900),
        (99, 0.0, 450),
    ],
)
def test_it_is_tried_later_and_later(attempts: int, jitter: float, seconds: int) -> None:
    settled = failed(
        replace(ROW, attempts=attempts), NotTakenError("x"), at=AT, jitter=jitter, most=200, urgent=False
    )
    assert settled.row.state is DeliveryState.PENDING
    assert settled.row.due_at == AT + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("about", "reason", "attempts", "urgent", "state", "fall_back"),
    [
        ("one of many", NotTakenError("x"), 0, False, DeliveryState.PENDING, False),
        ("the last", NotTakenError("x"), 11, False, DeliveryState.DEAD, True),
        ("a defect is no refusal", RuntimeError("x"), 0, False, DeliveryState.PENDING, False),
        ("refused for good", NoticeRefusedError("x"), 0, False, DeliveryState.DEAD, True),
        ("urgent, at first", NotTakenError("x"), 1, True, DeliveryState.PENDING, False),
        ("urgent, at the third", NotTakenError("x"), 2, True, DeliveryState.PENDING, True),
        ("urgent, later", NotTakenError("x"), 3, True, DeliveryState.PENDING, False),
    ],
)
def test_a_failed_attempt_is_followed_by_another_or_by_none(
    about: str, reason: Exception, attempts: int, urgent: bool, state: DeliveryState, fall_back: bool
) -> None:
    settled = failed(replace(ROW, attempts=attempts), reason, at=AT, jitter=0.5, most=12, urgent=urgent)
    assert (settled.row.state, settled.fall_back) == (state, fall_back), about
    assert settled.row.attempts == attempts + 1


@pytest.mark.parametrize(("asked", "seconds"), [(60, 60), (1, 2), (100_000, 900)])
def test_a_receiver_that_asks_for_time_gets_it_within_bounds(asked: int, seconds: int) -> None:
    reason = WaitError("x", timedelta(seconds=asked))
    settled = failed(ROW, reason, at=AT, jitter=1.0, most=12, urgent=False)
    assert settled.row.due_at == AT + timedelta(seconds=seconds)


def test_a_whole_ceremony_is_told_by_a_running_coordinator(
    workshop: Workshop, tmp_path: Path, hook: HttpReceiver
) -> None:
    told = settings(tmp_path, hook)
    people = dict.fromkeys(("alice", "rita", "mallory"), (HOOK,))
    coordinator = workshop.coordinator(replace(told, routes=Routes(people=people)))
    start = workshop.start(workshop.organisation.request(requester="mallory"))
    running = coordinator._running
    assert running is not None
    running._writer.submit(start).result(30)
    for signer in ("alice", "erin", "carol", "rita"):
        running._writer.submit(workshop.decide(signer, start)).result(30)

    def got() -> Counter[tuple[str, str]]:
        events = [json.loads(body) for _, _, body in hook.requests]
        return Counter((event["type"].split(".")[-2], event["data"]["recipient"]) for event in events)

    expected = Counter(
        {
            ("opened", "alice"): 1,
            ("opened", "rita"): 1,
            ("decided", "mallory"): 4,
            ("concluded", "alice"): 1,
            ("concluded", "rita"): 1,
            ("concluded", "mallory"): 1,
            ("published", "mallory"): 1,
        }
    )
    eventually(lambda: got() == expected)


def test_a_refused_decision_tells_nobody(workshop: Workshop) -> None:
    desk = workshop.desk(routes=Routes(people={"mallory": (HOOK,)}))
    start = workshop.start(workshop.organisation.request(requester="mallory"))
    desk.written(start)
    assert desk.storage.notices.counts() == {}
    desk.write(workshop.decide("alice", start), workshop.decide("alice", start, Choice.REJECTION))
    assert desk.storage.notices.counts() == {("hook", DeliveryState.PENDING): 1}
