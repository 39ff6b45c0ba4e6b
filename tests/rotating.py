# SPDX-License-Identifier: Apache-2.0
"""An organisation whose people change their keys, whose log changes its key, and whom people leave."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from quorumseal.ceremony.leaving import without_person
from quorumseal.ceremony.policy import LogKey, Policy
from quorumseal.ceremony.rotating import rotate_key, succeed
from quorumseal.ceremony.statements import SeenCheckpoint
from quorumseal.signatures import PrivateKey
from tests.organisation import Organisation, key_of


@dataclass(frozen=True, kw_only=True)
class Rotating(Organisation):
    """One version of it: ``written`` is its policy, once somebody has written another than the usual."""

    held: Mapping[str, PrivateKey] = field(default_factory=dict)
    """The newest key of whoever has changed theirs."""
    written: Policy | None = None

    def key(self, name: str) -> PrivateKey:
        """Return the key that somebody signs with by now."""
        return self.held[name] if name in self.held else super().key(name)

    def build_policy(self) -> Policy:
        """Return the policy of this version."""
        return super().build_policy() if self.written is None else self.written

    def follow(self, policy: Policy, **held: PrivateKey) -> "Rotating":
        """Return the next version, under a policy that somebody wrote."""
        return replace(
            self,
            version=policy.version,
            previous=policy.previous,
            written=policy,
            held={**self.held, **held},
        )

    def rotated(self, name: str, *, at: datetime) -> "Rotating":
        """Return the version in which somebody has another key."""
        key = key_of(f"{name} {self.version + 1}")
        policy = rotate_key(self.policy, name, self.key(name).public, key.public, at=at)
        return self.follow(policy, **{name: key})

    def with_log_key(self, key: PrivateKey, seen: SeenCheckpoint) -> "Rotating":
        """Return the version in which the log has another key, from a checkpoint on."""
        log = self.policy.policy.log
        keys = (*log.keys, LogKey(key=key.public, from_size=seen.size, from_root=seen.root))
        return self.follow(succeed(self.policy, log=replace(log, keys=keys)))

    def left_by(self, name: str, *, at: datetime, **replacements: str) -> "Rotating":
        """Return the version in which somebody is gone."""
        return self.follow(without_person(self.policy, name, replacements, at=at))
