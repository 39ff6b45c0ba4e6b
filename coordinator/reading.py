# SPDX-License-Identifier: Apache-2.0
"""What is in the log, with its proofs: receipts, ceremonies, consistency and bundles."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import groupby

from coordinator.errors import (
    LogDamagedError,
    LogEmptyError,
    NotPublishableError,
    SizeAheadError,
    UnknownCeremonyError,
)
from coordinator.policies import Policies
from coordinator.storage import CheckpointRow, EntryRow, Storage
from coordinator.values import (
    Annex,
    CeremonyRecord,
    Consistency,
    Publication,
    PublicationState,
    Receipt,
    StandingRecord,
)
from quorumseal.ceremony.entries import read_entry
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.log_witnesses import MOST_COSIGNATURES
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.statement_document import read_statement
from quorumseal.ceremony.statements import Request
from quorumseal.tlog import (
    Coordinate,
    TlogError,
    add_lines,
    consistency_nodes,
    inclusion_nodes,
    prove_consistency,
    prove_inclusion,
)
from quorumseal.verifier.bundle import Adopted, Bundle, PolicyVersion, write_bundle
from quorumseal.verifier.part import Part, open_log_checkpoint, seen_checkpoints
from quorumseal.verifier.timestamping import Stamp
from quorumseal.verifier.witnessing import Witnessed


class LogReader:
    """Answers from the database; every call blocks, and belongs in a thread."""

    def __init__(self, storage: Storage, policies: Policies) -> None:
        self._storage = storage
        self._policies = policies

    def newest_checkpoint(self) -> CheckpointRow:
        """Return the newest checkpoint."""
        checkpoint = self._storage.log.checkpoint()
        if checkpoint is None:
            raise LogEmptyError("expected a log that begins with a policy, got an empty one")
        return checkpoint

    def consistency(self, known_size: int, size: int = 0) -> Consistency:
        """Prove that the newest checkpoint, or the one of a size, extends the one that the caller knows."""
        checkpoint = self._signed(size) if size else self.newest_checkpoint()
        _check_size(known_size, checkpoint)
        return Consistency(checkpoint=checkpoint.note, proof=self._prove(known_size, checkpoint.size))

    def _signed(self, size: int) -> CheckpointRow:
        checkpoint = self._storage.log.checkpoint(size)
        if checkpoint is None:
            raise SizeAheadError(
                f"expected a size at which this log signed a checkpoint, got {size}",
                hint="either this coordinator lags behind another (try again), or its log lost entries",
            )
        return checkpoint

    def receipt(self, ceremony: str | None, seq: int) -> Receipt:
        """Prove one entry of a ceremony, or of none."""
        row = self._storage.log.entry(ceremony, seq)
        if row is None:
            raise _unknown(ceremony or "none")
        checkpoint = self.newest_checkpoint()
        part = self._part([row], checkpoint, ())
        return Receipt(
            entry=row.payload, index=row.index, inclusion=part.inclusion, checkpoint=checkpoint.note
        )

    def record(self, ceremony: str, known_size: int) -> CeremonyRecord:
        """Return a ceremony with what an agent needs to judge it."""
        checkpoint = self.newest_checkpoint()
        _check_size(known_size, checkpoint)
        rows = [row for row in self._chain(ceremony) if row.index < checkpoint.size]
        if not rows:
            raise _unknown(ceremony)
        return CeremonyRecord(
            part=self._part(rows, checkpoint, _named(rows)),
            consistency=self._prove(known_size, checkpoint.size),
            annexes=tuple(
                Annex(salt=row.salt, text=row.text) for row in self._storage.ceremonies.annexes(ceremony)
            ),
            publications=self.publications(ceremony),
            opened_index=rows[0].index,
            opened_inclusion=self._opened(rows[0], checkpoint),
        )

    def _opened(self, opening: EntryRow, checkpoint: CheckpointRow) -> tuple[bytes, ...]:
        """Prove where an opening stands; with one policy version nobody asks."""
        if len(self._policies.all) == 1:
            return ()
        return self._part([opening], checkpoint, ()).inclusion

    def standing(self, known_size: int) -> StandingRecord:
        """Return the entries of no ceremony with their proof."""
        checkpoint = self.newest_checkpoint()
        _check_size(known_size, checkpoint)
        rows = [row for row in self._storage.log.standing() if row.index < checkpoint.size]
        return StandingRecord(
            part=self._part(rows, checkpoint, _named(rows)),
            consistency=self._prove(known_size, checkpoint.size),
        )

    def request(self, ceremony: str) -> Request:
        """Return the request that opened a ceremony."""
        statement = read_statement(read_entry(self._chain(ceremony)[0].payload).envelope.payload)
        assert isinstance(statement, Request)  # noqa: S101 - it opened a ceremony
        return statement

    def publications(self, ceremony: str) -> tuple[Publication, ...]:
        """Say where a ceremony's bundle is."""
        return tuple(
            Publication(destination=row.destination, state=PublicationState(row.state), detail=row.detail)
            for row in self._storage.outbox.of(ceremony)
        )

    def bundle(self, ceremony: str, *, stamped: bool = True) -> bytes:
        """Make the bundle of what was approved or is provisional: from the same log the same bytes.

        Only timestamps and cosignatures, which lie outside its core, come from beside the log.
        """
        request = self.request(ceremony)
        path, earlier = [ceremony], request.earlier
        while earlier is not None:  # each names the one before it
            path.insert(0, earlier.ceremony)
            earlier = self.request(earlier.ceremony).earlier
        parts: list[Part] = []
        for each in path:
            parts.append(self._concluded(each, after=parts[-1:]))
        witnessed = self._witnessed(request, parts[-1]) if stamped else ()
        notes = (replace(parts[-1], checkpoint=each.checkpoint) for each in witnessed)
        return write_bundle(
            Bundle(
                policies=self.versions(max(map(self._needed, (*parts, *notes)))),
                parts=tuple(parts),
                timestamps=self._stamps(path) if stamped else (),
                witnessed=witnessed,
            )
        )

    def conclusion(self, ceremony: str) -> bytes:
        """Return the checkpoint that was signed with the conclusion of a ceremony."""
        return self._concluded(ceremony).checkpoint

    def _witnessed(self, request: Request, part: Part) -> tuple[Witnessed, ...]:
        """Return what the witnesses that a policy asks for cosigned since, each as early as there is one."""
        policy = self._policies.named(request.context.policy.digest).policy
        if not policy.log.cosignatures or request.kind is Kind.REVOCATION:
            return ()
        size, names = part.index + 1, [witness.name for witness in policy.witnesses]
        rows = self._storage.cosignatures.covering(size, names)[:MOST_COSIGNATURES]
        found: list[Witnessed] = []
        for later, group in groupby(rows, key=lambda row: row.size):
            checkpoint = self._storage.log.checkpoint(later)
            assert checkpoint is not None  # noqa: S101 - cosigned was what is there
            note = add_lines(checkpoint.note, [row.line for row in group])
            found.append(Witnessed(checkpoint=note, consistency=self._prove(size, later)))
        return tuple(found)

    def _stamps(self, ceremonies: Sequence[str]) -> tuple[Stamp, ...]:
        return tuple(Stamp(row.ceremony, row.token) for row in self._storage.timestamps.of(ceremonies))

    def _needed(self, part: Part) -> int:
        """Return the first version, from its own on, by whose log key a part is signed: it may rotate."""
        pinned = read_statement(read_entry(part.entries[0]).envelope.payload).context.policy.version
        for policy in self._policies.all[pinned - 1 :]:
            with suppress(TlogError):
                open_log_checkpoint(part.checkpoint, policy.policy.log)
                return policy.policy.version
        raise LogDamagedError(f"expected a checkpoint of one of the log's keys at {part.index}, got another")

    def versions(self, upto: int | None = None) -> tuple[PolicyVersion, ...]:
        """Return the policy chain, each later version with the ceremonies that approved it."""
        return tuple(
            self._version(policy)
            for policy in self._policies.all
            if upto is None or policy.policy.version <= upto
        )

    def _version(self, policy: SignedPolicy) -> PolicyVersion:
        if policy.ceremonies is None:
            return policy.envelope
        parts = {ceremony: self._concluded(ceremony) for ceremony in policy.ceremonies}
        first, later = sorted(parts, key=lambda ceremony: parts[ceremony].index)
        parts[later] = self._concluded(later, after=[parts[first]])
        change, acceptance = policy.ceremonies
        return Adopted(payload=policy.payload, change=parts[change], acceptance=parts[acceptance])

    def reapproval_number(self, request: Request) -> int:
        """Say which re-approval of its version a request became, from 1 on; 0 where it is none."""
        if request.kind is not Kind.RE_APPROVAL:
            return 0
        release = request.product, request.version, str(request.kind)
        rows = [each.row for each in self._storage.ceremonies.earlier([release])[release]]
        approved = [row.ceremony for row in rows if row.state == State.APPROVED]
        return approved.index(request.ceremony) + 1

    def _concluded(self, ceremony: str, after: Sequence[Part] = ()) -> Part:
        """Return a ceremony to its conclusion, proved to extend what its people saw, and ``after``."""
        row = self._storage.ceremonies.get(ceremony)
        if row is None:
            raise _unknown(ceremony)
        if row.state not in (State.APPROVED, State.PROVISIONAL) or row.concluded_index is None:
            raise NotPublishableError(
                f"expected an approved or provisional ceremony, got one that is {row.state}",
                hint=f"see what is missing with `quorumseal why {ceremony}`",
            )
        checkpoint = self._storage.log.checkpoint(row.concluded_index + 1)
        if checkpoint is None:
            raise LogDamagedError(f"expected a checkpoint of size {row.concluded_index + 1}, got none")
        rows = [each for each in self._chain(ceremony) if each.index <= row.concluded_index]
        return self._part(rows, checkpoint, sorted({*_named(rows), *(part.index + 1 for part in after)}))

    def _part(self, rows: Sequence[EntryRow], checkpoint: CheckpointRow, sizes: Sequence[int]) -> Part:
        index, size = rows[-1].index, checkpoint.size
        wanted: list[Coordinate] = [*inclusion_nodes(index, size)]
        for seen in sizes:
            wanted += consistency_nodes(seen, size)
        node = self._storage.log.nodes(wanted)
        return Part(
            entries=tuple(row.payload for row in rows),
            index=index,
            inclusion=tuple(prove_inclusion(index, size, node)),
            checkpoint=checkpoint.note,
            consistency={seen: tuple(prove_consistency(seen, size, node)) for seen in sizes},
        )

    def _prove(self, old: int, new: int) -> tuple[bytes, ...]:
        node = self._storage.log.nodes(consistency_nodes(old, new))
        return tuple(prove_consistency(old, new, node))

    def _chain(self, ceremony: str) -> list[EntryRow]:
        rows = self._storage.log.chains([ceremony]).get(ceremony)
        if not rows:
            raise _unknown(ceremony)
        return rows


def _named(rows: Sequence[EntryRow]) -> list[int]:
    """Return the sizes of the checkpoints that a ceremony names, which its readers want proofs from."""
    return sorted({seen.size for seen in seen_checkpoints(tuple(row.payload for row in rows))} - {0})


def _check_size(known_size: int, checkpoint: CheckpointRow) -> None:
    if known_size > checkpoint.size:
        raise SizeAheadError(
            f"expected to be asked about at most {checkpoint.size} entries, got {known_size}",
            hint="either this coordinator lags behind another (try again), or its log lost entries",
        )


def _unknown(ceremony: str) -> UnknownCeremonyError:
    return UnknownCeremonyError(
        f"expected a ceremony of this log, got {ceremony}", hint="see `quorumseal list`"
    )
