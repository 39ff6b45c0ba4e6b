# SPDX-License-Identifier: Apache-2.0
"""Pages are made by a few threads of their own: more wait, still more are refused, none waits for ever."""

import asyncio
import threading
from collections.abc import Callable

import pytest
from starlette.applications import Starlette
from starlette.requests import Request

from coordinator.web import app as web_app
from coordinator.web.answering import Desk
from coordinator.web.errors import PagesBusyError, PageTooSlowError
from coordinator.web.viewer import Viewer
from tests.web.asking import ask


async def test_what_takes_too_long_is_given_up_and_its_place_given_back() -> None:
    desk, go_on = Desk(threads=1, waiting=0, seconds=0.05), threading.Event()
    with pytest.raises(PageTooSlowError):
        await desk.make(go_on.wait)
    with pytest.raises(PagesBusyError):
        await desk.make(lambda: 1)
    go_on.set()
    desk.close()  # waits for the thread
    async with asyncio.timeout(5):
        await asyncio.sleep(0.05)  # the loop hears of it
    assert not desk._busy


async def test_what_goes_wrong_is_told_to_whoever_asked() -> None:
    desk = Desk()
    with pytest.raises(ZeroDivisionError):
        await desk.make(lambda: 1 // 0)
    desk.close()


def test_a_page_that_cannot_be_made_now_says_so(
    pages: Callable[..., Starlette], monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def waits(_: Request) -> Viewer:
        go_on.wait(5)
        return Viewer(name="audrey", kind="auditor")

    monkeypatch.setattr(web_app, "Desk", lambda: Desk(threads=1, waiting=0, seconds=0.05))
    app = pages(waits)
    answer = ask(app, "/ceremonies")
    go_on.set()
    assert answer.status == 503
    assert "Not now" in answer.words


def test_a_page_that_grows_too_large_is_refused(app: Starlette, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_app, "LARGEST_PAGE", 3500)
    answer = ask(app, "/log/0")
    assert answer.status == 500
    assert "pages.too_large" in answer.words
