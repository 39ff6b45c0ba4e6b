# SPDX-License-Identifier: Apache-2.0
"""What every kit says, whatever the policy: when to do what, by which command."""

from quorumseal.ceremony.emergency import FLOOR_PEOPLE, FLOOR_ROLES

_REQUEST = "PRODUCT@VERSION.request.json"
_SIGNED = "PRODUCT@VERSION.SIGNER.signed.json"
_BUNDLE = "PRODUCT@VERSION.quorumseal.json"
_UNLOGGED = "PRODUCT@VERSION@unlogged.quorumseal.json"

ABOUT = (
    "Print it, and keep it where you get at it without a computer of the organisation. Nothing in it is "
    "secret. Make it anew after each change of the policy, and before the policy expires."
)
ROOT = (
    "Whoever verifies anything begins with the digest of policy version 1. Compare it with "
    "`quorumseal trust show trust.json` before you use a trust file that came by another way. The four words "
    "are for the telephone, and no security check."
)
FLOOR = (
    f"The floor: never fewer than {FLOOR_PEOPLE} people from {FLOOR_ROLES} roles with a guardian among them, "
    "whatever a policy says. Whoever asks never counts."
)
REACHED = "Whoever asks runs the first command, everybody else the second. Everybody in the roster is told."
WITH = (
    (
        "Ask, in an emergency:",
        "quorumseal break-glass start PRODUCT VERSION ARTIFACT --reason CODE --incident TEXT",
    ),
    ("Join, after a look at what it is:", "quorumseal break-glass join --artifacts ARTIFACT"),
    ("Or stop it, before the veto window ends:", "quorumseal break-glass veto PRODUCT@VERSION"),
    ("Make it permanent, by the regular quorum:", "quorumseal ratify PRODUCT@VERSION"),
)
DOWN = (
    "The same statements travel as files, by any way that carries files. They hold no secret. Each person "
    "keeps their own journal, and signs on their own machine."
)
ALARM = (
    (
        "Ask in an emergency, into a file:",
        "quorumseal offline export PRODUCT VERSION ARTIFACT --break-glass CODE --incident TEXT",
    ),
    (
        "Stop an emergency in files:",
        f"quorumseal offline decide {_REQUEST} --veto --reason TEXT",
    ),
)
WITHOUT = (
    (
        "Ask, into a file (--organisation only where the home never saw the coordinator):",
        "quorumseal offline export PRODUCT VERSION ARTIFACT --organisation organisation.json",
    ),
    (
        "Each signer looks at that file, and signs into another:",
        f"quorumseal offline decide {_REQUEST} --approve --artifacts ARTIFACT",
    ),
    (
        "Whoever has the files makes the bundle, or is told what is missing:",
        f"quorumseal offline assemble {_REQUEST} {_SIGNED}",
    ),
)
AFTERWARDS = (
    "First whoever asked, then everybody who signed, each at their own home and before the deadline: the log "
    "goes by its own clock. What cannot count any more is named; sign it anew."
)
AFTER = (
    ("Hand in what was signed:", f"quorumseal offline import {_REQUEST} {_SIGNED}"),
    ("Get the regular bundle:", "quorumseal release fetch PRODUCT@VERSION"),
)
CONSUMERS = (
    "A bundle without a log is accepted only by whoever says so, and from its hard stop on by nobody; an "
    "emergency's only until its provisional end. Replace it by the regular one as soon as that is out."
)
VERIFYING = (
    (
        "A regular or ratified release:",
        f"quorumseal verify ARTIFACT --bundle {_BUNDLE} --trust trust.json",
    ),
    (
        "One without a log:",
        f"quorumseal verify ARTIFACT --bundle {_UNLOGGED} --trust trust.json --allow-unlogged",
    ),
    (
        "An emergency that nobody has ratified yet:",
        f"quorumseal verify ARTIFACT --bundle {_BUNDLE} --trust trust.json --allow-provisional",
    ),
)
