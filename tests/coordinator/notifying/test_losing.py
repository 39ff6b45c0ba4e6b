# SPDX-License-Identifier: Apache-2.0
"""A revoked key and a suspension are told in each ceremony that they reach, with what is missing now."""

import pytest

from coordinator.notifying.notice import AUDIT, NoticeType
from coordinator.notifying.telling import notices_of
from quorumseal.ceremony.chain import extend
from quorumseal.ceremony.commands import Revoke, Suspend
from quorumseal.ceremony.revoking import read_revoked
from quorumseal.ceremony.suspending import read_suspended
from tests.burning import HOUR, open_emergency
from tests.losing import LOSING, by_guardian, suspends
from tests.organisation import NOW

REVOKED = Revoke(
    read_revoked(
        [by_guardian(each, "alice", since=NOW).envelope for each in ("bob", "carol")], [LOSING.policy]
    )
)
SUSPENDED = Suspend(
    read_suspended(
        [suspends(each, "alice", until=NOW + HOUR).envelope for each in ("bob", "carol")], [LOSING.policy]
    )
)


@pytest.mark.parametrize(
    ("command", "kind", "headline"),
    [
        (
            REVOKED,
            NoticeType.KEY_REVOKED,
            "widget 1.0: a key of alice is revoked since Fri 2026-11-20 14:00 UTC",
        ),
        (SUSPENDED, NoticeType.SUSPENDED, "widget 1.0: alice is suspended until Fri 2026-11-20 15:00 UTC"),
    ],
)
def test_whoever_waits_or_is_waited_for_hears_who_was_taken_out(
    command: Revoke | Suspend, kind: NoticeType, headline: str
) -> None:
    chain, _ = LOSING.run("alice", "bob")
    chain, entries = extend(chain, command, at=NOW + HOUR / 2)
    notices = notices_of(chain.ceremony, entries)
    assert {notice.type for notice in notices} == {kind}
    assert {notice.recipient for notice in notices} == {
        "alice",
        "bob",
        "carol",
        "dan",
        "erin",
        "rita",
        "mallory",
    }
    assert notices[0].headline == headline
    assert notices[0].sentences[0] == "What alice decided does not count any more."
    assert "engineering needs one more" in notices[0].sentences[1]


def test_in_an_emergency_everybody_hears_it() -> None:
    chain = open_emergency(LOSING)
    chain, entries = extend(chain, REVOKED, at=NOW)
    notices = notices_of(chain.ceremony, entries)
    assert {AUDIT, "frank", "ci"} <= {notice.recipient for notice in notices}
    assert not any("any more" in sentence for sentence in notices[0].sentences)
