# SPDX-License-Identifier: Apache-2.0
"""A release that waits for a witness whom a later policy does not have is approved anew under that policy."""

import pytest

from coordinator.commands import Act, Start
from coordinator.cosigning import Cosigning
from coordinator.errors import NotAWitnessError
from coordinator.metrics.observing import unobserved
from coordinator.notifying import Notifier, Routes
from coordinator.publishing import Publishing
from coordinator.values import PublicationState
from quorumseal.ceremony.commands import Record
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statements import Decision
from quorumseal.tlog import add_lines, cosign, open_checkpoint
from quorumseal.verifier.trust import Trust
from quorumseal.verifier.verify import verify
from tests.burning import reapproval
from tests.changing import next_version, policy_decision, policy_request
from tests.coordinator.workshop import Desk, Place, Workshop
from tests.organisation import NOW, Organisation
from tests.verifier.published import ARTIFACTS

ONE = Organisation(witnessing=frozenset({"alice", "carol"}), cosignatures=2)
TWO = next_version(ONE, witnessing=frozenset({"alice", "dan"}))
TRUST = Trust(organisation=ONE.name, policy=ONE.policy.digest, minimum_version=1)


@pytest.fixture
def organisation() -> Organisation:
    return ONE


def adopt(desk: Desk, old: Organisation, new: Organisation) -> None:
    """Bring a policy change to its end."""
    for kind, under, number in ((Kind.POLICY_CHANGE, old, 50), (Kind.POLICY_ACCEPTANCE, new, 51)):
        request = under.sign_request(policy_request(kind, under, new, number=number, requester="alice"))
        proposed = new.policy.payload if kind is Kind.POLICY_CHANGE else None
        desk.written(Start(policy=under.policy, request=request, proposed=proposed))
        for signer in ("alice", "carol"):
            decide(desk, policy_decision(under, signer, request))


def decide(desk: Desk, decision: Signed[Decision]) -> None:
    desk.written(Act(ceremony=decision.statement.ceremony, command=Record(decision)))


def publishing_of(workshop: Workshop, desk: Desk, place: Place) -> tuple[Publishing, Cosigning]:
    clock = workshop.time.clock()
    notifier = Notifier(desk.storage, Routes(), clock=clock)
    publishing = Publishing(desk.storage, desk.reader, desk.policies, [place], clock=clock, notifier=notifier)
    cosigning = Cosigning(
        desk.storage,
        desk.policies,
        desk.high_water,
        clock=clock,
        woken=publishing.thread.wake,
        observe=unobserved,
    )
    return publishing, cosigning


def cosigned(desk: Desk, signer: str) -> bytes:
    note = desk.reader.newest_checkpoint().note
    checkpoint = open_checkpoint(note, ONE.origin, [ONE.log_key.public])
    name = f"acme.example/witness/{signer}"
    return add_lines(note, [cosign(checkpoint, ONE.witness_key(signer), name, at=NOW)])


def test_a_release_whose_witness_has_gone_says_so_and_is_approved_anew(workshop: Workshop) -> None:
    desk, release = workshop.approved()
    place = Place()
    publishing, cosigning = publishing_of(workshop, desk, place)
    adopt(desk, ONE, TWO)
    cosigning.take(cosigned(desk, "alice"), caller="alice")
    with pytest.raises(NotAWitnessError):
        cosigning.take(cosigned(desk, "carol"), caller="carol")
    publishing.publish_due()
    (publication,) = desk.reader.publications(release)
    assert publication.state is PublicationState.AWAITING_WITNESSES
    assert publication.detail == (
        "1 of 2 cosignatures; missing: acme.example/witness/carol; too few of them are witnesses of policy "
        "version 2: approve the release anew under it (`quorumseal release re-approve`)"
    )
    again = TWO.sign_request(reapproval(desk.chain(release), TWO, number=61, at=NOW))
    desk.written(Start(policy=TWO.policy, request=again))
    for signer in ("alice", "erin", "carol", "dan"):
        decide(desk, TWO.sign_decision(TWO.decision(signer, again)))
    for signer in ("alice", "dan"):
        cosigning.take(cosigned(desk, signer), caller=signer)
    publishing.publish_due()
    ((name, bundle),) = place.published
    assert name.startswith("widget@1.0@re-approval@1")
    verified = verify(bundle, TRUST, ARTIFACTS)
    assert [each.witness.name for each in verified.cosignatures] == [
        "acme.example/witness/alice",
        "acme.example/witness/dan",
    ]


def test_a_release_that_can_still_be_published_says_only_who_is_missing(workshop: Workshop) -> None:
    desk, release = workshop.approved()
    publishing, _ = publishing_of(workshop, desk, Place())
    adopt(desk, ONE, next_version(ONE, witnessing=frozenset({"alice", "carol", "dan"})))
    publishing.publish_due()
    (publication,) = desk.reader.publications(release)
    assert publication.detail.endswith("acme.example/witness/alice, acme.example/witness/carol")
