# SPDX-License-Identifier: Apache-2.0
"""The verbs about ceremonies, against a coordinator over mTLS; each test has a release of its own."""

import itertools
import re
import threading
import time
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from quorumseal.cli.main import main
from quorumseal.client.connection import Connection
from quorumseal.client.errors import CoordinatorUnreachableError
from quorumseal.client.values import Annex, Page, Started
from quorumseal.terminal import paste
from tests.cli.office import Office, coordinator_of, found_office
from tests.cli.published import flat, said

Capture = pytest.CaptureFixture[str]
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    made = found_office(tmp_path_factory.mktemp("cli") / "acme")
    with coordinator_of(made):
        yield made


@pytest.fixture
def release(office: Office, capsys: Capture) -> str:
    """Ask for a release; return PRODUCT@VERSION."""
    version = f"1.{next(_numbers)}"
    assert main(["start", "widget", version, str(office.artifact), *office.home("rita")]) == 0
    capsys.readouterr()
    return f"widget@{version}"


@pytest.fixture
def rita(office: Office, capsys: Capture) -> Callable[..., Any]:
    """Let rita run a command with ``--json``; return its exit code and what it said."""

    def run(*words: str) -> tuple[int, Any]:
        code = main([*words, *office.home("rita"), "--json"])
        return code, said(capsys.readouterr().out)

    return run


def test_a_release_goes_from_the_request_to_a_verified_artifact(
    office: Office, release: str, rita: Callable[..., Any], capsys: Capture, tmp_path: Path
) -> None:
    assert rita("wait", release, "--timeout", "1s")[0] == 8
    office.approve("alice", "carol", "erin", "dan", release=release)
    capsys.readouterr()
    code, answer = rita("wait", release, "--timeout", "20s")
    assert (code, answer["state"]) == (0, "approved")
    assert [p["state"] for p in answer["publications"]] == ["published"]
    bundle = tmp_path / "fetched.json"
    assert rita("release", "fetch", release, "--out", str(bundle))[0] == 0
    published = office.folder / "published" / f"{release}.quorumseal.json"
    assert bundle.read_bytes() == published.read_bytes()
    trust = ["--trust", str(office.folder / "trust.json")]
    assert main(["verify", str(office.artifact), "--bundle", str(bundle), *trust]) == 0


def test_the_same_request_again_is_the_same_ceremony(
    office: Office, release: str, rita: Callable[..., Any]
) -> None:
    again = rita("start", *release.split("@"), str(office.artifact))[1]
    assert again["created"] is False
    assert again["ceremony"] == rita("show", release)[1]["ceremony"]


def test_the_next_command_calls_the_ceremony_what_the_person_called_it(
    office: Office, release: str, capsys: Capture, rita: Callable[..., Any]
) -> None:
    ceremony = rita("show", release)[1]["ceremony"]
    for named in (release, ceremony, ceremony[:20]):
        capsys.readouterr()
        assert main(["show", named, *office.home("rita")]) == 0
        shown = capsys.readouterr().out.splitlines()
        assert shown[-1] == paste(["quorumseal", "why", named, *office.home("rita")])


