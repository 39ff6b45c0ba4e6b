# SPDX-License-Identifier: Apache-2.0
"""Who signs for the log: the policy in force says so, also of ceremonies that keep an earlier one."""

from quorumseal.ceremony.policy import Log
from quorumseal.ceremony.policy_document import SignedPolicy, read_policy
from signer_agent.agent import Agent


def log_in_force(agent: Agent, policy: SignedPolicy) -> Log:
    """Return the log by the newest policy that this agent has verified; by the given one where it is that."""
    highest = agent.journal.highest_policy()
    if highest is None or highest.digest == policy.digest:
        return policy.policy.log
    payload = agent.journal.policy(highest.digest)
    assert payload is not None  # noqa: S101 - the journal has what it calls the highest
    return read_policy(payload).log
