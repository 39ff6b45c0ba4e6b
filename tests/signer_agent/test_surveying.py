# SPDX-License-Identifier: Apache-2.0
"""What a lost key touched, and its re-approvals: twelve releases, a key in five of them, three fall short."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.succeeding import check_reapproval
from quorumseal.ceremony.values import digest_of
from quorumseal.client.errors import CoordinatorUnreachableError
from quorumseal.verifier.bundle import make_bundle, write_bundle
from quorumseal.verifier.verify import verify
from signer_agent.errors import NoReceiptError
from signer_agent.surveying import quorums_of, survey
from tests.burning import DAY, revocation
from tests.organisation import NOW
from tests.signer_agent.releases import RESTING, SHORT, WITHOUT_ALICE, Releases, bytes_of
from tests.simulated_coordinator import Message


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    return Releases(tmp_path)


def test_releases_that_rest_on_a_key_are_told_from_those_that_stand(releases: Releases) -> None:
    found = releases.survey()
    assert [each.version for each in found] == ["1.0", "1.1", "1.2", "1.3", "1.4"]
    assert [each.version for each in found if each.needs_reapproval] == SHORT
    assert found[0].judgement.missing == ("engineering needs one more: erin",)
    assert found[0].ceremony == releases.ceremonies["1.0"]
    by = found[3].judgement.stands_by
    assert by is not None
    assert by[1].seats == {"engineering": ("bob", "erin"), "security": ("carol",), "release": ("dan",)}


def test_what_the_log_had_before_the_instant_still_counts(releases: Releases) -> None:
    second = releases.coordinator.chains[releases.ceremonies["1.1"]].ceremony.times["alice"]
    assert [each.version for each in releases.survey(since=second)] == ["1.1", "1.2", "1.3", "1.4"]
    assert releases.survey(since=NOW + DAY * 9) == ()


def test_one_reapproval_is_asked_for_each_that_falls_short(releases: Releases) -> None:
    asked = releases.ask()
    assert [each.release.version for each in asked] == SHORT
    for each in asked:
        assert each.created
        assert each.opened is not None
        request = each.opened.chain.ceremony.request.statement
        assert request.kind is Kind.RE_APPROVAL
        assert request.reapproved is not None
        release = releases.coordinator.chains[each.release.ceremony]
        check_reapproval(request, request.reapproved, release.ceremony, release.hashes[-1])


def test_to_ask_again_signs_nothing(releases: Releases) -> None:
    first = releases.ask()
    signed = len(releases.desk("rita").key.signed)
    again = releases.ask()
    assert len(releases.desk("rita").key.signed) == signed == len(SHORT)
    assert [each.opened and each.opened.chain.id for each in again] == [
        each.opened and each.opened.chain.id for each in first
    ]
    assert not any(each.created for each in again)


def test_an_interruption_is_resumed_where_it_was(tmp_path: Path) -> None:
    sent = 0

    def goes_down(message: Message) -> Any:
        nonlocal sent
        sent += message.method == "start" and not message.reply
        if message.method == "start" and message.reply and sent == 2:
            raise CoordinatorUnreachableError("expected an answer, got none")
        return message.content

    releases = Releases(tmp_path, hostile={"rita": goes_down})
    with pytest.raises(NoReceiptError):
        releases.ask()
    resumed = releases.ask()
    assert [each.release.version for each in resumed] == SHORT
    assert len(releases.desk("rita").key.signed) == len(SHORT), "nothing is signed twice"
    kinds = [chain.ceremony.request.statement.kind for chain in releases.coordinator.chains.values()]
    assert kinds.count(Kind.RE_APPROVAL) == len(SHORT)


def test_what_was_approved_anew_stands_by_that(releases: Releases) -> None:
    for each in releases.ask():
        assert each.opened is not None
        releases.approve(each.opened.chain.id, *WITHOUT_ALICE)
        assert releases.coordinator.state(each.opened.chain.id) is State.APPROVED
    found = releases.survey()
    assert [each.version for each in found] == ["1.0", "1.1", "1.2", "1.3", "1.4"]
    assert not any(each.needs_reapproval for each in found)
    by = found[0].judgement.stands_by
    assert by is not None
    assert by[0].request.statement.kind is Kind.RE_APPROVAL


def test_a_reapproval_with_the_same_key_helps_nothing(releases: Releases) -> None:
    for each in releases.ask():
        assert each.opened is not None
        releases.approve(each.opened.chain.id, *RESTING)
    again = releases.ask()
    assert [each.release.version for each in again] == SHORT
    assert all(each.created for each in again)


def test_what_was_taken_back_needs_nothing(releases: Releases) -> None:
    digest = releases.coordinator.chains[releases.ceremonies["1.1"]].ceremony.request.digest
    request = revocation(digest, at=releases.coordinator.now)
    taking_back = releases.coordinator.open(replace(request, version="1.1"))
    releases.approve(taking_back, "bob", "erin", "carol", "dan")
    found = {each.version: each for each in releases.survey()}
    assert found["1.1"].taken_back == taking_back
    assert [version for version, each in found.items() if each.needs_reapproval] == ["1.0", "1.2"]


def test_what_the_coordinator_leaves_out_is_found_in_the_bundles(tmp_path: Path) -> None:
    def hides(message: Message) -> Any:
        if message.method != "list_ceremonies" or not message.reply:
            return message.content
        kept = tuple(each for each in message.content.ceremonies if each.version != "1.0")
        return type(message.content)(ceremonies=kept, next_token="")

    releases = Releases(tmp_path, hostile={"rita": hides})
    assert "1.0" not in [each.version for each in releases.survey()]
    entries = releases.coordinator.entries[releases.ceremonies["1.0"]]
    part = releases.coordinator.log.part(entries)
    bundle = write_bundle(make_bundle([releases.policy], part))
    artifact = {"widget.tar.gz": digest_of(bytes_of("1.0"))}
    verified = verify(bundle, releases.coordinator.log.trust, artifact)
    published = {("widget", "1.0"): quorums_of(verified)}
    (found,) = survey(releases.desk("rita").agent, releases.lost(), published=published)
    assert found.ceremony == releases.ceremonies["1.0"]
    assert found.needs_reapproval
