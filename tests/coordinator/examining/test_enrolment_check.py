# SPDX-License-Identifier: Apache-2.0
"""``check-config`` looks at the authority and the port by which people join."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from coordinator.examining.settings import examine
from quorumseal.cli.main import main
from quorumseal.terminal import Mark


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "acme"
    assert main(["org", "init", str(folder), "--address", "localhost"]) == 0
    return folder


@pytest.fixture
def acme(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "acme")
    return tmp_path / "acme"


def found(folder: Path) -> dict[str, Mark]:
    """Return what should be mended; whether the usual ports are free on this machine is another matter."""
    seen = examine(folder / "coordinator.toml", at=datetime.now(UTC))
    about = {each.about.partition(":")[2]: each.mark for each in seen.findings if each.mark is not Mark.DONE}
    return {name: mark for name, mark in about.items() if not name.endswith("listen")}


def test_a_coordinator_that_is_about_to_found_has_an_empty_log(acme: Path) -> None:
    assert found(acme) == {"database": Mark.WARNING}


@pytest.mark.parametrize(
    ("file", "data", "about"),
    [
        ("ca.passphrase", b"another", "authority"),
        ("ca.key.pem", b"", "authority"),
        ("enrolment.pem", b"", "enrolment.certificate"),
    ],
)
def test_what_does_not_open_is_named(acme: Path, file: str, data: bytes, about: str) -> None:
    (acme / file).write_bytes(data)
    assert found(acme)[about] is Mark.FAILED


def test_an_authority_of_another_organisation_is_refused(acme: Path) -> None:
    settings = acme / "coordinator.toml"
    settings.write_text(settings.read_text().replace('organisation = "acme"', 'organisation = "other"'))
    assert found(acme)["authority.certificate"] is Mark.FAILED
