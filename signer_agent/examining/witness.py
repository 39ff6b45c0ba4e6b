# SPDX-License-Identifier: Apache-2.0
"""How ``agent doctor`` judges this agent's witness: whether it can vouch for the log, and as whom."""

from quorumseal.ceremony.log_witnesses import witness_name
from quorumseal.ceremony.policy import Policy
from quorumseal.refusal import Refusal
from quorumseal.signatures import PublicKey
from quorumseal.terminal.findings import Finding, fine, warning, wrong
from quorumseal.tlog import Witness
from signer_agent.examining.facts import Facts, Kept

_ABOUT = "witness"


def witness(facts: Facts, policy: Policy) -> Finding:
    """Judge the witness key, and how far it has cosigned."""
    name = witness_name(policy.organisation, facts.name)
    listed = next((each.key for each in policy.witnesses if each.name == name), None)
    key = facts.witness
    if isinstance(key, Refusal):
        return wrong(_ABOUT, str(key), key.hint or "compare [witness] of agent.toml")
    if key is None:
        return _without(listed)
    if Witness(name, key) not in policy.witnesses:
        known = "none" if listed is None else listed.key_id
        text = f"expected {key.key_id} to be {facts.name}'s witness key in the policy, got {known}"
        return warning(_ABOUT, text, "it cosigns nothing until a change of the policy lists it")
    return fine(_ABOUT, _said(facts.kept))


def _without(listed: PublicKey | None) -> Finding:
    if listed is None:
        return fine(_ABOUT, "this home has no witness key, and the policy counts on none of yours")
    text = f"expected the witness key {listed.key_id}, on which the policy counts, got none in this home"
    return warning(_ABOUT, text, "name its file as [witness] of agent.toml, or have it taken off the policy")


def _said(kept: Kept | Refusal) -> str:
    cosigned = None if isinstance(kept, Refusal) else kept.cosigned
    if cosigned is None:
        return "it vouches for the log while `agent run` works; nothing is cosigned yet"
    return f"it vouches for the log while `agent run` works; last at {cosigned} entries"
