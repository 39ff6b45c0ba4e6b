# SPDX-License-Identifier: Apache-2.0
"""Two histories are proved once their views meet; one history is never accused, whatever goes wrong."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import rmtree

import pytest

from tests.forks.forking import LIES, WAYS, forked
from tests.forks.honest import honest
from tests.forks.quickening import quickened


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    with quickened():
        yield


def test_once_views_meet_an_honest_party_holds_a_proof_within_one_further_exchange(
    tmp_path: Path, count: Callable[..., int]
) -> None:
    ways, lies = Counter[str](), Counter[str]()
    for seed in range(count(40, deep=10_000)):
        run = forked(tmp_path, seed)
        assert run.proofs
        assert run.exchanges <= 2
        ways[run.way] += 1
        lies[run.lie] += 1
        rmtree(tmp_path / str(seed))
    assert ways.keys() == WAYS.keys()
    assert lies.keys() == LIES.keys()


def test_an_honest_coordinator_is_never_accused(tmp_path: Path, count: Callable[..., int]) -> None:
    answered = unanswered = 0
    for seed in range(count(16, deep=10_000)):
        course = honest(tmp_path, seed)
        answered += course.exchanges - course.unanswered
        unanswered += course.unanswered
        rmtree(tmp_path / str(seed))
    assert min(answered, unanswered) > 20


@pytest.mark.parametrize(
    "forgotten", ["observing.compare_named", "observing.connect_met", "comparing.require_extended"]
)
def test_an_agent_that_does_not_compare_is_caught_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forgotten: str
) -> None:
    monkeypatch.setattr(f"signer_agent.{forgotten}", lambda *_: ())
    caught = 0
    for seed in range(48):
        try:
            forked(tmp_path, seed)
        except Exception:
            caught += 1
        rmtree(tmp_path / str(seed))
        if caught:
            return
    pytest.fail(f"48 forks were proved without {forgotten}")
