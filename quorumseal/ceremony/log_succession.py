# SPDX-License-Identifier: Apache-2.0
"""How one policy's log follows another's: the origin stays, and a new key begins where the log is known.

A new key names a size and the root that the log had then.  Whoever proposes it has verified a checkpoint of
that size or a larger one under the key before, as their request says; so the new key is bound to all that
the old one signed, and nobody who gets hold of either can tell another past.
"""

from quorumseal.ceremony.errors import LogSuccessionError
from quorumseal.ceremony.policy import Log, LogKey
from quorumseal.ceremony.statements import SeenCheckpoint


def new_log_key(old: Log, new: Log) -> LogKey | None:
    """Return the key that the next policy's log adds, if any; refuse a log that is not the same one."""
    if new.origin != old.origin:
        raise LogSuccessionError(
            f"expected the log {old.origin}, got {new.origin}",
            hint="an organisation keeps its log; only its key rotates",
        )
    if new.keys[: len(old.keys)] != old.keys:
        raise LogSuccessionError(
            f"expected the {len(old.keys)} keys that the log has had, unchanged, then a new one, "
            f"got {', '.join(f'{key.key.key_id} from size {key.from_size}' for key in new.keys)}",
            hint="keep every key of the log in its place: old checkpoints need them",
        )
    added = new.keys[len(old.keys) :]
    if len(added) > 1:
        raise LogSuccessionError(
            f"expected one new key of the log at a time, got {len(added)}", hint="propose one after the other"
        )
    return added[0] if added else None


def anchors(log: Log) -> frozenset[SeenCheckpoint]:
    """Return where the later keys of a log begin, as checkpoints that its tree extends."""
    return frozenset(
        SeenCheckpoint(size=key.from_size, root=key.from_root)
        for key in log.keys
        if key.from_root is not None
    )


def check_log_follows(old: Log, new: Log, seen: SeenCheckpoint) -> None:
    """Refuse a log key that begins anywhere but at what its proposer had verified.

    Of a smaller size than that the proof is asked for wherever this ceremony's log is verified.
    """
    key = new_log_key(old, new)
    if key is None:
        return
    if key.from_size > seen.size or (key.from_size == seen.size and key.from_root != seen.root):
        raise LogSuccessionError(
            f"expected a log key that begins at the checkpoint that its proposer verified (size {seen.size}, "
            f"root {seen.root}) or before, got size {key.from_size}, root {key.from_root}",
            hint="fetch the log's head, name its size and root, and propose that",
        )
