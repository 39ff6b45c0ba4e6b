# SPDX-License-Identifier: Apache-2.0
"""``agent doctor``: each rule by a table of facts, and the whole in a home, sound or broken."""

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from quorumseal.ceremony.policy import SignerKey
from quorumseal.cli.main import main
from quorumseal.terminal import Look, Mark, Screen
from quorumseal.verifier.trust import Trust
from signer_agent.errors import CertificateFileError, JournalError, PassphraseError
from signer_agent.examining.facts import Answered, Facts, Kept, Secret, Server
from signer_agent.examining.rules import judge
from signer_agent.inbox import open_inbox
from signer_agent.inbox_screen import draw_endings
from signer_agent.key_sources.certificates import Certificate
from tests.cli.office import Office, coordinator_of, copied_office
from tests.organisation import NOW, Organisation, key_of
from tests.signer_agent.desks import Desk
from tests.simulated_coordinator import SimulatedCoordinator

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
ALICE, SPARE = key_of("alice"), key_of("spare of alice")


def _policy(
    *,
    until: datetime = NOW + 400 * DAY,
    spare: bool = True,
    expires: datetime = NOW + 400 * DAY,
    witness: str = "",
) -> Any:
    policy = Organisation(witnessing=frozenset({witness} - {""})).policy.policy
    keys = [SignerKey(key=ALICE.public, valid_from=NOW - DAY, valid_until=until)]
    if spare:
        keys.append(SignerKey(key=SPARE.public, valid_from=NOW - DAY, valid_until=NOW + 400 * DAY))
    signer = replace(policy.signers["alice"], keys=tuple(keys))
    return replace(policy, expires=expires, signers={**policy.signers, "alice": signer})


def _certificate(days: int) -> Certificate:
    return Certificate(not_before=NOW - 300 * DAY, not_after=NOW + days * DAY, spki=b"", der=b"")


def _answered(
    now: datetime = NOW,
    suspended_until: datetime | None = None,
    revoked: frozenset[str] = frozenset(),
    **policy: Any,
) -> dict[str, Answered]:
    policy_of_now = _policy(**policy)
    answered = Answered(policy=policy_of_now, now=now, suspended_until=suspended_until, revoked=revoked)
    return {"answered": answered}


WITNESS = Organisation().witness_key("alice").public
KEY_FILE = Secret(path=Path("signing.key.pem"), mode=0o600)
FACTS = Facts(
    at=NOW,
    name="alice",
    coordinator="localhost:1",
    secrets={"signing key file": KEY_FILE},
    own=_certificate(300),
    authority=_certificate(300),
    server=Server(certificate=_certificate(300)),
    trust=Trust(organisation="acme", policy="sha256:" + "0" * 64, minimum_version=1),
    key=ALICE.public,
    kept=Kept(highest=1),
    answered=Answered(policy=_policy(), now=NOW),
)
NO_CERTIFICATE = CertificateFileError("expected a certificate, got none")

