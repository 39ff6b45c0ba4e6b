# SPDX-License-Identifier: Apache-2.0
"""What the operator hears of ceremonies while the coordinator runs."""

import logging

import pytest

from tests.burning import BURNING, WINDOW
from tests.coordinator.test_emergencies import Story
from tests.coordinator.workshop import Workshop
from tests.organisation import Organisation


@pytest.fixture
def organisation() -> Organisation:
    return BURNING


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str, str]]:
    """Return level, message and ceremony of every line of the writer."""
    return [
        (record.levelname, record.getMessage(), vars(record)["about"]["ceremony"])
        for record in caplog.records
        if record.name == "coordinator.writer"
    ]


def test_how_a_ceremony_ended_is_told_and_nothing_before(
    workshop: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    _, ceremony = workshop.approved()
    assert told(caplog) == [("INFO", "a ceremony ended: approved", ceremony)]


def test_every_turn_of_an_emergency_is_told_as_a_warning(
    workshop: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    story = Story(workshop)
    first = story.invoke(1, "alice", "carol")
    story.wait(WINDOW)
    second = story.invoke(2, "alice", version="2.0")
    story.veto(second, "dan")
    assert told(caplog) == [
        ("WARNING", "an emergency: opened", first),
        ("WARNING", "an emergency: window-opened", first),
        ("WARNING", "an emergency: provisional", first),
        ("WARNING", "an emergency: opened", second),
        ("WARNING", "an emergency: vetoed", second),
    ]


def test_no_line_names_anybody(workshop: Workshop, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    workshop.approved()
    assert caplog.records
    for name in BURNING.policy.policy.signers:
        assert name not in caplog.text.replace("coordinator", "").split()
