# SPDX-License-Identifier: Apache-2.0
"""What organisation to make: who has which role, what a release needs, where the coordinator listens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from quorumseal.ceremony.values import digest_of
from quorumseal.cli.policy.template import Draft
from quorumseal.signatures import PublicKey

POLICY_VALID = timedelta(days=365)
AUTHORITY_VALID = timedelta(days=3650)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What organisation to make."""

    name: str
    roles: Mapping[str, Sequence[str]]
    quorum: Mapping[str, int]
    requesters: Sequence[str]
    products: Sequence[str]
    listen: str
    address: str | None = None
    """Where others reach it, if not where it listens."""
    machines: Sequence[str] = ()
    """Who of them is a program, which asks on behalf of a person."""
    spare_keys: Sequence[str] = ()
    """Who gets a second key."""
    rejection: str = "veto"
    emergency: Mapping[str, int] = field(default_factory=dict)
    """How many of which role release in an emergency; none where there are no emergencies."""
    guardians: Sequence[str] = ()
    veto_window: str = "10m"
    drill: bool = False

    @property
    def people(self) -> list[str]:
        """Everybody who has a role."""
        return [*dict.fromkeys(person for members in self.roles.values() for person in members)]

    @property
    def reached(self) -> str:
        """Where others reach the coordinator."""
        return self.address or self.listen

    def draft(
        self,
        keys: Mapping[str, PublicKey],
        *,
        log_key: PublicKey,
        authority: bytes,
        at: datetime,
        spare: Mapping[str, PublicKey] | None = None,
        witnesses: Mapping[str, PublicKey] | None = None,
    ) -> Draft:
        """Return what goes into the first policy; whoever has no key yet brings one by enrolling."""
        return Draft(
            organisation=self.name,
            people={person: keys.get(person) for person in self.people},
            machines=frozenset(self.machines),
            roles=self.roles,
            quorum=self.quorum,
            requesters=self.requesters,
            products=self.products,
            origin=f"{self.name}/log",
            log_key=log_key,
            authorities=[digest_of(authority)],
            valid_from=at,
            valid_until=at + POLICY_VALID,
            spare=spare or {},
            witnesses=witnesses or {},
            rejection=self.rejection,
            emergency=self.emergency,
            guardians=frozenset(self.guardians),
            veto_window=self.veto_window,
            drill=self.drill,
        )
