# SPDX-License-Identifier: Apache-2.0
"""Every page of a week at Acme: what it says, what it refuses, and that no mark-up in it is another's."""

import json
import re
from collections.abc import Callable
from itertools import pairwise

import pytest
from starlette.applications import Starlette
from starlette.requests import Request

from coordinator.web.answering import Desk
from coordinator.web.errors import PagesBusyError
from coordinator.web.guard import HEADERS
from coordinator.web.showing import DOWNLOADS, PAGES
from coordinator.web.viewer import NotSignedInError, Viewer
from quorumseal.ceremony.values import digest_of
from quorumseal.verifier.trust import Trust
from quorumseal.verifier.verify import verify
from tests.organisation import ARTIFACT, ceremony_number
from tests.web import story
from tests.web.asking import ask

EACH_PAGE = (
    "/ceremonies",
    *(f"/ceremonies/{ceremony_number(number)}" for number in range(1, 9)),
    "/releases",
    "/releases/widget/2.0",
    "/releases/widget/1.1",
    "/emergencies",
    "/people",
    "/people/erin",
    "/people/mallory",
    "/policies",
    "/policies/1",
    "/policies/2",
    "/policies/2?against=1",
    "/log",
    "/log?before=20",
    "/log/0",
    "/log/17",
    "/nothing-here",
)
SAID = [
    ("/ceremonies", "2 are open; the next deadline is in 44 min."),
    ("/ceremonies?state=rejected", "widget 1.1"),
    ("/ceremonies?version=1.2&product=widget", "expired"),
    ("/ceremonies?kind=policy-change", "policy 2"),
    (f"/ceremonies/{story.APPROVED}", "It is approved: engineering by alice and erin; security by carol"),
    (f"/ceremonies/{story.REJECTED}", "It was rejected by carol."),
    (f"/ceremonies/{story.REJECTED}", "⟨U+202E⟩drowssap⟨U+202C⟩ {{ 7*7 }} ⟨U+001B⟩[31m"),
    (f"/ceremonies/{story.EXPIRED}", "It expired 1 h after its opening: engineering needs two more"),
    (f"/ceremonies/{story.CANCELLED}", "It was cancelled."),
    (f"/ceremonies/{story.OPEN}", "2 days 18 h are left."),
    (f"/ceremonies/{story.OPEN}", "erin away for 7 days 18 h"),
    (f"/ceremonies/{story.OPEN}", "https://dl.acme.example/widget.tar.gz"),
    (f"/ceremonies/{story.BURNT}", "It is provisional: engineering by alice; security by bob."),
    (f"/ceremonies/{story.BURNT}", "dan reports on the emergency."),
    (f"/ceremonies/{story.VETOED}", "It was rejected: carol vetoed it."),
    (f"/ceremonies/{story.BURNING_NOW}", "security needs one more: bob, carol or dan."),
    (f"/ceremonies/{story.APPROVED}", "How long it took"),
    (f"/ceremonies/{story.APPROVED}", "deadline over with the ceremony"),
    (f"/ceremonies/{story.BURNT}", "provisional until in 1 day 16 h"),
    (f"/ceremonies/{story.OPEN}", "Until when"),
    (f"/ceremonies/{story.OPEN}", "deadline in 2 days 18 h"),
    ("/releases", "The newest is widget 2.0, provisional 1 day 6 h ago."),
    ("/releases?product=widget", "The newest of these is widget 2.0"),
    ("/releases", "ratified"),
    ("/releases?product=gadget", "Nothing was released."),
    ("/releases/widget/2.0", "It is provisional, and ratified."),
    ("/releases/widget/1.1", "It was never released."),
    ("/emergencies", "Something is still owed: widget 3.1."),
    ("/emergencies", "vetoed by carol"),
    ("/people", "frank may stand in as engineering for 1 day 18 h"),
    ("/people", "revoked 1 day 5 h ago"),
    (f"/ceremonies/{story.OPEN}", "sbom, text/html; charset=utf-8 750 000 bytes"),
    (f"/ceremonies/{story.OPEN}", "tests.log log, text/plain it is kept no more"),
    ("/people/zoe", "Counts in engineering."),
    ("/people/zoe", "Nothing in any ceremony."),
    ("/people/carol", "widget 2.1 · vetoed it 2026-11-21 18:31:00 UTC ✗ rejected 30"),
    ("/people/carol", "widget 1.1 ✗ rejected as security"),
    ("/people/dan", "widget 2.0 · reported on the emergency"),
    ("/people/mallory", "widget 1.3 · cancelled it"),
    ("/people/mallory?before=16", "widget 1.3 · asked for it"),
    ("/policies", "weakens in 3 ways"),
    ("/policies/2", "the clock skew is 4m, was 2m"),
    ("/policies/1?against=2", "the clock skew is 2m, was 4m"),
    ("/log", "47 entries, the last 16 min ago."),
    ("/log/0", "Entry 0: policy"),
    ("/log/5", "No witness has vouched for it yet."),
    ("/effectiveness", "It is being counted."),
]
REFUSED = [
    ("/ceremonies/nonsense", 404),
    ("/ceremonies/01934000-0000-7000-8000-0000000000ff", 404),
    (f"/ceremonies/{story.OPEN}/bundle.json", 409),
    (f"/ceremonies/{story.OPEN}/evidence/{story.LOST.digest}", 404),
    (f"/ceremonies/{story.OPEN}/evidence/{story.UNNAMED}", 404),
    (f"/ceremonies/{story.APPROVED}/evidence/{story.SBOM.digest}", 404),
    (f"/ceremonies/{story.OPEN}/evidence/sbom.html", 404),
    ("/people/alice?before=x", 400),
    ("/ceremonies?state=happy", 400),
    ("/ceremonies?before=-1", 400),
    ("/ceremonies?before=99999999999999999999", 400),
    ("/ceremonies?page=2", 400),
    ("/ceremonies?product=anvil", 400),
    ("/releases/widget/9.9", 404),
    ("/people/nobody", 404),
    ("/policies/0", 404),
    ("/policies/3", 404),
    ("/policies/two", 404),
    ("/policies/2?against=7", 404),
    ("/log/47", 404),
    ("/log/1e1", 404),
    ("/static/pages.css", 404),
    ("/stream?ceremony=all", 400),
    ("/../etc/passwd", 404),
]
SBOM = f"/ceremonies/{story.OPEN}/evidence/{story.SBOM.digest}"
_HEADING = re.compile(r"<h([1-6])")


