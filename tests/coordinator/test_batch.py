# SPDX-License-Identifier: Apache-2.0
"""What a batch makes of its commands, without a database."""

from dataclasses import replace
from datetime import timedelta

import pytest

from coordinator.batch import Batch
from coordinator.commands import Act, Start, WriterCommand, Written
from coordinator.errors import OldPolicyError
from coordinator.storage import EMPTY_HEAD, Append
from coordinator.unsealed import Ground
from quorumseal.ceremony.admission import Known, identity
from quorumseal.ceremony.commands import Record
from quorumseal.ceremony.entries import policy_entry
from quorumseal.ceremony.errors import ChainBrokenError, OtherPolicyError
from quorumseal.ceremony.fitting import Release
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.request_errors import OpenCeremonyExistsError
from quorumseal.ceremony.standing_chain import StandingChain, replay_standing
from quorumseal.ceremony.statements import Choice, Subject
from quorumseal.ceremony.values import digest_of
from quorumseal.tlog import open_checkpoint
from tests.organisation import NOW, Organisation, changed

AT = NOW + timedelta(minutes=1)
RELEASE = ("widget", "1.0", "release")
OTHER_BYTES = (Subject(name="widget.tar.gz", digest=digest_of(b"other bytes")),)


def founded(organisation: Organisation) -> StandingChain:
    """Return the standing chain of a log that holds one policy."""
    return replay_standing([policy_entry(organisation.policy, at=NOW, seq=0, prev=None).payload])


@pytest.fixture
def ground(organisation: Organisation) -> Ground:
    """An empty log of an organisation with one policy."""
    return Ground(
        head=EMPTY_HEAD,
        chains={},
        releases={RELEASE: [], ("widget", "1.0", "ratification"): []},
        standing=founded(organisation),
    )


def _start(organisation: Organisation, **fields: object) -> Start:
    request = organisation.request(**fields)  # type: ignore[arg-type] # names and types are the caller's
    return Start(policy=organisation.policy, request=organisation.sign_request(request))


def _decide(organisation: Organisation, signer: str, start: Start, choice: Choice = Choice.APPROVAL) -> Act:
    decision = organisation.sign_decision(organisation.decision(signer, start.request, choice))
    return Act(ceremony=start.request.statement.ceremony, command=Record(decision))


def _run(
    ground: Ground, organisation: Organisation, *commands: WriterCommand
) -> tuple[Append | None, list[object]]:
    batch = Batch(ground, at=AT)
    for command in commands:
        batch.run(command)
    append, outcomes = batch.seal(organisation.log_key)
    return append, [*outcomes]


def test_a_batch_of_refusals_writes_nothing(ground: Ground, organisation: Organisation) -> None:
    start = _start(organisation)
    append, outcomes = _run(ground, organisation, _decide(organisation, "alice", start))
    assert append is None
    assert isinstance(outcomes[0], Exception)


def test_a_whole_ceremony_fits_into_one_batch(ground: Ground, organisation: Organisation) -> None:
    start = _start(organisation)
    people = ("alice", "erin", "carol", "rita")
    ground = replace(ground, destinations=("directory:one", "directory:two"))
    append, outcomes = _run(
        ground, organisation, start, *(_decide(organisation, person, start) for person in people)
    )
    assert append is not None
    (row,) = append.opened
    assert (row.state, row.opened_index, row.concluded_index, row.ended_at) == ("approved", 0, 5, AT)
    assert append.moved == [], "it was never stored as open"
    assert [each.destination for each in append.outbox] == ["directory:one", "directory:two"]
    assert all(isinstance(outcome, Written) for outcome in outcomes)


def test_each_conclusion_has_the_checkpoint_of_its_own_size(
    ground: Ground, organisation: Organisation
) -> None:
    start, other = _start(organisation), _start(organisation, number=2, product="gadget")
    also: dict[Release, list[Known]] = {
        ("gadget", "1.0", "release"): [],
        ("gadget", "1.0", "ratification"): [],
    }
    ground = replace(ground, releases={**ground.releases, **also})
    append, _ = _run(
        ground,
        organisation,
        start,
        _decide(organisation, "carol", start, Choice.REJECTION),
        other,
        _decide(organisation, "alice", other),
    )
    assert append is not None
    assert [row.size for row in append.checkpoints] == [3, 5]
    for row in append.checkpoints:
        checkpoint = open_checkpoint(row.note, organisation.origin, [organisation.log_key.public])
        assert (checkpoint.size, checkpoint.root) == (row.size, row.root)
    assert append.after.root == append.checkpoints[-1].root


