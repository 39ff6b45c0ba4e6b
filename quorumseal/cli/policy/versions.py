# SPDX-License-Identifier: Apache-2.0
"""The versions of an organisation's policy, verified, by their numbers."""

from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.cli.desk import Desk
from quorumseal.cli.errors import UsageError
from signer_agent.history import observe_history


class Versions:
    """Every version that a home has verified, the newest last."""

    def __init__(self, policies: tuple[SignedPolicy, ...]) -> None:
        self._policies = policies

    @property
    def newest(self) -> SignedPolicy:
        """The one in force."""
        return self._policies[-1]

    def numbered(self, version: int) -> SignedPolicy:
        """Return a version by its number."""
        if not 1 <= version <= len(self._policies):
            raise UsageError(
                f"expected a policy version from 1 to {len(self._policies)}, got {version}",
                hint="`quorumseal policy log` lists them",
            )
        return self._policies[version - 1]


def versions_of(desk: Desk) -> Versions:
    """Return the verified versions, from the home's trust file on."""
    return Versions(observe_history(desk.agent).policies)