@pytest.mark.parametrize(("path", "said"), SAID)
def test_a_page_says_what_happened(told: Starlette, path: str, said: str) -> None:
    answer = ask(told, path)
    assert answer.status == 200
    assert said in answer.words


@pytest.mark.parametrize(("path", "status"), REFUSED)
def test_what_is_not_there_is_refused_in_words_without_a_trace(
    told: Starlette, path: str, status: int
) -> None:
    answer = ask(told, path)
    assert answer.status == status
    assert "expected" in answer.words
    assert "Traceback" not in answer.text
    assert "coordinator/" not in answer.text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW"])
def test_nothing_but_reading_is_let_in(told: Starlette, method: str) -> None:
    for path in ("/ceremonies", "/static/x", "/nothing"):
        answer = ask(told, path, method)
        assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
        assert answer.headers["content-security-policy"] == HEADERS["Content-Security-Policy"]


@pytest.mark.parametrize(
    "path", [*EACH_PAGE, f"/ceremonies/{story.APPROVED}/bundle.json", SBOM, "/", "/stream?x=1"]
)
def test_every_answer_has_the_headers_and_is_kept_nowhere(told: Starlette, path: str) -> None:
    headers = ask(told, path).headers
    assert {name: headers[name.lower()] for name in HEADERS} == HEADERS
    assert headers["cache-control"] == "no-store"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]


@pytest.mark.parametrize("path", EACH_PAGE)
def test_every_page_can_be_found_through_without_seeing_it(told: Starlette, path: str) -> None:
    text = ask(told, path).text
    for landmark in (
        "<header",
        "<nav ",
        "<main ",
        "<footer",
        '<html lang="en">',
        'class="skip" href="#content"',
    ):
        assert landmark in text, landmark
    assert text.count("<h1") == 1
    levels = [int(level) for level in _HEADING.findall(text)]
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels)), levels
    assert text.count("<table") == text.count("<caption")
    assert not re.search(r"<th(?! scope=)[ >]", text)
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len({*ids})
    labelled = re.findall(r'aria-labelledby="([^"]+)"', text)
    assert {*" ".join(labelled).split()} <= {*ids}
    for field in re.findall(r'<(?:select|input)[^>]* id="([^"]+)"', text):
        assert f'<label for="{field}"' in text


@pytest.mark.parametrize("path", EACH_PAGE)
def test_no_page_has_a_script_or_a_style_of_its_own(told: Starlette, path: str) -> None:
    text = ask(told, path).text
    assert not re.search(r"\sstyle=|<style|\son[a-z]+=|javascript:", text)
    assert re.findall(r"<script[^>]*>", text) == re.findall(
        r'<script src="/static/pages\.[0-9a-f]{16}\.js"[^>]*>', text
    )


@pytest.mark.parametrize("path", EACH_PAGE)
def test_every_link_leads_somewhere_of_ours(told: Starlette, path: str) -> None:
    for link in ask(told, path).links:
        assert link.startswith(("/", "#", "?")), link
        assert not link.startswith("//")
        if link.startswith("/"):
            assert ask(told, link).status == 200, link


def test_styles_and_scripts_are_named_by_what_is_in_them(told: Starlette) -> None:
    text = ask(told, "/ceremonies").text
    (css,) = re.findall(r'href="(/static/pages\.[0-9a-f]{16}\.css)"', text)
    answer = ask(told, css)
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert "immutable" in answer.headers["cache-control"]
    assert text.count('integrity="sha384-') == 2