def test_a_request_sees_those_before_it_in_the_batch(ground: Ground, organisation: Organisation) -> None:
    start = _start(organisation)
    other = _start(organisation, number=2, subjects=OTHER_BYTES)
    revised = _start(organisation, number=3, subjects=OTHER_BYTES, supersedes=start.request.digest)
    append, outcomes = _run(ground, organisation, start, other, revised)
    assert isinstance(outcomes[1], OpenCeremonyExistsError)
    assert append is not None
    assert [entry.type for entry in append.entries] == ["opened", "superseded", "opened"]
    assert [row.state for row in append.opened] == ["superseded", "open"]


def test_a_refused_opening_does_not_end_what_it_would_have_superseded(
    ground: Ground, organisation: Organisation
) -> None:
    start = _start(organisation)
    not_a_manager = _start(
        organisation,
        number=2,
        subjects=OTHER_BYTES,
        supersedes=start.request.digest,
        requester="alice",
    )
    append, outcomes = _run(ground, organisation, start, not_a_manager)
    assert isinstance(outcomes[1], Exception)
    assert append is not None
    assert [row.state for row in append.opened] == ["open"]


def test_a_statement_under_another_policy_than_the_ceremonys_is_refused(
    ground: Ground, organisation: Organisation
) -> None:
    """It was authenticated, but by the keys of a policy that the ceremony did not pin."""
    start = _start(organisation)
    second = changed(organisation, version=2, previous=organisation.policy.digest)
    append, outcomes = _run(ground, organisation, start, _decide(second, "alice", start))
    assert isinstance(outcomes[1], OtherPolicyError)
    assert append is not None
    assert len(append.entries) == 1


def test_ceremonies_are_opened_under_the_newest_policy_only(
    ground: Ground, organisation: Organisation
) -> None:
    second = changed(organisation, version=2, previous=organisation.policy.digest)
    later = replace(ground.standing, policies=(organisation.policy, second.policy))
    _, (refusal,) = _run(replace(ground, standing=later), organisation, _start(organisation))
    assert isinstance(refusal, OldPolicyError)


def test_an_earlier_ceremony_that_is_in_nobodys_memory_counts_as_it_was_stored(
    ground: Ground, organisation: Organisation
) -> None:
    statement = organisation.request()
    approved = Known(
        ceremony=statement.ceremony,
        identity=identity(statement),
        request=organisation.sign_request(statement).digest,
        state=State.APPROVED,
        subjects=statement.subjects,
    )
    ground = replace(ground, releases={RELEASE: [approved]})
    append, (same, other) = _run(
        ground,
        organisation,
        _start(organisation, number=2),
        _start(organisation, number=3, subjects=OTHER_BYTES),
    )
    assert append is None
    assert getattr(same, "ceremony", None) == statement.ceremony
    assert isinstance(other, Exception)


def test_a_defect_is_the_outcome_of_its_own_command_only(ground: Ground, organisation: Organisation) -> None:
    start = _start(organisation)
    broken = Act(ceremony=start.request.statement.ceremony, command=Record(None))  # type: ignore[arg-type]
    _, outcomes = _run(ground, organisation, start, broken, _decide(organisation, "alice", start))
    assert [isinstance(outcome, Written) for outcome in outcomes] == [True, False, True]
    assert isinstance(outcomes[1], AttributeError)


def test_a_damaged_ceremony_is_not_opened_a_second_time(ground: Ground, organisation: Organisation) -> None:
    start = _start(organisation)
    damage = ChainBrokenError("expected the entries of a ceremony, got some of them")
    ground = replace(ground, damaged={start.request.statement.ceremony: damage})
    append, outcomes = _run(ground, organisation, start)
    assert (append, outcomes) == (None, [damage])
