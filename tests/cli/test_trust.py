# SPDX-License-Identifier: Apache-2.0
import sys
from pathlib import Path

import pytest

from quorumseal.cli import qr_code
from quorumseal.cli.main import main
from quorumseal.terminal.words import four_words
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


def test_the_words_and_the_code_say_the_pinned_digest(
    published: Published, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def lines(text: str, *, inverse: bool) -> list[str]:
        asked.append(text)
        return ["▀▄"] if not inverse else []

    monkeypatch.setattr(qr_code, "lines", lines)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert main(["trust", "show", str(published.trust)]) == 0
    shown = capsys.readouterr().out
    digest = published.organisation.policy.digest
    assert asked == [digest]
    assert "▀▄" in shown
    assert four_words(digest) in shown
    assert main(["trust", "show", str(published.trust), "--json"]) == 0
    assert said(capsys.readouterr().out)["words"] == four_words(digest)


@pytest.mark.parametrize("inverse", [False, True])
def test_the_code_on_a_screen_has_the_squares_that_the_library_makes(inverse: bool) -> None:
    import segno

    text = "sha256:" + "ab" * 32
    squares = {" ": (0, 0), "▀": (1, 0), "▄": (0, 1), "█": (1, 1)}
    drawn = qr_code.lines(text, inverse=inverse)
    rows = [[squares[sign][half] for sign in line] for line in drawn for half in (0, 1)]
    expected = [list(row) for row in segno.make(text, error="m", micro=False).matrix_iter(border=2)]
    assert rows[: len(expected)] == [[bool(square) != inverse for square in row] for row in expected]
    assert max(map(len, drawn)) < 78


def test_the_image_is_written_once_and_not_over_another(published: Published, tmp_path: Path) -> None:
    image = tmp_path / "trust.svg"
    assert main(["trust", "show", str(published.trust), "--svg", str(image)]) == 0
    assert image.read_text().startswith("<svg")
    image.write_text("something else")
    assert main(["trust", "show", str(published.trust), "--svg", str(image)]) == 2
    assert image.read_text() == "something else"


def test_without_the_library_the_digest_is_shown_and_no_image_made(
    published: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "segno", None)
    assert main(["trust", "show", str(published.trust)]) == 0
    shown = capsys.readouterr().out
    assert published.organisation.policy.digest in shown
    assert "█" not in shown
    assert main(["trust", "show", str(published.trust), "--svg", str(tmp_path / "no.svg")]) == 2
    assert "quorumseal[qr]" in capsys.readouterr().err
    assert not (tmp_path / "no.svg").exists()
