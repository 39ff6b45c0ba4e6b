# SPDX-License-Identifier: Apache-2.0
"""``key``: whose keys sign, until when, what rests on one, and how it is taken back."""

from quorumseal.cli.table import Verb

VERBS = {
    "rotate": Verb("quorumseal.cli.key.rotate", "make your next key, and propose it", "agent"),
    "list": Verb("signer_agent.cli.key_list", "the keys of everybody, and which sign no more", "agent"),
    "compromised": Verb(
        "quorumseal.cli.key.compromised",
        "which releases fall short without a key, and their re-approval",
        "agent",
    ),
    "revoke": Verb("signer_agent.cli.key_revoke", "say that a key signs no more, since when", "agent"),
}
