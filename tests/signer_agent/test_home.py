# SPDX-License-Identifier: Apache-2.0
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from signer_agent.errors import AlreadyRunningError, BusyError, HomeError
from signer_agent.home import SETTINGS_FILE, Home, find_home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / SETTINGS_FILE).touch()
    return Home.open(tmp_path)


def test_the_argument_goes_before_the_environment_and_that_before_the_default(tmp_path: Path) -> None:
    environment = {"QUORUMSEAL_HOME": "/srv/alice", "XDG_CONFIG_HOME": "/etc/xdg-alice"}
    assert find_home(str(tmp_path), environment) == tmp_path
    assert find_home(None, environment) == Path("/srv/alice")
    del environment["QUORUMSEAL_HOME"]
    assert find_home(None, environment) == Path("/etc/xdg-alice/quorumseal")
    assert find_home(None, {"XDG_CONFIG_HOME": "relative"}) == Path.home() / ".config" / "quorumseal"


def test_a_place_without_settings_is_no_home(tmp_path: Path) -> None:
    with pytest.raises(HomeError) as refused:
        Home.open(tmp_path / "nowhere")
    assert refused.value.code == "usage.home"
    assert "QUORUMSEAL_HOME" in refused.value.hint
    assert not (tmp_path / "nowhere").exists()


def test_the_state_directory_is_the_owners_alone(home: Home) -> None:
    assert stat.S_IMODE(home.state.stat().st_mode) == 0o700


def test_two_cannot_change_state_at_once(home: Home) -> None:
    with home.exclusive(), pytest.raises(BusyError) as refused, home.exclusive(patience=0.1):
        pass
    assert refused.value.code == "agent.busy"
    with home.exclusive(patience=0):
        pass


def test_whoever_waits_gets_the_lock_when_it_is_free(home: Home) -> None:
    order: list[str] = []
    taken, waiting = threading.Event(), threading.Event()

    def second() -> None:
        taken.wait(10)
        waiting.set()
        with home.exclusive(patience=10):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with home.exclusive():
        taken.set()
        waiting.wait(10)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_the_running_agent_does_not_keep_others_from_signing(home: Home) -> None:
    with home.running(), home.exclusive(patience=0):
        pass


def test_one_home_has_one_running_agent(home: Home) -> None:
    with home.running(), pytest.raises(AlreadyRunningError), home.running():
        pass


def test_a_killed_process_leaves_no_lock(home: Home) -> None:
    program = (
        "import sys, time, pathlib\n"
        "from signer_agent.home import Home\n"
        f"with Home(pathlib.Path({str(home.path)!r})).exclusive():\n"
        "    print('locked', flush=True)\n"
        "    time.sleep(60)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "locked\n"
    with pytest.raises(BusyError), home.exclusive(patience=0):
        pass
    process.kill()
    process.wait(10)
    process.stdout.close()
    with home.exclusive(patience=1):
        pass
