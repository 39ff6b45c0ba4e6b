# SPDX-License-Identifier: Apache-2.0
"""Several chains from one pin: the longest is the newest, and two that part are kept as evidence."""

from dataclasses import replace

import pytest

from quorumseal.strict_json import read
from quorumseal.verifier.bundle import read_version
from quorumseal.verifier.errors import PolicyChainError, PolicyForkError, PolicyTooOldError
from quorumseal.verifier.newest import longest_chain
from tests.changing import both_sides
from tests.simulated_log import SimulatedLog
from tests.verifier.test_policy_chain import FIRST, LOG, ONE, OTHER_TWO, SECOND, THIRD

CHAIN = (FIRST, SECOND, THIRD)


def test_the_longest_of_several_pasts_is_the_newest_in_any_order() -> None:
    for chains in ([CHAIN], [CHAIN[:1], CHAIN, CHAIN[:2]], [CHAIN, CHAIN[:2]]):
        links = longest_chain(chains, LOG.trust)
        assert [link.policy.policy.version for link in links] == [1, 2, 3]
        assert [link.version for link in links] == [*CHAIN]


def test_a_fork_is_refused_with_both_versions_as_evidence() -> None:
    log = SimulatedLog(ONE)
    log.adopt(*both_sides(ONE, OTHER_TWO, ["alice"], ["erin"], number=300))
    for chains in ([CHAIN, log.versions], [log.versions, CHAIN]):
        with pytest.raises(PolicyForkError, match="expected one policy version 2, got two") as refused:
            longest_chain(chains, LOG.trust)
        evidence = read(refused.value.evidence, max_bytes=1 << 20)
        assert isinstance(evidence, dict)
        versions = evidence["versions"]
        assert isinstance(versions, list)
        assert [read_version(version) for version in versions] == [chains[0][1], chains[1][1]]


def test_what_is_too_old_for_the_trust_file_raises_nothing() -> None:
    trust = replace(LOG.trust, minimum_version=3)
    assert len(longest_chain([CHAIN[:1], CHAIN], trust)) == 3
    with pytest.raises(PolicyTooOldError, match="policy version 3 or newer, got one up to 2"):
        longest_chain([CHAIN[:2]], trust)
    with pytest.raises(PolicyTooOldError, match="up to 0"):
        longest_chain([], trust)


def test_a_gap_is_no_chain() -> None:
    with pytest.raises(PolicyChainError):
        longest_chain([[FIRST, THIRD]], LOG.trust)
