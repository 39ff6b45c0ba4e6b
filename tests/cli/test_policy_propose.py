# SPDX-License-Identifier: Apache-2.0
"""A policy is changed from the command line: proposed once, decided on both sides, in force, looked at."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.policy_document import write_policy
from quorumseal.ceremony.policy_writing import policy_text
from quorumseal.ceremony.values import digest_of
from quorumseal.cli.main import main
from quorumseal.cli.policy.files import read_source
from quorumseal.client.connection import Connection
from quorumseal.client.errors import CoordinatorUnreachableError
from quorumseal.client.values import Started
from quorumseal.verifier.trust import read_trust
from tests.cli.office import Office, coordinator_of, copied_office
from tests.cli.published import flat, said

Capture = pytest.CaptureFixture[str]
GOVERNORS = ("alice", "bob", "carol", "dan")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = copied_office(tmp_path / "own")
    office.artifact.write_bytes(b"the bytes of widget 1.0\n")
    with coordinator_of(office):
        yield office


def founded(office: Office) -> Policy:
    return read_source(office.folder / "policy.toml")


def following(policy: Policy, **fields: Any) -> Policy:
    """Return the next version, by default with erin in security, too, and a shorter deadline."""
    roles = {
        **policy.roles,
        "security": replace(policy.roles["security"], members=frozenset({"carol", "erin"})),
    }
    rule = replace(policy.rules["standard"], deadline=timedelta(days=2))
    changed = {"roles": roles, "rules": {"standard": rule}, **fields}
    return replace(
        policy,
        version=policy.version + 1,
        previous=digest_of(write_policy(policy)),
        **changed,
    )


def write(office: Office, policy: Policy, name: str = "policy-2.toml") -> str:
    path = office.folder / name
    path.write_text(policy_text(policy))
    return str(path)


def propose(office: Office, source: str, person: str, *words: str) -> int:
    return main(["policy", "propose", source, "--yes", *words, *office.home(person)])


def test_a_file_that_is_in_force_already_is_refused_with_the_way_to_the_next_version(
    office: Office, capsys: Capture
) -> None:
    assert propose(office, str(office.folder / "policy.toml"), "alice") != 0
    assert "`quorumseal policy edit`" in flat(capsys.readouterr().err)


def approve(office: Office, ceremony: str, *people: str) -> None:
    for person in people:
        assert main(["approve", ceremony, "--yes", *office.home(person)]) == 0


def proposed(
    office: Office, source: str, capsys: Capture, person: str = "alice", *words: str
) -> dict[str, Any]:
    capsys.readouterr()
    assert propose(office, source, person, "--json", *words) == 0
    answer: dict[str, Any] = said(capsys.readouterr().out)
    return answer


def test_both_sides_are_asked_decided_and_the_policy_holds(office: Office, capsys: Capture) -> None:
    source = write(office, following(founded(office)))
    assert propose(office, source, "alice") == 0
    text = flat(capsys.readouterr().out)
    assert "policy version 2 is proposed: both sides are asked" in text
    assert "The old side, under version 1" in text
    assert "The new side, under version 2" in text

    again = proposed(office, source, capsys)
    assert again["created"] == []
    assert [d["where"] for d in again["differences"] if d["weakens"]] == ["role security"]

    change, acceptance = again["change"], again["acceptance"]
    assert main(["review", change, *office.home("bob")]) == 0
    text = flat(capsys.readouterr().out)
    assert "change to policy version 2 waits for your decision" in text
    assert "Policy version 2 changes 2 things, of which 1 weakens" in text
    assert "! role security: erin may count" in text
    assert "old side, under version 1 (this ceremony): engineering needs two more" in text
    assert "new side, under version 2: engineering needs two more" in text

    approve(office, change, *GOVERNORS)
    assert "You approve a policy that changes 2 things, of which 1 weakens" in flat(capsys.readouterr().out)
    assert main(["review", acceptance, *office.home("bob")]) == 0
    text = flat(capsys.readouterr().out)
    assert "old side, under version 1: complete" in text
    assert "new side, under version 2 (this ceremony): engineering needs two more" in text

    approve(office, acceptance, "alice", "bob", "dan", "erin")
    assert "It completes the second of both sides: policy version 2 holds" in flat(capsys.readouterr().out)
    assert main(["show", change, *office.home("bob")]) == 0
    assert "quorumseal policy log" in flat(capsys.readouterr().out)
    assert main(["review", acceptance, "--json", *office.home("carol")]) == 0
    review = said(capsys.readouterr().out)
    assert review["policy_change"]["old"]["version"] == 1
    assert review["policy_change"]["other"]["state"] == "approved"
    rita = office.home("rita")
    assert main(["policy", "show", *rita]) == 0
    assert "acme is under policy version 2" in flat(capsys.readouterr().out)
    assert main(["policy", "show", "1", *rita]) == 0
    assert "policy version 1, which holds no more" in flat(capsys.readouterr().out)
    assert main(["policy", "show", "3", *rita]) == 2
    assert "expected a policy version from 1 to 2, got 3" in flat(capsys.readouterr().err)
    assert main(["policy", "log", *rita]) == 0
    text = flat(capsys.readouterr().out)
    assert "acme is under policy version 2, every link verified" in text
    assert "changes 2 things, of which 1 weakens" in text
    assert "quorumseal policy diff 1 2" in text
    assert main(["policy", "log", "--json", *rita]) == 0
    first, second = said(capsys.readouterr().out)["versions"]
    assert (first["version"], first["since"], first["differences"]) == (1, None, None)
    assert second["approved_by"] == ["alice", "bob", "carol", "dan", "erin"]
    assert main(["policy", "diff", "1", "2", "--strict", *rita]) == 12
    assert "! version 2 changes 2 things, of which 1 weakens, after version 1" in flat(
        capsys.readouterr().out
    )
    assert main(["policy", "diff", source, *rita]) == 0
    assert "changes nothing, after version 2" in flat(capsys.readouterr().out)
    trust = office.folder / "trust.json"
    assert main(["trust", "update", str(trust), "--yes", *rita]) == 0
    assert read_trust(trust.read_bytes()).minimum_version == 2


def test_somebody_whom_only_the_new_policy_knows_asks_for_the_acceptance(
    office: Office, capsys: Capture
) -> None:
    """Alice leaves governance: she may ask for the change, not for what comes after her."""
    old = founded(office)
    engineering = replace(old.roles["engineering"], members=frozenset({"bob", "erin"}))
    new = following(old, roles={**old.roles, "engineering": engineering})
    source = write(office, new)
    assert propose(office, source, "alice") == 0
    text = flat(capsys.readouterr().out)
    assert "the old side is asked" in text
    assert "nobody has asked for it yet" in text
    answer = proposed(office, source, capsys, "bob")
    assert answer["created"] == ["policy-acceptance"]
    assert answer["acceptance"]


def test_what_would_be_asked_is_shown_and_nothing_is_signed(office: Office, capsys: Capture) -> None:
    source = write(office, following(founded(office)))
    asked = "--deadline", "2d", "--ticket", "GOV-3", "--supersede"
    assert propose(office, source, "alice", "--dry-run", *asked) == 0
    shown = capsys.readouterr().out
    assert " --deadline 2d --ticket GOV-3 --supersede " in shown.splitlines()[-1]
    text = flat(shown)
    assert text.startswith("! policy version 2 would change 2 things, of which 1 weakens")
    assert "old side: 2 of engineering (alice, bob, erin)" in text
    assert main(["list", "--json", *office.home("alice")]) == 0
    assert said(capsys.readouterr().out)["ceremonies"] == []


REFUSED: list[tuple[str, str, dict[str, Any], str]] = [
    ("no governor asks", "rita", {}, "request.requester"),
    ("a gap", "alice", {"version": 3}, "policy.proposal"),
    ("another predecessor", "alice", {"previous": "sha256:" + "0" * 64}, "policy.proposal"),
]


def test_what_cannot_be_proposed_is_refused_before_anything_is_signed(
    office: Office, capsys: Capture
) -> None:
    for what, person, fields, code in REFUSED:
        source = write(office, replace(following(founded(office)), **fields))
        assert propose(office, source, person) != 0, what
        assert f"[{code}]" in capsys.readouterr().err, what
    assert main(["list", "--json", *office.home("alice")]) == 0
    assert said(capsys.readouterr().out)["ceremonies"] == []


def test_what_was_signed_and_not_acknowledged_is_sent_again_with_its_policy(
    office: Office, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, real, sent = write(office, following(founded(office))), Connection.start, []

    def unheard(self: Connection, envelope: bytes, *more: Any) -> Started:
        sent.append((envelope, more[-1]))
        real(self, envelope, *more)
        raise CoordinatorUnreachableError("expected an answer, got none")

    with monkeypatch.context() as network:
        network.setattr(Connection, "start", unheard)
        assert propose(office, source, "alice") == 69
    assert "it is in the journal: run the same command again" in flat(capsys.readouterr().err)
    answer = proposed(office, source, capsys)
    assert answer["created"] == ["policy-acceptance"], "the change had arrived, and is the same one"
    (first,) = sent
    assert digest_of(first[1]) == answer["digest"]


def test_another_proposal_takes_the_place_of_one_that_is_open(office: Office, capsys: Capture) -> None:
    first = proposed(office, write(office, following(founded(office))), capsys)
    other = following(founded(office), rules=founded(office).rules)
    source = write(office, other, "other.toml")
    assert propose(office, source, "alice") != 0
    assert "--supersede" in capsys.readouterr().err
    second = proposed(office, source, capsys, "alice", "--supersede")
    assert second["created"] == ["policy-change", "policy-acceptance"]
    for ceremony in (first["change"], first["acceptance"]):
        assert main(["show", ceremony, "--json", *office.home("bob")]) == 0
        assert said(capsys.readouterr().out)["state"] == "superseded"
    assert main(["policy", "simulate", source, "--last", "1", "--json", *office.home("bob")]) == 0
    answer = said(capsys.readouterr().out)
    assert (answer["simulated"], answer["as_before"]) == (1, 1)
    assert main(["policy", "simulate", source, "--all", *office.home("bob")]) == 0
    text = flat(capsys.readouterr().out)
    assert text.startswith("✓ All of the last 2 would have ended as they did")
    assert "acceptance of policy version 2 was superseded" in text
