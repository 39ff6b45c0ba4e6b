# SPDX-License-Identifier: Apache-2.0
"""A stolen key, as the command line tells it: what rests on it, and its re-approval by those who are left."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from quorumseal.cli.main import main
from tests.cli.office import Office, coordinator_of, copied_office
from tests.cli.published import said

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Widget 1.0 rests on alice's key; 1.1 was approved without it."""
    made = copied_office(tmp_path_factory.mktemp("compromised") / "acme")
    with coordinator_of(made):
        for version, people in (("1.0", ("alice", "bob")), ("1.1", ("bob", "erin"))):
            made.artifact.write_bytes(f"the bytes of widget {version}\n".encode())
            assert main(["start", "widget", version, str(made.artifact), *made.home("rita")]) == 0
            made.approve(*people, "carol", "dan", release=f"widget@{version}")
        yield made


Run = Callable[..., tuple[int, Any]]


@pytest.fixture
def run(office: Office, capsys: Capture) -> Run:
    def as_json(person: str, *words: str) -> tuple[int, Any]:
        capsys.readouterr()
        code = main([*words, *office.home(person), "--json"])
        shown = capsys.readouterr()
        return code, said(shown.out or shown.err)

    return as_json


def key_of(run: Run, owner: str) -> str:
    (key,) = [each["key"] for each in run("rita", "key", "list")[1]["keys"] if each["owner"] == owner]
    return str(key)


def test_what_falls_short_is_said_before_anything_is_asked_for(
    office: Office, run: Run, capsys: Capture
) -> None:
    key = key_of(run, "alice")
    code, found = run("rita", "key", "compromised", key, "--dry-run")
    assert code == 0
    (release,) = found["releases"]
    assert (release["version"], release["verdict"]) == ("1.0", "falls-short")
    assert release["missing"] == ["engineering needs one more: erin"]
    assert release["re_approval"] is None
    capsys.readouterr()
    assert main(["key", "compromised", key[7:19], "--dry-run", *office.home("rita")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "1 falls short without it" in lines[0] + lines[1]
    assert lines[-1].startswith("quorumseal key compromised")
    assert all(len(line) <= 100 for line in lines[:-1])


def test_the_published_bundles_tell_the_same(office: Office, run: Run) -> None:
    asked = ("key", "compromised", key_of(run, "alice"), "--dry-run", "--bundles")
    _, found = run("rita", *asked, str(office.folder / "published"))
    assert [each["verdict"] for each in found["releases"]] == ["falls-short"]
    code, refused = run("rita", *asked, str(office.folder))
    assert (code, refused["refused"]["code"]) == (2, "usage.file")


def test_nobody_who_may_not_request_asks_for_a_reapproval(run: Run) -> None:
    code, found = run("alice", "key", "compromised", key_of(run, "alice"), "--yes")
    assert code == 8
    assert found["releases"][0]["refused"] == "request.requester"


def test_without_a_yes_nothing_is_asked_for(run: Run) -> None:
    code, refused = run("rita", "key", "compromised", key_of(run, "alice"))
    assert (code, refused["refused"]["code"]) == (2, "usage.not_confirmed")


def test_those_who_are_left_approve_it_anew_and_the_new_bundle_stands(
    office: Office, run: Run, capsys: Capture
) -> None:
    key = key_of(run, "alice")
    before = (office.folder / "published" / "widget@1.0.quorumseal.json").read_bytes()
    assert main(["key", "compromised", key[7:19], "--yes", *office.home("rita")]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith(f"quorumseal key revoke {key[7:19]}")
    code, again = run("rita", "key", "compromised", key, "--yes")
    (release,) = again["releases"]
    assert (code, release["created"]) == (0, False)
    assert release["awaited"] == ["alice", "bob", "carol", "dan", "erin"]
    office.artifact.write_bytes(b"the bytes of widget 1.0\n")
    _approve_by_grid(office, run, capsys)
    _, after = run("rita", "key", "compromised", key, "--yes")
    assert after["releases"][0]["verdict"] == "stands"
    bundle = office.folder / "again.json"
    assert run("rita", "release", "fetch", "widget@1.0", "--out", str(bundle))[1]["standing"] == "re-approved"
    trust = str(office.folder / "trust.json")
    assert main(["verify", str(office.artifact), "--bundle", str(bundle), "--trust", trust]) == 0
    assert "approved anew" in capsys.readouterr().out
    assert (office.folder / "published" / "widget@1.0.quorumseal.json").read_bytes() == before


def _approve_by_grid(office: Office, run: Run, capsys: Capture) -> None:
    """Let four people approve the list that they looked at, and no other one."""
    code, grid = run("bob", "review", "--grid")
    assert code == 0
    assert [(row["product"], row["version"]) for row in grid["rows"]] == [("widget", "1.0")]
    assert grid["rows"][0]["approved_before_by"] == ["alice", "bob", "carol", "dan"]
    other = "sha256:" + "a" * 64
    refused = run("bob", "approve", "--grid", "--list", other, "--yes")
    assert (refused[0], refused[1]["refused"]["code"]) == (4, "grid.changed")
    assert run("bob", "approve", "--grid")[1]["refused"]["code"] == "usage.not_confirmed"
    assert run("bob", "approve", "widget@1.0", "--grid", "--yes")[1]["refused"]["code"] == "usage.arguments"
    code, settled = run("bob", "approve", "--grid", "--list", grid["list"], "--yes")
    assert (code, settled["settled"][0]["refused"], settled["unsigned"]) == (0, None, [])
    capsys.readouterr()
    assert main(["review", "--grid", *office.home("erin")]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("quorumseal approve --grid --list sha256:")
    for person in ("erin", "carol", "dan"):
        assert main(["approve", "--grid", "--yes", *office.home(person)]) == 0
    assert "1 of 1 approvals are in the log" in capsys.readouterr().out
    assert main(["approve", "--grid", "--yes", *office.home("dan")]) == 0
    assert "No re-approval waits for you" in capsys.readouterr().out
    assert main(["review", "--grid", *office.home("dan")]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("quorumseal inbox")
