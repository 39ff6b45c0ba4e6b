# SPDX-License-Identifier: Apache-2.0
"""Every metric: its name, its label, what it means, and what to make of it with several coordinators."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Final


@unique
class Sort(StrEnum):
    """How Prometheus treats the numbers."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@unique
class Scope(StrEnum):
    """Whose number it is."""

    SHARED = "shared"
    """Read from the database: every coordinator of it says the same, and a restart changes nothing."""
    OWN = "own"
    """Of this process, from its start on: add up what the coordinators say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric."""

    name: str
    sort: Sort
    scope: Scope
    about: str
    label: str = ""
    buckets: tuple[float, ...] = ()


def _named(sort: Sort) -> Callable[..., Metric]:
    def make(scope: Scope, name: str, about: str, label: str = "", buckets: Sequence[float] = ()) -> Metric:
        return Metric(
            name=f"quorumseal_{name}",
            sort=sort,
            scope=scope,
            about=about,
            label=label,
            buckets=tuple(buckets),
        )

    return make


_counter, _gauge, _histogram = _named(Sort.COUNTER), _named(Sort.GAUGE), _named(Sort.HISTOGRAM)
_shared, _own = Scope.SHARED, Scope.OWN
_HOUR, _DAY = 3600, 86_400
_WAITS = (60, 300, 900, _HOUR, 4 * _HOUR, 8 * _HOUR, *(days * _DAY for days in (1, 2, 3, 7, 14, 30)))
_COMMITS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)

# Ceremonies
CEREMONIES = _counter(_shared, "ceremonies_total", "ceremonies that have ended", "outcome")
CEREMONIES_OPEN = _gauge(_shared, "ceremonies_open", "ceremonies that are open")
TIME_TO_QUORUM = _histogram(
    _own,
    "time_to_quorum_seconds",
    "from the opening until the quorum was met; that of an emergency counts whenever it is met anew",
    "mode",
    _WAITS,
)
ROLE_RESPONSE = _histogram(
    _own,
    "role_response_seconds",
    "from the turn of a role until each of its members first decided",
    "role",
    _WAITS,
)

# Emergencies
BREAKGLASS = _counter(
    _shared,
    "breakglass_total",
    "emergencies by their end; one that was `provisional` counts as `ratified` or `lapsed` too, later",
    "outcome",
)
BREAKGLASS_OPEN = _gauge(_shared, "breakglass_open", "emergencies that are open")
BREAKGLASS_UNRATIFIED = _gauge(
    _shared, "breakglass_unratified", "provisional emergencies that are not ratified and have not lapsed"
)
BREAKGLASS_RATIFY_BY = _gauge(
    _shared, "breakglass_ratify_by_timestamp_seconds", "when the first of these lapses; absent without any"
)
BREAKGLASS_REPORTS_LATE = _gauge(
    _shared, "breakglass_reports_late", "emergencies whose report is late and not filed"
)

# Telling people
NOTICES = _gauge(_shared, "notices", "notices on their way (`pending`) and given up (`dead`)", "state")
NOTIFICATION_FAILURES = _counter(
    _own, "notification_failures_total", "attempts to deliver a notice that failed", "channel"
)
BREAKGLASS_NOTICE_FAILURES = _counter(
    _own, "breakglass_notice_failures_total", "those of them that were about an emergency"
)

# People
AGENT_CONNECTED = _gauge(
    _own, "agent_connected", "members of a role whose agent is connected to this coordinator", "role"
)
ROLE_AVAILABLE = _gauge(
    _shared,
    "role_available_signers",
    "who could decide for a role now: members who are not away, and deputies of those who are",
    "role",
)
ROLE_NEEDED = _gauge(_shared, "role_needed_signers", "the most that any rule asks of a role", "role")

KEY_EXPIRY = _gauge(
    _shared,
    "key_expiry_timestamp_seconds",
    "when the first signer has no key left that may sign",
)
POLICY_EXPIRY = _gauge(_shared, "policy_expiry_timestamp_seconds", "when the newest policy ends")

# The log and what follows it
CHECKPOINT_SIZE = _gauge(
    _shared, "checkpoint_size", "entries under the newest checkpoint, of which there are never fewer"
)
TIMESTAMP_FAILURES = _counter(
    _own, "timestamp_failures_total", "attempts to get a timestamp of a conclusion that failed"
)
PUBLICATIONS = _gauge(_shared, "publications", "bundles at or on their way to each destination", "state")
COSIGNATURES = _counter(_own, "cosignatures_total", "cosignatures of checkpoints that were taken in")
OUTBOX_BACKLOG = _gauge(_shared, "outbox_backlog", "those that are not there yet")
OUTBOX_AGE = _gauge(
    _shared, "outbox_oldest_seconds", "how long the oldest of these has waited; 0 without any"
)

# This coordinator
BATCH = _histogram(
    _own, "writer_batch_commands", "commands that were decided and written together", "", _BATCHES
)
COMMIT = _histogram(
    _own, "writer_commit_seconds", "how long the database took to make a batch durable", "", _COMMITS
)
RACES = _counter(
    _own, "writer_lost_races_total", "batches decided again because another coordinator was faster"
)
QUEUE = _gauge(_own, "writer_queue", "commands that wait for the writer")
QUEUE_LIMIT = _gauge(_own, "writer_queue_limit", "how many may wait; more are told to come again")
CALLS = _gauge(_own, "calls_in_progress", "calls and streams in progress")
REFUSALS = _counter(_own, "refusals_total", "calls that were refused, by the code of the refusal", "code")
CERTIFICATE_EXPIRY = _gauge(
    _own,
    "certificate_expiry_timestamp_seconds",
    "when the certificate of the `server` and that of its `pages` run out, and the first of the "
    "`client_authorities`",
    "certificate",
)
PAGES = _gauge(
    _own, "pages", "browsers' `connections`, their `handshakes`, `sessions` of people who signed in", "what"
)
SIEM_WAITING = _gauge(_own, "siem_waiting_entries", "entries that were not handed to the SIEM yet")
SIEM_BLOCKED = _gauge(
    _own, "siem_blocked_seconds", "for how long the SIEM has taken nothing of them; 0 while it does"
)
SIEM_FAILURES = _counter(_own, "siem_failures_total", "attempts to hand entries to the SIEM that failed")
ENDED_THREADS = _gauge(_own, "ended_threads", "parts of the coordinator that have ended and should not have")
REWOUND = _gauge(
    _own, "rewound", "1 where nothing is written, since the log is shorter than something shows that it was"
)
DATABASE_UP = _gauge(
    _own, "database_up", "1 where the database answered; where it is 0, all that is shared is absent"
)

METRICS: Final = tuple(each for each in list(globals().values()) if isinstance(each, Metric))
