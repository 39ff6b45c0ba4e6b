# SPDX-License-Identifier: Apache-2.0
"""What the agent does when the log signed two histories: write both down, and sign no more.

The fork-proof file is for everybody: whoever has the log's public key can check it.  The block is a file of
its own, so that an operator can remove it without touching the proof.
"""

from collections.abc import Sequence
from pathlib import Path

from quorumseal.ceremony.policy import Log
from quorumseal.ceremony.values import digest_of
from quorumseal.tlog import fork_proof
from signer_agent.errors import BlockedError, ForkError
from signer_agent.home import Home, write_whole


def require_unblocked(home: Home) -> None:
    """Refuse to sign after a fork, until an operator has removed the block."""
    if home.block_file.exists():
        raise BlockedError(
            f"expected a log with one history, but this agent found two (see {home.block_file})",
            hint="show the fork-proof file to your auditor; whoever has understood it removes the block",
        )


def refuse_fork(
    home: Home, log: Log, first: bytes, second: bytes, given: Sequence[bytes] | None
) -> ForkError:
    """Write the proof and the block, and return (not raise) the refusal."""
    proof = fork_proof(first, second, log.origin, [key.key for key in log.keys], given=given)
    data = proof.write()
    file = home.state / f"fork-proof-{digest_of(data)[7:19]}.json"
    with home.exclusive():
        _write_once(file, data)
        _write_once(
            home.block_file,
            f"This agent signs nothing: the log {log.origin} signed two histories.\n"
            f"Both checkpoints are in {file.name}; whoever has the log's public key can check them.\n"
            "Remove this file, and keep that one, once you know which history is true.\n".encode(),
        )
    return ForkError(
        f"expected one history of {log.origin}, got two: sizes {proof.first_checkpoint.size} "
        f"and {proof.second_checkpoint.size}; both signed checkpoints are in {file}",
        hint="show that file to your auditor; nothing is signed until an operator removes the block",
    )


def _write_once(file: Path, data: bytes) -> None:
    """Write a file that is whole or not there; one that is there already stays."""
    if not file.exists():
        write_whole(file, data)
