# SPDX-License-Identifier: Apache-2.0
"""The keys that this coordinator may sign the log with: which one of them it is, the policy says."""

from coordinator.errors import LogKeyError
from quorumseal.ceremony.policy import Log
from quorumseal.signatures import PrivateKey, PublicKey


class LogKeys:
    """The key of today and, while it rotates, the next one."""

    def __init__(self, *keys: PrivateKey) -> None:
        self._keys = {key.public: key for key in keys}

    @property
    def public(self) -> tuple[PublicKey, ...]:
        """What others know them by."""
        return tuple(self._keys)

    def holds(self, key: PublicKey) -> bool:
        """Whether it can sign with a key."""
        return key in self._keys

    def at(self, log: Log, size: int) -> PrivateKey:
        """Return the key that the policy's log names for a size; refuse to sign with any other."""
        expected = log.key_at(size)
        if expected not in self._keys:
            raise LogKeyError(
                f"expected the key that the policy names for log {log.origin} at size {size} "
                f"({expected.key_id}), got {' and '.join(key.key_id for key in self._keys)}",
                hint="point log_key at the right file",
            )
        return self._keys[expected]

    def check_next(self, log: Log) -> None:
        """Refuse a log that would go on under a key that this coordinator does not hold."""
        newest = log.keys[-1].key
        if not self.holds(newest):
            raise LogKeyError(
                f"expected a next log key that this coordinator holds, got {newest.key_id}",
                hint="make it with `quorumseal coordinator rotate-log-key`, then restart the coordinator",
            )
