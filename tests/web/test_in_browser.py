# SPDX-License-Identifier: Apache-2.0
"""Every page in Debian's Chromium: by keyboard alone, with scripts off, for everybody, and as it changes."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from coordinator.founding import found
from coordinator.web.app import make_app
from coordinator.web.context import open_context
from quorumseal.ceremony.values import digest_of
from tests.coordinator.workshop import Workshop
from tests.organisation import NOW
from tests.web import story
from tests.web.browser import Gallery, broken, needs_chromium

pytestmark = [needs_chromium, pytest.mark.timeout(300)]
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
EVERY_PAGE = (
    "/ceremonies",
    f"/ceremonies/{story.APPROVED}",
    f"/ceremonies/{story.REJECTED}",
    f"/ceremonies/{story.OPEN}",
    f"/ceremonies/{story.BURNT}",
    "/releases",
    "/releases/widget/2.0",
    "/emergencies",
    "/people",
    "/people/erin",
    "/policies",
    "/policies/2?against=1",
    "/log",
    "/log/0",
    "/effectiveness",
    "/nothing-here",
)
FOCUSABLE = ("a[href]", "button", "input:not([type=hidden])", "select", "summary", "[tabindex='0']")
WIDE: ViewportSize = {"width": 1200, "height": 900}


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gallery, story.Story]]:
    """A week at Acme, behind real TLS."""
    folder = tmp_path_factory.mktemp("week")
    database = f"sqlite:///{folder / 'log.sqlite'}"
    found(database, story.ACME.log_key, story.ACME.policy, at=NOW - timedelta(days=1))
    shop = Workshop(database, story.ACME, folder / "published")
    try:
        desk = shop.desk()
        told = story.tell(shop, desk)
        context = open_context(database, desk.live, lambda: shop.time.now)
        gallery = Gallery(folder, story.ACME.name)
        with gallery.serving(make_app(context, gallery.visitors)):
            yield gallery, told
        context.storage.close()
    finally:
        shop.close()


@pytest.fixture(scope="module")
def gallery(week: tuple[Gallery, story.Story]) -> Gallery:
    return week[0]


@pytest.fixture(scope="module")
def page(gallery: Gallery, browser: Browser) -> Iterator[Page]:
    with gallery.browsing(browser, viewport=WIDE) as page:
        page.add_init_script(AXE)
        yield page


@pytest.fixture(scope="module", params=EVERY_PAGE)
def path(request: pytest.FixtureRequest, gallery: Gallery, page: Page) -> str:
    """Each page, loaded once for all tests of it."""
    opened(page, gallery, request.param)
    return str(request.param)


def opened(page: Page, gallery: Gallery, path: str) -> None:
    gallery.heard.clear()
    page.goto(gallery.url(path), wait_until="load")


def test_every_page_is_read_by_keyboard_alone(page: Page, path: str) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#content", "first: to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content", path
    wanted = page.evaluate(
        """wanted => { window.__reached = [];
            document.addEventListener("focusin", ({target}) => {
                const style = getComputedStyle(target);
                const seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
                window.__reached.push(seen ? target.dataset.wanted ?? "out" : "not to be seen"); });
            return [...document.querySelectorAll(wanted)]
                .filter((each) => each.checkVisibility({visibilityProperty: true}))
                .map((each, number) => each.dataset.wanted = String(number)); }""",
        ", ".join(f"main {each}" for each in FOCUSABLE),
    )
    for _ in wanted:
        page.keyboard.press("Tab")
    assert page.evaluate("window.__reached") == wanted, "in their order, each to be seen, none left out"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.dataset.wanted ?? 'out'") == "out", "and out again"


def test_every_page_is_accessible_as_far_as_a_program_can_tell(page: Page, path: str) -> None:
    found: dict[str, list[str]] = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        seen: dict[str, Any] = page.evaluate(
            "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES
        )
        for each in seen["violations"]:
            places = [str(node["target"]) for node in each["nodes"][:3]]
            found[f"{path}, {scheme}: {each['id']}: {each['help']}"] = places
    assert found == {}


def test_every_page_fits_a_narrow_window(page: Page, path: str) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    try:
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
    finally:
        page.set_viewport_size(WIDE)


def test_every_page_keeps_its_own_policy_of_content(gallery: Gallery, page: Page, path: str) -> None:
    assert broken(page) == []
    assert all("404" in said for said in gallery.heard) == (path == "/nothing-here") or not gallery.heard
    assert page.locator("h1").count() == 1


def test_what_is_folded_opens_by_keyboard(gallery: Gallery, page: Page) -> None:
    opened(page, gallery, f"/ceremonies/{story.APPROVED}")
    summary = page.locator("#happened summary").first
    summary.focus()
    page.keyboard.press("Enter")
    assert page.locator("#happened details[open]").count() == 1


def test_evidence_is_kept_as_a_file_and_opened_nowhere(gallery: Gallery, page: Page) -> None:
    opened(page, gallery, f"/ceremonies/{story.OPEN}")
    with page.expect_download() as coming:
        page.get_by_role("link", name=story.SBOM.name).click()
    assert coming.value.suggested_filename == "sbom.html"
    assert digest_of(Path(coming.value.path()).read_bytes()) == story.SBOM.digest
    assert page.url == gallery.url(f"/ceremonies/{story.OPEN}")
    assert gallery.heard == []


def test_every_page_can_be_read_with_scripts_off(gallery: Gallery, browser: Browser, page: Page) -> None:
    with gallery.browsing(browser, "stella", java_script_enabled=False) as plain:
        for path in EVERY_PAGE[3:]:
            opened(page, gallery, path)
            plain.goto(gallery.url(path), wait_until="load")
            assert words(plain) == words(page), path


def words(page: Page) -> str:
    return re.sub(r"\s+", " ", page.locator("main").inner_text())


def test_the_live_page_changes_when_an_approval_arrives(
    gallery: Gallery, week: tuple[Gallery, story.Story], page: Page
) -> None:
    told = week[1]
    opened(page, gallery, "/ceremonies")
    waiting = told.release(40, "4.0")
    opened(page, gallery, f"/ceremonies/{waiting.request.statement.ceremony}")
    page.evaluate("window.__same = true")
    assert "carol approves" not in words(page)
    page.wait_for_timeout(300)
    told.decides(waiting, "carol")
    page.locator("#happened").get_by_text("carol approves").wait_for()
    assert page.evaluate("window.__same"), "without being loaded again"
    assert broken(page) == []
    assert gallery.heard == []
