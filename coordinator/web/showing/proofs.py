# SPDX-License-Identifier: Apache-2.0
"""Where an entry stands in the log, and what proves it."""

import base64
from dataclasses import dataclass

from coordinator.web.context import WebContext
from quorumseal.tlog import inclusion_nodes, prove_inclusion


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A witness's word on the log of a size."""

    witness: str
    size: int
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One entry in the tree of the newest checkpoint that covers it."""

    index: int
    size: int
    note: str
    hashes: tuple[str, ...]
    """The inclusion proof, from the leaf to the root, in Base64."""
    cosigned: tuple[Cosigned, ...]
    """Who else vouches for a log that has the entry."""


def proof_of(context: WebContext, index: int) -> Proof:
    """Prove that an entry is in the log, up to its newest checkpoint."""
    checkpoint = context.reader.newest_checkpoint()
    witnesses = [each.name for each in context.policies.newest.policy.witnesses]
    node = context.storage.log.nodes(inclusion_nodes(index, checkpoint.size))
    hashes = prove_inclusion(index, checkpoint.size, node)
    return Proof(
        index=index,
        size=checkpoint.size,
        note=checkpoint.note.decode(),
        hashes=tuple(base64.b64encode(each).decode() for each in hashes),
        cosigned=tuple(
            Cosigned(each.witness, each.size, each.line)
            for each in context.storage.cosignatures.covering(index + 1, witnesses)
        ),
    )
