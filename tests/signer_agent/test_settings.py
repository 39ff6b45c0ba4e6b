# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.rotating import rotate_key
from quorumseal.toml_lines import with_text
from signer_agent.cli.opening import key_file
from signer_agent.errors import SettingsError
from signer_agent.settings import NextKey, read_settings, settings_text
from tests.organisation import NOW, Organisation, key_of


def _written(folder: Path, text: str) -> Path:
    file = folder / "agent.toml"
    file.write_text(text)
    return file


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    text = settings_text(
        name="alice",
        coordinator="127.0.0.1:7443",
        server_name="coordinator.acme",
        passphrase_file="passphrase",
        approve_matching=True,
    )
    settings = read_settings(_written(tmp_path, text))
    assert settings.name == "alice"
    assert settings.server_name == "coordinator.acme"
    assert settings.key_file == tmp_path / "signing.key.pem"
    assert settings.passphrase_file == tmp_path / "passphrase"
    assert settings.tls.ca == tmp_path / "ca.pem"
    assert settings.approve_matching
    assert not settings.artifacts.fetch


def test_the_shortest_settings_have_safe_defaults(tmp_path: Path) -> None:
    settings = read_settings(_written(tmp_path, settings_text(name="alice", coordinator="c:1")))
    assert settings.server_name is None
    assert settings.passphrase_file is None
    assert settings.artifacts.directory is None
    assert not settings.approve_matching


ACME = Organisation()
NEXT = "sha256:" + "0" * 64


def test_a_next_key_is_named_with_its_id(tmp_path: Path) -> None:
    text = with_text(GOOD, "key", "next", "signing.2.key.pem")
    settings = read_settings(_written(tmp_path, with_text(text, "key", "next_id", NEXT)))
    assert settings.next_key == NextKey(file=tmp_path / "signing.2.key.pem", key_id=NEXT)


def test_the_next_key_signs_wherever_the_policy_lists_it_as_valid(tmp_path: Path) -> None:
    old, new = ACME.key("alice").public, key_of("alice 2").public
    settings = replace(
        read_settings(_written(tmp_path, GOOD)),
        next_key=NextKey(file=tmp_path / "signing.2.key.pem", key_id=new.key_id),
    )
    after = rotate_key(ACME.policy, "alice", old, new, at=NOW)

    def chosen(policy: Policy, at: datetime = NOW) -> str:
        return key_file(settings, policy, at).name

    assert chosen(ACME.policy.policy) == "signing.key.pem"
    assert chosen(after) == "signing.2.key.pem"
    assert chosen(after, NOW - timedelta(days=1)) == "signing.key.pem"
    stranger = replace(settings, name="zoe")
    assert key_file(stranger, after, NOW).name == "signing.key.pem"


GOOD = settings_text(name="alice", coordinator="c:1")
WRONG = {
    "a next key without its id": (with_text(GOOD, "key", "next", "x.pem"), "agent.toml.key.next_id"),
    "another format": (GOOD.replace("format = 0", "format = 1"), "agent.toml.format"),
    "no name": (GOOD.replace('name = "alice"\n', ""), "agent.toml.name"),
    "a name that is none": (GOOD.replace('"alice"', '"Alice Smith"'), "expected a name"),
    "an empty coordinator": (GOOD.replace('"c:1"', '""'), "agent.toml.coordinator"),
    "a key that is a number": (GOOD.replace('file = "signing.key.pem"', "file = 7"), "agent.toml.key.file"),
    "no table for tls": (GOOD.replace("[tls]", "[ssl]"), "agent.toml.tls"),
    "a misspelt setting": (GOOD + '\n[artefacts]\ndirectory = "x"\n', "agent.toml.artefacts"),
    "fetch that is a text": (GOOD.replace("fetch = false", 'fetch = "no"'), "agent.toml.artifacts.fetch"),
    "no largest size": (GOOD.replace("fetch = false", "largest = 0"), "agent.toml.artifacts.largest"),
    "a float": (GOOD.replace("fetch = false", "largest = 1.5"), "whole numbers"),
    "the same key twice": (GOOD + '\n[tls]\nca = "x"\n', "expected TOML"),
    "no TOML": ("format: 0", "expected TOML"),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG.keys())
def test_each_wrong_field_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read_settings(_written(tmp_path, text))
    assert message in str(refused.value)
    assert refused.value.code == "usage.settings"


def test_missing_and_oversized_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        read_settings(tmp_path / "agent.toml")
    with pytest.raises(SettingsError, match="expected at most"):
        read_settings(_written(tmp_path, "#" * 70_000))


def test_a_setting_that_cannot_be_seen_is_not_written() -> None:
    with pytest.raises(ValueError, match="printable"):
        settings_text(name="alice", coordinator="c:1\n")
