# SPDX-License-Identifier: Apache-2.0
"""What only shows on a terminal: the live screen, progress, prompts, colours."""

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from quorumseal.cli.live_screen import filled_cells
from quorumseal.cli.main import main
from tests.cli.office import Office, coordinator_of, found_office
from tests.cli.published import publish
from tests.cli.terminal import Terminal, shows


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    made = found_office(tmp_path_factory.mktemp("terminal") / "acme")
    with coordinator_of(made):
        yield made


@pytest.mark.parametrize("columns", [80, 120])
def test_watch_draws_a_lane_for_each_role_until_the_bundle_is_published(office: Office, columns: int) -> None:
    release = f"widget@{columns}"
    start = ["start", *release.split("@"), str(office.artifact), "--deadline", "3d"]
    assert main([*start, *office.home("rita")]) == 0
    watched = Terminal(["watch", release, *office.home("rita")], columns=columns)
    watched.until(shows("awaited: alice, bob, erin"))
    assert any("○  security     ○" in line for line in watched.lines)
    watched.until(lambda it: any(shows(f"security {says} carol")(it) for says in ("on", "rests on")))
    watched.until(shows("The next reminder is due"))
    assert re.fullmatch(r"  ━╌{23} (\d+ s|under a second) of 3 days used", watched.lines[1])
    office.approve("alice", release=release)
    watched.until(shows("●○  alice; awaited: bob, erin"))
    assert (
        watched.lines[0] == f"○ widget {columns} is open for 2 days 23 h, and waits for bob, carol, dan, erin"
    )
    office.approve("bob", "carol", "dan", release=release)
    watched.until(shows("quorumseal release fetch"))
    assert watched.end() == 0
    assert watched.lines[0].startswith(f"✓ widget {columns} was approved")


@pytest.mark.parametrize(
    ("share", "filled"),
    [(-0.1, 0), (0.0, 0), (1e-9, 1), (0.04, 1), (0.5, 12), (0.99, 23), (0.9999, 23), (1.0, 24), (7.0, 24)],
)
def test_the_bar_begins_as_soon_as_time_runs_and_is_full_only_at_the_end(share: float, filled: int) -> None:
    assert filled_cells(share, 24) == filled


def test_an_interrupted_watch_is_130_and_leaves_the_terminal_as_it_was(office: Office) -> None:
    assert main(["start", "widget", "9", str(office.artifact), *office.home("rita")]) == 0
    watched = Terminal(["watch", "widget@9", *office.home("rita")])
    watched.until(shows("awaited: carol"))
    watched.process.send_signal(signal.SIGINT)
    watched.until(shows("interrupted"))
    assert watched.end() == 130
    assert not watched.screen.cursor.hidden


def test_hashing_much_shows_how_far_it_is_and_wipes_it_away(tmp_path: Path) -> None:
    published = publish(tmp_path)
    with (tmp_path / "big.bin").open("wb") as file:
        file.truncate(600 << 20)
    verifying = Terminal(["verify", str(tmp_path / "big.bin"), *published.verifying])
    verifying.until(shows("[artifact.other_bytes]"))
    assert b"hashing: " in verifying.raw
    assert not shows("hashing: ")(verifying)
    assert verifying.end() == 3


def test_colour_is_an_addition_that_no_color_takes_away(tmp_path: Path) -> None:
    published = publish(tmp_path)
    words = ["verify", str(published.artifact), *published.verifying]
    coloured, plain = Terminal(words), Terminal(words, environment={"NO_COLOR": "1"})
    for terminal in (coloured, plain):
        terminal.until(shows("--explain"))
        assert terminal.end() == 0
    assert b"\x1b[32m" in coloured.raw
    assert b"\x1b" not in plain.raw
    assert coloured.lines == plain.lines


def test_the_passphrase_of_new_keys_is_asked_for_twice(tmp_path: Path) -> None:
    asked = Terminal(["org", "init", "--local", str(tmp_path / "acme")])
    asked.until(shows("Passphrase of the new keys:"))
    asked.type("correct horse\n")
    asked.until(shows("Once more:"))
    asked.type("battery staple\n")
    asked.until(shows("[usage.arguments]"))
    assert asked.end() == 2
    assert b"horse" not in asked.raw
    assert not (tmp_path / "acme").exists()
