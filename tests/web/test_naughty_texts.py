# SPDX-License-Identifier: Apache-2.0
"""Two hundred hostile texts in every field that reaches a page: nothing runs, no element comes of one.

A page with a hostile text is compared with the same page with a plain one: as many elements of each name.
A text that the rules refuse in a field (controls in a ticket, say) cannot get there, and is left out of it.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, Request

from coordinator.founding import found
from coordinator.web.app import make_app
from coordinator.web.context import open_context
from coordinator.web.viewer import Viewer
from quorumseal.ceremony.statements import Choice, Locator
from quorumseal.ceremony.values import printable
from quorumseal.refusal import Refusal
from tests.coordinator.workshop import Workshop
from tests.organisation import NOW, ceremony_number
from tests.web import story
from tests.web.browser import Gallery, broken, needs_chromium, window
from tests.web.naughty import NAUGHTY
from tests.web.signing_in_site import SignInSite, signing_in

pytestmark = [needs_chromium, pytest.mark.timeout(600)]
PLAIN = "plain"
# The proof of an entry is as long as its index says, whatever anybody wrote.
ELEMENTS = """() => { const counts = {};
    for (const each of document.querySelectorAll("body *:not(blockquote p, #proof *)")) {
        counts[each.tagName] = (counts[each.tagName] ?? 0) + 1;
        for (const name of each.getAttributeNames()) {
            if (name.startsWith("on") || /^\\s*(javascript|data|vbscript):/i.test(each.getAttribute(name)))
                counts["attribute " + name] = 1; } }
    return counts; }"""


@dataclass
class Hostile:
    """Pages of a log full of such texts."""

    gallery: Gallery
    texts: tuple[str, ...]
    page: Page
    elsewhere: list[str]

    def elements(self, path: str) -> dict[str, int]:
        """Load a page; nothing ran, nothing was stopped, nothing was asked of anybody else."""
        self.gallery.heard.clear()
        self.page.goto(self.gallery.url(path), wait_until="load")
        assert self.page.evaluate("window.__ran === undefined"), path
        assert broken(self.page) == [], path
        assert [each for each in self.gallery.heard if "status of 4" not in each] == [], path
        assert self.elsewhere == [], path
        counts: dict[str, int] = self.page.evaluate(ELEMENTS)
        return counts


def allowed(text: str) -> bool:
    try:
        printable(text)
    except Refusal:
        return False
    return True


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Hostile]:
    from tests.conftest import DEEP

    texts = NAUGHTY if DEEP else NAUGHTY[::9]
    folder = tmp_path_factory.mktemp("hostile")
    database = f"sqlite:///{folder / 'log.sqlite'}"
    found(database, story.ACME.log_key, story.ACME.policy, at=NOW - timedelta(days=1))
    shop = Workshop(database, story.ACME, folder / "published")
    try:
        told = story.Story(shop, shop.desk())
        for number, text in enumerate((PLAIN, *texts), start=1):
            write(told, number, text)
        context = open_context(database, told.desk.live, lambda: shop.time.now)
        gallery = Gallery(folder, story.ACME.name)
        elsewhere: list[str] = []
        with (
            gallery.serving(make_app(context, gallery.visitors)),
            gallery.browsing(browser) as page,
        ):
            page.on("request", lambda request: note(request, gallery, elsewhere))
            yield Hostile(gallery, texts, page, elsewhere)
        context.storage.close()
    finally:
        shop.close()


def note(request: Request, gallery: Gallery, elsewhere: list[str]) -> None:
    if not request.url.startswith(gallery.url("/")):
        elsewhere.append(request.url)


def write(told: story.Story, number: int, text: str) -> None:
    """A request with the text wherever one goes, rejected with the text as the reason."""
    line = text if allowed(text) else PLAIN
    request = told.acme.request(number=number, version=f"{number}.0", at=told.now)
    locator = Locator(name="widget.tar.gz", uri=line)
    start = told.start(replace(request, ticket=line, locators=(locator,)))
    said = text.replace("\0", "") or "nothing"
    decision = told.acme.decision("carol", start.request, Choice.REJECTION, at=told.now)
    assert decision.choice is Choice.REJECTION
    told.decides(start, "carol", Choice.REJECTION, said)


def test_nothing_of_a_hostile_text_runs_or_becomes_an_element(hostile: Hostile) -> None:
    plain = hostile.elements(f"/ceremonies/{ceremony_number(1)}")
    for number, text in enumerate(hostile.texts, start=2):
        there = hostile.elements(f"/ceremonies/{ceremony_number(number)}")
        assert there == plain, ascii(text)
        if allowed(text) and text.isascii() and len(text) < 200:
            assert re.sub(r"\s+", " ", text).strip() in re.sub(
                r"\s+", " ", hostile.page.locator("main").inner_text()
            ), "it is read as it was written"


def test_lists_and_the_log_of_hostile_texts_are_lists_and_a_log(hostile: Hostile) -> None:
    for path in ("/ceremonies?state=rejected", "/log", "/releases", "/emergencies", "/people"):
        assert hostile.elements(path)["H1"] == 1
        assert hostile.page.locator("script").count() == 1


@pytest.mark.parametrize(
    "address",
    [
        lambda text: f"/{text}",
        lambda text: f"/ceremonies/{text}",
        lambda text: f"/ceremonies?product={text}",
        lambda text: f"/ceremonies?state={text}&{text}=x",
        lambda text: f"/releases/{text}/{text}",
        lambda text: f"/people/{text}",
        lambda text: f"/log/{text}",
    ],
    ids=["page", "ceremony", "product", "state", "release", "person", "index"],
)
def test_an_address_that_is_hostile_is_answered_in_words(
    hostile: Hostile, address: Callable[[str], str]
) -> None:
    texts = [text for text in hostile.texts if text.strip(". /\\") and "\0" not in text]
    for text in texts[::4]:
        path = address(quote(text, safe=""))
        counts = hostile.elements(path)
        assert counts["H1"] == 1, path
        assert counts.get("SCRIPT", 0) == 0, path
        assert not [each for each in counts if each.startswith("attribute")], path


@pytest.fixture(scope="module")
def provided(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignInSite]:
    with signing_in(tmp_path_factory.mktemp("site")) as site:
        yield site


def test_somebody_signs_in_by_their_provider_and_out_again(provided: SignInSite, browser: Browser) -> None:
    heard: list[str] = []
    provided.provider.interactive = True
    with window(browser, heard) as page:
        page.goto(provided("/ceremonies"))
        assert page.title() == "Provider"
        page.click("#go")
        page.wait_for_url(provided("/ceremonies"))
        footer = page.locator("footer")
        assert "Signed in as audrey (auditor)" in footer.inner_text()
        assert page.evaluate("document.cookie") == "", "no script reads the cookie"
        assert broken(page) == []
        footer.get_by_role("link", name="Sign out").click()
        assert page.locator("h1").inner_text() == "You have signed out"
        page.get_by_role("link", name="Sign in again").click()
        assert page.title() == "Provider"
    provided.provider.interactive = False
    assert [each for each in heard if "favicon" not in each and "404" not in each] == []


def test_a_name_that_a_provider_sends_is_words_too(provided: SignInSite, browser: Browser) -> None:
    heard: list[str] = []
    for text in NAUGHTY[::72]:
        provided.provider.user["preferred_username"] = text
        with window(browser, heard) as page:
            page.goto(provided("/ceremonies"))
            counts = page.evaluate(ELEMENTS)
            assert (counts.get("SCRIPT", 0), counts["FOOTER"], counts["A"] > 1) == (0, 1, True)
            assert page.evaluate("window.__ran === undefined")
            assert broken(page) == []
    provided.provider.user["preferred_username"] = "audrey"
    assert heard == []


def test_a_viewer_has_no_way_out_where_a_certificate_lets_them_in(hostile: Hostile) -> None:
    assert Viewer(name="audrey", kind="auditor").leave == ""
    hostile.elements("/ceremonies")
    assert hostile.page.get_by_role("link", name="Sign out").count() == 0


def test_the_list_has_two_hundred_texts_of_every_sort() -> None:
    assert len(set(NAUGHTY)) == len(NAUGHTY) >= 200
    assert sum(map(allowed, NAUGHTY)) >= 180
    assert Path(__file__).with_name("naughty.py").read_text().isascii() is False
