# SPDX-License-Identifier: Apache-2.0
"""``check-config`` says everything that is wrong at once, says it once, and repeats no secret."""

import errno
import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from coordinator.certificates import Seen
from coordinator.examining.addresses import listenable, unlistenable
from coordinator.examining.certificates import life, names
from coordinator.examining.files import secret, writable
from coordinator.examining.settings import examine
from quorumseal.cli.main import main
from quorumseal.examining import secret_mode
from quorumseal.signatures import write_key_file
from quorumseal.terminal import Mark
from quorumseal.terminal.findings import Finding
from tests.organisation import NOW, Organisation, key_of
from tests.running_coordinator import Site

DAY = timedelta(days=1)
SECRET = "hunter2"
HOOK = """
[notifications.people]
alice = ["hook"]
[notifications.channels.hook]
kind = "webhook"
url = "https://x.example/"
secret_file = "s"
"""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path, port=_free_port())
    site.found()
    return site


def _free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port


def found(path: Path) -> dict[str, Finding]:
    """Return what should be mended, by the setting that it is about."""
    seen = examine(path, at=datetime.now(UTC))
    return {
        each.about.removeprefix("coordinator.toml:"): each
        for each in seen.findings
        if each.mark is not Mark.DONE
    }


def changed(site: Site, *replacements: tuple[str, str], more: str = "") -> Path:
    """Return the site's settings with some texts replaced."""
    path = site.settings
    text = path.read_text()
    for before, after in replacements:
        assert before in text
        text = text.replace(before, after)
    path.write_text(text + more)
    return path


