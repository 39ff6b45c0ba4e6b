# SPDX-License-Identifier: Apache-2.0
"""The list of ceremonies."""

from starlette.applications import Starlette

from tests.coordinator.workshop import Desk, Workshop
from tests.web.asking import ask


def test_nothing_open_is_said_to_wait_for_nobody(app: Starlette) -> None:
    answer = ask(app, "/ceremonies")
    assert answer.status == 200
    assert "Nothing waits: no ceremony is open." in answer.words


def test_what_is_open_stands_first_with_its_deadline(app: Starlette, desk: Desk, workshop: Workshop) -> None:
    desk.written(workshop.start())
    answer = ask(app, "/ceremonies")
    assert "One is open; the next deadline is in 23 h 59 min" in answer.words
    assert "widget 1.0" in answer.words
