# SPDX-License-Identifier: Apache-2.0
"""A status file brings the policies that say who signs it, never another one of a version that is known."""

from quorumseal.verifier.policy_chain import PolicyChain, policy_chain
from quorumseal.verifier.status import Status, read_status, write_status
from tests.changing import both_sides
from tests.forging import verdict
from tests.organisation import NOW, Organisation
from tests.simulated_log import SimulatedLog
from tests.verifier.keepers import claimed, handed_to, kept_by

OLD = kept_by("1 alice")


def followed_by(after: str) -> SimulatedLog:
    """Return a log in which alice handed the policy to somebody."""
    log, new = SimulatedLog(OLD), handed_to(OLD, after)
    log.versions.append(claimed(log, new, *both_sides(OLD, new, ["alice"], [after.split()[-1]])))
    return log


def status_of(log: SimulatedLog, organisation: Organisation = OLD) -> bytes:
    status = Status(
        organisation=organisation.name, log=organisation.origin, at=NOW, policies=tuple(log.versions)
    )
    return write_status(status, organisation.log_key)


def judged(brought: SimulatedLog, known: PolicyChain) -> str:
    return verdict(lambda: read_status(status_of(brought), known, brought.trust))


def test_the_policies_that_a_status_file_brings_follow_those_that_are_known() -> None:
    mine, other = followed_by("1 bob"), followed_by("1 erin")
    known = policy_chain(mine.versions, mine.trust)
    first = policy_chain(mine.versions[:1], mine.trust)
    assert judged(mine, known) == "accepted"
    assert judged(mine, first) == "accepted"
    assert judged(other, known) == "policy_chain.broken"
