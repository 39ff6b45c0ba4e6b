# SPDX-License-Identifier: Apache-2.0
"""``quorumseal audit …``: prove that the rule held, from the log's own entries."""

from quorumseal.cli.table import Verb

VERBS = {
    "open": Verb("quorumseal.cli.audit.open", "open an audit: what there was, and what to look at first"),
    "ask": Verb("quorumseal.cli.audit.ask", "answer what auditors ask"),
    "sample": Verb("quorumseal.cli.audit.sample", "draw ceremonies to look at, by a seed"),
    "show": Verb("quorumseal.cli.audit.show", "show who approved what, when, by which key and rule"),
    "effectiveness": Verb("quorumseal.cli.audit.effectiveness", "say how well the rule works"),
    "export": Verb("quorumseal.cli.audit.export", "write a pack that an auditor can verify alone"),
    "fork-proof": Verb("quorumseal.cli.audit.fork_proof", "say whether a fork-proof file convicts the log"),
    "fsck": Verb("quorumseal.cli.audit.fsck", "find everything that is wrong with a log"),
    "verifier": Verb("quorumseal.cli.audit.verifier", "write the single-file verifier of packs", ""),
    "verify": Verb("quorumseal.cli.audit.verify", "verify a pack, offline", ""),
}
