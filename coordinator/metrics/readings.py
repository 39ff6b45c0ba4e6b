# SPDX-License-Identifier: Apache-2.0
"""What is asked for at each scrape, as observations: the database's own truth, and this process.

Each function is a pure rule from plain values; ``Readings`` only fetches them.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from coordinator.errors import StorageFailedError
from coordinator.metrics.catalogue import (
    AGENT_CONNECTED,
    BREAKGLASS,
    BREAKGLASS_OPEN,
    BREAKGLASS_RATIFY_BY,
    BREAKGLASS_REPORTS_LATE,
    BREAKGLASS_UNRATIFIED,
    CALLS,
    CEREMONIES,
    CEREMONIES_OPEN,
    CERTIFICATE_EXPIRY,
    CHECKPOINT_SIZE,
    DATABASE_UP,
    ENDED_THREADS,
    KEY_EXPIRY,
    NOTICES,
    OUTBOX_AGE,
    OUTBOX_BACKLOG,
    POLICY_EXPIRY,
    PUBLICATIONS,
    QUEUE,
    QUEUE_LIMIT,
    REWOUND,
    ROLE_AVAILABLE,
    ROLE_NEEDED,
)
from coordinator.metrics.observing import Observation
from coordinator.policies import Policies
from coordinator.status import AfterEmergencies, StatusFile
from coordinator.storage import CeremonyRow, DeliveryState, Storage
from coordinator.values import PublicationState
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.standing import Standing
from quorumseal.ceremony.standing_chain import StandingChain, replay_standing

ENDED = tuple(state for state in State if state is not State.OPEN)
EMERGENCIES_ENDED = (*(state for state in ENDED if state is not State.APPROVED), "vetoed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """What this process says about itself."""

    present: Callable[[], Collection[str]]
    """The signers whose agents are connected."""
    calls: Callable[[], int]
    queued: Callable[[], int]
    queue_limit: int
    lost: Callable[[], Collection[str]]
    expiries: Callable[[], Mapping[str, datetime]]
    """When which certificates run out; they may be replaced while it runs."""
    rewound: Callable[[], bool] = lambda: False
    parts: Callable[[], Sequence[Observation]] = tuple
    """What those parts say that not every coordinator has: pages, the export to a SIEM."""


class Readings:
    """Fetches and reads; every call blocks, and belongs in a thread."""

    def __init__(
        self,
        storage: Storage,
        policies: Policies,
        status: StatusFile,
        process: Process,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._storage = storage
        self._policies = policies
        self._status = status
        self._process = process
        self._now = now
        self._chain = policies.chain

    def read(self) -> list[Observation]:
        """Return everything; without a database that answers, what this process knows by itself."""
        own = of_process(self._process, self._policies.newest.policy)
        try:
            return [*own, Observation(DATABASE_UP, 1), *self._shared()]
        except StorageFailedError:
            return [*own, Observation(DATABASE_UP, 0)]

    def _shared(self) -> list[Observation]:
        at, counts = self._now(), self._storage.counting.counts()
        chain = self._standing(counts.standing)
        emergencies = self._storage.ceremonies.emergencies()
        return [
            *of_ceremonies(counts.ceremonies),
            *of_emergencies(emergencies, self._status.after_emergencies(at=at), at=at),
            *of_people(chain.policies[-1].policy, chain.standing, at=at),
            *of_endings(chain.policies[-1].policy),
            *of_outbox(counts.publications, counts.oldest_unpublished, at=at),
            Observation(NOTICES, counts.undelivered, DeliveryState.PENDING),
            Observation(NOTICES, counts.dead, DeliveryState.DEAD),
            Observation(CHECKPOINT_SIZE, counts.checkpoint_size),
        ]

    def _standing(self, entries: int) -> StandingChain:
        """Return who is away as the database has it: another coordinator may have written it."""
        self._chain = max(self._chain, self._policies.chain, key=lambda chain: len(chain.hashes))
        if len(self._chain.hashes) < entries:
            self._chain = replay_standing(row.payload for row in self._storage.log.standing())
        return self._chain


def of_process(process: Process, policy: Policy) -> list[Observation]:
    """Read what a process says about itself."""
    present = frozenset(process.present())
    return [
        *(
            Observation(AGENT_CONNECTED, len(present & role.members), role.name)
            for role in policy.roles.values()
        ),
        Observation(CALLS, process.calls()),
        Observation(QUEUE, process.queued()),
        Observation(QUEUE_LIMIT, process.queue_limit),
        Observation(ENDED_THREADS, len(process.lost())),
        Observation(REWOUND, int(process.rewound())),
        *(
            Observation(CERTIFICATE_EXPIRY, at.timestamp(), name)
            for name, at in sorted(process.expiries().items())
        ),
        *process.parts(),
    ]


def of_ceremonies(counts: Mapping[str, int]) -> list[Observation]:
    """Read how many ceremonies are in each state."""
    ended = [Observation(CEREMONIES, counts.get(state, 0), state) for state in ENDED]
    return [Observation(CEREMONIES_OPEN, counts.get(State.OPEN, 0)), *ended]


def of_emergencies(
    rows: Collection[CeremonyRow], after: AfterEmergencies, *, at: datetime
) -> list[Observation]:
    """Read what became of all emergencies."""
    became = [_outcome(row) for row in rows]
    first = [Observation(BREAKGLASS_RATIFY_BY, min(after.waiting).timestamp())] if after.waiting else []
    return [
        *(Observation(BREAKGLASS, became.count(outcome), outcome) for outcome in EMERGENCIES_ENDED),
        Observation(BREAKGLASS, len(after.ratified), "ratified"),
        Observation(BREAKGLASS, len(after.lapsed), "lapsed"),
        Observation(BREAKGLASS_OPEN, became.count(State.OPEN)),
        Observation(BREAKGLASS_UNRATIFIED, len(after.waiting)),
        *first,
        Observation(
            BREAKGLASS_REPORTS_LATE, sum(row.report_due is not None and row.report_due <= at for row in rows)
        ),
    ]


def of_people(policy: Policy, standing: Standing, *, at: datetime) -> list[Observation]:
    """Read for each role who could decide, and how many that should be."""
    return [
        observation
        for role in policy.roles.values()
        for observation in (
            Observation(ROLE_AVAILABLE, len(available(policy, standing, role.name, at=at)), role.name),
            Observation(ROLE_NEEDED, _needed(policy, role.name), role.name),
        )
    ]


def of_endings(policy: Policy) -> list[Observation]:
    """Read when the policy ends, and when the first signer has no key left."""
    last = (max(key.valid_until for key in signer.keys) for signer in policy.signers.values())
    return [
        Observation(POLICY_EXPIRY, policy.expires.timestamp()),
        Observation(KEY_EXPIRY, min(last).timestamp()),
    ]


def of_outbox(counts: Mapping[str, int], oldest: datetime | None, *, at: datetime) -> list[Observation]:
    """Read how bundles get to where they are published."""
    waits = 0.0 if oldest is None else max(0.0, (at - oldest).total_seconds())
    backlog = sum(count for state, count in counts.items() if state != PublicationState.PUBLISHED)
    return [
        *(Observation(PUBLICATIONS, counts.get(state, 0), state) for state in PublicationState),
        Observation(OUTBOX_BACKLOG, backlog),
        Observation(OUTBOX_AGE, waits),
    ]


def available(policy: Policy, standing: Standing, role: str, *, at: datetime) -> frozenset[str]:
    """Return who could decide for a role now; a deputy only where they stand in for somebody away."""
    members = policy.roles[role].members
    silent = {
        name
        for name, signer in policy.signers.items()
        if standing.is_suspended(name, at=at) or all(k.key.key_id in standing.revoked for k in signer.keys)
    }
    away = {member for member in members if standing.away(member, at=at)} | silent
    deputies = {
        each.statement.deputy
        for each in standing.live(at=at)
        if each.statement.role == role and each.signer in away - silent and each.statement.since <= at
    }
    there = {each for each in deputies - silent if not standing.away(each, at=at)}
    return frozenset(members - away) | there


def _outcome(row: CeremonyRow) -> str:
    return "vetoed" if row.stopped_by is not None else row.state


def _needed(policy: Policy, role: str) -> int:
    quorums = [rule.quorum for rule in policy.rules.values()]
    quorums += [rule.emergency.quorum for rule in policy.rules.values() if rule.emergency]
    return max((each.count for quorum in quorums for each in quorum if each.role == role), default=0)
