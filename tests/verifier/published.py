# SPDX-License-Identifier: Apache-2.0
"""A published bundle to attack: its log, its trust file, and what it says when it is verified."""

from dataclasses import dataclass
from datetime import timedelta

from quorumseal.ceremony.chain import extend
from quorumseal.ceremony.commands import Record
from quorumseal.ceremony.entries import Entry
from quorumseal.ceremony.values import digest_of
from quorumseal.verifier.standing import Terms
from quorumseal.verifier.trust import Trust
from quorumseal.verifier.verify import Verified, verify
from tests.organisation import ARTIFACT, NOW, Organisation
from tests.simulated_log import SimulatedLog

ARTIFACTS = {"widget.tar.gz": digest_of(ARTIFACT)}


@dataclass(frozen=True)
class Published:
    """One ceremony in a log with another before it, and its bundle."""

    organisation: Organisation
    log: SimulatedLog
    entries: list[Entry]
    bundle: bytes

    @property
    def trust(self) -> Trust:
        """What its consumers pin."""
        return self.log.trust

    def verify(self, bundle: bytes | None = None, *, product: str | None = None) -> Verified:
        """Verify the bundle, or another in its place, for the artifact that was approved."""
        return verify(
            self.bundle if bundle is None else bundle, self.trust, ARTIFACTS, terms=Terms(product=product)
        )


def published(organisation: Organisation, *signers: str) -> Published:
    """Run a ceremony behind another one, each approval naming the newest checkpoint, and publish it."""
    log = SimulatedLog(organisation)
    earlier = organisation.sign_request(organisation.request(number=9, version="0.9"))
    log.append(organisation.run("alice", "bob", "carol", request=earlier)[1])
    chain, entries = organisation.run()
    log.append(entries)
    for minute, signer in enumerate(signers, start=1):
        when = NOW + timedelta(minutes=minute)
        decision = organisation.decision(signer, chain.ceremony.request, at=when, seen=log.seen())
        chain, more = extend(chain, Record(organisation.sign_decision(decision)), at=when)
        log.append(more)
        entries = [*entries, *more]
    return Published(organisation, log, entries, log.bundle(entries))


def told(verified: Verified) -> tuple[object, ...]:
    """Return everything that a verification says about a release, as values to compare."""
    decisions = verified.ceremony.decisions
    return (
        verified.subjects,
        verified.request,
        verified.approved_at,
        verified.seats,
        verified.policy.digest,
        verified.policy.signers,
        [(name, decisions[name].digest, decisions[name].key) for name in sorted(decisions)],
    )
