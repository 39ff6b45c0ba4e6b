# SPDX-License-Identifier: Apache-2.0
"""``org``: make an organisation, let people join it, found it."""

from quorumseal.cli.table import Verb

VERBS = {
    "init": Verb("quorumseal.cli.org.init", "make an organisation, here or across machines", "coordinator"),
    "invite": Verb("quorumseal.cli.org.invite", "invite somebody to join, by a code", "coordinator"),
    "invitations": Verb("quorumseal.cli.org.invitations", "list who was invited", "coordinator"),
    "withdraw": Verb("quorumseal.cli.org.withdraw", "take an invitation back", "coordinator"),
    "auditor": Verb("quorumseal.cli.org.auditor", "let somebody read everything", "coordinator"),
    "compile": Verb(
        "quorumseal.cli.org.compile", "make the first policy anew, for its founders to sign", "coordinator"
    ),
    "genesis": Verb("quorumseal.cli.org.genesis", "see the first policy, and sign it as a founder", "agent"),
    "offboard": Verb("quorumseal.cli.org.offboard", "let somebody leave, and see what that means", "agent"),
    "suspend": Verb("signer_agent.cli.suspend", "let somebody not count for a while", "agent"),
    "report": Verb("quorumseal.cli.org.report", "which people and keys should be asked about", "agent"),
    "revoke-certificate": Verb(
        "quorumseal.cli.org.revoke_certificate", "let somebody's connections in no more", "coordinator"
    ),
}