def test_a_bundle_is_a_file_to_keep_and_verifies(told: Starlette) -> None:
    answer = ask(told, f"/ceremonies/{story.APPROVED}/bundle.json")
    assert answer.headers["content-disposition"] == 'attachment; filename="widget@1.0.quorumseal.json"'
    trust = Trust(organisation=story.ACME.name, policy=story.ACME.policy.digest, minimum_version=1)
    assert verify(answer.body, trust, {"widget.tar.gz": digest_of(ARTIFACT)}).request.version == "1.0"


def test_a_record_and_entries_can_be_taken_away(told: Starlette) -> None:
    record = json.loads(ask(told, f"/ceremonies/{story.REJECTED}/record.json").body)
    assert (record["state"], record["requester"]) == ("rejected", "mallory")
    lines = ask(told, f"/ceremonies/{story.REJECTED}/entries.jsonl").body.splitlines()
    assert [json.loads(line)["type"] for line in lines] == ["opened", "decided", "decided", "rejected"]
    assert ask(told, "/log/8/entry.json").body == lines[1]


def test_evidence_is_bytes_to_keep_whatever_it_says_that_it_is(told: Starlette) -> None:
    answer = ask(told, SBOM)
    assert (answer.status, digest_of(answer.body)) == (200, story.SBOM.digest)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"] == 'attachment; filename="sbom.html"'
    assert answer.headers["content-length"] == str(len(story.SBOM_FILE))
    assert ask(told, SBOM, "HEAD").body == b""


def test_evidence_waits_for_a_place_at_the_desk_where_it_has_begun(
    told: Starlette, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, crowds = Desk.make, iter([False, True, True, False])

    async def crowded(desk: Desk, work: Callable[[], object]) -> object:
        if next(crowds, False):
            raise PagesBusyError("expected fewer")
        return await make(desk, work)

    monkeypatch.setattr(Desk, "make", crowded)
    assert digest_of(ask(told, SBOM).body) == story.SBOM.digest


def test_evidence_that_no_request_names_and_that_of_others_is_not_to_be_had(told: Starlette) -> None:
    for ceremony, digest in ((story.OPEN, story.UNNAMED), (story.APPROVED, story.SBOM.digest)):
        answer = ask(told, f"/ceremonies/{ceremony}/evidence/{digest}")
        assert answer.status == 404
        assert f"expected evidence that ceremony {ceremony} names" in answer.words


def test_what_somebody_signed_is_listed_a_page_at_a_time(
    told: Starlette, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = _signed(told, "/people/mallory")
    monkeypatch.setattr("coordinator.web.showing.signed.ROWS", 3)
    monkeypatch.setattr("coordinator.web.showing.signed.LOOKED", 9)
    seen, path = _signed(told, "/people/mallory"), "/people/mallory"
    paths = [path]
    while onwards := [link for link in ask(told, path).links if "?before=" in link]:
        path = onwards[-1]
        paths.append(path)
        seen += _signed(told, path)
    assert seen == whole
    assert len(paths) > len(whole) / 3
    back: list[str] = []
    while upwards := [link for link in ask(told, path).links if "?after=" in link]:
        path = upwards[0]
        back = _signed(told, path) + back
    assert back[: len(back)] == whole[: len(back)]
    assert back


def _signed(app: Starlette, path: str) -> list[str]:
    """Return the entries that the page of somebody lists."""
    return re.findall(r'href="(/log/[0-9]+)"', ask(app, path).text)


def test_the_exact_statement_is_laid_open(told: Starlette) -> None:
    text = ask(told, f"/ceremonies/{story.REJECTED}").words
    assert '"predicateType": "https://quorumseal.dev/rejection/v1"' in text


def test_nobody_who_is_not_let_in_sees_anything(pages: Callable[..., Starlette]) -> None:
    def nobody(_: Request) -> Viewer:
        raise NotSignedInError("expected a certificate of acme.example, got none", hint="install yours")

    app = pages(nobody)
    for page in PAGES:
        path = re.sub(r"{[a-z]+}", story.APPROVED if "ceremony}" in page.path else "1", page.path)
        answer = ask(app, path)
        assert answer.status == 401
        assert "expected a certificate of acme.example, got none" in answer.words
        assert "Signed in" not in answer.words
    for download in DOWNLOADS:
        path = re.sub(r"{[a-z]+}", story.APPROVED if "ceremony}" in download.path else "1", download.path)
        assert ask(app, path).status == 401
    assert ask(app, "/stream").status == 401


def test_what_nobody_foresaw_is_said_without_its_reason(
    pages: Callable[..., Starlette], caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: Request) -> Viewer:
        raise RuntimeError("postgresql://user:secret@db")

    answer = ask(pages(broken), "/ceremonies")
    assert answer.status == 500
    assert "secret" not in answer.text
    assert answer.headers["content-security-policy"] == HEADERS["Content-Security-Policy"]
    assert "unforeseen error in making a page" in caplog.text
