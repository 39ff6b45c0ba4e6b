# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from quorumseal.cli.main import main
from quorumseal.verifier.trust import read_trust
from tests.cli.published import Published, publish, said


@pytest.fixture
def published(tmp_path: Path) -> Published:
    return publish(tmp_path)


def test_show_names_the_organisation_and_the_pinned_policy(
    published: Published, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["trust", "show", str(published.trust)]) == 0
    text = capsys.readouterr().out
    assert "✓" in text.splitlines()[0]
    assert published.organisation.policy.digest in text


def test_raising_says_which_bundles_would_be_refused_before_it_raises(
    published: Published, capsys: pytest.CaptureFixture[str]
) -> None:
    before = published.trust.read_bytes()
    words = ["trust", "raise", str(published.trust), "2", "--bundle", str(published.bundle)]
    assert main(words) == 2
    assert str(published.bundle) in "".join(capsys.readouterr().err.split())
    assert published.trust.read_bytes() == before
    assert main([*words, "--yes", "--json"]) == 0
    assert said(capsys.readouterr().out)["refused"] == [str(published.bundle)]
    assert read_trust(published.trust.read_bytes()).minimum_version == 2
    assert main(["verify", str(published.artifact), *published.verifying]) == 15


def test_a_minimum_version_is_never_lowered(published: Published, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trust", "raise", str(published.trust), "3"]) == 0
    before = published.trust.read_bytes()
    assert main(["trust", "raise", str(published.trust), "2"]) != 0
    assert "[trust.format]" in capsys.readouterr().err
    assert published.trust.read_bytes() == before