ROWS: list[tuple[str, dict[str, Any], dict[str, Mark]]] = [
    ("all is well", {}, {}),
    ("the key was not opened", {"key": None}, {}),
    ("blocked after a fork", {"blocked": True}, {"fork": Mark.FAILED}),
    ("a fork that was understood", {"fork_proofs": ("fork-proof-1.json",)}, {"fork": Mark.WARNING}),
    (
        "a key that others read",
        {"secrets": {"signing key file": replace(KEY_FILE, mode=0o644)}},
        {"signing key file": Mark.WARNING},
    ),
    (
        "a key of somebody else",
        {"secrets": {"signing key file": replace(KEY_FILE, ours=False)}},
        {"signing key file": Mark.FAILED},
    ),
    (
        "no key",
        {"secrets": {"signing key file": replace(KEY_FILE, mode=None, reason="gone")}},
        {"signing key file": Mark.FAILED},
    ),
    ("own certificate ends", {"own": _certificate(6)}, {"own certificate": Mark.WARNING}),
    ("own certificate is over", {"own": _certificate(-1)}, {"own certificate": Mark.FAILED}),
    ("own certificate is none", {"own": NO_CERTIFICATE}, {"own certificate": Mark.FAILED}),
    ("the authority ends", {"authority": _certificate(50)}, {"authority": Mark.WARNING}),
    ("unreachable", {"server": Server(certificate=None, reason="refused")}, {"reachability": Mark.FAILED}),
    (
        "the server's certificate ends",
        {"server": Server(certificate=_certificate(6))},
        {"certificate of localhost:1": Mark.WARNING},
    ),
    ("no trust file", {"trust": NO_CERTIFICATE}, {"trust file": Mark.FAILED}),
    ("a damaged journal", {"kept": Kept(problem="row 1 missing")}, {"journal": Mark.FAILED}),
    ("no journal", {"kept": JournalError("expected a journal, got none")}, {"journal": Mark.FAILED}),
    ("something unacknowledged", {"kept": Kept(pending=2)}, {"receipts": Mark.WARNING}),
    ("no answer", {"answered": NO_CERTIFICATE}, {"coordinator": Mark.FAILED}),
    ("a clock ahead", _answered(now=NOW - 60 * MINUTE), {"clock": Mark.FAILED}),
    ("a clock behind", _answered(now=NOW + 60 * MINUTE), {"clock": Mark.FAILED}),
    ("a clock nearly right", _answered(now=NOW + MINUTE / 60), {}),
    ("a witness whom the policy knows", {**_answered(witness="alice"), "witness": WITNESS}, {}),
    ("a witness key that nobody lists", {"witness": WITNESS}, {"witness": Mark.WARNING}),
    (
        "another witness key than the listed one",
        {**_answered(witness="alice"), "witness": key_of("other").public},
        {"witness": Mark.WARNING},
    ),
    ("a witness whose key is not here", _answered(witness="alice"), {"witness": Mark.WARNING}),
    ("a witness key that does not open", {"witness": NO_CERTIFICATE}, {"witness": Mark.FAILED}),
    ("suspended", _answered(suspended_until=NOW + DAY), {"standing": Mark.FAILED}),
    (
        "the key was revoked",
        _answered(revoked=frozenset({ALICE.public.key_id})),
        {"signing key": Mark.FAILED, "key of alice": Mark.WARNING, "keys": Mark.WARNING},
    ),
    ("a key of somebody else was revoked", _answered(revoked=frozenset({"sha256:0"})), {}),
    ("not in the roster", {"name": "zoe"}, {"roster": Mark.FAILED}),
    ("one key alone", _answered(spare=False), {"keys": Mark.WARNING}),
    ("a key that ends", _answered(until=NOW + 60 * DAY), {"key of alice": Mark.WARNING}),
    (
        "a key that has ended",
        _answered(until=NOW - DAY / 2),
        {"signing key": Mark.FAILED, "key of alice": Mark.FAILED, "keys": Mark.WARNING},
    ),
    (
        "no key that may sign",
        {**_answered(until=NOW - DAY / 2, spare=False), "key": None},
        {"key of alice": Mark.FAILED, "keys": Mark.FAILED},
    ),
    ("a key of nobody's", {"key": key_of("other").public}, {"signing key": Mark.FAILED}),
    (
        "a passphrase that is wrong",
        {"key": PassphraseError("expected the passphrase, got another")},
        {"signing key": Mark.FAILED},
    ),
    ("the policy ends", _answered(expires=NOW + 30 * DAY), {"policy": Mark.WARNING}),
    ("the policy is over", _answered(expires=NOW), {"policy": Mark.FAILED}),
]


