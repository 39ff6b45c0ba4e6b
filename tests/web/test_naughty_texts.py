# SPDX-License-Identifier: Apache-2.0
"""Two hundred hostile texts in every field that reaches a page: nothing runs, no element comes of one.

A page with a hostile text is compared with the same page with a plain one: as many elements of each name.
``hostile_log`` says which text is in which field, and which cannot get there.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, Request

from coordinator.web.viewer import Viewer
from tests.conftest import DEEP
from tests.organisation import ceremony_number
from tests.web.browser import Gallery, broken, needs_chromium, window
from tests.web.hostile_log import (
    BURNT,
    CANCELLED,
    NAMES,
    PLAIN,
    RELEASED,
    VETOED,
    HostileLog,
    allowed,
    hostile_log,
)
from tests.web.naughty import NAUGHTY
from tests.web.signing_in_site import SignInSite, signing_in

pytestmark = [needs_chromium, pytest.mark.timeout(1800 if DEEP else 600)]
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
    """Pages of a log full of such texts, and of one of the same shape with plain ones."""

    gallery: Gallery
    plain: Gallery
    log: HostileLog
    page: Page
    plain_page: Page
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

    def plain_elements(self, path: str) -> dict[str, int]:
        """The same of the plain log."""
        self.plain_page.goto(self.plain.url(path), wait_until="load")
        counts: dict[str, int] = self.plain_page.evaluate(ELEMENTS)
        return counts

    @property
    def words(self) -> str:
        """What is to be read on the page that was loaded last."""
        return _spaced(self.page.locator("main").inner_text())


def _spaced(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _read_as_written(text: str) -> bool:
    """Whether nothing of it is to be spelt out, or cut."""
    return allowed(text) and text.isascii() and len(text) < 200


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Hostile]:
    texts = NAUGHTY if DEEP else NAUGHTY[::9]
    folder = tmp_path_factory.mktemp("hostile")
    elsewhere: list[str] = []
    ordinary = [f"{PLAIN}-{number}" for number, _ in enumerate(NAMES)]
    with (
        hostile_log(folder / "hostile", texts, NAMES) as (log, app, gallery),
        hostile_log(folder / "plain", [PLAIN] * len(texts), ordinary) as (_, plain_app, plain),
        gallery.serving(app),
        plain.serving(plain_app),
        gallery.browsing(browser) as page,
        plain.browsing(browser) as plain_page,
    ):
        page.on("request", lambda request: note(request, gallery, elsewhere))
        yield Hostile(gallery, plain, log, page, plain_page, elsewhere)


def note(request: Request, gallery: Gallery, elsewhere: list[str]) -> None:
    if not request.url.startswith(gallery.url("/")):
        elsewhere.append(request.url)


@pytest.mark.parametrize(
    ("path", "places"),
    [(HostileLog.rejected, range(999)), (HostileLog.vetoed, VETOED), (HostileLog.cancelled, CANCELLED)],
    ids=["rejected", "vetoed", "cancelled"],
)
def test_nothing_of_a_hostile_text_runs_or_becomes_an_element(
    hostile: Hostile, path: Callable[[HostileLog, int], str], places: range
) -> None:
    plain = hostile.plain_elements(path(hostile.log, places[0]))
    for place, text in enumerate(hostile.log.texts):
        if place not in places:
            continue
        assert hostile.elements(path(hostile.log, place)) == plain, ascii(text)
        if _read_as_written(text):
            assert hostile.words.count(_spaced(text)) >= 3, "it is read as it was written, in each field"


@pytest.mark.parametrize(
    "path",
    [
        f"/ceremonies/{ceremony_number(RELEASED)}",
        f"/ceremonies/{ceremony_number(BURNT)}",
        "/ceremonies",
        "/ceremonies?state=rejected",
        "/emergencies",
        "/releases",
        "/people",
        "/people/alice",
        "/people/mallory",
        "/policies",
        "/policies/1",
        "/log",
    ],
    ids=lambda path: path.replace("/", " ").strip()[:50],
)
def test_a_page_of_many_hostile_texts_has_the_elements_of_one_of_plain_texts(
    hostile: Hostile, path: str
) -> None:
    assert hostile.elements(path) == hostile.plain_elements(path)
    if path == "/emergencies" or path.startswith("/ceremonies/"):
        shown = hostile.log.texts
        if path == "/emergencies":
            shown = tuple(text for place, text in enumerate(shown) if place in VETOED)[-20:]
        missing = [text for text in shown if _read_as_written(text) and _spaced(text) not in hostile.words]
        assert missing == [], "each is read as it was written"


def test_people_roles_and_products_of_hostile_names_are_people_roles_and_products(hostile: Hostile) -> None:
    people = hostile.plain_elements(f"/people/{PLAIN}-0")
    for name in hostile.log.names:
        assert hostile.elements(f"/people/{name}") == people, name
        assert f"Counts in {name}." in hostile.words
    path = "/ceremonies?product="
    assert hostile.elements(f"{path}constructor") == hostile.plain_elements(f"{path}{PLAIN}-3")


def test_pictures_of_people_and_checks_of_hostile_names_are_pictures(hostile: Hostile) -> None:
    assert hostile.elements("/effectiveness") == hostile.plain_elements("/effectiveness")
    assert "constructor" in hostile.words


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
    texts = [text for text in hostile.log.texts if text.strip(". /\\") and "\0" not in text]
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
