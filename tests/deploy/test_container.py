# SPDX-License-Identifier: Apache-2.0
"""The container: what its file promises, and what it runs, as nobody on a root that cannot be written."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from quorumseal.cli.main import main
from tests.deploy.commands import misfit_of
from tests.running_coordinator import Site

ROOT = Path(__file__).parents[2]
FILE = ROOT / "deploy" / "container" / "Containerfile"
BWRAP = shutil.which("bwrap")
needs_bwrap = pytest.mark.skipif(
    BWRAP is None, reason="nothing was run as in a container, for want of bwrap (bubblewrap)"
)


def instructions() -> list[tuple[str, str]]:
    """Return the instructions of the Containerfile with what they are given."""
    joined = FILE.read_text().replace("\\\n", " ")
    lines = [line for line in joined.splitlines() if line and not line.startswith("#")]
    return [(word, re.sub(r" +", " ", rest)) for word, _, rest in (line.partition(" ") for line in lines)]


def last_stage() -> dict[str, str]:
    """Return what the image itself is made by."""
    words = [word for word, _ in instructions()]
    return dict(instructions()[len(words) - words[::-1].index("FROM") :])


def test_nothing_of_it_needs_a_shell() -> None:
    for word, rest in instructions():
        if word in ("RUN", "CMD", "ENTRYPOINT"):
            assert isinstance(json.loads(rest), list), rest
    assert json.loads(last_stage()["HEALTHCHECK"].partition("CMD")[2])


def test_everything_that_is_installed_is_pinned_by_its_hash() -> None:
    installs = [rest for word, rest in instructions() if word == "RUN" and '"install"' in rest]
    assert len(installs) == 2
    assert "--require-hashes" in installs[0]
    assert "--no-deps" in installs[1]
    assert "--no-index" in installs[1]
    pinned = (ROOT / "requirements/coordinator.txt").read_text()
    assert all(name in pinned for name in ("grpcio==", "sqlalchemy==", "psycopg-binary==", "hatchling=="))


def test_it_runs_as_a_number_that_is_not_root() -> None:
    user, group = last_stage()["USER"].split(":")
    assert min(int(user), int(group)) > 1000


def test_its_commands_are_those_of_this_program() -> None:
    stage = last_stage()
    entry, command = json.loads(stage["ENTRYPOINT"]), json.loads(stage["CMD"])
    assert misfit_of([*entry, *command]) == ""
    assert misfit_of(json.loads(stage["HEALTHCHECK"].partition("CMD")[2])) == ""


def test_what_it_is_built_from_is_not_ignored() -> None:
    wanted = {
        rest.split()[0].partition("/")[0]
        for word, rest in instructions()
        if word == "COPY" and not rest.startswith("--from")
    } | {"README.md", "LICENSE"}
    kept = {line[1:] for line in (ROOT / ".containerignore").read_text().splitlines() if line[:1] == "!"}
    assert wanted <= kept


_RUN = "from quorumseal.cli.main import entry; raise SystemExit(entry())"
_PROBE = "import os; print(os.getuid(), [each for each in ('/', '/etc', '/usr') if os.access(each, os.W_OK)])"


@contextmanager
def contained(site: Site, *words: str, code: str = _RUN) -> Iterator["subprocess.Popen[str]"]:
    """Run a command of this program as the container does: another user, nothing to write but the state."""
    assert BWRAP is not None
    state = str(site.folder)
    command = [BWRAP, "--unshare-user", "--uid", "10001", "--gid", "10001", "--unshare-pid", "--unshare-ipc"]
    command += ["--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"]
    command += ["--setenv", "PYTHONDONTWRITEBYTECODE", "1", "--setenv", "PYTHONUNBUFFERED", "1"]
    command += [
        "--ro-bind",
        "/",
        "/",
        "--dev",
        "/dev",
        "--proc",
        "/proc",
        "--bind",
        state,
        state,
        "--chdir",
        state,
    ]
    program = [sys.executable, "-c", code, *words]
    with subprocess.Popen([*command, *program], stdout=subprocess.PIPE, text=True) as running:
        try:
            yield running
        finally:
            running.kill()


def said(running: "subprocess.Popen[str]") -> str:
    assert running.stdout is not None
    return running.stdout.readline()


@needs_bwrap
def test_what_the_container_runs_works_on_a_root_that_cannot_be_written(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.found()
    before = sorted(path.name for path in tmp_path.iterdir())
    command = ["coordinator", "run", "--json", "--settings", str(site.settings)]
    with contained(site, *command) as running:
        site.port = int(json.loads(said(running))["listening"].rpartition(":")[2])
        assert main(["coordinator", "health", "--settings", str(site.settings)]) == 0
    left = {path.name for path in tmp_path.iterdir()} - set(before)
    assert all(name.startswith(("coordinator.", "published")) for name in left), left


@needs_bwrap
def test_there_is_nothing_else_that_it_could_write(tmp_path: Path) -> None:
    with contained(Site(tmp_path), code=_PROBE) as running:
        assert said(running) == "10001 []\n"
