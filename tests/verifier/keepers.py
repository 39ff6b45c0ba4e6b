# SPDX-License-Identifier: Apache-2.0
"""Organisations that differ in who decides about their policy, and versions that somebody claims."""

from quorumseal.verifier.bundle import Adopted
from tests.changing import Side, next_version
from tests.organisation import Organisation, changed
from tests.simulated_log import SimulatedLog


def kept_by(keepers: str, **fields: object) -> Organisation:
    """Return the organisation about whose policy ``2 alice bob carol`` decide, two of these three."""
    acme = Organisation(quorum={"makers": 1}, requesters=frozenset({"keepers"}), machines=frozenset())
    return changed(changed(acme, **_kept(keepers)), **fields)


def handed_to(old: Organisation, keepers: str, **fields: object) -> Organisation:
    """Return the next version, about which others decide."""
    return next_version(old, **_kept(keepers), **fields)


def claimed(log: SimulatedLog, new: Organisation, change: Side, acceptance: Side) -> Adopted:
    """Log both sides, whatever came of them, and claim that they made a version."""
    log.append(change.entries)
    log.append(acceptance.entries)
    return log.adopted(new.policy.payload, change, acceptance)


def _kept(keepers: str) -> dict[str, object]:
    threshold, *people = keepers.split()
    return {
        "roles": {"keepers": tuple(people), "makers": ("rita", "mallory")},
        "governance": {"keepers": int(threshold)},
    }
