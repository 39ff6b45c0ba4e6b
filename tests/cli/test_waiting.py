# SPDX-License-Identifier: Apache-2.0
"""Extending, being away and standing in, as people use them: real homes and a coordinator over mTLS."""

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from quorumseal.cli.main import main
from tests.cli.office import WAITING, Office, coordinator_of, found_office
from tests.cli.published import said

Capture = pytest.CaptureFixture[str]
Run = Callable[..., tuple[int, Any]]
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    made = found_office(tmp_path_factory.mktemp("waiting") / "acme", rules=WAITING)
    with coordinator_of(made):
        yield made


@pytest.fixture
def as_json(office: Office, capsys: Capture) -> Run:
    """Let somebody run a command with ``--json``; return its exit code and what it said."""

    def run(person: str, *words: str) -> tuple[int, Any]:
        capsys.readouterr()
        code = main([*words, *office.home(person), "--json"])
        return code, said(capsys.readouterr().out)

    return run


@pytest.fixture
def as_text(office: Office, capsys: Capture) -> Callable[..., str]:
    """Let somebody run a command; return its screen."""

    def run(person: str, *words: str) -> str:
        capsys.readouterr()
        assert main([*words, *office.home(person)]) == 0
        shown = capsys.readouterr().out
        assert max(map(len, shown.splitlines()[:-1])) <= 100
        return shown

    return run


@pytest.fixture
def release(office: Office, as_json: Run) -> str:
    """A version that nobody asked for before, open for eight hours."""
    version = f"3.{next(_numbers)}"
    asked = as_json("rita", "start", "widget", version, str(office.artifact), "--deadline", "8h")
    assert asked[0] == 0
    return f"widget@{version}"


@pytest.fixture(autouse=True)
def everybody_is_back(as_json: Run) -> Iterator[None]:
    yield
    gone = as_json("rita", "away")[1]
    people = {each["signer"] for each in gone["away"]} | {each["member"] for each in gone["delegations"]}
    for person in sorted(people):
        assert as_json(person, "away", "--withdraw", "--yes")[0] == 0
    assert as_json("rita", "away")[1]["away"] == []


def test_a_deadline_is_moved_by_who_may_and_everybody_sees_the_new_one(
    release: str, as_json: Run, as_text: Callable[..., str]
) -> None:
    before = datetime.fromisoformat(as_json("alice", "show", release)[1]["deadline"])
    code, answer = as_json("dana", "extend", release, "--by", "2h", "--yes")
    assert (code, answer["number"], answer["state"]) == (0, 1, "open")
    assert datetime.fromisoformat(answer["deadline"]) == before + timedelta(hours=2)
    for verb in ("show", "why", "review"):
        assert as_json("alice", verb, release)[1]["deadline"] == answer["deadline"]
    (listed,) = [
        each
        for each in as_json("rita", "list", "--state", "open")[1]["ceremonies"]
        if f"widget@{each['version']}" == release
    ]
    assert listed["deadline"] == answer["deadline"]
    assert "  extended      by dana; it was " in as_text("rita", "show", release)
    shown = as_text("dana", "extend", release, "--by", "30m", "--yes").splitlines()
    assert shown[0].startswith("✓ widget 3.")
    assert "  extension  2 of 2" in shown
    assert shown[-1].startswith(f"quorumseal why {release} ")
    third = as_json("dana", "extend", release, "--by", "30m", "--yes")[1]
    assert third["refused"]["code"] == "extension.too_many"


@pytest.mark.parametrize(
    ("person", "words", "code"),
    [
        ("rita", ["--by", "1h"], "extension.signer"),
        ("alice", ["--by", "1h"], "extension.signer"),
        ("dana", ["--by", "90d"], "extension.deadline"),
        ("dana", ["--until", "2020-01-01T00:00Z"], "extension.deadline"),
        ("dana", ["--until", "3bd"], "usage.arguments"),
        ("dana", [], "usage.arguments"),
    ],
)
def test_a_deadline_that_must_not_move_stays(
    release: str, as_json: Run, person: str, words: list[str], code: str
) -> None:
    before = as_json("rita", "show", release)[1]["deadline"]
    assert as_json(person, "extend", release, *words, "--yes")[1]["refused"]["code"] == code
    assert as_json("rita", "show", release)[1]["deadline"] == before


def test_who_is_away_is_shown_to_everybody_with_who_stands_in(
    as_json: Run, as_text: Callable[..., str]
) -> None:
    assert as_text("rita", "away").splitlines()[0] == "✓ Nobody is away"
    said = as_text("erin", "away", "--until", "5d", "--delegate", "dana", "--yes")
    assert "erin is away from" in said
    assert "dana may stand in for erin as engineering until" in said
    shown = as_text("rita", "away").splitlines()
    assert shown[0] == "○ erin is away"
    assert shown[-1].startswith("quorumseal away --until ")
    assert as_text("erin", "away").splitlines()[-1].startswith("quorumseal away --withdraw ")
    assert [each["deputy"] for each in as_json("bob", "away")[1]["delegations"]] == ["dana"]


def test_whoever_would_leave_a_role_empty_is_warned(as_json: Run, as_text: Callable[..., str]) -> None:
    said = as_text("carol", "away", "--until", "2d", "--yes")
    warning = next(line for line in said.splitlines() if line.startswith("  ! "))
    assert "security (1) needs 1 person, but nobody can count there" in " ".join(said.split())
    assert warning
    lacking = as_json("rita", "away")[1]["shortages"]
    assert [each["rule"] for each in lacking] == ["standard"]


