# SPDX-License-Identifier: Apache-2.0
"""Checkpoints beside a bundle's parts that witnesses of the policy cosigned: nobody shows them another log.

Witnesses cosign the newest checkpoint, seldom that of a conclusion itself: so each comes with the proof
that it extends the one with which the last part concluded.  They lie outside the parts, as timestamps do.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

from quorumseal.ceremony.entries import Entry, read_entry
from quorumseal.ceremony.policy import Log, Policy
from quorumseal.ceremony.values import instant_text
from quorumseal.strict_json import Fields, JsonValue
from quorumseal.tlog import Checkpoint, Cosignature, read_cosignatures, verify_consistency
from quorumseal.verifier.errors import (
    BundleFormatError,
    CosignaturesMissingError,
    CosignatureTimeError,
    WitnessedCheckpointError,
)
from quorumseal.verifier.hashes import read_hashes, write_hashes
from quorumseal.verifier.part import Part, open_log_checkpoint

MOST_WITNESSED = 32
MOST_WITNESSED_BYTES = 256 << 10
"""What they take of a bundle at most: 32 notes of a few lines, and their proofs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnessed:
    """A cosigned checkpoint, and the proof that it extends that of the last part; nothing is verified."""

    checkpoint: bytes
    consistency: tuple[bytes, ...]


def write_witnessed(witnessed: Collection[Witnessed]) -> dict[str, JsonValue]:
    """Write what a bundle says of witnesses: nothing where there are none."""
    if not witnessed:
        return {}
    return {
        "witnessed": [
            {"checkpoint": each.checkpoint.decode(), "consistency": write_hashes(each.consistency)}
            for each in witnessed
        ]
    }


def read_witnessed(bundle: Fields) -> tuple[Witnessed, ...]:
    """Read the cosigned checkpoints of a bundle."""
    if "witnessed" not in bundle:
        return ()
    witnessed = tuple(_read(fields) for fields in bundle.objects("witnessed"))
    if not 1 <= len(witnessed) <= MOST_WITNESSED:
        raise BundleFormatError(
            f"expected 1 to {MOST_WITNESSED} cosigned checkpoints in a bundle, got {len(witnessed)}",
            hint="a bundle without cosignatures leaves the field out",
        )
    return witnessed


def judge_witnessed(
    witnessed: Sequence[Witnessed],
    part: Part,
    concluded: Checkpoint | None,
    policy: Policy,
    logs: Sequence[Log],
) -> tuple[Cosignature, ...]:
    """Return who vouches for a log that the last part is in, each once; refuse too few, or one that is wrong.

    ``concluded`` is the checkpoint of the part's conclusion, none where it is in no log; ``logs`` say who
    signs for the log.
    """
    if concluded is None:
        if witnessed:
            raise WitnessedCheckpointError(
                "expected no cosigned checkpoint beside a ceremony that is in no log, got one"
            )
        return ()
    checkpoints = [_open(each, concluded, logs) for each in witnessed]
    if any(one.size >= other.size for one, other in pairwise(checkpoints)):
        raise WitnessedCheckpointError(
            "expected cosigned checkpoints of ascending sizes, each once, got "
            f"{', '.join(str(each.size) for each in checkpoints)}"
        )
    conclusion = read_entry(part.entries[-1])
    found: dict[str, Cosignature] = {}
    for each in witnessed:
        for cosignature in read_cosignatures(each.checkpoint, policy.witnesses):
            _check_time(cosignature, conclusion, policy)
            found.setdefault(cosignature.witness.name, cosignature)
    require_enough(found, policy)
    return tuple(found[name] for name in sorted(found))


def require_enough(found: Collection[str], policy: Policy) -> None:
    """Refuse fewer witnesses, by name, than the policy asks for."""
    asked = policy.log.cosignatures
    if len(found) < asked:
        missing = tuple(each.name for each in policy.witnesses if each.name not in found)
        raise CosignaturesMissingError(
            f"expected cosignatures of {asked} of the log's witnesses, got {len(found)}; "
            f"missing: {', '.join(missing)}",
            asked=asked,
            missing=missing,
            got=len(found),
            hint="ask the publisher for the bundle as it was published, with its cosignatures",
        )


def _open(each: Witnessed, concluded: Checkpoint, logs: Sequence[Log]) -> Checkpoint:
    first, *later = logs
    checkpoint = open_log_checkpoint(each.checkpoint, first, *later)
    if checkpoint.size < concluded.size:
        raise WitnessedCheckpointError(
            f"expected cosigned checkpoints of size {concluded.size} or more, which hold the conclusion, "
            f"got one of size {checkpoint.size}",
            hint="it vouches for what the log was before; ask the publisher for the bundle as published",
        )
    verify_consistency(concluded.size, concluded.root, checkpoint.size, checkpoint.root, each.consistency)
    return checkpoint


def _check_time(cosignature: Cosignature, conclusion: Entry, policy: Policy) -> None:
    if cosignature.at + policy.clock_skew < conclusion.at:
        raise CosignatureTimeError(
            f"expected a cosignature after the conclusion ({instant_text(conclusion.at)}), got one of "
            f"{instant_text(cosignature.at)} by {cosignature.witness.name}",
            hint="the log's clock ran ahead, or the witness's behind",
        )


def _read(fields: Fields) -> Witnessed:
    return Witnessed(
        checkpoint=fields.text("checkpoint").encode(), consistency=read_hashes(fields, "consistency")
    )
