# SPDX-License-Identifier: Apache-2.0
"""What cookies stand for: bounded, expiring, and worth nothing to whoever reads it."""

import base64
from itertools import count

import pytest

from coordinator.web.signing_in import keeping
from coordinator.web.signing_in.keeping import ATTEMPT_SECONDS, IDLE_SECONDS, MOST_OF_ONE, Keeping
from coordinator.web.viewer import Viewer

AUDREY = Viewer(name="audrey", kind="auditor")
HOURS = 8 * 3600.0


class Kept:
    """Sessions whose clock and randomness a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        numbers = count()
        self.keeping = Keeping(elapsed=lambda: self.now, randomness=lambda size: next(numbers).to_bytes(size))


@pytest.fixture
def kept() -> Kept:
    return Kept()


def test_an_attempt_goes_on_in_its_browser_alone(kept: Kept) -> None:
    state, cookie, attempt = kept.keeping.begin("", to="/log?from=1&to=2")
    assert kept.keeping.resume(state, cookie) == attempt
    for header in (
        '["alg","enc"]',
        '"alg enc"',
        '{"alg":"dir","enc":[]}',
        '{"alg":"dir","enc":"A256GCM","crit":5}',
    ):
        odd = base64.urlsafe_b64encode(header.encode()).rstrip(b"=").decode()
        assert kept.keeping.resume(f"{odd}..{'A' * 16}.AAAA.{'A' * 22}", cookie) is None
    for other in ("another", "", "é\udcff", cookie + "x"):
        assert kept.keeping.resume(state, other) is None
    for other in (
        "",
        "é\udcff",
        "....",
        f"{state}.",
        f"{state.partition('.')[0]}....",
        state[:-4],
        state.swapcase(),
        Kept().keeping.begin(cookie, to="/")[0][::-1],
    ):
        assert kept.keeping.resume(other, cookie) is None


def test_two_windows_of_one_browser_sign_in_at_once(kept: Kept) -> None:
    first, cookie, one = kept.keeping.begin("made up elsewhere", to="/one")
    second, same, two = kept.keeping.begin(cookie, to="/two")
    assert same == cookie != "made up elsewhere"
    assert [kept.keeping.resume(state, cookie) for state in (first, second)] == [one, two]


def test_an_attempt_of_another_coordinator_is_none_here(kept: Kept) -> None:
    elsewhere = Keeping(elapsed=lambda: kept.now, randomness=lambda size: b"\x01" * size)
    state, cookie, _ = elsewhere.begin("", to="/")
    assert kept.keeping.resume(state, cookie) is None


def test_an_attempt_ends(kept: Kept) -> None:
    state, cookie, attempt = kept.keeping.begin("", to="/")
    kept.now += ATTEMPT_SECONDS - 1
    assert kept.keeping.resume(state, cookie) == attempt
    kept.now += 1
    assert kept.keeping.resume(state, cookie) is None


def test_whoever_attempts_to_sign_in_takes_nothing_from_anybody(kept: Kept) -> None:
    session = kept.keeping.open(AUDREY, "u-1", seconds=HOURS)
    state, cookie, attempt = kept.keeping.begin("", to="/")
    for _ in range(5000):
        kept.keeping.begin("", to="/")
    assert kept.keeping.sessions == 1
    assert kept.keeping.resume(state, cookie) == attempt
    assert kept.keeping.viewer(session) == AUDREY


def test_what_is_over_makes_room_first(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "MOST_SESSIONS", 2)
    lasting = kept.keeping.open(AUDREY, "u-1", seconds=HOURS)
    kept.keeping.open(AUDREY, "u-2", seconds=10)
    kept.now += 20
    kept.keeping.open(AUDREY, "u-3", seconds=HOURS)
    assert kept.keeping.viewer(lasting) == AUDREY


def test_a_session_ends_when_nothing_was_asked_for_long_and_after_some_hours(kept: Kept) -> None:
    cookie = kept.keeping.open(AUDREY, "u-1", seconds=HOURS)
    for _ in range(8):
        assert kept.keeping.viewer(cookie) == AUDREY
        kept.now += IDLE_SECONDS - 1
    assert kept.keeping.viewer(cookie) == AUDREY
    kept.now += 8
    assert kept.keeping.viewer(cookie) is None
    idle = kept.keeping.open(AUDREY, "u-1", seconds=HOURS)
    kept.now += IDLE_SECONDS
    assert kept.keeping.viewer(idle) is None
    assert kept.keeping.sessions == 0


def test_one_person_has_some_sessions_and_the_oldest_goes(kept: Kept) -> None:
    cookies = [kept.keeping.open(AUDREY, "u-1", seconds=HOURS) for _ in range(MOST_OF_ONE + 2)]
    other = kept.keeping.open(AUDREY, "u-2", seconds=HOURS)
    assert [kept.keeping.viewer(each) is None for each in cookies] == [True] * 2 + [False] * MOST_OF_ONE
    assert kept.keeping.viewer(other) == AUDREY


def test_what_is_kept_is_worth_nothing_to_whoever_reads_it(kept: Kept) -> None:
    state, attempt_cookie, attempt = kept.keeping.begin("", to="/")
    cookie = kept.keeping.open(AUDREY, "u-1", seconds=HOURS)
    for secret in (attempt_cookie, cookie, attempt.nonce, attempt.verifier):
        assert secret not in f"{kept.keeping._sessions}"
        parts = [base64.urlsafe_b64decode(part + "==") for part in state.split(".")]
        assert secret not in f"{state}{parts}"


def test_secrets_have_256_bits() -> None:
    made = Keeping(elapsed=lambda: 0.0, randomness=lambda size: b"\xff" * size)
    assert made.secret() == "_" * 42 + "8"
    assert keeping.digest("é\udcff") != keeping.digest("")
