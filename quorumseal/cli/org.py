# SPDX-License-Identifier: Apache-2.0
"""``org``: make an organisation, let people join it, found it."""

from quorumseal.cli.table import Verb

VERBS = {
    "init": Verb("quorumseal.cli.org_init", "make an organisation, here or across machines", "coordinator"),
    "genesis": Verb("quorumseal.cli.org_genesis", "see the first policy, and sign it as a founder", "agent"),
    "suspend": Verb("signer_agent.cli.suspend", "let somebody not count for a while", "agent"),
}