def test_settings_that_are_right_have_nothing_to_mend(site: Site) -> None:
    site.more = HOOK
    site.write("s", b"whsec_" + b"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert found(site.settings) == {}
    assert not list(site.folder.glob("published"))


def test_everything_wrong_is_named_at_once_with_its_place_and_what_to_do(site: Site) -> None:
    site.write("log.key", write_key_file(site.organisation.log_key, b"open sesame"))
    site.write("passphrase", SECRET.encode()).chmod(0o644)
    site.write("s", SECRET.encode())
    path = changed(
        site,
        ('file = "log.key"', 'file = "log.key"\npassphrase_file = "passphrase"'),
        ('key = "server.key"', 'key = "authority.crt"'),
        ('listen = "127.0.0.1', 'listen = "192.0.2.1'),
        ("client_authorities", "client_authorites"),
        ("reflection = false", "reflexion = 1"),
        ('["published"]', '["log.key/published"]'),
        more=HOOK + '[notifications]\nfallbak = "hook"\n',
    )
    assert {about: (each.mark, each.hint != "") for about, each in found(path).items()} == {
        "tls.client_authorities": (Mark.FAILED, True),
        "development.reflection": (Mark.FAILED, True),
        "tls.client_authorites": (Mark.FAILED, True),
        "development.reflexion": (Mark.FAILED, True),
        "notifications.fallbak": (Mark.FAILED, True),
        "log_key.passphrase_file": (Mark.WARNING, True),
        "log_key.file": (Mark.FAILED, True),
        "tls": (Mark.FAILED, True),
        "tls.certificate": (Mark.WARNING, True),
        "notifications.channels.hook": (Mark.FAILED, True),
        "publish.directories[0]": (Mark.FAILED, True),
        "listen": (Mark.FAILED, True),
    }


@pytest.mark.parametrize(
    ("line", "instead", "meant"),
    [
        ("listen =", "lisen =", "listen"),
        ("[development]", "[developmnt]", "development"),
        ("[limits]", "[limits]\ncals = 3", "calls"),
        ("revoked =", "revokd =", "revoked"),
    ],
)
def test_a_misspelt_name_is_told_which_one_was_meant(site: Site, line: str, instead: str, meant: str) -> None:
    hints = [each.hint for each in found(changed(site, (line, instead))).values()]
    assert any(hint.startswith(f"did you mean {meant}?") for hint in hints)


@pytest.mark.parametrize(
    ("line", "instead", "about", "text"),
    [
        ("sqlite:///coordinator.db", "sqlite:///none/log.db", "database", "no such file"),
        ("sqlite:///coordinator.db", "sqlite:///log.key", "database", "expected the database to answer"),
        ("sqlite:///coordinator.db", f"mysql://a:{SECRET}@db/x", "database", "got 'mysql':"),
        ("sqlite:///coordinator.db", f"postgresql://a:{SECRET}@h:x/x", "database", "one that cannot be read"),
        ("sqlite:///coordinator.db", f"postgresql://a:{SECRET}@127.0.0.1:1/x", "database", "to answer"),
        ('organisation = "', 'organisation = "other-', "organisation", "whose log this database holds"),
    ],
)
def test_a_database_that_is_not_the_one_is_named_without_its_password(
    site: Site, line: str, instead: str, about: str, text: str
) -> None:
    wrong = found(changed(site, (line, instead)))
    assert text in wrong[about].text
    assert SECRET not in str(wrong)
    assert not (site.folder / "none").exists()


def test_keys_and_people_that_the_policy_does_not_know_are_named(site: Site) -> None:
    site.write("log.key", write_key_file(key_of("another"), None))
    site.write("s", b"whsec_" + b"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    wrong = found(changed(site, more=HOOK.replace("alice", "zoe")))
    assert {about: each.mark for about, each in wrong.items()} == {
        "log_key.file": Mark.FAILED,
        "notifications.people.zoe": Mark.WARNING,
    }


def test_a_file_that_is_no_settings_is_one_finding(site: Site) -> None:
    site.settings.write_text("format = = 0")
    assert [*found(site.folder / "coordinator.toml")] == ["coordinator.toml"]
    assert [*found(site.folder / "nowhere.toml")] == ["nowhere.toml"]


def test_metrics_are_not_read_where_agents_connect(site: Site) -> None:
    listen = f'[metrics]\nenabled = true\nlisten = "127.0.0.1:{site.port}"\n'
    assert "another address than listen" in found(changed(site, more=listen))["metrics.listen"].text


@pytest.mark.parametrize(("code", "replacement"), [(0, None), (12, 'zoe = ["hook"]'), (2, "bob = [1]")])
def test_the_exit_code_parts_what_stops_it_from_what_should_be_mended(
    site: Site, capsys: pytest.CaptureFixture[str], code: int, replacement: str | None
) -> None:
    site.write("s", b"whsec_" + b"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    if replacement is not None:
        site.more = HOOK.replace('alice = ["hook"]', replacement)
    command = ["coordinator", "check-config", "--settings", str(site.settings)]
    assert main(command) == code
    lines = capsys.readouterr().out.splitlines()
    assert lines[0][0] == {0: "✓", 12: "!", 2: "✗"}[code]
    assert lines[-1].startswith(f"quorumseal coordinator {'check-config' if code == 2 else 'run'}")
    assert main([*command, "--json"]) == code
    levels = {each["level"] for each in json.loads(capsys.readouterr().out)["findings"]}
    assert levels == {"fine", *({12: ["warning"], 2: ["wrong"]}.get(code, []))}


LIVES = [
    ("plenty", -DAY, 99 * DAY, Mark.DONE),
    ("sixty days of a year", -305 * DAY, 60 * DAY, Mark.WARNING),
    ("over", -9 * DAY, -DAY, Mark.FAILED),
    ("not yet begun", DAY, 9 * DAY, Mark.FAILED),
    ("most of a week", -DAY, 6 * DAY, Mark.DONE),
    ("the end of a week", -5 * DAY, 2 * DAY, Mark.WARNING),
]


@pytest.mark.parametrize(("start", "end", "mark"), [row[1:] for row in LIVES], ids=[row[0] for row in LIVES])
def test_a_certificate_is_judged_by_what_is_left_of_its_life(
    start: timedelta, end: timedelta, mark: Mark
) -> None:
    seen = Seen(not_before=NOW + start, not_after=NOW + end, hosts=frozenset())
    assert life("certificate", seen, at=NOW).mark is mark


@pytest.mark.parametrize(
    ("listen", "mark"),
    [
        ("q.acme.example:1", Mark.DONE),
        ("[::1]:1", Mark.DONE),
        ("0.0.0.0:1", Mark.DONE),
        ("[::]:1", Mark.DONE),
        ("10.0.0.1:1", Mark.WARNING),
    ],
)
def test_a_certificate_names_where_the_coordinator_listens(listen: str, mark: Mark) -> None:
    hosts = frozenset({"q.acme.example", "::1"})
    assert names("certificate", Seen(not_before=NOW, not_after=NOW, hosts=hosts), listen).mark is mark


@pytest.mark.parametrize(
    ("mode", "mark"),
    [
        (0o600, Mark.DONE),
        (0o400, Mark.DONE),
        (0o640, Mark.DONE),
        (0o660, Mark.WARNING),
        (0o604, Mark.WARNING),
        (0o777, Mark.WARNING),
    ],
)
def test_a_secret_is_for_its_owner_and_at_most_their_group(mode: int, mark: Mark) -> None:
    assert secret_mode("key", Path("key"), mode).mark is mark


def test_a_secret_that_is_gone_is_wrong(tmp_path: Path) -> None:
    assert secret("key", tmp_path / "none").mark is Mark.FAILED


def test_a_directory_that_can_be_made_is_right_and_is_not_made(tmp_path: Path) -> None:
    assert writable("to", tmp_path / "a" / "b").mark is Mark.DONE
    assert not (tmp_path / "a").exists()
    (tmp_path / "file").touch()
    assert writable("to", tmp_path / "file" / "b").mark is Mark.FAILED


@pytest.fixture
def taken() -> Iterator[str]:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen(1)
        yield f"127.0.0.1:{bound.getsockname()[1]}"


def test_an_address_in_use_is_a_warning_for_it_may_be_our_own(taken: str) -> None:
    assert listenable("listen", taken).mark is Mark.WARNING
    assert listenable("listen", "127.0.0.1:0").mark is Mark.DONE
    assert listenable("listen", "192.0.2.1:0").mark is Mark.FAILED


def asked(site: Site, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    """Return the exit code and the lines of check-config."""
    code = main(["coordinator", "check-config", "--all", "--settings", str(site.settings)])
    return code, capsys.readouterr().out.splitlines()


def test_beside_a_coordinator_at_work_its_ports_are_its_own_and_it_is_not_to_be_started(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    metrics = f'[metrics]\nenabled = true\nlisten = "127.0.0.1:{_free_port()}"\n'
    site = Site(tmp_path, port=_free_port(), more=metrics)
    with site.in_process():
        code, lines = asked(site, capsys)
        assert code == 0, lines
        own = [line for line in lines if "in use, by this coordinator" in line]
        assert [line.split(":")[1] for line in own] == ["listen", "metrics.listen"]
        assert lines[-2] == "It is at work; see how it is:"
        assert lines[-1].startswith("quorumseal coordinator doctor ")
    code, lines = asked(site, capsys)
    assert (code, lines[-2]) == (0, "Start it:")


def test_a_port_that_another_process_holds_stops_a_start(
    tmp_path: Path, taken: str, capsys: pytest.CaptureFixture[str]
) -> None:
    site = Site(tmp_path, port=_free_port(), more=f'[metrics]\nenabled = true\nlisten = "{taken}"\n')
    site.found()
    code, lines = asked(site, capsys)
    assert code == 2
    assert any(f"{taken} to be free, but somebody listens there" in line for line in lines)
    assert lines[-2] == "When all is mended:"
    (tmp_path / "other").mkdir()
    with Site(tmp_path / "other", port=site.port).in_process():
        assert found(site.settings)["listen"].mark is Mark.FAILED, "another coordinator is not this one"


@pytest.mark.parametrize(
    ("number", "hint"), [(errno.EACCES, "a port from 1024 on"), (errno.EADDRNOTAVAIL, "of this machine")]
)
def test_an_address_that_is_not_ours_says_which_would_be(number: int, hint: str) -> None:
    finding = unlistenable("listen", "x:1", OSError(number, "no"))
    assert finding.mark is Mark.FAILED
    assert hint in finding.hint


def test_the_organisation_of_the_tests_is_not_the_only_one(tmp_path: Path) -> None:
    site = Site(tmp_path, Organisation(name="acme-two"), port=_free_port())
    site.found()
    assert examine(site.settings, at=datetime.now(UTC)).organisation == "acme-two"
