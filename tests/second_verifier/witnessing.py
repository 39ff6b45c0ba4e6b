# SPDX-License-Identifier: Apache-2.0
"""Cosigned checkpoints (docs/spec/log.md, Cosignatures; verification.md, step 8)."""

from collections.abc import Sequence

from tests.second_verifier import keys, log, parts
from tests.second_verifier.parts import Bundle, Judged
from tests.second_verifier.policy import Policy
from tests.second_verifier.refusing import need

KIND = 4
YEAR_10000 = 253_402_300_800


def vouched(bundle: Bundle, last: Judged, policies: Sequence[Policy]) -> None:
    """As many distinct witnesses as the last part's policy asks for have cosigned a log with its end."""
    policy, base = last.ceremony.policy, last.part.checkpoint
    if base is None:
        need(not bundle.witnessed, "json.invalid_field", "a part that no log has is not witnessed")
        return
    earliest, before = last.ceremony.ended_at - policy.skew, 0
    found: set[str] = set()
    for checkpoint, proof in bundle.witnessed:
        code = "log.witnessed_checkpoint"
        need(checkpoint.origin == policy.origin, "log.checkpoint_origin")
        need(before < checkpoint.size and base.size <= checkpoint.size, code)
        before = checkpoint.size
        signed = [log.signed_by(checkpoint, key) for key in parts.keys_at(policies, checkpoint.size)]
        need(any(signed), code)
        log.prove_extends(base.size, base.root, checkpoint.size, checkpoint.root, proof)
        found |= _by(policy, checkpoint, earliest)
    need(len(found) >= policy.cosignatures, "log.cosignatures")


def _by(policy: Policy, checkpoint: log.Checkpoint, earliest: int) -> set[str]:
    found = set()
    for name, spki in policy.witnesses().items():
        hint = log.note_key(name, KIND, spki[12:])
        for whose, line in checkpoint.lines:
            if whose != name or line[:4] != hint:
                continue
            need(len(line) == 76, "log.cosignature")
            seconds = int.from_bytes(line[4:12], "big")
            need(seconds < YEAR_10000, "log.cosignature")
            message = b"cosignature/v1\ntime %d\n%s" % (seconds, checkpoint.text)
            need(keys.signed(keys.ED25519, spki, message, line[12:]), "log.cosignature")
            need(seconds * 1000 >= earliest, "log.cosignature_time")
            found.add(name)
    return found
