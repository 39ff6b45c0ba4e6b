# SPDX-License-Identifier: Apache-2.0
"""Who belongs to the organisation, as far as letting people in goes.

Its policies say so; while it is founded, policy.toml does.  Read anew each time: it is rarely asked.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from coordinator.enrolment_errors import FoundingError
from coordinator.errors import LogEmptyError
from coordinator.policies import Policies
from coordinator.storage import EnrolmentRow, Storage
from quorumseal.ceremony.enrolment import Enrolment, read_enrolment
from quorumseal.ceremony.entries import EntryType, read_entry
from quorumseal.ceremony.policy import Log, Policy
from quorumseal.ceremony.policy_source import read_log
from quorumseal.client.values import EnrolmentRecord
from quorumseal.signatures import JointEnvelope, PublicKey


class Roster:
    """Policies, policy.toml and enrolments, seen together."""

    def __init__(self, storage: Storage, founding: Path | None) -> None:
        self._storage = storage
        self._founding = founding

    @property
    def founded(self) -> bool:
        """Whether there is a policy."""
        return self._storage.log.size() > 0

    def policies(self) -> tuple[Policy, ...]:
        """Return every version, oldest first; none while the organisation is founded."""
        try:
            return tuple(signed.policy for signed in Policies(self._storage).all)
        except LogEmptyError:
            return ()

    def source(self) -> str:
        """Return policy.toml, by which the organisation is founded."""
        if self._founding is None:
            raise FoundingError("expected [founding] in the settings of a log that is empty, got none")
        try:
            return self._founding.read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise FoundingError(f"expected the first policy in {self._founding}, got {error}") from None

    def log(self) -> Log:
        """Return the log that the newest policy names."""
        policies = self.policies()
        return policies[-1].log if policies else read_log(self.source())

    def enrolments(self) -> tuple[EnrolmentRecord, ...]:
        """Return who enrolled, oldest first."""
        return tuple(
            EnrolmentRecord(envelope=row.envelope, at=row.at, founder=row.founder)
            for row in self._storage.enrolments.enrolments()
        )

    def enrolled(self) -> dict[str, Enrolment]:
        """Return what each name enrolled last."""
        return {row.signer: _enrolment(row) for row in self._storage.enrolments.enrolments()}

    def founders(self) -> frozenset[str]:
        """Return whose last enrolment was that of a founder."""
        last = {row.signer: row.founder for row in self._storage.enrolments.enrolments()}
        return frozenset(name for name, founder in last.items() if founder)

    def founders_of(self, policy: Policy) -> frozenset[str]:
        """Return who signs a first policy: those whose key in it was enrolled by a founder's invitation."""
        rows = self._storage.enrolments.enrolments()
        keys = {name: signer.keys[0].key for name, signer in policy.signers.items()}
        return frozenset(
            row.signer for row in rows if row.founder and keys.get(row.signer) == _enrolment(row).key
        )

    def taken(self, enrolment: Enrolment) -> dict[PublicKey, str]:
        """Return every key that is somebody else's, or this person's for another use; and whose it is.

        Their own, for the same use, they may prove again: a certificate ran out, and they were invited anew.
        """
        own = {(enrolment.key, enrolment.signer, False), (enrolment.witness, enrolment.signer, True)}
        return {
            key: f"a {'witness key' if witness else 'key'} of {owner}"
            for key, owner, witness in self._keys()
            if (key, owner, witness) not in own
        }

    def _keys(self) -> Iterator[tuple[PublicKey, str, bool]]:
        """Every key that somebody has or had: whose it is, and whether it is a witness."""
        policies = self.policies()
        for log in [policy.log for policy in policies] or [read_log(self.source())]:
            yield from ((key.key, f"log {log.origin}", False) for key in log.keys)
        for policy in policies:
            for signer in policy.signers.values():
                yield from ((key.key, signer.name, False) for key in signer.keys)
                if signer.witness is not None:
                    yield signer.witness, signer.name, True
        for row in self._storage.enrolments.enrolments():
            enrolment = _enrolment(row)
            yield enrolment.key, row.signer, False
            yield enrolment.witness, row.signer, True

    def belongs(self, name: str) -> bool:
        """Whether somebody is in the newest policy, or enrolled and was not in one that they have left."""
        policies = self.policies()
        if policies and name in policies[-1].signers:
            return True
        enrolled = [row.at for row in self._storage.enrolments.enrolments() if row.signer == name]
        left = left_at(name, policies, self._policy_instants())
        return any(at > left for at in enrolled) if left is not None else bool(enrolled)

    def _policy_instants(self) -> Iterable[datetime]:
        entries = (read_entry(row.payload) for row in self._storage.log.standing())
        return (entry.at for entry in entries if entry.type is EntryType.POLICY)


def left_at(name: str, policies: Iterable[Policy], instants: Iterable[datetime]) -> datetime | None:
    """Return since when somebody who was in a policy is in none."""
    left, there = None, False
    for policy, at in zip(policies, instants, strict=True):
        if there and name not in policy.signers:
            left = at
        there = name in policy.signers
    return left


def _enrolment(row: EnrolmentRow) -> Enrolment:
    return read_enrolment(JointEnvelope.read(row.envelope).payload)
