# SPDX-License-Identifier: Apache-2.0
"""A recovery of the log, on record in the standing chain."""

from dataclasses import replace

import pytest

from quorumseal.ceremony.entries import EntryType, policy_entry, read_entry, write_entry
from quorumseal.ceremony.errors import ChainBrokenError, ValueFormatError
from quorumseal.ceremony.recovery import Extent, Recovery, read_recovery, write_recovery
from quorumseal.ceremony.standing_chain import recover, replay_standing
from quorumseal.strict_json import JsonValue, StrictJsonError
from tests.organisation import NOW, Organisation

ROOT, OTHER = "sha256:" + "1" * 64, "sha256:" + "2" * 64
RECOVERY = Recovery(
    before=Extent(100, ROOT), after=Extent(120, OTHER), handed_back=("alice", "bob"), unheard=("carol",)
)
BODY = write_recovery(RECOVERY)
FOUNDED = policy_entry(Organisation().policy, at=NOW, seq=0, prev=None)


@pytest.mark.parametrize("recovery", [RECOVERY, replace(RECOVERY, unheard=())])
def test_a_recovery_makes_the_round_trip(recovery: Recovery) -> None:
    assert read_recovery(write_recovery(recovery)) == recovery


def test_a_recovery_replays_and_changes_nothing_that_stands() -> None:
    chain = replay_standing([FOUNDED.payload])
    longer, entry = recover(chain, RECOVERY, NOW)
    assert (read_entry(entry.payload), entry.type) == (entry, "recovered")
    assert replay_standing([FOUNDED.payload, entry.payload]) == longer
    assert (longer.policies, longer.standing) == (chain.policies, chain.standing)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"before": {"size": 0, "root": ROOT}}, id="of everything"),
        pytest.param({"before": {"size": 120, "root": ROOT}}, id="of nothing"),
        pytest.param({"before": {"size": 121, "root": ROOT}}, id="backwards"),
        pytest.param({"handed_back": []}, id="by nobody"),
        pytest.param({"handed_back": ["bob", "alice"]}, id="in another order"),
        pytest.param({"handed_back": ["alice", "alice"]}, id="by somebody twice"),
        pytest.param({"unheard": ["alice"]}, id="by somebody who was not heard"),
        pytest.param({"before": {"size": 100, "root": "none"}}, id="from no root"),
        pytest.param({"after": {"size": 120, "root": OTHER, "at": "now"}}, id="with another field"),
        pytest.param({"why": "because"}, id="with a reason"),
        pytest.param({"handed_back": ["Alice!"]}, id="by no name"),
    ],
)
def test_no_other_recovery_is_read(change: dict[str, JsonValue]) -> None:
    chain = replay_standing([FOUNDED.payload])
    body = {**BODY, **change}
    entry = write_entry(EntryType.RECOVERED, body, at=NOW, ceremony=None, seq=1, prev=chain.hashes[-1])
    with pytest.raises((ChainBrokenError, ValueFormatError, StrictJsonError)):
        replay_standing([FOUNDED.payload, entry.payload])


def test_who_was_not_heard_is_left_out_where_everybody_was() -> None:
    body: dict[str, JsonValue] = {**BODY, "unheard": []}
    entry = write_entry(EntryType.RECOVERED, body, at=NOW, ceremony=None, seq=1, prev=FOUNDED.hash)
    with pytest.raises(ChainBrokenError):
        replay_standing([FOUNDED.payload, entry.payload])
