# SPDX-License-Identifier: Apache-2.0
"""A witness elsewhere is asked by C2SP tlog-witness, and nothing that it answers is believed unseen."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import pairwise

import pytest

from coordinator.notifying.posting import http_address
from coordinator.outside_witnesses import EVERY, MOST_ANSWER_BYTES, OutsideWitness, ask_over_http
from coordinator.values import PublicationState
from coordinator.witness_settings import WitnessAddress
from quorumseal.tlog import Checkpoint, Witness, cosign, open_checkpoint
from tests.coordinator.test_cosigning import Site
from tests.coordinator.workshop import Workshop
from tests.organisation import Organisation, key_of
from tests.witness_server import WitnessServer, serving

KEY = key_of("outside")
W1 = Witness("witness.example/w1", KEY.public)
ACME = Organisation(witnessing=frozenset({"alice", "carol", "dan"}), outside=(W1,), cosignatures=2)


@pytest.fixture
def organisation() -> Organisation:
    return ACME


@pytest.fixture
def site(workshop: Workshop) -> Site:
    return Site(workshop)


@pytest.fixture
def server(site: Site) -> Iterator[WitnessServer]:
    witness = WitnessServer(
        W1.name, KEY, ACME.origin, (ACME.log_key.public,), now=lambda: site.workshop.time.now
    )
    with serving(witness):
        yield witness


@pytest.fixture
def outside(site: Site, server: WitnessServer) -> OutsideWitness:
    return client(site, server.url)


def client(site: Site, url: str, name: str = W1.name) -> OutsideWitness:
    desk = site.desk
    return OutsideWitness(
        WitnessAddress(name=name, address=http_address(f"{url}/add-checkpoint")),
        desk.storage,
        desk.reader,
        desk.policies,
        site.cosigning,
        ask_over_http(tuple),
        clock=site.workshop.time.clock(),
    )


def test_a_witness_elsewhere_cosigns_what_waits_for_it(
    site: Site, server: WitnessServer, outside: OutsideWitness
) -> None:
    site.publishing.publish_due()
    site.by("carol")
    assert outside.tend()
    assert server.kept == site.newest
    assert site.kept() == [("acme.example/witness/carol", 7), (W1.name, 7)]
    site.publishing.publish_due()
    assert site.state()[0] is PublicationState.PUBLISHED
    assert len(site.verify().cosignatures) == 2


def test_it_is_asked_again_only_once_the_log_has_grown(
    site: Site, server: WitnessServer, outside: OutsideWitness
) -> None:
    assert [outside.tend(), outside.tend()] == [True, False]
    site.workshop.time.pass_by(EVERY)
    assert not outside.tend()
    site.grow()
    assert outside.tend()
    assert server.asked == [200, 200]
    assert site.kept(8) == [(W1.name, site.newest.size)]


def test_while_nothing_waits_it_is_asked_at_most_once_a_minute(site: Site, outside: OutsideWitness) -> None:
    outside.tend()
    site.grow(2)
    assert not outside.tend()
    site.workshop.time.pass_by(EVERY)
    assert outside.tend()
    site.grow(3)
    site.publishing.publish_due()
    assert outside.tend(), "a publication waits for others, whom this one may complete"


def test_a_witness_that_knows_the_log_already_says_where_to_go_on(
    site: Site, server: WitnessServer, outside: OutsideWitness
) -> None:
    server.kept = open_size(site, 3)
    assert outside.tend()
    assert server.asked == [409, 200]
    assert server.kept == site.newest


def test_a_witness_that_forgot_is_asked_from_the_beginning(
    site: Site, server: WitnessServer, outside: OutsideWitness
) -> None:
    outside.tend()
    server.__post_init__()
    site.grow()
    site.workshop.time.pass_by(EVERY)
    assert outside.tend()
    assert server.asked == [200, 409, 200]


def open_size(site: Site, size: int) -> Checkpoint:
    row = site.desk.storage.log.checkpoint(size)
    assert row is not None
    return open_checkpoint(row.note, ACME.origin, [ACME.log_key.public])


Misbehaviour = Callable[[int, bytes], tuple[int, bytes]]


def _other_key(site: Site) -> bytes:
    return cosign(site.newest, key_of("another"), W1.name, at=site.workshop.time.now).encode()


LIES: list[tuple[str, Callable[[Site], Misbehaviour]]] = [
    ("an error", lambda _: lambda *_: (500, b"")),
    ("it knows another log", lambda _: lambda *_: (404, b"")),
    ("it trusts another key", lambda _: lambda *_: (403, b"")),
    ("elsewhere", lambda _: lambda *_: (302, b"")),
    ("a conflict without a size", lambda _: lambda *_: (409, b"seven\n")),
    ("the same conflict for ever", lambda _: lambda *_: (409, b"0\n")),
    ("a log that is larger than this one", lambda _: lambda *_: (409, b"4711\n")),
    ("a conflict of many digits", lambda _: lambda *_: (409, b"9" * 400 + b"\n")),
    ("nothing", lambda _: lambda *_: (200, b"")),
    ("nonsense", lambda _: lambda *_: (200, b"\xff\xfe")),
    ("no line", lambda _: lambda *_: (200, b"thanks\n")),
    ("a line too long", lambda _: lambda *_: (200, b"x" * (MOST_ANSWER_BYTES + 1))),
    ("hundreds of lines", lambda _: lambda _, body: (200, body * 100)),
    ("another's signature", lambda site: lambda *_: (200, _other_key(site))),
    ("a spoilt signature", lambda _: lambda _, body: (200, body[:-9] + b"AAAAAA==\n")),
]


@pytest.mark.parametrize(("_", "lie"), LIES, ids=[row[0] for row in LIES])
def test_whatever_else_a_witness_answers_is_kept_nowhere_and_tried_again_later(
    _: str, lie: Callable[[Site], Misbehaviour], site: Site, server: WitnessServer, outside: OutsideWitness
) -> None:
    server.answer = lie(site)
    assert outside.tend()
    assert site.kept() == []
    assert not outside.tend()
    server.answer = lambda status, body: (status, body)
    server.__post_init__()
    site.workshop.time.pass_by(timedelta(seconds=5))
    assert outside.tend()
    assert site.kept() == [(W1.name, site.newest.size)]


def test_the_pauses_after_failures_grow_to_five_minutes_even_while_something_waits(
    site: Site, server: WitnessServer, outside: OutsideWitness
) -> None:
    site.publishing.publish_due()
    server.answer = lambda *_: (500, b"")
    asked: list[timedelta] = []
    for second in range(0, 1200, 5):
        if outside.tend():
            asked.append(timedelta(seconds=second))
        site.workshop.time.pass_by(timedelta(seconds=5))
    assert [(b - a).seconds for a, b in pairwise(asked)] == [5, 10, 20, 40, 80, 160, 300, 300]


def test_a_witness_that_is_not_there_is_no_error_of_the_coordinator(site: Site) -> None:
    assert client(site, "http://127.0.0.1:9").tend()
    assert site.kept() == []


def test_a_witness_that_the_policy_does_not_name_is_never_asked(site: Site, server: WitnessServer) -> None:
    assert not client(site, server.url, "witness.example/w2").tend()
    assert server.asked == []
