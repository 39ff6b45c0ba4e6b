# SPDX-License-Identifier: Apache-2.0
import io
import json
import tomllib
from pathlib import Path

import jsonschema
import pytest

from quorumseal.ceremony.policy_document import read_policy, write_policy
from quorumseal.ceremony.policy_schema import policy_schema
from quorumseal.ceremony.values import digest_of
from quorumseal.cli.main import main
from quorumseal.cli.policy.files import read_source
from quorumseal.cli.policy.screen import draw_policy
from quorumseal.cli.policy.template import Draft, policy_text
from quorumseal.terminal import Screen
from tests.cli.published import flat, said
from tests.organisation import NOW, key_of


@pytest.fixture
def source(tmp_path: Path) -> Path:
    from datetime import timedelta

    draft = Draft(
        organisation="acme",
        people={name: key_of(name).public for name in ("alice", "bob", "carol", "rita")},
        roles={"engineering": ["alice", "bob"], "security": ["carol"], "managers": ["rita"]},
        quorum={"engineering": 2, "security": 1},
        requesters=["managers"],
        products=["widget"],
        origin="acme/log",
        log_key=key_of("log").public,
        authorities=[],
        valid_from=NOW,
        valid_until=NOW + timedelta(days=365),
    )
    path = tmp_path / "policy.toml"
    path.write_text(policy_text(draft))
    return path


def test_check_says_what_the_rules_mean(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "check", str(source)]) == 0
    text = capsys.readouterr().out
    assert text.startswith("✓ ")
    assert "2 of engineering and 1 of security, distinct people" in text
    assert main(["policy", "check", str(source), "--json"]) == 0
    answer = said(capsys.readouterr().out)
    assert answer["policy"]["rules"]["standard"]["quorum"] == {"engineering": 2, "security": 1}
    assert set(answer["policy"]["signers"]) == {"alice", "bob", "carol", "rita"}


class Terminal(io.StringIO):
    """A stream that is as wide as COLUMNS says."""

    def isatty(self) -> bool:
        return True


def test_a_key_id_stays_in_one_piece_at_80_columns(source: Path) -> None:
    out = Terminal()
    draw_policy(Screen.on(out, out, {"COLUMNS": "80", "NO_COLOR": "1"}), read_source(source), at=NOW)
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) < 80
    keys = [key_of(name).public.key_id for name in ("alice", "bob", "carol", "rita")]
    assert [line.strip() for line in lines if "sha256:" in line] == keys


def test_what_nobody_can_satisfy_is_exit_15_with_the_smallest_reason(
    source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source.write_text(source.read_text().replace("engineering = 2", "engineering = 3"))
    assert main(["policy", "check", str(source)]) == 15
    assert "engineering (3) needs 3 people, but only alice and bob can count there" in flat(
        capsys.readouterr().err
    )


def test_compile_writes_the_bytes_that_are_signed(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = source.with_name("policy-1.json")
    assert main(["policy", "compile", str(source), "--out", str(out), "--json"]) == 0
    assert said(capsys.readouterr().out)["digest"] == digest_of(out.read_bytes())
    assert write_policy(read_policy(out.read_bytes())) == out.read_bytes()


def test_other_bytes_than_text_are_no_policy(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source.write_bytes(b"\xff")
    assert main(["policy", "check", str(source)]) == 2
    assert "[usage.file]" in capsys.readouterr().err


def test_the_schema_is_printed_or_written_beside_the_policy(
    source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["policy", "schema"]) == 0
    schema = capsys.readouterr().out.encode()
    out = source.with_name("policy.schema.json")
    for words in ([], ["--json"]):
        assert main(["policy", "schema", "--out", str(out), *words]) == 0
        assert out.read_bytes() == schema == policy_schema()
    assert "#:schema ./policy.schema.json" in source.read_text().splitlines()[0]
    validator = jsonschema.Draft7Validator(json.loads(schema))
    plain = json.loads(json.dumps(tomllib.loads(source.read_text()), default=lambda at: at.isoformat()))
    validator.validate(plain)
