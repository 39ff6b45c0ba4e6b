# SPDX-License-Identifier: Apache-2.0
"""What a coordinator would publish is judged as its consumers will."""

from datetime import timedelta

import pytest

from quorumseal.ceremony.chain import extend, open_chain
from quorumseal.ceremony.commands import Record
from quorumseal.ceremony.statements import Request
from quorumseal.refusal import Refusal
from quorumseal.verifier.published import judge_published
from tests.burning import BURNING, revocation
from tests.organisation import NOW, Organisation
from tests.simulated_log import SimulatedLog

LATER = NOW + timedelta(days=1)
PEOPLE = ("alice", "bob", "carol", "rita")


def published(acme: Organisation, request: Request) -> tuple[SimulatedLog, bytes]:
    log, at = SimulatedLog(acme), request.opened_at
    chain, opening = open_chain(acme.policy, acme.sign_request(request), at=at)
    entries = [opening]
    for person in PEOPLE:
        decision = acme.decision(person, chain.ceremony.request, at=at)
        chain, more = extend(chain, Record(acme.sign_decision(decision)), at=at)
        entries += more
    log.append(entries)
    return log, log.bundle(entries)


@pytest.mark.parametrize("acme", [Organisation(), Organisation(drill=True)], ids=["release", "drill"])
def test_a_bundle_that_verifies_is_accepted(acme: Organisation) -> None:
    request = acme.request()
    log, bundle = published(acme, request)
    judge_published(bundle, request, log.trust, now=LATER)
    with pytest.raises(Refusal):
        judge_published(bundle[:-1], request, log.trust, now=LATER)


def test_a_revocation_is_judged_as_one() -> None:
    request = revocation("sha256:" + "1" * 64)
    log, bundle = published(BURNING, request)
    judge_published(bundle, request, log.trust, now=LATER)
    with pytest.raises(Refusal):
        judge_published(bundle, BURNING.request(), log.trust, now=LATER)
