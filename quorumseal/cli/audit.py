# SPDX-License-Identifier: Apache-2.0
"""``quorumseal audit …``: prove that the rule held, from the log's own entries."""

from quorumseal.cli.table import Verb

VERBS = {
    "open": Verb("quorumseal.cli.audit_open", "open an audit: what there was, and what to look at first"),
    "ask": Verb("quorumseal.cli.audit_ask", "answer what auditors ask"),
    "sample": Verb("quorumseal.cli.audit_sample", "draw ceremonies to look at, by a seed"),
    "show": Verb("quorumseal.cli.audit_show", "show who approved what, when, by which key and rule"),
    "effectiveness": Verb("quorumseal.cli.audit_effectiveness", "say how well the rule works"),
    "export": Verb("quorumseal.cli.audit_export", "write a pack that an auditor can verify alone"),
    "fork-proof": Verb("quorumseal.cli.audit_fork_proof", "say whether a fork-proof file convicts the log"),
    "fsck": Verb("quorumseal.cli.audit_fsck", "find everything that is wrong with a log"),
    "verifier": Verb("quorumseal.cli.audit_verifier", "write the single-file verifier of packs", ""),
    "verify": Verb("quorumseal.cli.audit_verify", "verify a pack, offline", ""),
}
