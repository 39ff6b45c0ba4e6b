# SPDX-License-Identifier: Apache-2.0
"""What happened to a ceremony, entry by entry, with the exact statement behind each."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from coordinator.storage import EntryRow
from quorumseal.ceremony.entries import EntryType, read_entry
from quorumseal.ceremony.record import Act, Moment, QuorumRecord
from quorumseal.ceremony.statements import Check, Choice
from quorumseal.ceremony.values import instant_text
from quorumseal.strict_json import JsonValue, read
from quorumseal.terminal import duration_text

_MARKS: Final = {
    EntryType.OPENED: "open",
    EntryType.APPROVED: "approved",
    EntryType.PROVISIONAL: "provisional",
    EntryType.WINDOW_OPENED: "provisional",
    EntryType.WINDOW_BROKEN: "provisional",
    EntryType.VETOED: "rejected",
    EntryType.REJECTED: "rejected",
    EntryType.EXPIRED: "rejected",
    EntryType.LATE: "rejected",
    EntryType.KEY_REVOKED: "provisional",
    EntryType.SUSPENDED: "provisional",
    EntryType.NARROWED: "provisional",
}
_CHOICES: Final = {Choice.APPROVAL: "approved", Choice.REJECTION: "rejected", Choice.ABSTENTION: "calm"}
_VERBS: Final = {Choice.APPROVAL: "approves", Choice.REJECTION: "rejects", Choice.ABSTENTION: "abstains"}
_FOLLOWS: Final = {
    EntryType.APPROVED: "The quorum is met: it is approved.",
    EntryType.PROVISIONAL: "Nobody vetoed: the release is provisional.",
    EntryType.REJECTED: "It is rejected.",
    EntryType.EXPIRED: "The deadline passed: it has expired.",
    EntryType.WINDOW_OPENED: "The quorum is met: the veto window opens.",
    EntryType.WINDOW_BROKEN: "The quorum no longer stands: the veto window closes.",
    EntryType.NARROWED: "A newer policy takes keys or members away.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One entry, told."""

    index: int
    seq: int
    at: datetime
    when: str
    """How long after the opening."""
    type: str
    mark: str
    said: str
    text: str | None
    """Why, in somebody's own words; none where none was given, or it was erased."""
    committed: bool
    """Whether the statement commits to such words."""
    checks: tuple[Check, ...]
    act: Act | None
    entry: str
    exact: str
    """The entry as JSON, the statements in it laid open."""


def happenings(
    rows: Sequence[EntryRow], record: QuorumRecord, texts: Mapping[str, str]
) -> Iterator[Happening]:
    """Yield what happened, oldest first."""
    opened = record.request.statement.opened_at
    for row, moment in zip(rows, record.timeline, strict=True):
        act = moment.act
        yield Happening(
            index=row.index,
            seq=row.seq,
            at=moment.at,
            when=_when(moment.at - opened),
            type=str(moment.type),
            mark=_mark(moment),
            said=_said(moment),
            text=texts.get(act.reason) if act and act.reason else None,
            committed=bool(act and act.reason),
            checks=act.checks if act else (),
            act=act,
            entry=moment.entry,
            exact=laid_open(row.payload),
        )


def _when(since: timedelta) -> str:
    return "at the opening" if since < timedelta(seconds=1) else f"{duration_text(since)} later"


def laid_open(payload: bytes) -> str:
    """Return an entry as indented JSON in which each envelope shows its statement instead of Base64."""
    entry = read_entry(payload)
    value: dict[str, JsonValue] = {
        "type": str(entry.type),
        "at": instant_text(entry.at),
        "ceremony": entry.ceremony,
        "seq": entry.seq,
        "prev": entry.prev,
        "body": _opened(dict(entry.body)),
    }
    return json.dumps(value, indent=2, ensure_ascii=False)


def _opened(value: JsonValue) -> JsonValue:
    if isinstance(value, list):
        return [_opened(each) for each in value]
    if not isinstance(value, dict):
        return value
    payload = value.get("payload")
    if isinstance(payload, str) and "payloadType" in value:
        return {**value, "payload": read(base64.b64decode(payload))}
    return {name: _opened(each) for name, each in value.items()}


def _mark(moment: Moment) -> str:
    choice = moment.act.choice if moment.act else None
    if choice and moment.type is EntryType.DECIDED:
        return "calm" if moment.act and moment.act.fell else _CHOICES[choice]
    return _MARKS.get(moment.type, "calm")


def _said(moment: Moment) -> str:
    act = moment.act
    if act is not None:
        return _acted(moment.type, act)
    if moment.loss is not None:
        by = " and ".join(moment.loss.signers)
        if moment.loss.key:
            return f"A key signs no more ({moment.loss.reason}), {by} says: {moment.loss.key}."
        return f"{moment.loss.person} does not count for a while ({moment.loss.reason}), {by} says."
    if moment.told is not None:
        return f"{moment.told[0]} was told of the emergency by {moment.told[1]}."
    if moment.superseded_by is not None:
        return f"Another ceremony takes its place: {moment.superseded_by}."
    return _FOLLOWS.get(moment.type, f"{moment.type}.")


def _acted(kind: EntryType, act: Act) -> str:
    who = f"{act.signer} for {act.stands_for}" if act.stands_for else act.signer
    match kind:
        case EntryType.OPENED:
            return f"{who} asks for it."
        case EntryType.DECIDED:
            roles = f" as {' and '.join(act.roles)}" if act.roles else ""
            again = ", instead of what they decided before" if act.replaces else ""
            fell = "; it fell later with the key, or the person" if act.fell else ""
            return f"{who} {_VERBS[act.choice or Choice.ABSTENTION]}{roles}{again}{fell}."
        case EntryType.LATE:
            return f"{who} decides too late: it is on record, and does not count."
        case EntryType.CANCELLED:
            return f"{who} cancels it."
        case EntryType.EXTENDED if act.deadline:
            return f"{who} moves the deadline to {instant_text(act.deadline)}."
        case EntryType.VETOED:
            return f"{who} vetoes it."
        case EntryType.REPORTED:
            return f"{who} reports on the emergency."
        case EntryType.DELEGATED:
            return f"{who} lets a deputy stand in."
        case EntryType.WITHDRAWN:
            return f"{who} takes a delegation back."
        case _:
            return f"{who}: {kind}."