def test_the_same_absence_again_is_not_signed_again(as_json: Run) -> None:
    until = f"{datetime.now(UTC) + timedelta(days=9):%Y-%m-%d}"
    tomorrow = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}"
    words = ["away", "--from", tomorrow, "--until", until, "--yes"]
    assert len(as_json("bob", *words)[1]["signed"]) == 1
    assert as_json("bob", *words)[1]["signed"] == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--delegate", "dana"], "usage.arguments"),
        (["--until", "2d", "--role", "engineering"], "usage.arguments"),
        (["--until", "2d", "--delegate", "bob"], "usage.arguments"),
        (["--until", "2d", "--delegate", "alice", "--role", "engineering"], "delegation.deputy"),
        (["--until", "2020-01-01"], "usage.arguments"),
        (["--from", "2020-01-01", "--until", "2020-01-02"], "standing.time"),
        (["--until", "2026-13-01"], "usage.arguments"),
        (["--withdraw", "--until", "2d"], "usage.arguments"),
        (["--withdraw"], "standing.not_away"),
    ],
)
def test_what_cannot_stand_is_not_signed(as_json: Run, words: list[str], code: str) -> None:
    assert as_json("alice", "away", *words, "--yes")[1]["refused"]["code"] == code


def test_nobody_is_recorded_as_away_who_did_not_say_yes(as_json: Run) -> None:
    assert as_json("alice", "away", "--until", "2d")[1]["refused"]["code"] == "usage.not_confirmed"
    assert as_json("rita", "away")[1]["away"] == []


def test_a_deputy_decides_in_the_place_of_a_member_and_everybody_sees_that(
    office: Office, release: str, as_json: Run, as_text: Callable[..., str], capsys: Capture
) -> None:
    found = ["--artifacts", str(office.artifact), "--yes"]
    assert as_json("dana", "approve", release, *found)[1]["refused"]["code"] == "decision.not_a_member"
    assert as_json("erin", "away", "--until", "5d", "--delegate", "dana", "--yes")[0] == 0
    assert "waits for your decision in the place of erin" in as_text("dana", "review", release)
    assert release in as_text("dana", "inbox")
    said = as_text("dana", "approve", release, *found)
    assert "as dana for erin" in said
    again = as_text("dana", "approve", release, *found)
    assert "before, and nothing was signed anew" in again
    assert "1 of 2: dana for erin" in as_text("rita", "show", release)
    assert as_json("erin", "approve", release, *found)[1]["refused"]["code"] == "decision.used_up"
    office.approve("alice", "carol", "dan", release=release)
    assert as_json("rita", "wait", release, "--timeout", "20s")[0] == 0
    (deputy,) = [d for d in as_json("bob", "show", release)[1]["decisions"] if d["in_the_place_of"]]
    assert (deputy["signer"], deputy["in_the_place_of"]) == ("dana", "erin")
    bundle = office.folder / "published" / f"{release}.quorumseal.json"
    trust = ["--trust", str(office.folder / "trust.json")]
    capsys.readouterr()
    for more, said in (([], "dana for erin (2 needed)"), (["--explain"], "dana for erin approved ")):
        assert main(["verify", str(office.artifact), "--bundle", str(bundle), *more, *trust]) == 0
        assert said in capsys.readouterr().out


def test_what_a_deputy_says_for_a_member_who_delegated_nothing_is_not_signed(
    office: Office, release: str, as_json: Run
) -> None:
    found = ["--artifacts", str(office.artifact), "--yes"]
    assert as_json("erin", "away", "--until", "5d", "--delegate", "dana", "--yes")[0] == 0
    refused = as_json("dana", "approve", release, "--for", "alice", *found)[1]["refused"]
    assert refused["code"] == "decision.not_a_member"


def test_a_request_for_other_bytes_is_shown_beside_the_one_that_it_supersedes(
    office: Office, release: str, as_json: Run, as_text: Callable[..., str]
) -> None:
    other = office.folder / "other" / office.artifact.name
    other.parent.mkdir(exist_ok=True)
    other.write_bytes(b"other bytes")
    version = release.partition("@")[2]
    assert as_json("rita", "start", "widget", version, str(other), "--supersede")[0] == 0
    screen = as_text("alice", "review", release)
    assert "Since the request that it supersedes" in screen.splitlines()
    assert "artifacts: 1 changed" in screen
    assert f"{release} takes an earlier request's place: artifacts 1 changed" in as_text("alice", "inbox")


def test_the_inbox_says_when_the_next_reminder_comes(
    release: str, as_json: Run, as_text: Callable[..., str]
) -> None:
    ceremony = as_json("alice", "show", release)[1]
    opened, deadline = (datetime.fromisoformat(ceremony[each]) for each in ("opened_at", "deadline"))
    first = datetime.fromisoformat(as_json("alice", "inbox")[1]["reminders"][ceremony["ceremony"]])
    assert abs(first - (opened + (deadline - opened) / 4)) < timedelta(seconds=1)
    assert "You are reminded next in " in as_text("alice", "inbox")
    assert as_json("rita", "inbox")[1]["reminders"] == {}
    assert as_json("alice", "away", "--until", "2d", "--yes")[0] == 0
    assert ceremony["ceremony"] not in as_json("alice", "inbox")[1]["reminders"]
