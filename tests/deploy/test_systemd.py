# SPDX-License-Identifier: Apache-2.0
"""The systemd units: systemd itself takes them, and their exposure stays low."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.commands import misfit_of

UNITS = Path(__file__).parents[2] / "deploy" / "systemd"
SYSTEM = sorted(UNITS.glob("*.service"))
USER = sorted(UNITS.glob("user/*.service"))
ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(
    ANALYZE is None, reason="units were not judged, for want of systemd-analyze"
)
MOST_EXPOSED = 1.5
_EXPOSURE = re.compile(r"Overall exposure level for \S+: ([0-9.]+)")


def settings_of(unit: Path) -> list[tuple[str, str]]:
    """Return the settings of a unit, in their order."""
    lines = unit.read_text().splitlines()
    return [(name, value) for name, equals, value in (line.partition("=") for line in lines) if equals]


def analyze(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
    assert ANALYZE is not None
    environment = {**os.environ, **more}
    return subprocess.run([ANALYZE, *words], capture_output=True, text=True, check=False, env=environment)


def test_there_are_units_for_the_coordinator_for_machines_and_for_people() -> None:
    assert [unit.name for unit in (*SYSTEM, *USER)] == [
        "quorumseal-agent@.service",
        "quorumseal-coordinator.service",
        "quorumseal-agent.service",
    ]


@needs_systemd
@pytest.mark.parametrize("unit", [*SYSTEM, *USER], ids=lambda unit: unit.name)
def test_systemd_finds_nothing_wrong(unit: Path, tmp_path: Path) -> None:
    program = tmp_path / "quorumseal"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    copy = tmp_path / unit.name.replace("@.", "@builder.")
    copy.write_text(re.sub(r"^ExecStart=\S+", f"ExecStart={program}", unit.read_text(), flags=re.MULTILINE))
    scope = "--user" if unit in USER else "--system"
    done = analyze(
        "verify", scope, "--man=no", "--recursive-errors=no", str(copy), XDG_RUNTIME_DIR=str(tmp_path)
    )
    assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
@pytest.mark.parametrize("unit", SYSTEM, ids=lambda unit: unit.name)
def test_what_a_service_may_do_stays_little(unit: Path) -> None:
    done = analyze("security", "--offline=yes", "--no-pager", str(unit))
    exposure = _EXPOSURE.search(done.stdout)
    assert exposure is not None, done.stderr
    assert float(exposure[1]) <= MOST_EXPOSED


@pytest.mark.parametrize("unit", [*SYSTEM, *USER], ids=lambda unit: unit.name)
def test_what_a_unit_runs_is_a_command_of_this_program(unit: Path) -> None:
    (command,) = [value for name, value in settings_of(unit) if name == "ExecStart"]
    assert misfit_of(command.split()) == ""


@pytest.mark.parametrize("unit", SYSTEM, ids=lambda unit: unit.name)
def test_no_service_is_root_and_secrets_come_as_credentials(unit: Path) -> None:
    settings = dict(settings_of(unit))
    assert settings.get("DynamicUser") == "yes" or settings["User"] == "quorumseal"
    assert "passphrase:" in "".join(value for name, value in settings_of(unit) if name == "LoadCredential")
    assert not any(name == "Environment" for name, _ in settings_of(unit))
    assert int(settings["TimeoutStopSec"].removesuffix("s")) > 20, "calls in progress have so long"


def test_the_user_of_the_coordinator_is_made() -> None:
    assert "\nu quorumseal " in (UNITS / "quorumseal.sysusers").read_text()
