# SPDX-License-Identifier: Apache-2.0
"""A request that takes another one's place is shown with what it changes, from the verified earlier one."""

from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest

from quorumseal.ceremony.statements import Evidence, PolicyReference, Request, Subject
from quorumseal.ceremony.values import digest_of
from quorumseal.terminal import Screen
from signer_agent.documents import review_json
from signer_agent.inbox import open_inbox
from signer_agent.inbox_screen import draw_inbox
from signer_agent.review import Review
from signer_agent.revision_screen import draw_revision, revision_text
from signer_agent.revisions import difference, revision_between
from tests.organisation import ARTIFACT, Organisation, changed
from tests.signer_agent.desks import Desk
from tests.simulated_coordinator import SimulatedCoordinator

ONE, TWO = digest_of(b"one"), digest_of(b"two")
SBOM = Evidence(kind="sbom", name="sbom.json", media_type="application/json", digest=ONE)
REPORT = Evidence(kind="tests", name="report.xml", media_type="text/xml", digest=ONE)
ACME = Organisation()


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ({"a": ONE}, {"a": ONE}, "as before"),
        ({"a": ONE}, {"a": TWO}, "1 changed"),
        ({"a": ONE}, {"a": ONE, "b": TWO}, "1 added"),
        ({"a": ONE, "b": TWO}, {"a": ONE}, "1 removed"),
        ({"a": ONE, "b": ONE}, {"b": TWO, "c": ONE}, "1 changed, 1 added, 1 removed"),
        ({"a": ONE}, {"b": ONE}, "1 added, 1 removed"),
        ({}, {}, "as before"),
    ],
)
def test_digests_are_compared_by_name(before: dict[str, str], after: dict[str, str], words: str) -> None:
    found = difference(before, after)
    assert found.words == words
    assert (found.count == 0) is (before == after)
    assert found.changed == {name: before[name] for name in found.changed}


def second(earlier: str, **fields: object) -> Request:
    """A request that takes another one's place, changed."""
    request = ACME.request(number=2, supersedes=earlier)
    return replace(request, **fields)  # type: ignore[arg-type] # the caller's


def shown(review: Review) -> str:
    text = StringIO()
    screen = Screen.on(text, StringIO(), {})
    screen.line()
    draw_revision(screen, review)
    return text.getvalue()


@pytest.fixture
def coordinator() -> SimulatedCoordinator:
    return SimulatedCoordinator(ACME)


OTHER = (Subject(name="widget.tar.gz", digest=TWO), Subject(name="widget.zip", digest=ONE))


@pytest.mark.parametrize("seen_before", [True, False], ids=["seen before", "never seen"])
def test_a_review_says_what_a_revision_changes(
    tmp_path: Path, coordinator: SimulatedCoordinator, seen_before: bool
) -> None:
    desk = Desk(tmp_path / "alice", coordinator)
    first = coordinator.open(replace(ACME.request(), evidence=(SBOM,)))
    if seen_before:
        desk.look(first)
    earlier = coordinator.chains[first].ceremony.request.digest
    later = coordinator.open(second(earlier, subjects=OTHER, evidence=(replace(SBOM, digest=TWO), REPORT)))
    review = desk.look(later)
    assert review.revision is not None
    assert revision_text(review.revision) == "artifacts 1 changed, 1 added; evidence 1 changed, 1 added"
    lines = [line.strip() for line in shown(review).splitlines()]
    assert "! artifacts: 1 changed, 1 added" in lines
    assert lines[lines.index("widget.tar.gz was") + 1] == digest_of(ARTIFACT)
    assert "widget.zip is new" in lines
    assert lines[lines.index("sbom: sbom.json was") + 1] == ONE
    assert lines[-1].endswith("policy: as before")
    document = review_json(review)["revision"]
    assert isinstance(document, dict)
    assert document["artifacts"] == {
        "added": ["widget.zip"],
        "removed": [],
        "changed": {"widget.tar.gz": digest_of(ARTIFACT)},
    }


def test_the_inbox_says_it_in_a_line(tmp_path: Path, coordinator: SimulatedCoordinator) -> None:
    desk = Desk(tmp_path / "alice", coordinator)
    first = coordinator.open()
    coordinator.open(second(coordinator.chains[first].ceremony.request.digest, subjects=OTHER))
    text = StringIO()
    draw_inbox(Screen.on(text, StringIO(), {}), open_inbox(desk.agent), everything=False)
    assert "widget@1.0 takes an earlier request's place: artifacts 1 changed, 1 added" in text.getvalue()


def test_a_request_that_supersedes_nothing_says_nothing_of_it(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    review = Desk(tmp_path / "alice", coordinator).look(coordinator.open())
    assert review.revision is None
    assert "supersedes" not in shown(review)


def test_an_earlier_request_that_the_coordinator_does_not_show_is_said_to_be_missing(
    tmp_path: Path, coordinator: SimulatedCoordinator
) -> None:
    ceremony = coordinator.open_unasked(second(ONE))
    review = Desk(tmp_path / "alice", coordinator).look(ceremony)
    assert review.revision is None
    assert "! The coordinator does not show that request:" in shown(review)
    assert ONE in shown(review)


def test_another_policy_is_compared_where_this_agent_has_the_old_one() -> None:
    newer = changed(ACME, version=2, previous=ACME.policy.digest, quorum={"engineering": 1})
    earlier, later = ACME.request(), newer.request(number=2)
    compared = revision_between(
        earlier, later, before=ACME.policy.policy, after=newer.policy.policy, signer="alice"
    )
    assert compared.policy[0] == "policy version: 2 (it was 1)"
    assert "engineering needed: 1 (it was 2)" in compared.policy
    unknown = revision_between(earlier, later, before=None, after=newer.policy.policy, signer="alice")
    assert unknown.policy == ("policy version: 2 (it was 1)",)
    assert later.context.policy == PolicyReference(version=2, digest=newer.policy.digest)
