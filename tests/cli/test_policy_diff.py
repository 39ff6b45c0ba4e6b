# SPDX-License-Identifier: Apache-2.0
"""``policy diff`` of two files, in either form."""

from pathlib import Path

import pytest

from quorumseal.ceremony.policy_document import write_policy
from quorumseal.cli.main import main
from quorumseal.cli.policy.files import read_source
from tests.cli.published import flat, said
from tests.cli.test_policy_lint import write


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The bytes of a policy, whose source is beside them."""
    payload = tmp_path / "policy-1.json"
    payload.write_bytes(write_policy(read_source(write(tmp_path))))
    return payload


def rewritten(old: Path, *changes: tuple[str, str]) -> str:
    source = old.with_name("policy.toml")
    text = source.read_text()
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    source.write_text(text)
    return str(source)


def test_what_weakens_is_counted_first_and_marked(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new = rewritten(old, ("engineering = 2", "engineering = 1"), ('longest = "7d"', 'longest = "6d"'))
    assert main(["policy", "diff", str(old), new]) == 0
    text = flat(capsys.readouterr().out)
    assert "changes 2 things, of which 1 weakens, after version 1" in text
    assert text.startswith("! ")
    assert "! rule standard: needs 1 of engineering, where it needed 2" in text
    assert "○ rule standard: the longest time is 6d, was 1w" in text
    assert text.rstrip().endswith(f"quorumseal policy lint {new}")


def test_what_only_tightens_passes_strictly(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new = rewritten(old, ('longest = "7d"', 'longest = "6d"'))
    assert main(["policy", "diff", str(old), new, "--strict"]) == 0
    assert "1 thing, and none of it weakens" in flat(capsys.readouterr().out)
    assert main(["policy", "diff", new, str(old), "--strict", "--json"]) == 12
    assert said(capsys.readouterr().out) == {
        "old": 1,
        "new": 1,
        "differences": [
            {"where": "rule standard", "says": "the longest time is 1w, was 6d", "weakens": True}
        ],
    }


def test_strictly_what_weakens_is_exit_12(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new = rewritten(old, ('["carol", "dan"]', '["carol", "dan", "erin"]'))
    assert main(["policy", "diff", str(old), new, "--strict"]) == 12
    text = flat(capsys.readouterr().out)
    assert "changes 1 thing, and that weakens" in text
    assert "! role security: erin may count" in text


def test_a_policy_and_its_own_bytes_say_the_same(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "diff", str(old), str(old.with_name("policy.toml"))]) == 0
    assert "changes nothing, after version 1" in flat(capsys.readouterr().out)


def test_three_policies_are_too_many(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "diff", str(old), str(old), str(old)]) == 2
    assert "expected at most two policies, got 3" in capsys.readouterr().err
