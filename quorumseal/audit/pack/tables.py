# SPDX-License-Identifier: Apache-2.0
"""``ceremonies.csv``, ``decisions.csv``, ``ceremonies.jsonl``: what the log bears out, for programs."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from quorumseal.audit.pack.foreign import csv_line
from quorumseal.audit.population import Audited
from quorumseal.ceremony.entries import EntryType
from quorumseal.ceremony.record import Moment, QuorumRecord, to_json
from quorumseal.ceremony.values import instant_text
from quorumseal.strict_json import JsonValue, write

CEREMONIES: Final = "ceremonies.csv"
DECISIONS: Final = "decisions.csv"
RECORDS: Final = "ceremonies.jsonl"
_DECISIONS: Final = frozenset({EntryType.DECIDED, EntryType.LATE})
_CEREMONY_COLUMNS: Final = (
    "ceremony",
    "product",
    "version",
    "kind",
    "mode",
    "state",
    "requester",
    "on behalf of",
    "opened at",
    "deadline",
    "ended at",
    "policy version",
    "rule",
    "seats",
    "missing",
    "artifacts",
    "ticket",
    "incident",
    "opening entry",
    "last entry",
)
_DECISION_COLUMNS: Final = (
    "ceremony",
    "product",
    "version",
    "entry",
    "logged at",
    "on time",
    "signer",
    "stands for",
    "choice",
    "roles",
    "signed at",
    "key",
    "statement",
    "checks",
    "replaces",
    "fell",
    "reason",
)


def ceremonies_csv(rows: Sequence[tuple[Audited, QuorumRecord]]) -> bytes:
    """Return one line for each ceremony."""
    lines = [csv_line(_CEREMONY_COLUMNS), *(csv_line(_ceremony(*row)) for row in rows)]
    return "".join(lines).encode()


def decisions_csv(rows: Sequence[tuple[Audited, QuorumRecord]]) -> bytes:
    """Return one line for each decision on record, replaced and late ones too."""
    lines = [csv_line(_DECISION_COLUMNS)]
    for audited, record in rows:
        lines += (csv_line(cells) for cells in _decisions(audited, record))
    return "".join(lines).encode()


def ceremonies_jsonl(rows: Sequence[tuple[Audited, QuorumRecord]]) -> bytes:
    """Return one quorum record a line, each with where its entries stand in the log."""
    return b"".join(write(record_json(*row)) + b"\n" for row in rows)


def record_json(audited: Audited, record: QuorumRecord) -> JsonValue:
    """Return a quorum record with the places of its entries and the texts that were asked for.

    Who made a timestamp is left out: a machine that cannot judge tokens writes the same record.
    """
    value = to_json(record)
    timeline = value["timeline"]
    assert isinstance(timeline, list)  # noqa: S101 - a record has one
    for moment, logged in zip(timeline, audited.entries, strict=True):
        assert isinstance(moment, dict)  # noqa: S101 - of moments
        moment["index"] = logged.index
        if isinstance(stamp := moment.get("timestamp"), dict):
            del stamp["authority"]
    if audited.texts:
        value["texts"] = dict(sorted(audited.texts.items()))
    return value


def _ceremony(audited: Audited, record: QuorumRecord) -> tuple[str, ...]:
    request = audited.request
    return (
        audited.id,
        request.product,
        request.version,
        str(request.kind),
        str(request.mode),
        str(audited.state),
        request.context.signer,
        request.on_behalf_of or "",
        instant_text(audited.opened_at),
        instant_text(audited.ceremony.deadline),
        _instant(audited.ended_at),
        str(audited.policy.policy.version),
        record.rule,
        "; ".join(f"{role} needs {needed}: {', '.join(people)}" for role, needed, people in record.seats),
        "; ".join(record.missing),
        "; ".join(f"{subject.name} {subject.digest}" for subject in request.subjects),
        request.ticket or "",
        request.emergency.incident if request.emergency else "",
        str(audited.entries[0].index),
        str(audited.entries[-1].index),
    )


def _decisions(audited: Audited, record: QuorumRecord) -> Iterator[tuple[str, ...]]:
    for logged, moment in zip(audited.entries, record.timeline, strict=True):
        if moment.type in _DECISIONS:
            yield _decision(audited, logged.index, moment)


def _decision(audited: Audited, index: int, moment: Moment) -> tuple[str, ...]:
    act = moment.act
    assert act is not None  # noqa: S101 - somebody signed each decision
    return (
        audited.id,
        audited.request.product,
        audited.request.version,
        str(index),
        instant_text(moment.at),
        "yes" if moment.type is EntryType.DECIDED else "no",
        act.signer,
        act.stands_for or "",
        str(act.choice),
        ", ".join(act.roles),
        instant_text(act.signed_at),
        act.key_id,
        act.digest,
        "; ".join(f"{check.name}: {check.outcome}" for check in act.checks),
        act.replaces or "",
        "yes" if act.fell else "no",
        audited.texts.get(act.reason or "", act.reason or ""),
    )


def _instant(at: datetime | None) -> str:
    return instant_text(at) if at else ""
