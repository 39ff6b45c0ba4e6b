# SPDX-License-Identifier: Apache-2.0
"""Keys revoked and people suspended as people do it: real homes and a coordinator over mTLS."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from quorumseal.cli.main import main
from quorumseal.terminal.words import four_words
from tests.cli.office import Office, coordinator_of, found_office
from tests.cli.published import said

Capture = pytest.CaptureFixture[str]
Run = Callable[..., tuple[int, Any]]
GUARDED = {'security = ["carol"]': 'security = { members = ["carol", "dan", "erin"], guardian = true }'}


@pytest.fixture
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    made = found_office(tmp_path_factory.mktemp("taking-out") / "acme", rules=GUARDED)
    with coordinator_of(made):
        yield made


@pytest.fixture
def as_json(office: Office, capsys: Capture) -> Run:
    def run(person: str, *words: str) -> tuple[int, Any]:
        capsys.readouterr()
        code = main([*words, *office.home(person), "--json"])
        shown = capsys.readouterr()
        return code, said(shown.out or shown.err)

    return run


@pytest.fixture
def as_text(office: Office, capsys: Capture) -> Callable[..., str]:
    def run(person: str, *words: str) -> str:
        capsys.readouterr()
        assert main([*words, *office.home(person)]) == 0
        return capsys.readouterr().out

    return run


def key_of(as_json: Run, owner: str) -> dict[str, Any]:
    (key,) = [each for each in as_json("rita", "key", "list")[1]["keys"] if each["owner"] == owner]
    assert isinstance(key, dict)
    return key


def test_two_guardians_revoke_a_stolen_key_and_the_open_release_needs_somebody_else(
    office: Office, as_json: Run, as_text: Callable[..., str]
) -> None:
    office.start("--deadline", "8h")
    office.approve("alice")
    key = key_of(as_json, "alice")["key"]
    since = as_json("rita", "show", "widget@1.0")[1]["opened_at"]
    words = ("key", "revoke", key[7:19], "--since", since, "--reason", "stolen", "--yes")
    screen = as_text("carol", *words)
    assert "waits for a second guardian" in screen
    assert "One of dan, erin runs:" in screen
    assert screen.splitlines()[-1].startswith(f"quorumseal key revoke {key[7:23]} --since ")
    assert key_of(as_json, "alice")["waiting"] == ["carol"]
    screen = as_text("dan", *words)
    assert f"Key {key[7:19]} of alice signs no more" in screen
    assert screen.splitlines()[-1].startswith("quorumseal key list")
    assert key_of(as_json, "alice")["revoked_since"] == since
    assert as_json("rita", "show", "widget@1.0")[1]["state"] == "open"
    code, refusal = as_json("alice", "approve", "widget@1.0", "--artifacts", str(office.artifact), "--yes")
    assert (code != 0, refusal["refused"]["code"]) == (True, "key.revoked")
    listed = as_text("rita", "key", "list")
    assert "1 is revoked" in listed.splitlines()[0]
    assert max(map(len, listed.splitlines()[:-1])) <= 80
    assert four_words(key) in listed
    code, refusal = as_json("erin", "key", "revoke", key, "--reason", "stolen", "--yes")
    assert refusal["refused"]["code"] == "revocation.later"


def test_two_guardians_suspend_somebody_whose_approval_falls(
    office: Office, as_json: Run, as_text: Callable[..., str]
) -> None:
    office.start("--deadline", "8h")
    office.approve("alice")
    words = ("org", "suspend", "alice", "--until", "2d", "--reason", "compromise", "--yes")
    assert "waits for a second guardian" in as_text("carol", *words)
    assert "alice does not count until" in as_text("erin", *words)
    code, refusal = as_json("alice", "approve", "widget@1.0", "--artifacts", str(office.artifact), "--yes")
    assert (code != 0, refusal["refused"]["code"]) == (True, "signer.suspended")
    assert key_of(as_json, "alice")["suspended_until"]
    assert "alice is suspended until" in as_text("rita", "key", "list")
    for verb in ("show", "why", "review"):
        assert "alice is suspended until" in as_text("bob", verb, "widget@1.0")
        assert "what alice decided does not count any more" in as_text("bob", verb, "widget@1.0")
    assert "you are suspended until" in as_text("alice", "review", "widget@1.0")
    (waiting,) = as_json("alice", "inbox")[1]["ceremonies"]
    assert waiting["standing"] == "suspended"
    assert as_json("alice", "away", "--until", "1d", "--yes")[1]["refused"]["code"] == "signer.suspended"


def test_what_may_not_be_is_refused_before_anything_is_signed(as_json: Run) -> None:
    key = key_of(as_json, "alice")["key"]
    for who, words, refused in (
        ("alice", ("key", "revoke", key, "--reason", "stolen"), "revocation.signer"),
        ("bob", ("key", "revoke", key, "--reason", "stolen"), "revocation.signer"),
        ("carol", ("key", "revoke", "abc", "--reason", "stolen"), "usage.arguments"),
        ("carol", ("key", "revoke", "0" * 64, "--reason", "stolen"), "key.unknown"),
        ("carol", ("org", "suspend", "carol", "--until", "1d", "--reason", "leaving"), "suspension.signer"),
        ("carol", ("org", "suspend", "alice", "--until", "40d", "--reason", "leaving"), "standing.time"),
    ):
        answer = as_json(who, *words, "--yes")[1]
        assert (answer["refused"]["code"], bool(answer["refused"]["hint"])) == (refused, True), words
    assert key_of(as_json, "alice")["waiting"] == []


def test_whoever_verifies_with_the_status_counts_again_without_the_key(
    office: Office, as_json: Run, tmp_path: Path, capsys: Capture
) -> None:
    office.start("--deadline", "8h")
    opened = as_json("rita", "show", "widget@1.0")[1]["opened_at"]
    office.approve("alice", "bob", "erin", "dan")
    bundle, status = tmp_path / "bundle.json", tmp_path / "status.json"
    assert as_json("rita", "release", "fetch", "widget@1.0", "--out", str(bundle))[0] == 0
    trust = office.folder / "people" / "rita" / "trust.json"
    where = ["--bundle", str(bundle), "--trust", str(trust), "--status", str(status)]
    key = key_of(as_json, "alice")["key"]

    def verify() -> tuple[int, str]:
        assert as_json("rita", "release", "status", "--out", str(status))[0] == 0
        capsys.readouterr()
        code = main(["verify", str(office.artifact), *where])
        return code, "".join(capsys.readouterr())

    for since, expected, words_of_it in (
        ([], 0, "which counts"),
        (["--since", opened], 7, "short without alice"),
    ):
        status.unlink(missing_ok=True)
        for guardian in ("carol", "dan"):
            words = ["key", "revoke", key, *since, "--reason", "stolen", "--yes"]
            assert as_json(guardian, *words)[0] == 0
        code, screen = verify()
        assert (code, words_of_it in screen) == (expected, True), screen
