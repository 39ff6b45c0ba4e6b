# SPDX-License-Identifier: Apache-2.0
"""Hand back to a coordinator what its log has lost: the entries that were followed, and one's own texts.

Whether it has lost anything it says itself, when it is shown the newest checkpoint that this agent verified.
"""

from dataclasses import dataclass

from quorumseal.client.values import Annex
from signer_agent.agent import Agent
from signer_agent.journal import Journal


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What came of it."""

    rewound: bool
    """Whether the coordinator's log has lost entries."""
    start: int
    end: int
    """From which index to which."""
    entries: int
    """How many of them this agent held, and handed back."""
    texts: int


def hand_back(agent: Agent, note: bytes = b"", *, before: Returned | None = None) -> Returned:
    """Show the coordinator how far its log was seen, and hand back what it has lost of that.

    ``note`` is the newest checkpoint of this log, where it is known; ``before`` is what was handed back
    already, and is where nothing more is lost.
    """
    note = note or newest_note(agent.journal)
    asked = agent.connection.hand_back(note)
    if before is not None and (asked.rewound, asked.start, asked.end) == (True, before.start, before.end):
        return before
    entries, texts = 0, list[tuple[str, Annex]]()
    if asked.rewound:
        for page in agent.journal.kept.pages(asked.start, asked.end):
            agent.connection.hand_back(note, page)
            entries += len(page)
        texts = own_texts(agent.journal)
        for text in texts:
            agent.connection.hand_back(note, (), [text])
    return Returned(
        rewound=asked.rewound, start=asked.start, end=asked.end, entries=entries, texts=len(texts)
    )


def newest_note(journal: Journal) -> bytes:
    """Return the largest checkpoint that was verified; nothing where none was."""
    sizes = journal.log.sizes()
    if not sizes:
        return b""
    return journal.log.newest(max(sizes, key=lambda origin: sizes[origin])) or b""


def own_texts(journal: Journal) -> list[tuple[str, Annex]]:
    """Return the texts of all that this agent signed in ceremonies."""
    return [
        (ceremony, annex)
        for ceremony in filter(None, journal.ceremonies())
        for stored in journal.signed(ceremony)
        for annex in stored.annexes
    ]
