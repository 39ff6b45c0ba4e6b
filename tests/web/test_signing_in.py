# SPDX-License-Identifier: Apache-2.0
"""Signing in by a provider that may lie, over real TLS: who gets in, and every way in which nobody does."""

import time
from collections.abc import Callable, Iterator

import pytest

from coordinator.certificates import Kind
from coordinator.web.signing_in import keeping, provider
from tests.web.fetching import client_context, fetch
from tests.web.provider import Claims, OpenIdProvider, other_key_of_that_name
from tests.web.signing_in_site import CookieJar, SignInSite, query_of, signing_in


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignInSite]:
    with signing_in(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture
def site(served: SignInSite) -> Iterator[SignInSite]:
    """The same one for all, whose provider tells the truth until told otherwise."""
    theirs = served.provider
    kept = dict(vars(theirs))
    theirs.user = {**theirs.user}
    theirs.requests.clear()
    yield served
    vars(theirs).update({name: kept[name] for name in kept if name not in STANDING})


STANDING = ("algorithm", "codes", "key", "requests")


@pytest.fixture
def browser(site: SignInSite) -> CookieJar:
    return site.browser()


def test_an_auditor_of_the_provider_gets_to_the_page_that_they_wanted(
    site: SignInSite, browser: CookieJar
) -> None:
    page = browser.go(site("/ceremonies?state=open"))
    assert page.status == 200
    assert "Signed in as audrey (auditor)" in page.text
    assert browser.visited[-1] == site("/ceremonies?state=open")
    asked = query_of(next(url for url in browser.visited if "/authorize" in url))
    assert asked["scope"] == "openid profile"
    assert asked["code_challenge_method"] == "S256"
    assert {len(asked[name]) for name in ("nonce", "code_challenge")} == {43}
    assert len(asked["state"]) < 400
    before = len(site.provider.requests)
    assert browser.get(site("/ceremonies")).status == 200
    assert len(site.provider.requests) == before, "the provider is not asked again"


def test_a_release_manager_of_the_provider_is_one_here(site: SignInSite, browser: CookieJar) -> None:
    site.provider.user |= {"groups": "release-managers", "preferred_username": "bob"}
    assert "Signed in as bob (release manager)" in browser.go(site("/ceremonies")).text


def test_somebody_whom_no_claim_lets_in_is_told_so(site: SignInSite, browser: CookieJar) -> None:
    site.provider.user |= {"groups": ["staff", 7], "preferred_username": "<b>mallory"}
    page = browser.go(site("/ceremonies"))
    assert page.status == 403
    assert "sign_in.no_role" in page.text
    assert "<b>mallory" not in page.text
    assert browser.get(site("/ceremonies")).status == 303


def test_a_client_certificate_goes_on_working_beside_it(site: SignInSite) -> None:
    files = site.site.client_files("carol", Kind.OPERATOR)
    page = fetch(site("/ceremonies"), client_context(files.ca, files))
    assert "Signed in as carol (operator)" in page.text
    assert "set-cookie" not in page.headers


def test_a_script_is_told_instead_of_being_sent_to_the_provider(site: SignInSite, browser: CookieJar) -> None:
    assert browser.get(site("/ceremonies"), {"Sec-Fetch-Mode": "cors"}).status == 401


def changed(**claims: object) -> Callable[[OpenIdProvider], None]:
    def change(theirs: OpenIdProvider) -> None:
        def lie(made: Claims) -> None:
            made.update(claims)
            for name in [name for name, value in claims.items() if value is None]:
                del made[name]

        theirs.change_claims = lie

    return change


def at(name: str, seconds: int) -> Callable[[OpenIdProvider], None]:
    return lambda theirs: changed(**{name: int(time.time()) + seconds})(theirs)


def signing(by: Callable[[OpenIdProvider], Callable[[Claims], str]]) -> Callable[[OpenIdProvider], None]:
    def change(theirs: OpenIdProvider) -> None:
        theirs.sign = by(theirs)

    return change


def twice(theirs: OpenIdProvider) -> Callable[[Claims], str]:
    def sign(claims: Claims) -> str:
        head, body, signature = theirs.signed(claims).split(".")
        return f"{head}.{body}.{signature[:-4]}AAAA"

    return sign


LIES: list[tuple[str, Callable[[OpenIdProvider], None], str]] = [
    ("the wrong nonce", changed(nonce="x" * 43), "for another"),
    ("no nonce", changed(nonce=None), "for another"),
    ("alg none", signing(lambda theirs: theirs.unsigned), "none"),
    ("HS256 with the public key", signing(lambda theirs: theirs.signed_with_the_public_key), "HS256"),
    ("a key of its own in the header", signing(other_key_of_that_name), "signature"),
    ("a broken signature", signing(twice), "signature"),
    ("another issuer", changed(iss="https://evil.example"), "evil.example"),
    ("another audience", changed(aud="other"), "got one for"),
    ("two audiences and no azp", changed(aud=["quorumseal", "other"]), "asked for"),
    ("another azp", changed(azp="other"), "asked for"),
    ("expired", at("exp", -120), "expired"),
    ("no exp", changed(exp=None), "exp"),
    ("exp as a text", changed(exp="2100"), "exp"),
    ("of the future", at("iat", 600), "future"),
    ("made long ago", at("iat", -3600), "long before"),
    ("not yet valid", at("nbf", 600), "not yet"),
    ("nobody", changed(sub=""), "nobody"),
    ("no token at all", signing(lambda _: lambda _: "x"), "something else"),
]


@pytest.mark.parametrize(("lie", "said"), [row[1:] for row in LIES], ids=[row[0] for row in LIES])
def test_a_token_that_lies_lets_nobody_in(
    site: SignInSite, browser: CookieJar, lie: Callable[[OpenIdProvider], None], said: str
) -> None:
    lie(site.provider)
    page = browser.go(site("/ceremonies"))
    assert page.status == 403
    assert "sign_in.token" in page.text
    assert said in page.text
    assert browser.get(site("/ceremonies")).status == 303, "nobody is signed in"


def test_one_of_several_audiences_that_asked_for_the_token_gets_in(
    site: SignInSite, browser: CookieJar
) -> None:
    changed(aud=["other", "quorumseal"], azp="quorumseal")(site.provider)
    assert browser.go(site("/ceremonies")).status == 200


ANSWERS: list[tuple[str, Callable[[dict[str, str]], object], str]] = [
    ("another state", lambda answer: answer.update(state="x" * 43), "sign_in.attempt"),
    ("no state", lambda answer: answer.pop("state"), "sign_in.attempt"),
    ("another provider's name", lambda answer: answer.update(iss="https://evil.example"), "sign_in.refused"),
    ("no name of the provider", lambda answer: answer.pop("iss"), "sign_in.refused"),
    ("a refusal", lambda answer: answer.update(error="access_denied<script>"), "sign_in.refused"),
    ("no code", lambda answer: answer.pop("code"), "sign_in.refused"),
    ("a code that it did not give", lambda answer: answer.update(code="x"), "invalid_grant"),
]


@pytest.mark.parametrize(("lie", "said"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
def test_an_answer_that_is_not_the_providers_to_this_attempt_lets_nobody_in(
    site: SignInSite, browser: CookieJar, lie: Callable[[dict[str, str]], object], said: str
) -> None:
    site.provider.change_answer = lie
    page = browser.go(site("/ceremonies"))
    assert page.status in (400, 403)
    assert said in page.text
    assert "<script>" not in page.text.partition("<main")[2]


def test_a_code_is_used_once(site: SignInSite, browser: CookieJar) -> None:
    browser.go(site("/ceremonies"))
    done = next(url for url in browser.visited if "/sign-in/done" in url)
    again = browser.get(done)
    assert (again.status, "sign_in.attempt" in again.text) == (400, True)


def test_an_answer_belongs_to_the_browser_that_asked(site: SignInSite) -> None:
    """Somebody's own answer, slipped to somebody else: they would read as the wrong person."""
    mallory, victim = site.browser(), site.browser()
    mallory.go(site("/ceremonies"), until=site("/sign-in/done"))
    victim.go(site("/ceremonies"), until=site("/sign-in/done"))
    page = victim.get(mallory.visited[-1])
    assert (page.status, "sign_in.attempt" in page.text) == (400, True)
    assert victim.get(site("/ceremonies")).status == 303


def test_two_windows_of_one_browser_sign_in_at_once(site: SignInSite, browser: CookieJar) -> None:
    browser.go(site("/ceremonies"), until=site("/sign-in/done"))
    first = browser.visited[-1]
    browser.go(site("/sign-in?to=/log"), until=site("/sign-in/done"))
    assert browser.get(browser.visited[-1]).headers["location"] == "/log"
    held = dict(browser.cookies)
    page = browser.get(first)
    assert page.status == 400, "the cookie is another by now"
    assert browser.cookies == held


def test_the_cookie_is_a_new_one_after_signing_in(site: SignInSite, browser: CookieJar) -> None:
    browser.go(site("/ceremonies"), until=site("/sign-in/done"))
    before = dict(browser.cookies)
    browser.get(browser.visited[-1])
    assert browser.cookies.keys() == before.keys()
    assert browser.cookies != before
    assert CookieJar(browser.context, before).get(site("/ceremonies")).status == 303


@pytest.mark.parametrize("planted", ["chosen-by-mallory", "m" * 43])
def test_a_cookie_that_an_attacker_chose_is_never_taken_over(
    site: SignInSite, browser: CookieJar, planted: str
) -> None:
    browser.cookies["__Host-quorumseal"] = planted
    assert browser.go(site("/ceremonies")).status == 200
    assert browser.cookies["__Host-quorumseal"] != planted
    assert CookieJar(browser.context, {"__Host-quorumseal": planted}).get(site("/ceremonies")).status == 303


def test_whoever_signs_out_is_out_with_every_copy_of_the_cookie(site: SignInSite, browser: CookieJar) -> None:
    browser.go(site("/ceremonies"))
    copy = CookieJar(browser.context, dict(browser.cookies))
    page = browser.get(site("/sign-out"))
    assert "You have signed out" in page.text
    assert not browser.cookies
    assert copy.get(site("/ceremonies")).status == 303


def test_no_other_site_signs_anybody_out(site: SignInSite, browser: CookieJar) -> None:
    browser.go(site("/ceremonies"))
    assert browser.get(site("/sign-out"), {"Sec-Fetch-Site": "cross-site"}).status == 303
    assert browser.get(site("/ceremonies")).status == 200


def test_a_session_ends_by_itself(
    site: SignInSite, browser: CookieJar, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.go(site("/ceremonies"))
    monkeypatch.setattr(keeping, "IDLE_SECONDS", 0.0)
    assert browser.get(site("/ceremonies")).status == 303


def test_keys_that_the_provider_rotates_are_followed(
    site: SignInSite, browser: CookieJar, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.go(site("/ceremonies"))
    monkeypatch.setattr(provider, "AGAIN_SECONDS", -1.0)
    site.provider.rotate(algorithm="RS256")
    assert site.browser().go(site("/ceremonies")).status == 200
    site.provider.rotate(algorithm="PS256")
    assert site.browser().go(site("/ceremonies")).status == 200


def test_keys_that_nobody_has_do_not_have_the_provider_asked_in_a_circle(
    site: SignInSite, browser: CookieJar
) -> None:
    browser.go(site("/ceremonies"))
    theirs = site.provider
    stranger = OpenIdProvider(theirs.certificate, theirs.key_file)
    theirs.sign = stranger.signed
    theirs.requests.clear()
    for _ in range(5):
        assert "sign_in.token" in site.browser().go(site("/ceremonies")).text
    assert theirs.requests.count("/realm/keys") <= 1


@pytest.mark.parametrize(
    "to",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/\tx",
        "",
        "/sign-out",
    ],
)
def test_nobody_is_sent_anywhere_else_afterwards(site: SignInSite, browser: CookieJar, to: str) -> None:
    browser.go(site("/sign-in?to=") + to.replace("\t", "%09"), until=site("/sign-in/done"))
    assert browser.get(browser.visited[-1]).headers["location"] == "/"


def test_the_secret_is_shown_to_nobody_but_the_token_endpoint(
    site: SignInSite, browser: CookieJar, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    browser.go(site("/ceremonies"))
    assert not any("secret" in url for url in browser.visited)
    assert "a secret of this client" not in caplog.text
    assert "secret of this" not in repr(vars(site.running.server))
