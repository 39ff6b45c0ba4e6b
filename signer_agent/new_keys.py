# SPDX-License-Identifier: Apache-2.0
"""Whether each new key of a proposal is shown to be that of its signer, by evidence that came with it."""

from collections.abc import Iterable

from quorumseal.ceremony.enrolment import verify_enrolment
from quorumseal.ceremony.key_rotation import EVIDENCE_KIND, MAX_BYTES, new_keys, read_rotation
from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.statements import Evidence
from quorumseal.ceremony.values import digest_of
from quorumseal.refusal import Refusal
from quorumseal.signatures import JointEnvelope, PublicKey
from quorumseal.strict_json import read
from signer_agent.agent import Agent

ENROLMENT_KIND = "enrolment"
_Owned = tuple[str, PublicKey]


def unexplained_keys(
    agent: Agent, old: Policy, new: Policy, evidence: Iterable[Evidence]
) -> tuple[_Owned, ...]:
    """Return the new keys of which nothing shows that they are their signer's, by name."""
    wanted = new_keys(old, new)
    if not wanted:
        return ()
    shown = {owned for each in evidence for owned in _shown(agent, old, each)}
    return tuple(sorted(wanted - shown, key=lambda owned: (owned[0], owned[1].key_id)))


def _shown(agent: Agent, old: Policy, evidence: Evidence) -> set[_Owned]:
    """Return what a file of evidence shows; what does not hold shows nothing."""
    if evidence.kind not in (EVIDENCE_KIND, ENROLMENT_KIND):
        return set()
    try:
        data = agent.connection.evidence(evidence.digest)
        if digest_of(data) != evidence.digest:
            return set()
        if evidence.kind == EVIDENCE_KIND:
            rotation = read_rotation(data, old)
            return {(rotation.signer, rotation.new)}
        enrolment = verify_enrolment(JointEnvelope.read(read(data, max_bytes=MAX_BYTES)))
    except Refusal:
        return set()
    return {(enrolment.signer, enrolment.key)} if enrolment.organisation == old.organisation else set()
