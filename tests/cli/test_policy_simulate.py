# SPDX-License-Identifier: Apache-2.0
"""``policy simulate`` on a folder of bundles: what was approved, counted anew under another policy."""

from dataclasses import replace
from pathlib import Path

import pytest

from quorumseal.ceremony.policy_document import write_policy
from quorumseal.cli.main import main
from quorumseal.verifier.trust import read_trust, write_trust
from tests.cli.published import Published, flat, publish, said
from tests.organisation import ROLES, Organisation, changed

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def published(tmp_path: Path) -> Published:
    return publish(tmp_path)


def simulate(published: Published, organisation: Organisation, *words: str) -> int:
    proposed = published.folder / "proposed.json"
    proposed.write_bytes(
        write_policy(replace(organisation, version=2, previous="sha256:" + "0" * 64).build_policy())
    )
    where = ["--bundles", str(published.folder), "--trust", str(published.trust)]
    return main(["policy", "simulate", str(proposed), *where, *words])


def test_what_ends_as_it_did_is_counted_and_not_listed(published: Published, capsys: Capture) -> None:
    assert simulate(published, published.organisation) == 0
    text = flat(capsys.readouterr().out)
    assert text.startswith("✓ All of the last 1 would have ended as they did")
    assert "quorumseal policy diff" in text


def test_what_would_have_ended_otherwise_is_listed_with_its_reason(
    published: Published, capsys: Capture
) -> None:
    without_erin = changed(published.organisation, roles={**ROLES, "engineering": ("alice", "bob", "gil")})
    assert simulate(published, without_erin) == 0
    text = flat(capsys.readouterr().out)
    assert text.startswith("! 1 of the last 1 would have ended otherwise: 1 short")
    assert "by a rule, or people, other than it was: 1" in text
    assert "widget 1.0 was approved" in text
    assert "✗ would be short: engineering needs one more: bob or gil" in text
    assert simulate(published, without_erin, "--json") == 0
    answer = said(capsys.readouterr().out)
    assert answer["as_before"] == 0
    assert answer["ceremonies"][0]["would_be"] == "short"


def test_a_folder_without_bundles_has_nothing_to_count(published: Published, capsys: Capture) -> None:
    published.bundle.unlink()
    assert simulate(published, published.organisation) == 0
    assert "No ceremony has ended yet" in flat(capsys.readouterr().out)


def test_bundles_are_verified_with_a_trust_file_or_not_at_all(published: Published, capsys: Capture) -> None:
    proposed = published.folder / "proposed.json"
    proposed.write_bytes(write_policy(published.organisation.build_policy()))
    words = ["policy", "simulate", str(proposed), "--bundles", str(published.folder)]
    assert main(words) == 2
    assert "expected --trust beside --bundles" in capsys.readouterr().err
    assert main([*words, "--trust", str(published.trust), "--last", "0"]) == 2
    trust = read_trust(published.trust.read_bytes())
    published.trust.write_bytes(write_trust(replace(trust, policy="sha256:" + "0" * 64)))
    assert main([*words, "--trust", str(published.trust)]) == 15
