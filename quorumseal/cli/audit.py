# SPDX-License-Identifier: Apache-2.0
"""``quorumseal audit …``: prove that the rule held, from the log's own entries."""

from quorumseal.cli.table import Verb

VERBS = {
    "effectiveness": Verb("quorumseal.cli.audit_effectiveness", "say how well the rule works"),
    "fsck": Verb("quorumseal.cli.audit_fsck", "find everything that is wrong with a log"),
}