def test_asking_again_for_what_is_approved_leads_to_its_bundle(
    office: Office, release: str, capsys: Capture
) -> None:
    office.approve("alice", "bob", "carol", "dan", release=release)
    capsys.readouterr()
    assert main(["start", *release.split("@"), str(office.artifact), *office.home("rita")]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert any(line.startswith("  approved ") for line in shown)
    assert shown[-1].startswith("quorumseal release fetch ")


def test_a_ceremony_is_found_by_its_id_its_beginning_and_its_release(
    office: Office, release: str, rita: Callable[..., Any]
) -> None:
    assert rita("start", "widget", f"1.{next(_numbers)}", str(office.artifact))[0] == 0
    ceremony = rita("show", release)[1]["ceremony"]
    assert rita("show", ceremony)[1]["ceremony"] == ceremony
    assert rita("show", ceremony[:20])[1]["ceremony"] == ceremony
    code, answer = rita("show", ceremony[:4])
    assert (code, answer["refused"]["code"]) == (2, "usage.ceremony_ambiguous")
    for nothing in ("widget@99", "ffffff", "xyz", "01a"):
        code, answer = rita("show", nothing)
        assert (code, answer["refused"]["code"]) == (2, "usage.ceremony")


def test_why_says_what_is_missing_and_who_can_still_help(
    office: Office, release: str, capsys: Capture
) -> None:
    office.approve("alice", release=release)
    capsys.readouterr()
    assert main(["why", release, *office.home("rita")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("○ widget")
    assert "  ○ engineering needs one more: bob or erin" in lines
    assert "  ○ security needs one more: carol" in lines
    assert any(line.startswith("It expires ") for line in lines)
    assert lines[-1].startswith("quorumseal watch ")


def test_a_rejection_is_exit_10_with_its_reason_and_no_bundle(
    office: Office, release: str, rita: Callable[..., Any], capsys: Capture
) -> None:
    assert office.decide("reject", "carol", "--reason", "no changelog", release=release) == 0
    capsys.readouterr()
    assert rita("wait", release, "--timeout", "5s")[0] == 10
    assert main(["why", release, *office.home("rita")]) == 0
    text = capsys.readouterr().out
    assert "✗ carol rejected it" in text
    assert "│ no changelog" in text
    code, answer = rita("release", "fetch", release)
    assert (code, answer["refused"]["code"]) == (6, "bundle.missing")
    assert rita("release", "publish", release)[0] == 6


def test_an_expired_ceremony_is_exit_9(office: Office, rita: Callable[..., Any]) -> None:
    assert rita("start", "gadget", "0.1", str(office.artifact), "--deadline", "4s")[0] == 0
    code, answer = rita("wait", "gadget@0.1", "--timeout", "20s")
    assert (code, answer["state"]) == (9, "expired")
    assert "its deadline passed" in rita("why", "gadget@0.1")[1]["ended"]


def test_cancelling_asks_first_and_keeps_the_reason(release: str, rita: Callable[..., Any]) -> None:
    code, answer = rita("cancel", release, "--reason", "wrong branch")
    assert (code, answer["refused"]["code"]) == (2, "usage.not_confirmed")
    assert rita("cancel", release, "--reason", "wrong branch", "--yes")[1]["state"] == "cancelled"
    ended = rita("why", release)[1]
    assert (ended["ended"], ended["reason"]) == ("rita cancelled it", "wrong branch")
    assert rita("wait", release)[0] == 9
    assert rita("cancel", release, "--reason", "again", "--yes")[1]["refused"]["code"] == "ceremony.ended"


def test_a_cancellation_is_not_mistaken_for_what_is_sent_before_it(
    office: Office, rita: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(
        connection: Connection, envelope: bytes, annexes: Collection[Annex], policy: bytes | None
    ) -> Started:
        start(connection, envelope, annexes, policy)
        raise CoordinatorUnreachableError("no answer")

    start, version = Connection.start, f"1.{next(_numbers)}"
    with monkeypatch.context() as patch:
        patch.setattr(Connection, "start", lost)
        refused = rita("start", "widget", version, str(office.artifact))[1]["refused"]
    assert refused["code"] == "coordinator.no_receipt"
    code, answer = rita("cancel", f"widget@{version}", "--reason", "wrong branch", "--yes")
    assert (code, answer["state"]) == (0, "cancelled")
    assert rita("show", f"widget@{version}")[1]["state"] == "cancelled"


def test_other_bytes_under_a_version_must_supersede(
    release: str, rita: Callable[..., Any], tmp_path: Path
) -> None:
    other = tmp_path / "widget.tar.gz"
    other.write_bytes(b"other bytes")
    first = rita("show", release)[1]["ceremony"]
    code, answer = rita("start", *release.split("@"), str(other))
    assert (code, answer["refused"]["code"]) == (4, "request.open_exists")
    second = rita("start", *release.split("@"), str(other), "--supersede")[1]
    assert second["created"] is True
    old = rita("why", first)[1]
    assert (old["state"], second["request"] in old["ended"]) == ("superseded", True)
    assert rita("show", release)[1]["ceremony"] == second["ceremony"]


def test_a_request_carries_a_folder_evidence_and_where_to_fetch(
    rita: Callable[..., Any], tmp_path: Path
) -> None:
    dist = tmp_path / "dist"
    (dist / "sub").mkdir(parents=True)
    (dist / "a.bin").write_bytes(b"a")
    (dist / "sub" / "b.bin").write_bytes(b"b")
    sbom = tmp_path / "sbom.json"
    sbom.write_text("{}")
    words = ["start", "gadget", "2.0", str(dist), "--evidence", f"sbom:{sbom}", "--ticket", "REL-7"]
    words += ["--locator", "a.bin=https://example.invalid/a.bin"]
    code, dry = rita(*words, "--dry-run")
    assert code == 0
    assert "REL-7" in dry["payload"]
    assert rita("list", "--product", "gadget", "--version", "2.0")[1]["ceremonies"] == []
    assert rita(*words)[0] == 0
    shown = rita("show", "gadget@2.0")[1]
    assert [a["name"] for a in shown["artifacts"]] == ["a.bin", "sub/b.bin"]
    assert [(e["kind"], e["media_type"]) for e in shown["evidence"]] == [("sbom", "application/json")]
    assert [each["name"] for each in shown["locators"]] == ["a.bin"]


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (["nothing", "1.0"], "request.product", 4),
        (["widget", "0.0", "--deadline", "60d"], "request.deadline", 4),
        (["widget", "0.0", "--evidence", "sbom"], "usage.arguments", 2),
        (["widget", "0.0", "--locator", "a"], "usage.arguments", 2),
        (["widget", "0.0", "--deadline", "never"], "usage.arguments", 2),
        (["widget", "0.0", "--supersede"], "usage.ceremony", 2),
        (["widget", "0.0", "--on-behalf-of", "alice"], "request.on_behalf_of", 4),
    ],
)
def test_what_cannot_open_a_ceremony_is_refused_before_it_is_signed(
    office: Office, rita: Callable[..., Any], words: list[str], code: str, exit_code: int
) -> None:
    got, answer = rita("start", *words[:2], str(office.artifact), *words[2:])
    assert (got, answer["refused"]["code"]) == (exit_code, code)


def test_a_deadline_is_resolved_once_and_said_in_full(
    office: Office, rita: Callable[..., Any], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%d}"
    typed = f"{day}T18:00+01:00"
    ask = ["widget", "9.1", str(office.artifact)]
    answer = rita("start", *ask, "--deadline", typed)[1]
    assert answer["deadline"] == f"{day}T17:00:00.000Z"
    assert 0 < answer["deadline_seconds"] <= 7 * 86400
    again = rita("start", *ask, "--deadline", "2bd")[1]
    assert (again["created"], again["deadline"]) == (False, answer["deadline"])
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    try:
        assert main(["start", "widget", "9.2", *ask[2:], "--deadline", "1bd", *office.home("rita")]) == 0
    finally:
        monkeypatch.undo()
        time.tzset()
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  deadline")]
    assert re.search(
        r"\d 17:00 UTC \(22:45 \+0545\), ([1-4] days?|\d+ h|\d+ min)( \d+ (h|min|s))? after it opened$", line
    )


def test_what_is_no_deadline_is_refused_with_what_was_expected(
    office: Office, rita: Callable[..., Any]
) -> None:
    for typed, expected in [
        ("3 days", "3bd (business days)"),
        ("2026-11-25T17:00", "with its zone"),
        ("2020-01-01T00:00Z", "a deadline after the opening"),
        ("90d", "at most 7 days"),
        ("9999bd", "enough working days within a year"),
    ]:
        code, answer = rita("start", "widget", "0.9", str(office.artifact), "--deadline", typed)
        assert code != 0
        assert expected in answer["refused"]["message"]
        assert answer["refused"]["hint"]


def test_artifacts_of_one_name_and_links_are_refused(
    office: Office, rita: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "WIDGET.tar.gz").write_bytes(b"x")
    code, answer = rita("start", "widget", "0.0", str(office.artifact), str(tmp_path / "WIDGET.tar.gz"))
    assert (code, answer["refused"]["code"]) == (2, "usage.arguments")
    (tmp_path / "WIDGET.tar.gz").unlink()
    (tmp_path / "link").symlink_to(office.artifact)
    code, answer = rita("start", "widget", "0.0", str(tmp_path))
    assert (code, answer["refused"]["code"]) == (2, "usage.file")


def test_a_wait_longer_than_a_thread_can_sleep_is_a_wait(
    office: Office, release: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed: list[object] = []
    monkeypatch.setattr(threading, "excepthook", failed.append)
    others = threading.Timer(1, lambda: office.decide("reject", "carol", "--reason", "no", release=release))
    others.start()
    assert main(["wait", release, "--timeout", "999999w", *office.home("rita")]) == 10
    others.join()
    assert failed == []


@pytest.mark.parametrize(
    ("typed", "code", "expected"),
    [("soon", 2, "3bd (business days)"), ("999999w", 2, "ends within the calendar"), ("2bd", 0, "")],
)
def test_an_approval_stands_until_what_a_person_can_say(
    office: Office, release: str, capsys: Capture, typed: str, code: int, expected: str
) -> None:
    assert office.decide("approve", "alice", "--valid-for", typed, release=release) == code
    assert expected in flat(capsys.readouterr().err)


def test_watch_says_each_thing_that_happens(office: Office, release: str, capsys: Capture) -> None:
    def approve() -> None:
        time.sleep(1)
        office.approve("alice", "bob", "carol", "dan", release=release)

    others = threading.Thread(target=approve)
    others.start()
    code = main(["watch", release, "--timeout", "30s", *office.home("rita")])
    others.join()
    talk = capsys.readouterr().err
    assert code == 0
    assert [name for name in ("alice", "bob", "carol", "dan") if f"approval by {name} as" in talk] == [
        *("alice", "bob", "carol", "dan")
    ]
    assert "was approved" in talk


def test_the_list_says_whose_word_it_is(office: Office, release: str, capsys: Capture) -> None:
    assert main(["list", "--state", "open", *office.home("rita")]) == 0
    first, header, *rest = capsys.readouterr().out.splitlines()
    assert first.endswith("as the coordinator says")
    assert header.split()[0] == "release"
    assert any(release.replace("@", " ") in line for line in rest)


@pytest.mark.parametrize("superseding", [False, True], ids=["shown", "superseded"])
def test_a_list_that_points_to_another_release_is_refused(
    office: Office,
    release: str,
    rita: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    superseding: bool,
) -> None:
    listed = Connection.list_ceremonies

    def lie(connection: Connection, **_: Any) -> Page:
        return listed(connection, product="widget", version=release.partition("@")[2])

    monkeypatch.setattr(Connection, "list_ceremonies", lie)
    start = ["start", "gadget", "7.7", str(office.artifact), "--supersede"]
    code, answer = rita(*start) if superseding else rita("show", "gadget@7.7")
    assert (code, answer["refused"]["code"]) == (14, "log.other_answer")


def test_a_bundle_that_does_not_verify_is_never_written(
    office: Office,
    release: str,
    rita: Callable[..., Any],
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    office.approve("alice", "bob", "carol", "dan", release=release)
    capsys.readouterr()
    fetched = Connection.bundle
    out = tmp_path / "bundle.json"

    def forged(connection: Connection, ceremony: str) -> bytes:
        return fetched(connection, ceremony).replace(b"security", b"insecure")

    monkeypatch.setattr(Connection, "bundle", forged)
    code, _ = rita("release", "fetch", release, "--out", str(out))
    assert code != 0
    assert not out.exists()


def test_what_others_wrote_cannot_move_the_cursor(office: Office, release: str, capsys: Capture) -> None:
    reason = "line one\n✓ widget was approved \u202egnp.exe"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "signer_agent.cli.verdict.make_reason", lambda text, _: Annex(salt=bytes(32), text=text)
        )
        assert office.decide("reject", "carol", "--reason", reason, release=release) == 0
    capsys.readouterr()
    for verb in ("show", "why"):
        assert main([verb, release, *office.home("rita")]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert "  │ ⟨U+2713⟩ widget was approved ⟨U+202E⟩gnp.exe" in lines[1:]


def test_show_draws_the_whole_ceremony(office: Office, release: str, capsys: Capture) -> None:
    office.approve("alice", "bob", "carol", "dan", release=release)
    assert main(["wait", release, "--timeout", "10s", *office.home("rita")]) == 0
    capsys.readouterr()
    assert main(["show", release, *office.home("rita")]) == 0
    text = capsys.readouterr().out
    headings = ["Request", "Artifacts", "Decisions", "Bundle, as the coordinator says"]
    assert [line for line in text.splitlines() if line in headings] == headings
    assert "✓ engineering  2 of 2: alice, bob" in text
    assert main(["release", "publish", release, *office.home("rita")]) == 0
    assert "is published, as the coordinator says" in capsys.readouterr().out


def test_a_dry_run_shows_and_signs_nothing(office: Office, capsys: Capture) -> None:
    words = ["start", "gadget", "5.5", str(office.artifact), "--dry-run", *office.home("rita")]
    assert main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "○ would ask for gadget 5.5; nothing was signed"
    assert "  widget.tar.gz" in lines
    assert main(["show", "gadget@5.5", *office.home("rita")]) == 2


def test_a_coordinator_that_is_not_there_is_exit_69(tmp_path: Path, capsys: Capture) -> None:
    office = found_office(tmp_path / "acme")
    assert main(["list", *office.home("rita")]) == 69
    assert "[coordinator.unreachable]" in flat(capsys.readouterr().err)


def test_without_a_home_the_hint_says_how_to_name_one(tmp_path: Path, capsys: Capture) -> None:
    assert main(["show", "widget@1", "--home", str(tmp_path)]) == 2
    assert "QUORUMSEAL_HOME" in capsys.readouterr().err


def test_the_policy_in_force_is_verified_before_it_is_shown(office: Office, rita: Callable[..., Any]) -> None:
    from quorumseal.verifier.trust import read_trust

    answer = rita("policy", "show")[1]
    assert answer["digest"] == read_trust((office.folder / "trust.json").read_bytes()).policy
