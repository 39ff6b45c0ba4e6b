# SPDX-License-Identifier: Apache-2.0
"""A statement in an honest ceremony, and what comes of a log that holds another in its place."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from quorumseal.ceremony.chain import replay_chain
from quorumseal.ceremony.entries import Entry
from quorumseal.ceremony.values import digest_of
from quorumseal.signatures import Envelope
from quorumseal.strict_json import JsonValue, read
from quorumseal.verifier.part import verify_part, verify_seen_checkpoints
from quorumseal.verifier.verify import verify
from tests.forging import Path, edited, relinked, value_at, verdict
from tests.organisation import ARTIFACT, Organisation
from tests.simulated_log import SimulatedLog

ARTIFACTS = {"widget.tar.gz": digest_of(ARTIFACT)}
P = "predicate"
Row = tuple[tuple[Path, ...], str]
"""The fields that are exchanged, and the refusal that this gets."""

Judge = Callable[[Organisation, list[Entry]], object]


def publish(acme: Organisation, entries: list[Entry]) -> object:
    """Log the entries, publish their bundle, and verify it as agents and consumers do."""
    log = SimulatedLog(acme)
    log.append(entries)
    part = log.part(entries)
    verify_seen_checkpoints(part, verify_part(part, acme.policy).checkpoint)  # as agents do
    return verify(log.bundle(entries), log.trust, ARTIFACTS)


def replay(acme: Organisation, entries: list[Entry]) -> object:
    """Let the rules alone judge the entries."""
    return replay_chain([entry.payload for entry in entries], acme.policy)


@dataclass(frozen=True)
class Case:
    """A kind of statement in an honest ceremony, where it stands, and the other ceremony's statement."""

    acme: Organisation
    entries: list[Entry]
    index: int
    other: bytes
    baseline: str
    """What an honest bundle of this ceremony comes to."""
    judged_by: Judge = publish

    @property
    def payload(self) -> bytes:
        """The honest statement."""
        return self.entries[self.index].envelope.payload

    def with_envelope(self, envelope: Envelope) -> list[Entry]:
        """Return the ceremony with another envelope in place of the honest one."""
        forged = replace(self.entries[self.index], body={"envelope": envelope.to_json()})
        entries = [*self.entries[: self.index], forged, *self.entries[self.index + 1 :]]
        if self.index == 0:
            ceremony = value_at(read(envelope.payload), (P, "ceremony"))
            assert isinstance(ceremony, str)
            entries = [replace(entry, ceremony=ceremony) for entry in entries]
        return entries

    def judge(self, envelope: Envelope) -> str:
        """Publish the ceremony with another envelope in place of the honest one."""
        return self.judge_entries(self.with_envelope(envelope))

    def judge_entries(self, entries: Iterable[Entry], *, by: Judge | None = None) -> str:
        """Publish entries, chained anew; return the code of the refusal, or ``accepted``."""
        given = [*entries]
        return verdict(lambda: (by or self.judged_by)(self.acme, relinked(given)))

    def exchanged(self, paths: Iterable[Path]) -> bytes:
        """Return the statement with fields of the other ceremony's."""
        payload, other = self.payload, read(self.other)
        for path in paths:
            payload = edited(payload, path, value_at(other, path))
        assert payload != self.payload
        return payload


def signer_of(payload: bytes) -> str:
    """Return whom a statement names as its signer."""
    signer: JsonValue = value_at(read(payload), (P, "signer"))
    assert isinstance(signer, str)
    return signer


CONTEXT: dict[str, Row] = {
    "organisation": (((P, "organisation"),), "statement.organisation"),
    "log": (((P, "log"),), "statement.log"),
    "policy version": (((P, "policy", "version"),), "statement.policy"),
}
IN_A_CEREMONY: dict[str, Row] = {
    **CONTEXT,
    "policy digest": (((P, "policy", "digest"),), "statement.policy"),
    "ceremony": (((P, "ceremony"),), "statement.ceremony"),
}
ABOUT_A_REQUEST: dict[str, Row] = {
    **IN_A_CEREMONY,
    "request and subject": (((P, "request"), ("subject",)), "statement.request"),
    "request alone": (((P, "request"),), "statement.format"),
    "subject alone": ((("subject",),), "statement.format"),
}
ABOUT_THE_POLICY: dict[str, Row] = {
    **CONTEXT,
    "policy digest and subject": (((P, "policy", "digest"), ("subject",)), "statement.policy"),
    "policy digest alone": (((P, "policy", "digest"),), "statement.format"),
    "subject alone": ((("subject",),), "statement.format"),
}
