# SPDX-License-Identifier: Apache-2.0
"""``policy``: the rules, as people read, write and sign them."""

from quorumseal.cli.table import Verb

VERBS = {
    "show": Verb("quorumseal.cli.policy.show", "show the policy in force or an earlier one, verified"),
    "check": Verb("quorumseal.cli.policy.check", "say what a policy.toml means"),
    "compile": Verb("quorumseal.cli.policy.compile", "write the bytes to be signed"),
    "edit": Verb("quorumseal.cli.policy.edit", "edit the next version as commented TOML"),
    "diff": Verb("quorumseal.cli.policy.diff", "say what a new policy changes, and what of it weakens"),
    "simulate": Verb(
        "quorumseal.cli.policy.simulate", "say what the last ceremonies would have become under another"
    ),
    "propose": Verb("quorumseal.cli.policy.propose", "ask both sides for a policy change", "agent"),
    "lint": Verb("quorumseal.cli.policy.lint", "say whose absence stops a release, and what runs out"),
    "log": Verb("quorumseal.cli.policy.log", "list every version, who approved it, what it changed"),
    "schema": Verb("quorumseal.cli.policy.schema", "write the JSON Schema of policy.toml, for editors", ""),
    "holidays": Verb(
        "quorumseal.cli.policy.holidays", "draft a country's holidays for policy.toml", "holidays"
    ),
}
