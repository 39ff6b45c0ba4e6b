# SPDX-License-Identifier: Apache-2.0
from collections.abc import Iterable
from pathlib import Path

import pytest

from quorumseal.ceremony.commands import Deliver
from quorumseal.cli.drill import Rehearsed, rehearsed
from quorumseal.cli.live_screen import LiveScreen
from quorumseal.terminal import Look
from signer_agent.background import followers
from tests.burning import BURNING, WINDOW
from tests.organisation import changed
from tests.signer_agent.fires import Fire

PEOPLE = ("alice", "bob", "carol", "dan", "erin", "frank", "mallory", "rita")


@pytest.fixture
def fire(tmp_path: Path) -> Fire:
    return Fire(tmp_path, changed(BURNING, drill=True))


def _tell(fire: Fire, ceremony: str, people: Iterable[str]) -> None:
    for person in people:
        fire.coordinator.happen(ceremony, Deliver(person, "mail", f"sha256:{'3' * 64}"))


def _judge(fire: Fire, ceremony: str) -> Rehearsed:
    agent = fire.desk("rita").agent
    seen = fire.desk("rita").look(ceremony).observation
    return rehearsed(seen, followers(agent, seen))


def test_a_drill_is_complete_when_every_step_was_taken_and_everybody_told(fire: Fire) -> None:
    ceremony = fire.break_glass()
    taken = [_judge(fire, ceremony).steps]
    fire.join(ceremony, "alice", "carol")
    taken.append(_judge(fire, ceremony).steps)
    fire.pass_time(WINDOW, ceremony)
    taken.append(_judge(fire, ceremony).steps)
    fire.report(ceremony, "erin")
    taken.append(_judge(fire, ceremony).steps)
    fire.join(fire.ratify(ceremony), "alice", "bob", "carol", "dan")
    taken.append(_judge(fire, ceremony).steps)
    assert [sum(steps.values()) for steps in taken] == [1, 2, 3, 4, 5]
    assert _judge(fire, ceremony).unreached == PEOPLE
    _tell(fire, ceremony, PEOPLE[1:])
    assert _judge(fire, ceremony).unreached == ("alice",)
    assert not _judge(fire, ceremony).complete
    _tell(fire, ceremony, PEOPLE[:1])
    assert _judge(fire, ceremony).complete


def test_a_ratification_that_was_only_asked_for_completes_no_drill(fire: Fire) -> None:
    ceremony = fire.burn()
    fire.ratify(ceremony)
    assert _judge(fire, ceremony).steps["ratified"] is False


def test_a_drill_that_was_vetoed_is_complete_with_its_veto(fire: Fire) -> None:
    ceremony = fire.break_glass()
    _tell(fire, ceremony, PEOPLE)
    assert "ratified" in _judge(fire, ceremony).steps
    assert not _judge(fire, ceremony).complete
    fire.veto(ceremony, "erin")
    assert _judge(fire, ceremony).steps == {"asked for": True, "ended": True}
    assert _judge(fire, ceremony).complete


def test_the_live_screen_has_the_banner_too(fire: Fire) -> None:
    emergency = fire.desk("rita").look(fire.break_glass()).observation
    ordinary = (
        fire.desk("rita")
        .look(fire.coordinator.open(fire.organisation.request(number=70, version="3.0")))
        .observation
    )
    for seen, banner in ((emergency, True), (ordinary, False)):
        drawn = LiveScreen(seen, Look(), None)._draw()
        lines = [str(each) for each in drawn.renderables]
        assert any(line.startswith("!! DRILL. BREAK-GLASS EMERGENCY") for line in lines) is banner
