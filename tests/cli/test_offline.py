# SPDX-License-Identifier: Apache-2.0
"""A whole ceremony by the commands while no coordinator runs; then its files, handed in to one that does."""

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from quorumseal.ceremony.statement_document import read_statement, write_statement
from quorumseal.ceremony.values import instant
from quorumseal.cli.main import main
from quorumseal.cli.policy.files import read_source
from quorumseal.offline.files import read_statements_file, write_statements_file
from quorumseal.signatures import Ed25519PrivateKey, read_key_file
from quorumseal.signatures.dsse import sign
from quorumseal.tlog import Checkpoint, sign_checkpoint
from signer_agent.checkpoints import signed_by_log
from tests.cli.office import ARTIFACT, PASSPHRASE, Office, coordinator_of, found_office
from tests.cli.published import said

Capture = pytest.CaptureFixture[str]
PEOPLE = ("rita", "alice", "bob", "carol", "dan", "erin")


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Found an office in which everybody has seen the coordinator once, before it went down."""
    made = found_office(tmp_path_factory.mktemp("offline") / "acme")
    with coordinator_of(made):
        for person in PEOPLE:
            assert main(["inbox", *made.home(person), "--json"]) == 0
    return made.folder


@dataclass
class Table:
    """Where people meet with their files."""

    office: Office
    folder: Path
    capture: Capture

    @property
    def request(self) -> Path:
        return self.folder / "request.json"

    @property
    def bundle(self) -> Path:
        return self.folder / "bundle.json"

    def signed(self, person: str) -> Path:
        return self.folder / f"{person}.json"

    def run(self, person: str, *words: object) -> tuple[int, Any]:
        self.capture.readouterr()
        code = main([*map(str, words), *self.office.home(person), "--json"])
        return code, said(self.capture.readouterr().out)

    def export(self, *words: object, version: str = "1.0") -> tuple[int, Any]:
        asked = ["offline", "export", "widget", version, self.office.artifact, "--out", self.request]
        return self.run("rita", *asked, *words)

    def decide(self, person: str, *words: object, choice: str = "--approve") -> tuple[int, Any]:
        given = ["--artifacts", self.office.artifact, "--yes", "--out", self.signed(person)]
        return self.run(person, "offline", "decide", self.request, choice, *given, *words)

    def assemble(self, *people: str, person: str = "rita") -> tuple[int, Any]:
        files = [self.signed(each) for each in people]
        return self.run(person, "offline", "assemble", self.request, *files, "--out", self.bundle)

    def hand_in(self, person: str, *people: str) -> tuple[int, Any]:
        return self.run(person, "offline", "import", self.request, *map(self.signed, people))

    def verify(self, *words: str, bundle: Path | None = None) -> tuple[int, Any]:
        trust = ["--trust", str(self.office.folder / "trust.json")]
        where = ["--bundle", str(bundle or self.bundle), *trust, *words, "--json"]
        self.capture.readouterr()
        code = main(["verify", str(self.office.artifact), *where])
        return code, said(self.capture.readouterr().out)


@pytest.fixture
def table(founded: Path, tmp_path: Path, capsys: Capture) -> Table:
    """Sit down in a copy of the office: whatever is signed there stays there."""
    folder = tmp_path / "acme"
    shutil.copytree(founded, folder, symlinks=True)
    for settings in folder.rglob("*.toml"):
        settings.write_text(settings.read_text().replace(str(founded), str(folder)))
    meeting = tmp_path / "meeting"
    meeting.mkdir()
    return Table(Office(folder), meeting, capsys)


QUORUM = ("alice", "bob", "carol", "dan")


def quorum(table: Table) -> None:
    """Let everybody sign who is needed."""
    assert table.export()[0] == 0
    for person in QUORUM:
        assert table.decide(person)[0] == 0


def test_a_ceremony_is_held_in_files_and_then_taken_into_the_log(table: Table) -> None:
    quorum(table)
    code, assembled = table.assemble(*QUORUM)
    assert (code, assembled["state"]) == (0, "approved")
    code, refused = table.verify()
    assert (code, refused["refused"]["code"]) == (17, "unlogged.not_allowed")
    code, verified = table.verify("--allow-unlogged")
    assert (code, verified["standing"]) == (0, "unlogged")
    with coordinator_of(table.office):
        code, answer = table.hand_in("alice", "alice")
        assert (code, answer["refused"]["code"]) == (9, "ceremony.unknown")
        assert "rita imports it first" in answer["refused"]["hint"]
        code, answer = table.hand_in("rita", *QUORUM)
        assert (code, answer["state"]) == (0, "open")
        assert {line["signer"]: line["state"] for line in answer["statements"]} == dict.fromkeys(
            QUORUM, "awaited"
        )
        for person in QUORUM:
            code, answer = table.hand_in(person, person)
            assert (code, answer["statements"][0]["state"]) == (0, "logged")
        assert answer["state"] == "approved"
        regular = table.folder / "regular.json"
        fetched = ["release", "fetch", "widget@1.0", "--out", regular]
        assert table.run("rita", *fetched)[0] == 0
    code, verified = table.verify(bundle=regular)
    assert (code, verified["standing"]) == (0, "regular")
    assert verified["seats"] == assembled_seats(table)


def assembled_seats(table: Table) -> Any:
    return table.verify("--allow-unlogged")[1]["seats"]


def test_a_file_of_somebody_who_was_shown_another_history_is_a_fork_and_nothing_is_sent(table: Table) -> None:
    quorum(table)
    _show_another_history(table, "carol")
    with coordinator_of(table.office):
        code, answer = table.hand_in("rita", *QUORUM)
        assert (code, answer["refused"]["code"]) == (14, "fork.found")
        assert table.run("alice", "list")[1]["ceremonies"] == []
    code, status = table.run("rita", "agent", "status")
    assert (code, status["blocked"]) == (14, True)


def _show_another_history(table: Table, person: str) -> None:
    """Let somebody have signed after they were shown a log that begins with another entry."""
    folder = table.office.folder
    secret = (folder / "coordinator" / "log.passphrase").read_bytes().strip()
    log_key = read_key_file((folder / "coordinator" / "log.key.pem").read_bytes(), secret)
    key = read_key_file((folder / "people" / person / "signing.key.pem").read_bytes(), PASSPHRASE.encode())
    assert isinstance(log_key, Ed25519PrivateKey)
    other = sign_checkpoint(Checkpoint("acme/log", 1, bytes(32)), log_key)
    seen = signed_by_log(other, read_source(folder / "policy.toml").log).seen
    file = table.signed(person)
    carried = read_statements_file(file.read_bytes())
    statement = read_statement(carried.statements[0].payload)
    changed = replace(statement, context=replace(statement.context, checkpoint=seen))
    file.write_bytes(
        write_statements_file(replace(carried, statements=(sign(write_statement(changed), key),)))
    )


def test_nothing_is_handed_in_twice(table: Table) -> None:
    quorum(table)
    with coordinator_of(table.office):
        for person in ("rita", "alice", "rita", "alice"):
            assert table.hand_in(person, *QUORUM)[0] == 0
        states = {line["signer"]: line["state"] for line in table.hand_in("bob")[1]["statements"]}
        assert states == {"bob": "logged"}
        shown = table.run("rita", "show", "widget@1.0")[1]
        assert sorted(each["signer"] for each in shown["decisions"]) == ["alice", "bob"]


def test_the_same_request_and_the_same_decision_again_sign_nothing_anew(table: Table) -> None:
    first = table.export()[1]
    again = table.export("--deadline", "1h")[1]
    assert (first["signed_anew"], again["signed_anew"]) == (True, False)
    assert [again[field] for field in ("request", "ceremony", "deadline")] == [
        first[field] for field in ("request", "ceremony", "deadline")
    ]
    assert table.decide("alice")[1]["signed_anew"] is True
    before = table.signed("alice").read_bytes()
    assert table.decide("alice")[1]["signed_anew"] is False
    assert table.signed("alice").read_bytes() == before


def test_a_short_quorum_says_what_is_missing_and_writes_nothing(table: Table) -> None:
    table.export()
    table.decide("alice")
    code, answer = table.assemble("alice")
    assert (code, answer["bundle"]) == (5, None)
    assert "engineering needs one more: bob or erin" in answer["missing"]
    assert not table.bundle.exists()
    table.capture.readouterr()
    words = ["offline", "assemble", str(table.request), str(table.signed("alice"))]
    assert main([*words, *table.office.home("rita")]) == 5
    lines = table.capture.readouterr().out.splitlines()
    assert lines[0].startswith("○ widget 1.0 is open for ")
    assert "  ○ engineering needs one more: bob or erin" in lines
    assert lines[-1].startswith("quorumseal offline decide ")


def test_a_rejection_in_the_files_is_exit_10(table: Table) -> None:
    table.export()
    assert table.decide("carol", "--reason", "no changelog", choice="--reject")[0] == 0
    code, answer = table.assemble("carol")
    assert (code, answer["state"], answer["bundle"]) == (10, "rejected", None)


def test_a_rejection_needs_its_reason(table: Table) -> None:
    table.export()
    assert table.decide("carol", choice="--reject")[1]["refused"]["code"] == "usage.arguments"


def test_a_changed_mind_takes_the_place_of_its_own_file_and_of_no_other(table: Table) -> None:
    table.export()
    table.decide("alice", choice="--abstain")
    assert table.decide("alice")[1]["statements"] == 2
    elsewhere = table.signed("alice")
    elsewhere.write_text("my diary")
    code, answer = table.decide("alice")
    assert (code, answer["refused"]["code"]) == (2, "usage.exists")
    assert elsewhere.read_text() == "my diary"


def test_without_a_choice_the_request_is_shown_and_nothing_is_signed(table: Table) -> None:
    table.export()
    table.capture.readouterr()
    given = ["--artifacts", str(table.office.artifact), *table.office.home("alice")]
    assert main(["offline", "decide", str(table.request), *given]) == 0
    lines = table.capture.readouterr().out.splitlines()
    assert lines[0].startswith("○ widget 1.0 waits for your decision")
    assert lines[-1].startswith(f"quorumseal offline decide {table.request} --approve")
    assert table.run("alice", "agent", "status")[1]["unacknowledged"] == []
    assert table.run("alice", "offline", "decide", table.request)[1]["standing"] == "awaited"


def test_other_bytes_at_the_signers_are_refused(table: Table) -> None:
    table.export()
    table.office.artifact.write_bytes(ARTIFACT + b"and a back door\n")
    code, answer = table.decide("alice")
    assert (code, answer["refused"]["code"]) == (3, "artifact.other_bytes")
    assert not table.signed("alice").exists()


def test_other_bytes_under_a_version_that_was_approved_in_a_file_are_refused_online_too(
    table: Table,
) -> None:
    table.export()
    table.decide("alice")
    other = table.folder / "other" / "widget.tar.gz"
    other.parent.mkdir()
    other.write_bytes(b"other bytes\n")
    with coordinator_of(table.office):
        assert table.run("erin", "list")[0] == 0
        rita = ["start", "widget", "1.0", other]
        assert table.run("rita", *rita)[0] == 0
        words = ["approve", "widget@1.0", "--artifacts", other, "--yes"]
        code, answer = table.run("alice", *words)
        assert (code, answer["refused"]["code"]) == (4, "request.must_supersede")


def test_a_home_that_never_saw_its_coordinator_says_what_to_give_it(tmp_path: Path, capsys: Capture) -> None:
    office = found_office(tmp_path / "acme")
    capsys.readouterr()
    words = ["offline", "export", "widget", "1.0", str(office.artifact), *office.home("rita"), "--json"]
    assert main(words) == 2
    assert said(capsys.readouterr().out)["refused"]["code"] == "offline.nothing_kept"


def test_a_dry_run_signs_nothing(table: Table) -> None:
    assert table.export("--dry-run")[0] == 0
    assert not table.request.exists()
    assert table.run("rita", "agent", "status")[1]["unacknowledged"] == []


def test_what_comes_too_late_for_the_log_is_on_record_and_named(table: Table) -> None:
    assert table.export("--deadline", "15s")[0] == 0
    assert table.decide("alice")[0] == 0
    with coordinator_of(table.office):
        assert table.hand_in("rita")[0] == 0
        assert table.run("rita", "wait", "widget@1.0", "--timeout", "40s")[0] == 9
        code, answer = table.hand_in("alice")
        assert (code, answer["state"]) == (9, "expired")
        assert [line["state"] for line in answer["statements"]] == ["late"]


def test_evidence_is_handed_in_with_the_request_that_names_it(table: Table) -> None:
    report = table.folder / "report.txt"
    report.write_text("all tests passed\n")
    assert table.export("--evidence", f"test-report:{report}")[0] == 0
    with coordinator_of(table.office):
        code, answer = table.hand_in("rita")
        assert (code, answer["refused"]["code"]) == (1, "evidence.unknown")
        given = ["offline", "import", table.request, "--evidence", report]
        assert table.run("rita", *given)[0] == 0


def test_a_request_whose_deadline_passed_is_asked_for_anew(table: Table) -> None:
    deadline = instant(table.export("--deadline", "2s")[1]["deadline"])
    while datetime.now(UTC) < deadline:
        time.sleep(0.1)
    with coordinator_of(table.office):
        code, answer = table.hand_in("rita")
    assert (code, answer["refused"]["code"]) == (4, "request.opening_time")
    assert "quorumseal start" in answer["refused"]["hint"]
    assert table.run("rita", "agent", "status")[1]["unacknowledged"] == []


def test_what_cannot_count_any_more_is_named_with_what_to_do(table: Table) -> None:
    quorum(table)
    with coordinator_of(table.office):
        assert table.hand_in("rita")[0] == 0
        cancel = ["cancel", "widget@1.0", "--reason", "found a bug", "--yes"]
        assert table.run("rita", *cancel)[0] == 0
        code, answer = table.hand_in("alice", "alice", "bob")
    assert code == 9
    lost = {line["signer"]: (line["state"], line["code"]) for line in answer["statements"]}
    assert lost == {"alice": ("lost", "ceremony.ended"), "bob": ("lost", "ceremony.ended")}


def test_nobody_hands_in_what_bears_their_name_and_was_not_signed_here(table: Table) -> None:
    quorum(table)
    state = table.office.folder / "people" / "alice" / "state"
    shutil.rmtree(state)
    with coordinator_of(table.office):
        table.hand_in("rita")
        code, answer = table.hand_in("alice", "alice")
    assert (code, answer["refused"]["code"]) == (2, "offline.not_in_journal")


def edited(path: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    document = json.loads(path.read_bytes())
    edit(document)
    path.write_text(json.dumps(document))


def borrow(table: Table, field: str) -> Callable[[dict[str, Any]], object]:
    """Put another person's envelope under one's own name."""
    other = json.loads(table.signed("carol").read_bytes())["statements"][0]
    return lambda document: document["statements"][0].update({field: other[field]})


def to_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


ATTACKS: dict[str, tuple[Callable[[Table], object], str]] = {
    "a request with another's signature": (
        lambda table: edited(
            table.request,
            lambda d: d["request"].update(
                signatures=json.loads(table.signed("bob").read_bytes())["statements"][0]["signatures"]
            ),
        ),
        "statement.signature",
    ),
    "a decision with another's payload": (
        lambda table: edited(table.signed("alice"), borrow(table, "payload")),
        "statement.signature",
    ),
    "a decision with another's signature": (
        lambda table: edited(table.signed("alice"), borrow(table, "signatures")),
        "statement.signature",
    ),
    "no policy": (lambda table: edited(table.request, lambda d: d.update(policies=[])), "json.invalid_field"),
    "a request in the place of a decision": (
        lambda table: table.signed("alice").write_bytes(table.request.read_bytes()),
        "offline.format",
    ),
    "a decision in the place of the request": (
        lambda table: table.request.write_bytes(table.signed("alice").read_bytes()),
        "offline.format",
    ),
    "a file past its bound": (
        lambda table: table.signed("alice").write_bytes(b" " * (9 << 20)),
        "usage.file",
    ),
    "no JSON": (lambda table: table.signed("alice").write_bytes(b"\x00"), "json.malformed"),
    "a folder": (lambda table: to_folder(table.signed("alice")), "usage.file"),
    "no file": (lambda table: table.signed("alice").unlink(), "usage.file"),
}


@pytest.mark.parametrize("what", ATTACKS)
def test_a_file_that_was_tampered_with_makes_no_bundle(table: Table, what: str) -> None:
    quorum(table)
    attack, code = ATTACKS[what]
    attack(table)
    refused = table.assemble(*QUORUM)[1]
    assert refused["refused"]["code"] == code
    assert not table.bundle.exists()


def test_one_forged_file_among_many_keeps_everything_out_of_the_log(table: Table) -> None:
    quorum(table)
    edited(table.signed("alice"), borrow(table, "signatures"))
    with coordinator_of(table.office):
        code, answer = table.hand_in("rita", *QUORUM)
        assert (code, answer["refused"]["code"]) == (16, "statement.signature")
        assert table.run("rita", "list")[1]["ceremonies"] == []


def test_the_screens_lead_from_one_step_to_the_next(table: Table) -> None:
    home = table.office.home
    table.capture.readouterr()
    asked = ["offline", "export", "widget", "1.0", str(table.office.artifact), "--out", str(table.request)]
    assert main([*asked, *home("rita")]) == 0
    lines = table.capture.readouterr().out.splitlines()
    assert lines[-1] == f"quorumseal offline decide {table.request} --approve --artifacts PATH"
    assert main([*asked, *home("rita")]) == 0
    assert "not signed anew" in " ".join(table.capture.readouterr().out.split())
    for person in (*QUORUM, "erin"):
        assert table.decide(person)[0] == 0
    signed = [str(table.signed(person)) for person in (*QUORUM, "erin")]
    words = ["offline", "assemble", str(table.request), *signed, "--out", str(table.bundle)]
    table.capture.readouterr()
    assert main([*words, "--trust", str(table.office.folder / "trust.json")]) == 0
    shown = table.capture.readouterr().out
    assert "erin approved after the quorum, and is not in it" in shown
    assert shown.splitlines()[-1].endswith(" --allow-unlogged")
    with coordinator_of(table.office):
        words = ["offline", "import", str(table.request), *signed]
        for person in ("rita", *QUORUM, "erin"):
            table.capture.readouterr()
            assert main([*words, *home(person)]) == 0
    lines = table.capture.readouterr().out.splitlines()
    assert lines[0].startswith("✓ widget 1.0 was approved ")
    assert "  ✓ the approval of dan is in the log" in lines
    assert "  ○ the approval of erin is not needed any more" in lines
    assert lines[-1].startswith("quorumseal release fetch widget@1.0 ")


def test_a_policy_of_the_attacker_is_not_the_pinned_one(table: Table, tmp_path: Path) -> None:
    mallorys = found_office(tmp_path / "mallory")
    quorum(table)
    with coordinator_of(mallorys):
        assert main(["inbox", *mallorys.home("rita"), "--json"]) == 0
    kept = json.loads((mallorys.folder / "people/rita/state/policies.json").read_bytes())["policies"]
    edited(table.request, lambda d: d.update(policies=kept))
    for code, answer in (table.assemble(*QUORUM), table.decide("erin")):
        assert (code, answer["refused"]["code"]) == (15, "policy_chain.broken")
