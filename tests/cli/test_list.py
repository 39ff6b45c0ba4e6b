# SPDX-License-Identifier: Apache-2.0
"""``list``: what it says below its table about releases that wait for witnesses of the log."""

import json
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from quorumseal.cli import list as listing
from quorumseal.cli.main import main
from quorumseal.client.values import CeremonySummary, Page
from tests.organisation import NOW

Capture = pytest.CaptureFixture[str]


def summary(number: int, version: str, **fields: Any) -> CeremonySummary:
    """Return a release of widget that was approved and is published."""
    return CeremonySummary(
        **{
            "ceremony": f"01890a5d-ac96-774b-bcce-{number:012d}",
            "product": "widget",
            "version": version,
            "kind": "release",
            "state": "approved",
            "requester": "rita",
            "opened_at": NOW,
            "deadline": NOW,
            "ended_at": NOW,
            "mode": "regular",
            **fields,
        }
    )


AWAITING = {"publication": "awaiting witnesses"}
LISTED = [
    summary(6, "1.5", state="open", ended_at=None),
    summary(5, "1.4", state="provisional", mode="break-glass", **AWAITING),
    summary(4, "1.3", kind="release-revocation", **AWAITING),
    summary(3, "1.2", publication="pending"),
    summary(2, "1.1", **AWAITING),
    summary(1, "1.0"),
]


@pytest.fixture(autouse=True)
def coordinator(monkeypatch: pytest.MonkeyPatch) -> None:
    """A coordinator that lists these."""
    page = Page(ceremonies=tuple(LISTED), next_token="")

    @contextmanager
    def desk(_: Namespace) -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(connection=SimpleNamespace(list_ceremonies=lambda **_: page))

    monkeypatch.setattr(listing, "open_desk", desk)


def test_each_release_that_awaits_witnesses_has_a_line_that_says_what_it_is(capsys: Capture) -> None:
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "○ 6 ceremonies, 1 open, as the coordinator says"
    assert [line.strip() for line in lines if "awaiting" in line] == [
        "○ EMERGENCY widget 1.4 is provisional, and awaiting witnesses of the log",
        "○ release-revocation of widget 1.3 is approved, and awaiting witnesses of the log",
        "○ widget 1.1 is approved, and awaiting witnesses of the log",
    ]
    assert lines[-1].startswith("quorumseal show 01890a5d")


def test_programs_are_told_how_far_each_bundle_is(capsys: Capture) -> None:
    assert main(["list", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["ceremonies"]
    waiting = "awaiting witnesses"
    assert [each["publication"] for each in told] == [None, waiting, waiting, "pending", waiting, None]
