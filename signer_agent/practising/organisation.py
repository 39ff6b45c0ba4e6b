# SPDX-License-Identifier: Apache-2.0
"""The organisation that a practice is in: its policy is an exercise, and reserved for this by its name.

Two others take part, whose keys are made for the moment: one asks, one decides beside whoever practises.
Only they sign the policy, so that a key of the real world signs nothing here but decisions.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from quorumseal.ceremony.policy import (
    PRACTICE,
    Kind,
    Log,
    LogKey,
    Policy,
    Role,
    Rule,
    Signer,
    SignerKey,
    SignerKind,
)
from quorumseal.ceremony.policy_document import (
    SignedPolicy,
    genesis_previous,
    signed_policy,
    write_policy,
)
from quorumseal.ceremony.quorum import Threshold
from quorumseal.ceremony.statements import Context, PolicyReference, SeenCheckpoint
from quorumseal.signatures import JointEnvelope, PrivateKey, PublicKey, Scheme, generate_key
from quorumseal.signatures.dsse import sign
from quorumseal.verifier.trust import Trust

PRODUCT = "kettle"
ROLE = "reviewers"
_DAY = timedelta(days=1)
_OTHERS = ("asker", "colleague", "other-asker", "other-colleague")
Randomness = Callable[[int], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Practice:
    """The organisation, with the keys of all but the one who practises."""

    policy: SignedPolicy
    asker: str
    colleague: str
    keys: Mapping[str, PrivateKey]
    log_key: PrivateKey

    @property
    def trust(self) -> Trust:
        """What the one who practises trusts: this practice, and nothing else."""
        return Trust(organisation=PRACTICE, policy=self.policy.digest, minimum_version=1)

    def context(self, signer: str, seen: SeenCheckpoint, *, at: datetime) -> Context:
        """Return what binds a statement of one of the others."""
        policy = self.policy.policy
        return Context(
            organisation=PRACTICE,
            log=policy.log.origin,
            policy=PolicyReference(version=1, digest=self.policy.digest),
            signer=signer,
            signed_at=at,
            checkpoint=seen,
        )


def found_practice(you: str, key: PublicKey, *, at: datetime, randomness: Randomness) -> Practice:
    """Make an organisation for one practice."""
    asker, colleague = [name for name in _OTHERS if name != you][:2]
    keys = {name: generate_key(Scheme.ED25519, randomness) for name in (asker, colleague)}
    log_key = generate_key(Scheme.ED25519, randomness)
    publics = {you: key, **{name: private.public for name, private in keys.items()}}
    quorum = (Threshold(role=ROLE, count=2),)
    policy = Policy(
        organisation=PRACTICE,
        version=1,
        previous=genesis_previous(PRACTICE),
        expires=at + _DAY,
        clock_skew=timedelta(minutes=2),
        signers={
            name: Signer(name=name, kind=SignerKind.PERSON, keys=(_valid(public, at),))
            for name, public in publics.items()
        },
        roles={
            ROLE: Role(name=ROLE, members=frozenset({you, colleague})),
            "askers": Role(name="askers", members=frozenset({asker})),
        },
        rules={
            "standard": Rule(
                name="standard",
                quorum=quorum,
                requesters=frozenset({"askers"}),
                veto=frozenset({ROLE}),
                checks=frozenset(),
                deadline=timedelta(hours=1),
                longest=timedelta(hours=1),
            )
        },
        products={PRODUCT: {Kind.RELEASE: "standard", Kind.REVOCATION: "standard"}},
        governance=(Threshold(role="askers", count=1),),
        log=Log(origin=f"{PRACTICE}/{randomness(8).hex()}", keys=(LogKey(key=log_key.public, from_size=0),)),
        authorities=(),
        drill=True,
    )
    signed = signed_policy(JointEnvelope.of([sign(write_policy(policy), keys[asker])]))
    return Practice(policy=signed, asker=asker, colleague=colleague, keys=keys, log_key=log_key)


def _valid(key: PublicKey, at: datetime) -> SignerKey:
    return SignerKey(key=key, valid_from=at - _DAY, valid_until=at + _DAY)
