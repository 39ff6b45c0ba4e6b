# SPDX-License-Identifier: Apache-2.0
"""The live page in a real browser: it changes when an approval arrives, and is the same with scripts off."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from coordinator.web.app import make_app
from coordinator.web.context import open_context
from quorumseal.ceremony.statements import Choice
from tests.coordinator.workshop import Desk, Workshop
from tests.web.browser import Gallery, broken, chromium, needs_chromium

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def gallery(tmp_path: Path, workshop: Workshop, desk: Desk) -> Iterator[Gallery]:
    context = open_context(workshop.database, desk.live, lambda: workshop.time.now)
    place = tmp_path / "gallery"
    place.mkdir()
    made = Gallery(place, workshop.organisation.name)
    with made.serving(make_app(context, made.visitors)):
        yield made
    context.storage.close()


def test_the_live_page_changes_when_an_approval_arrives(
    browser: Browser, gallery: Gallery, workshop: Workshop, desk: Desk
) -> None:
    start = workshop.start()
    desk.written(start)
    ceremony = start.request.statement.ceremony
    with gallery.browsing(browser) as page:
        page.goto(gallery.url(f"/ceremonies/{ceremony}"))
        expect(page.locator("html.is-live")).to_be_attached()
        expect(page.get_by_role("article", name="engineering: 0 of 2, 2 more")).to_be_visible()
        summary = page.get_by_text("Entry 1, signed by mallory")
        summary.click()
        desk.written(workshop.decide("alice", start))
        expect(page.get_by_role("article", name="engineering: 1 of 2, 1 more")).to_be_visible()
        expect(page.get_by_text("alice approves as engineering.")).to_be_visible()
        expect(page.locator("#entry-0[open]")).to_be_attached()  # still open
        for signer in ("erin", "carol", "rita"):
            desk.written(workshop.decide(signer, start))
        expect(page.locator("h1 .chip.approved")).to_be_visible()
        expect(page.get_by_role("status")).to_contain_text("approved: It is approved")
        expect(page).to_have_title("widget 1.0: approved · acme.example")
        assert broken(page) == gallery.heard == []


def test_the_list_of_ceremonies_changes_too(
    browser: Browser, gallery: Gallery, workshop: Workshop, desk: Desk
) -> None:
    with gallery.browsing(browser) as page:
        page.goto(gallery.url("/"))
        expect(page.locator("html.is-live")).to_be_attached()
        expect(page.get_by_text("Nothing waits")).to_be_visible()
        desk.written(workshop.start())
        expect(page.get_by_text("One is open")).to_be_visible()
        assert broken(page) == gallery.heard == []


def test_without_scripts_the_page_is_the_same_once_loaded_again(
    browser: Browser, gallery: Gallery, workshop: Workshop, desk: Desk
) -> None:
    start = workshop.start()
    desk.written(start)
    with gallery.browsing(browser, java_script_enabled=False) as page:
        page.goto(gallery.url(f"/ceremonies/{start.request.statement.ceremony}"))
        expect(page.get_by_text("Load the page again to see it anew.")).to_be_visible()
        desk.written(workshop.decide("carol", start, Choice.REJECTION))
        page.reload()
        expect(page.get_by_text("It was rejected by carol.")).to_be_visible()
        summary = page.get_by_text("Entry 2, signed by carol")
        summary.click()
        expect(page.get_by_text('"predicateType": "https://quorumseal.dev/rejection/v1"')).to_be_visible()


def test_the_keyboard_alone_gets_to_the_content_and_into_a_statement(
    browser: Browser, gallery: Gallery, workshop: Workshop, desk: Desk
) -> None:
    start = workshop.start()
    desk.written(start)
    with gallery.browsing(browser) as page:
        page.goto(gallery.url("/ceremonies"))
        page.keyboard.press("Tab")
        expect(page.locator(".skip")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page).to_have_title("widget 1.0: open · acme.example")
        _tab_to(page, "summary")
        page.keyboard.press("Enter")
        expect(page.locator("#entry-0[open]")).to_be_attached()
        assert broken(page) == gallery.heard == []


@pytest.mark.parametrize("width", [360, 1200])
def test_no_page_is_wider_than_its_window(
    browser: Browser, gallery: Gallery, workshop: Workshop, desk: Desk, width: int
) -> None:
    start = workshop.start()
    desk.written(start)
    ceremony = start.request.statement.ceremony
    with gallery.browsing(browser, viewport={"width": width, "height": 800}) as page:
        for path in ("/ceremonies", f"/ceremonies/{ceremony}", "/people", "/policies/1", "/log", "/log/1"):
            page.goto(gallery.url(path))
            assert page.evaluate("document.documentElement.scrollWidth") == width, path


def _tab_to(page: Page, element: str) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.localName") == element:
            return
    raise AssertionError(f"expected Tab to come to {element}, it did not")
