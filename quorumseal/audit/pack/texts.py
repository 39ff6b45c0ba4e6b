# SPDX-License-Identifier: Apache-2.0
"""``README.txt``, and the texts that statements commit to, as files for people."""

from typing import Final

from quorumseal.audit.pack.counting import Counted
from quorumseal.audit.pack.foreign import shown
from quorumseal.audit.pack.manifest import About
from quorumseal.audit.population import Audited
from quorumseal.terminal.words import four_words

README: Final = "README.txt"
PROGRAM: Final = "verify.pyz"

_FILES: Final = """\
What is here
  summary.html       the period on one page, for a browser or a printer
  ceremonies.csv     one line for each ceremony
  decisions.csv      one line for each decision, replaced and late ones too
  ceremonies.jsonl   the whole account of each ceremony, one a line
  policies/          every version of the rules: the signed bytes, and a text
  bundles/           what was published for each approved ceremony
  log/               the log's own entries, with the proofs that none is missing
  annexes/           what people wrote, where it was asked for
  manifest.json      every file, with its length and SHA-256
  verify.pyz         the program that verifies all of this

The tables, the texts and the page follow from the log. The program makes them
again and compares every byte.
"""


def named_in_verifier(program: str) -> bytes:
    """Return by what the single-file verifier of a version says which it is."""
    return f"quorumseal-{program}.dist-info/METADATA".encode()


def readme(about: About, counted: Counted) -> bytes:
    """Return the text that is read first."""
    states = ", ".join(f"{number} {state}" for state, number in counted.by_state.items()) or "none"
    versions = ", ".join(map(str, counted.policies)) or "none"
    return (
        f"""\
Audit pack of {about.organisation}
{about.period}

  ceremonies   {counted.ceremonies}: {states}
  emergencies  {len(counted.emergencies)}
  decisions    {counted.decisions}, by {counted.people} signers
  rules        policy version {versions}
  log          {about.log}, {about.size} entries
               {about.root}
  texts        {"those that statements commit to are here" if about.annexes else "not asked for"}
  made by      quorumseal {about.program}

How to verify it
  You need Python 3.11 or newer and its package cryptography; nothing of ours.

    python -I verify.pyz . --policy DIGEST

  DIGEST is that of version 1 of the organisation's policy. Get it from the
  organisation over another way than this pack. The pack itself says

    {about.policy}
    in four words: {four_words(about.policy)}

  Without --policy the program says whether the pack agrees with itself, which
  whoever makes a whole log of their own can have.

  The program came with the pack. Get one that you trust instead: anybody who
  has quorumseal {about.program} makes the same bytes with

    quorumseal audit verifier --out verify.pyz

{_FILES}"""
    ).encode()


def annex_text(audited: Audited) -> bytes:
    """Return what people wrote in a ceremony, each text under the commitment that a statement holds."""
    request = audited.request
    lines = [f"{request.product} {request.version}, ceremony {audited.id}", ""]
    for commitment, text in sorted(audited.texts.items()):
        lines += [commitment, *(f"  {shown(line)}" for line in text.split("\n")), ""]
    return "\n".join(lines).encode()
