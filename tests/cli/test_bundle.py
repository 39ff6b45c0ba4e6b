# SPDX-License-Identifier: Apache-2.0
import shlex
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from quorumseal.cli.main import main
from tests.cli.published import Published, publish, said
from tests.organisation import changed


@pytest.fixture
def published(tmp_path: Path) -> Published:
    return publish(tmp_path)


def openssl(command: str) -> int:
    return subprocess.run(shlex.split(command), capture_output=True, check=False).returncode


@pytest.mark.parametrize(("signer", "tool"), [("alice", "pkeyutl"), ("carol", "dgst")])
def test_openssl_accepts_an_extracted_approval_and_no_other_bytes(
    published: Published, capsys: pytest.CaptureFixture[str], signer: str, tool: str
) -> None:
    out = published.folder / "out of it"
    words = ["--signer", signer, "--out", str(out), "--trust", str(published.trust)]
    assert main(["bundle", "extract", str(published.bundle), *words]) == 0
    command = capsys.readouterr().out.splitlines()[-1]
    assert command.startswith(f"openssl {tool} ")
    assert openssl(command) == 0
    signed = out / f"{signer}.signed"
    assert (out / f"{signer}.json").read_bytes() in signed.read_bytes()
    signed.write_bytes(signed.read_bytes().replace(b"widget", b"gadget"))
    assert openssl(command) != 0


def test_extracting_again_changes_nothing_and_never_overwrites(
    published: Published, capsys: pytest.CaptureFixture[str]
) -> None:
    out = published.folder / "out"
    words = ["bundle", "extract", str(published.bundle), "--signer", "alice", "--out", str(out), "--json"]
    assert main(words) == 0
    assert main(words) == 0
    (out / "alice.sig").write_bytes(b"mine")
    assert main(words) == 2
    assert "[usage.exists]" in capsys.readouterr().err
    assert (out / "alice.sig").read_bytes() == b"mine"


def test_only_who_decided_can_be_extracted(published: Published, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--signer", "bob", "--out", str(published.folder / "out")]
    assert main(["bundle", "extract", str(published.bundle), *words]) == 2
    assert "(alice, carol, dan, erin), got bob" in capsys.readouterr().err
    assert not (published.folder / "out").exists()


def test_no_key_comes_from_a_policy_that_the_trust_file_does_not_pin(
    published: Published, capsys: pytest.CaptureFixture[str]
) -> None:
    other = changed(published.organisation, clock_skew=timedelta(minutes=1)).policy.digest
    trust = published.trust.read_text().replace(published.organisation.policy.digest, other)
    published.trust.write_text(trust)
    words = ["--signer", "alice", "--out", str(published.folder / "out"), "--trust", str(published.trust)]
    assert main(["bundle", "extract", str(published.bundle), *words]) == 15
    assert "[policy_chain.broken]" in capsys.readouterr().err
    assert not (published.folder / "out").exists()


def test_show_says_that_nothing_is_verified(published: Published, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bundle", "show", str(published.bundle)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "! this bundle says that widget 1.0 is approved; nobody has verified that here"
    assert lines[-1].startswith("quorumseal verify widget.tar.gz --bundle ")
    assert main(["bundle", "show", str(published.bundle), "--json"]) == 0
    answer = said(capsys.readouterr().out)
    assert answer["verified"] is False
    assert [d["signer"] for d in answer["decisions"]] == ["alice", "erin", "carol", "dan"]


def test_a_bundle_that_lies_about_its_outcome_is_not_shown(
    published: Published, capsys: pytest.CaptureFixture[str]
) -> None:
    text = published.bundle.read_text()
    published.bundle.write_text(text.replace('\\"type\\":\\"approved\\"', '\\"type\\":\\"rejected\\"'))
    assert main(["bundle", "show", str(published.bundle)]) == 14
    assert "[chain.outcome]" in capsys.readouterr().err
