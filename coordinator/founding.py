# SPDX-License-Identifier: Apache-2.0
"""The first entry of a log: the organisation's policy, version 1."""

from datetime import datetime

from coordinator.errors import LogKeyError, LogNotEmptyError
from coordinator.storage import EMPTY_HEAD, Append, EntryRow, LogHead, LostRaceError, Storage
from coordinator.tree import GrowingTree
from quorumseal.ceremony.entries import policy_entry
from quorumseal.ceremony.policy_document import SignedPolicy, genesis_previous
from quorumseal.ceremony.values import whole_milliseconds
from quorumseal.signatures import PrivateKey


def found(database: str, log_key: PrivateKey, policy: SignedPolicy, *, at: datetime) -> None:
    """Write a policy as entry 0 of an empty log, whose tables are made where there are none."""
    _check(policy, log_key)
    storage = Storage(database)
    try:
        found_in(storage, log_key, policy, at=at)
    finally:
        storage.close()


def found_in(storage: Storage, log_key: PrivateKey, policy: SignedPolicy, *, at: datetime) -> None:
    """Write a policy as entry 0 of an empty log."""
    _check(policy, log_key)
    at = whole_milliseconds(at)
    entry = policy_entry(policy, at=at, seq=0, prev=None)
    tree = GrowingTree(EMPTY_HEAD, policy.policy.log.origin, log_key)
    tree.extend([entry.payload])
    try:
        storage.append(
            Append(
                before=EMPTY_HEAD,
                after=LogHead(frontier=tree.frontier, root=tree.frontier.root(), at=at),
                entries=[EntryRow(0, entry.type, None, 0, entry.payload)],
                nodes=tree.nodes,
                checkpoints=tree.checkpoints,
            )
        )
    except LostRaceError:
        raise LogNotEmptyError(
            f"expected an empty log to found {policy.policy.organisation} in, "
            f"got one of {storage.log.size()} entries",
            hint="an organisation is founded once; name another database",
        ) from None


def _check(policy: SignedPolicy, log_key: PrivateKey) -> None:
    version, organisation = policy.policy.version, policy.policy.organisation
    if version != 1 or policy.policy.previous != genesis_previous(organisation):
        raise ValueError(f"a log begins with version 1 of a policy, not with version {version}")
    expected = policy.policy.log.key_at(1)
    if expected != log_key.public:
        raise LogKeyError(
            f"expected the key that the policy names for its log ({expected.key_id}), "
            f"got {log_key.public.key_id}",
            hint="the policy and the coordinator must name the same log key",
        )
