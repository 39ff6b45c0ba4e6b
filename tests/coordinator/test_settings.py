# SPDX-License-Identifier: Apache-2.0
"""``coordinator.toml``: what it may say, and that every wrong line is named at once."""

from pathlib import Path

import pytest

from coordinator.cli import VERBS
from coordinator.limits import Limits
from coordinator.running_log import LineFormat
from coordinator.server import read_log_key, read_tls
from coordinator.settings import LogKeyFile, SettingsError, TlsFiles, parse_settings, read_settings
from quorumseal.cli.main import main
from quorumseal.client.timestamping import read_address
from quorumseal.signatures import P256PrivateKey, Scheme, generate_key, write_key_file
from tests.organisation import key_of
from tests.running_coordinator import Site

FILES = ("log.key", "log.pass", "server.crt", "server.key", "ca.crt")
WHOLE = """
format = 0
organisation = "acme"
listen = "127.0.0.1:7443"
database = "sqlite:///coordinator.db"
[log_key]
file = "log.key"
passphrase_file = "log.pass"
[tls]
certificate = "server.crt"
key = "server.key"
client_authorities = "ca.crt"
revoked = ["0a1b"]
[publish]
directories = ["published", "/srv/mirror"]
[timestamps]
url = "https://clock.example/tsa"
[witnesses."witness.example/w1"]
url = "https://witness.example:8443/w1/"
authorities = "ca.crt"
[limits]
streams_per_caller = 3
[logging]
format = "json"
[metrics]
enabled = true
listen = "0.0.0.0:9100"
[development]
reflection = true
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).write_bytes(b"")
    return tmp_path


def problems(text: str, folder: Path) -> str:
    with pytest.raises(SettingsError) as refused:
        parse_settings(text.encode(), folder=folder)
    return str(refused.value)


def test_everything_that_can_be_said_is_read(folder: Path) -> None:
    settings = parse_settings(WHOLE.encode(), folder=folder)
    assert (settings.organisation, settings.listen) == ("acme", "127.0.0.1:7443")
    assert settings.database == f"sqlite:///{folder}/coordinator.db"
    assert settings.log_key == LogKeyFile(file=folder / "log.key", passphrase_file=folder / "log.pass")
    assert settings.tls == TlsFiles(
        certificate=folder / "server.crt",
        key=folder / "server.key",
        client_authorities=folder / "ca.crt",
        revoked=frozenset({"0a1b"}),
    )
    assert settings.publish_to == (folder / "published", Path("/srv/mirror"))
    assert settings.timestamps == read_address("https://clock.example/tsa")
    (witness,) = settings.witnesses
    assert (witness.name, witness.authorities) == ("witness.example/w1", folder / "ca.crt")
    assert (witness.address.authority, witness.address.target) == (
        "witness.example:8443",
        "/w1/add-checkpoint",
    )
    assert settings.limits == Limits(streams_per_caller=3)
    assert settings.lines is LineFormat.JSON
    assert settings.metrics == "0.0.0.0:9100"
    assert settings.reflection


def test_what_may_be_left_out_has_safe_defaults(folder: Path) -> None:
    text = WHOLE.partition("[publish]")[0].replace('passphrase_file = "log.pass"\n', "")
    settings = parse_settings(text.replace('revoked = ["0a1b"]\n', "").encode(), folder=folder)
    assert settings.log_key.passphrase_file is None
    assert settings.tls.revoked == frozenset()
    assert (settings.publish_to, settings.limits, settings.reflection) == ((), Limits(), False)
    assert settings.lines is LineFormat.TEXT
    assert settings.metrics is None


@pytest.mark.parametrize(
    ("section", "listens"),
    [
        ("enabled = true", "127.0.0.1:7444"),
        ("enabled = false", None),
        ('enabled = false\nlisten = "0.0.0.0:9100"', None),
    ],
)
def test_metrics_are_on_loopback_unless_the_settings_say_otherwise(
    folder: Path, section: str, listens: str | None
) -> None:
    text = WHOLE.replace('enabled = true\nlisten = "0.0.0.0:9100"', section)
    assert parse_settings(text.encode(), folder=folder).metrics == listens


def test_a_next_log_key_stands_beside_todays_under_the_same_passphrase(folder: Path) -> None:
    assert parse_settings(WHOLE.encode(), folder=folder).next_log_key is None
    text = WHOLE.replace('file = "log.key"', 'file = "log.key"\nnext = "server.key"')
    settings = parse_settings(text.encode(), folder=folder)
    passphrase = settings.log_key.passphrase_file
    assert settings.log_keys == (
        LogKeyFile(file=folder / "log.key", passphrase_file=passphrase),
        LogKeyFile(file=folder / "server.key", passphrase_file=passphrase),
    )


WRONG = [
    ("format = 0", "format = 1", "settings.format: expected 0, got 1"),
    ('"acme"', '"Acme Inc"', "settings.organisation: expected a name"),
    ('"127.0.0.1:7443"', '"7443"', "settings.listen: expected ADDRESS:PORT"),
    ('"127.0.0.1:7443"', '"127.0.0.1:77443"', "settings.listen: expected ADDRESS:PORT"),
    ('"127.0.0.1:7443"', "7443", "settings.listen: expected a text, got 7443"),
    ('"sqlite:///coordinator.db"', '"sqlite://"', "settings.database: expected sqlite:///FILE"),
    ('"sqlite:///coordinator.db"', '"mysql://localhost"', "settings.database: expected sqlite:///FILE"),
    ('"log.key"', '"lost.key"', "settings.log_key.file: expected a file, got"),
    ('"server.crt"', "2026-01-01", "settings.tls.certificate: expected a file, got"),
    ('"ca.crt"', '""', "settings.tls.client_authorities: expected a file"),
    ('["0a1b"]', '["0A:1B"]', "settings.tls.revoked: expected serial numbers"),
    ('["published", "/srv/mirror"]', '"published"', "settings.publish.directories: expected a list"),
    ('"https://clock.example/tsa"', '"clock.example"', "settings.timestamps.url: expected http://"),
    ('"https://witness.example:8443/w1/"', '"witness.example"', ".url: expected http:// or https://"),
    ('"https://witness.example:8443/w1/"', '"https://me@witness.example/"', ".url: expected http://"),
    ('"https://witness.example:8443/w1/"', '"https://witness.example/?a"', "expected a prefix of paths"),
    ('url = "https://witness.example:8443/w1/"', "", "expected this field"),
    ('url = "https://witness.example:8443/w1/"', 'uri = "x"', "expected this field"),
    ('"witness.example/w1"', '"two words"', "expected an origin"),
    ("streams_per_caller = 3", "streams_per_caller = 0", "settings.limits.streams_per_caller: expected"),
    ("streams_per_caller = 3", "streams_per_caller = 3.5", "settings.limits.streams_per_caller: expected"),
    ("streams_per_caller = 3", "streems = 3", "settings.limits.streems: expected only known fields"),
    ("enabled = true", "enabled = 1", "settings.metrics.enabled: expected true or false, got 1"),
    ("enabled = true", "", "settings.metrics.enabled: expected this field"),
    ('"0.0.0.0:9100"', '"9100"', "settings.metrics.listen: expected ADDRESS:PORT"),
    ('"0.0.0.0:9100"', '"0.0.0.0:9100"\npath = "/"', "settings.metrics.path: expected only known fields"),
    ('format = "json"', 'format = "xml"', "settings.logging.format: expected one of text, json"),
    ('format = "json"', 'level = "debug"', "settings.logging.format: expected this field"),
    ("reflection = true", 'reflection = "yes"', "settings.development.reflection: expected true or false"),
    ("[publish]", "[publishing]", "settings.publishing: expected only known fields"),
]


@pytest.mark.parametrize(("line", "instead", "problem"), WRONG, ids=[row[1] for row in WRONG])
def test_a_wrong_line_is_named(line: str, instead: str, problem: str, folder: Path) -> None:
    assert line in WHOLE
    assert problem in problems(WHOLE.replace(line, instead), folder)


def test_all_wrong_lines_are_named_at_once(folder: Path) -> None:
    text = WHOLE
    for line, instead in (("format = 0", "format = 9"), ('"acme"', "1"), ('"log.key"', "2"), ("= 3", "= -3")):
        text = text.replace(line, instead)
    named = [line.partition(":")[0] for line in problems(text + "x = 1", folder).splitlines()]
    assert named == [
        "settings.format",
        "settings.organisation",
        "settings.log_key.file",
        "settings.limits.streams_per_caller",
        "settings.development.x",
    ]


def test_an_empty_file_says_what_is_needed(folder: Path) -> None:
    named = problems("", folder)
    for name in ("format", "organisation", "listen", "database", "log_key.file", "tls.client_authorities"):
        assert f"settings.{name}: expected" in named


def test_what_is_not_toml_is_refused(folder: Path) -> None:
    assert "expected settings in TOML" in problems("format = = 0", folder)
    assert "expected settings in TOML" in problems("format = 0\nformat = 0", folder)
    assert "expected at most" in problems("#" * 70_000, folder)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml"):
        read_settings(tmp_path / "nowhere.toml")


def test_the_log_key_is_opened_with_its_passphrase(tmp_path: Path) -> None:
    key, other = key_of("log"), key_of("log", Scheme.ECDSA_P256)
    assert isinstance(other, P256PrivateKey)
    file, passphrase = tmp_path / "log.key", tmp_path / "log.pass"
    file.write_bytes(write_key_file(key, b"open sesame"))
    passphrase.write_bytes(b"open sesame\n")
    files = LogKeyFile(file=file, passphrase_file=passphrase)
    assert read_log_key(files).public == key.public
    passphrase.write_bytes(b"open barley")
    with pytest.raises(SettingsError, match=r"settings\.log_key\.file .*expected the passphrase"):
        read_log_key(files)
    file.write_bytes(write_key_file(other, None))
    with pytest.raises(SettingsError, match="expected an Ed25519 key"):
        read_log_key(LogKeyFile(file=file, passphrase_file=None))


def test_a_certificate_without_its_key_is_refused_before_it_is_served(tmp_path: Path) -> None:
    site = Site(tmp_path)
    settings = read_settings(site.settings)
    assert read_tls(settings.tls) == site.server_tls
    stranger = generate_key(Scheme.ECDSA_P256, lambda size: b"\x05" * size)
    site.write("server.key", write_key_file(stranger, None))
    with pytest.raises(SettingsError, match=r"settings\.tls: expected .* to be a certificate and its"):
        read_tls(settings.tls)


def test_authorities_that_are_none_are_refused(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.write("authority.crt", b"no certificate")
    with pytest.raises(SettingsError, match="client_authorities: expected certificates"):
        read_tls(read_settings(site.settings).tls)


def test_an_empty_database_gets_its_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = Site(tmp_path)
    assert main(["coordinator", "migrate", "--settings", str(site.settings), "--json"]) == 0
    assert '"before": null' in capsys.readouterr().out
    rotations = {"rotate-log-key", "rotate-authority"}
    recovering = {"backup", "restore", "recover"}
    always = {"run", "migrate", "rebuild", "check-config", "doctor", "health"}
    assert set(VERBS) == always | rotations | recovering