@pytest.mark.parametrize(("changes", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_each_fact_is_judged_by_itself(changes: dict[str, Any], expected: dict[str, Mark]) -> None:
    found = judge(replace(FACTS, **changes))
    bad = [each for each in found if each.mark in (Mark.WARNING, Mark.FAILED)]
    assert {each.about: each.mark for each in bad} == expected
    assert all(each.hint for each in bad)


@pytest.mark.parametrize(
    ("kept", "said"), [(Kept(cosigned=7), "last at 7 entries"), (Kept(), "nothing is cosigned yet")]
)
def test_the_doctor_says_how_far_the_witness_has_cosigned(kept: Kept, said: str) -> None:
    answered = Answered(policy=_policy(witness="alice"), now=NOW)
    found = judge(replace(FACTS, answered=answered, witness=WITNESS, kept=kept))
    (witness,) = [each for each in found if each.about == "witness"]
    assert witness.mark is Mark.DONE
    assert said in witness.text


def test_a_trust_file_that_accepts_older_policies_is_to_be_raised() -> None:
    policy = replace(_policy(), version=3)
    found = judge(replace(FACTS, answered=Answered(policy=policy, now=NOW)))
    (trust,) = [each for each in found if each.about == "trust file"]
    assert trust.mark is Mark.WARNING
    assert "trust update" in trust.hint


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    made = copied_office(tmp_path_factory.mktemp("doctor") / "acme")
    with coordinator_of(made):
        yield made


def test_a_home_that_works_is_well_and_names_what_waits(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["agent", "doctor", "--key", *office.home("alice")]) == 12
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "! alice can decide, but something should be seen to: 1 warning"
    assert any(line.startswith("  ✓ signing key: it opens, and is alice's until") for line in lines)
    assert lines[-1].startswith("quorumseal inbox --home")


@pytest.mark.parametrize(
    ("file", "data", "about"),
    [
        ("trust.json", None, {"trust file", "coordinator"}),
        ("certificate.pem", b"none", {"own certificate", "reachability", "coordinator"}),
        ("ca.pem", None, {"authority", "reachability", "coordinator"}),
        ("state/journal.sqlite", b"no database at all, and more of it" * 9, {"journal", "coordinator"}),
        ("passphrase", b"another", {"signing key"}),
    ],
)
def test_what_is_broken_is_named_and_the_rest_is_looked_at_all_the_same(
    office: Office, capsys: pytest.CaptureFixture[str], file: str, data: bytes | None, about: set[str]
) -> None:
    path = office.folder / "people" / "bob" / file
    path.parent.mkdir(exist_ok=True)
    before = path.read_bytes() if path.exists() else None
    path.unlink(missing_ok=True)
    if data is not None:
        path.write_bytes(data)
        path.chmod(0o600)
    try:
        assert main(["agent", "doctor", "--key", "--json", *office.home("bob")]) == 1
    finally:
        path.unlink(missing_ok=True)
        if before is not None:
            path.write_bytes(before)
            path.chmod(0o600)
    found = json.loads(capsys.readouterr().out)["findings"]
    assert {each["about"] for each in found if each["level"] == "wrong"} == about


def test_without_a_coordinator_the_home_is_examined_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = copied_office(tmp_path / "acme")
    assert main(["agent", "doctor", *alone.home("alice")]) == 1
    said = capsys.readouterr().out
    assert said.startswith("✗ alice cannot rely on this agent: 2 wrong")
    assert said.splitlines()[-1].startswith("quorumseal agent doctor --home")


@pytest.mark.parametrize(("days", "lines"), [(61, 0), (60, 1), (-1, 1)])
def test_the_inbox_says_when_the_own_key_ends(tmp_path: Path, days: int, lines: int) -> None:
    ends = NOW + 100 * DAY
    coordinator = SimulatedCoordinator(Organisation(valid_until={"alice": ends, "bob": ends}))
    coordinator.now = ends - days * DAY
    inbox = open_inbox(Desk(tmp_path, coordinator).agent)
    assert [each.name for each in inbox.ending] == ["alice"] * lines
    out = io.StringIO()
    draw_endings(Screen(out, out, look=Look(), err_look=Look()), inbox, at=coordinator.now)
    assert out.getvalue().count("key of alice") == lines
