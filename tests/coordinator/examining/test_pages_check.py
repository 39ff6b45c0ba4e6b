# SPDX-License-Identifier: Apache-2.0
"""``check-config`` about ``[pages]``: the port, the certificate, the provider."""

from pathlib import Path

import pytest

from coordinator.examining.files import secret_line
from coordinator.examining.settings import examine
from coordinator.named_files import read_client_secret
from quorumseal.terminal import Mark
from quorumseal.terminal.findings import Finding
from tests.running_coordinator import Site

SIGN_IN = """
[pages.sign_in]
url = "https://audit.acme.example"
issuer = "https://login.acme.example/realm"
client_id = "quorumseal"
client_secret_file = "oidc.secret"
auditors = ["audit"]
"""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path)
    site.found()
    site.write("oidc.secret", b"a secret that is long enough\n")
    return site


def found(site: Site, more: str) -> dict[str, Finding]:
    """Return what is said of each setting of the pages; of several things the worst."""
    site.more = more
    seen = examine(site.settings, at=site.started_at).findings
    settings = {each: each.about.partition(":")[2] for each in seen if ":pages" in each.about}
    worst_last = sorted(settings, key=lambda each: [Mark.DONE, Mark.WARNING, Mark.FAILED].index(each.mark))
    return {settings[each]: each for each in worst_last}


def test_pages_that_can_be_served_are_fine(site: Site) -> None:
    more = f'[pages]\nlisten = "127.0.0.1:0"\ncertificate = "server.crt"\nkey = "server.key"\n{SIGN_IN}'
    seen = found(site, more)
    assert all(each.mark is Mark.DONE for each in seen.values())
    assert seen.keys() == {
        "pages",
        "pages.listen",
        "pages.key",
        "pages.certificate",
        "pages.sign_in.client_secret_file",
    }


def test_an_empty_section_has_a_default_for_everything(site: Site) -> None:
    site.more = "[pages]\n"
    seen = examine(site.settings, at=site.started_at).findings
    (listen,) = [each for each in seen if each.about.endswith("pages.listen")]
    assert "127.0.0.1:7446" in listen.text


PAIR = '[pages]\ncertificate = "server.crt"\nkey = "log.key"'
METRICS = '[pages]\nlisten = "127.0.0.1:7444"\n[metrics]\nenabled = true'


@pytest.mark.parametrize(
    ("more", "about", "said"),
    [
        ('[pages]\nlisten = "7446"', "pages.listen", "ADDRESS:PORT"),
        ('[pages]\nkey = "server.key"', "pages.certificate", "expected this field"),
        (
            '[pages]\ncertificate = "server.crt"\nkey = "log.key"',
            "pages.certificate",
            "to be a certificate and",
        ),
        (
            '[pages]\nlisten = "127.0.0.1:7444"\n[metrics]\nenabled = true',
            "pages.listen",
            "than metrics.listen",
        ),
        ("[pages]\ncolour = 1", "pages.colour", "only known fields"),
        (
            SIGN_IN.replace("https://audit", "http://audit"),
            "pages.sign_in.url",
            "https://HOST, without a path",
        ),
        (SIGN_IN.replace("audit.acme.example", "x/y"), "pages.sign_in.url", "without a path"),
        (SIGN_IN.replace("https://login", "http://login"), "pages.sign_in.issuer", "https://HOST[/PATH]"),
        (SIGN_IN.replace("/realm", "/realm?x=1"), "pages.sign_in.issuer", "https://HOST[/PATH]"),
        (
            SIGN_IN.replace("https://login", "https://a:b@login"),
            "pages.sign_in.issuer",
            "no user or password",
        ),
        (SIGN_IN.replace('"quorumseal"', '""'), "pages.sign_in.client_id", "1 to 200"),
        (SIGN_IN.replace("oidc.secret", "nowhere"), "pages.sign_in.client_secret_file", "expected a file"),
        (SIGN_IN.replace('auditors = ["audit"]', ""), "pages.sign_in.auditors", "lets somebody in"),
        (SIGN_IN + 'release_managers = ["audit"]', "pages.sign_in.release_managers", "no auditor has"),
        (SIGN_IN + 'scopes = ["offline_access"]', "pages.sign_in.scopes", "besides openid"),
        (SIGN_IN + "session_hours = 25", "pages.sign_in.session_hours", "1 to 24"),
        (SIGN_IN + 'client_secret = "x"', "pages.sign_in.client_secret", "only known fields"),
    ],
)
def test_what_is_wrong_is_named(site: Site, more: str, about: str, said: str) -> None:
    seen = found(site, more)
    assert seen[about].mark is Mark.FAILED
    assert said in seen[about].text


@pytest.mark.parametrize(
    ("secret", "mark", "said"),
    [
        (b"short\n", Mark.WARNING, "16 characters or more, got 5"),
        (b"", Mark.FAILED, "one line"),
        (b"two\nlines\n", Mark.FAILED, "one line"),
        ("s\N{LATIN SMALL LETTER E WITH ACUTE}cret".encode(), Mark.FAILED, "one line"),
    ],
)
def test_a_secret_that_is_none_is_named_and_not_shown(
    site: Site, secret: bytes, mark: Mark, said: str
) -> None:
    site.write("oidc.secret", secret)
    finding = found(site, SIGN_IN)["pages.sign_in.client_secret_file"]
    assert (finding.mark, said in finding.text) == (mark, True)
    assert "short" not in finding.text.replace("shorter", "")


def test_a_secret_that_others_can_read_is_named(site: Site) -> None:
    (site.folder / "oidc.secret").chmod(0o644)
    site.more = SIGN_IN
    seen = examine(site.settings, at=site.started_at).findings
    marks = [each.mark for each in seen if each.about.endswith("client_secret_file")]
    assert Mark.FAILED in marks or Mark.WARNING in marks


def test_an_authority_of_the_provider_that_is_none_is_named(site: Site) -> None:
    seen = found(site, SIGN_IN + 'authorities = "log.key"')
    assert "the provider's authorities" in seen["pages.sign_in.authorities"].text


def test_a_secret_that_nobody_can_read_is_one_finding_with_its_reason(tmp_path: Path) -> None:
    (finding,), line = secret_line("the secret", tmp_path / "gone", read_client_secret)
    assert (finding.mark, line) == (Mark.FAILED, "")
    assert finding.text == f"expected to read {tmp_path / 'gone'}, got No such file or directory"


def test_what_is_wrong_inside_a_secret_is_said_without_the_name_of_its_setting(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("two\nlines\n")
    file.chmod(0o600)
    (mode, finding), _ = secret_line("the secret", file, read_client_secret)
    assert (mode.mark, finding.mark) == (Mark.DONE, Mark.FAILED)
    assert finding.text.startswith("expected one line of 1 to ")


def test_a_reason_that_names_no_setting_is_told_whole(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("x")
    file.chmod(0o600)
    _, finding = secret_line("the secret", file, lambda path: read_client_secret(path.parent / "taken"))[0]
    assert finding.text == f"expected to read {tmp_path / 'taken'}, got No such file or directory"
