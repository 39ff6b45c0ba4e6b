# SPDX-License-Identifier: Apache-2.0
"""``trust update``: up along the chain of a bundle, told first what it costs, never over a fork."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from quorumseal.cli.main import main
from quorumseal.verifier.bundle import Bundle, PolicyVersion, write_bundle
from quorumseal.verifier.part import Part
from quorumseal.verifier.trust import read_trust, write_trust
from tests.changing import both_sides
from tests.cli.published import flat, said
from tests.organisation import changed
from tests.simulated_log import SimulatedLog
from tests.verifier.keepers import handed_to, kept_by

Capture = pytest.CaptureFixture[str]
NOW = datetime.now(UTC).replace(microsecond=0)


class Place:
    """A folder with a trust file and bundles under policies of a real clock."""

    def __init__(self, folder: Path, founded: datetime) -> None:
        self.folder = folder
        self.one = changed(kept_by("1 alice"), founded=founded, expires=founded + timedelta(days=100))
        self.two = handed_to(self.one, "1 alice bob")
        self.other = handed_to(self.one, "1 alice erin")
        self.log = self.adopted(self.two, "bob")
        self.trust = folder / "trust.json"
        self.trust.write_bytes(write_trust(self.log.trust))
        self.old = self.bundle("old", self.log.versions[:1])
        self.new = self.bundle("new", self.log.versions)

    def adopted(self, two, taker: str) -> SimulatedLog:  # type: ignore[no-untyped-def] # of either kind
        log = SimulatedLog(self.one)
        log.adopt(*both_sides(self.one, two, ["alice"], [taker], at=self.one.founded))
        return log

    def bundle(self, name: str, versions: Sequence[PolicyVersion]) -> str:
        path = self.folder / f"{name}.quorumseal.json"
        path.write_bytes(write_bundle(Bundle(policies=tuple(versions), parts=(Part(entries=(b"{}",)),))))
        return str(path)

    @property
    def minimum(self) -> int:
        return read_trust(self.trust.read_bytes()).minimum_version

    def update(self, *words: str) -> int:
        return main(["trust", "update", str(self.trust), *words])


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, NOW - timedelta(days=10))


def test_it_says_what_will_be_refused_before_it_raises_anything(place: Place, capsys: Capture) -> None:
    assert place.update(place.old, place.new, "--bundle", place.new) == 2
    told = flat(capsys.readouterr().err)
    assert f"{place.old} will be refused from then on".replace(" ", "") in told.replace(
        " ", ""
    )  # a long path
    assert "raise the minimum version from 1 to 2" in told
    assert place.minimum == 1

    assert place.update(str(place.folder), "--bundle", place.new, "--yes", "--json") == 0
    answer = said(capsys.readouterr().out)
    assert (answer["was"], answer["minimum_version"], answer["refused"]) == (1, 2, [place.old])
    assert place.minimum == 2

    assert place.update("--bundle", place.new) == 0
    assert "is up to date: policy version 2 is the newest" in flat(capsys.readouterr().out)


def test_it_never_goes_back(place: Place, capsys: Capture) -> None:
    assert place.update("--bundle", place.new, "--yes") == 0
    assert place.update("--bundle", place.old, "--yes") == 15
    assert "[policy_chain.below_minimum]" in capsys.readouterr().err
    assert place.minimum == 2


def test_whoever_sits_there_is_asked(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _: "no")
    assert place.update("--bundle", place.new) == 2
    assert place.minimum == 1
    monkeypatch.setattr("builtins.input", lambda _: "yes")
    assert place.update("--bundle", place.new) == 0
    assert place.minimum == 2


def test_a_fork_is_kept_as_evidence_and_raises_nothing(place: Place, capsys: Capture) -> None:
    other = place.bundle("other", place.adopted(place.other, "erin").versions)
    assert place.update("--bundle", place.new, "--bundle", other, "--yes") == 15
    assert "[policy_chain.forked]" in capsys.readouterr().err
    assert place.update(other, "--bundle", place.new, "--yes") == 15, "also where a bundle in use forks"
    assert place.minimum == 1
    assert [*place.folder.glob("policy-fork-*.json")]


def test_a_gap_raises_nothing(place: Place, capsys: Capture) -> None:
    gap = place.bundle("gap", place.log.versions[1:])
    assert place.update("--bundle", gap, "--yes") == 15
    assert "[policy_chain.broken]" in capsys.readouterr().err
    assert place.minimum == 1


def test_an_expired_policy_is_noticed(tmp_path: Path, capsys: Capture) -> None:
    place = Place(tmp_path, NOW - timedelta(days=200))
    assert place.update("--bundle", place.new, "--yes") == 12
    assert "has expired: ask for a newer bundle" in flat(capsys.readouterr().out)
    assert place.minimum == 2


def test_a_bundle_is_no_trust_file(capsys: Capture) -> None:
    assert main(["trust", "update", "--bundle", "new.quorumseal.json"]) == 2
    assert "expected the trust file beside --bundle" in capsys.readouterr().err
