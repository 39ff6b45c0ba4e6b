# SPDX-License-Identifier: Apache-2.0
"""What an agent keeps of a checkpoint, and what its statements say of it."""

import base64

from quorumseal.tlog import note_with
from signer_agent.checkpoints import signed_by_log, verified_before
from tests.organisation import Organisation
from tests.simulated_log import SimulatedLog

ACME = Organisation()
LOG = SimulatedLog(ACME)
STRANGERS = f"\u2014 {ACME.origin} {base64.b64encode(bytes(68)).decode()}\n".encode()


def test_an_agent_keeps_the_logs_line_of_a_note_and_no_other() -> None:
    note = LOG.checkpoint()
    text, line = note.rsplit(b"\n\n", 1)
    witness = f"\u2014 witness/alice {base64.b64encode(bytes(76)).decode()}\n".encode()
    crowded = text + b"\n\n" + STRANGERS + line + witness
    for read in (signed_by_log, verified_before):
        assert read(crowded, ACME.policy.policy.log).note == note


def test_whoever_sees_a_statement_can_put_together_the_note_that_its_signer_saw() -> None:
    signature = signed_by_log(LOG.checkpoint(), ACME.policy.policy.log)
    seen = signature.seen
    assert seen == LOG.seen()
    assert seen.unsigned == signed_by_log(LOG.checkpoint(), ACME.policy.policy.log).seen.unsigned
    written = base64.b64decode(seen.signature)
    assert note_with(signature.checkpoint.text, ACME.origin, written) == LOG.checkpoint()
