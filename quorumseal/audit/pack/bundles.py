# SPDX-License-Identifier: Apache-2.0
"""Published bundles, held against the log: each says what the log says, with proofs that hold.

The entries of a part are those that the log's replay has judged already, byte for byte; what remains are its
checkpoint, its place in the tree, the checkpoints that its statements name, and the policies.
"""

from collections.abc import Sequence
from typing import Final

from quorumseal.audit.pack.errors import PackBundleError
from quorumseal.audit.population import Audited, Period, Population
from quorumseal.ceremony.entries import CONCLUSIONS, PUBLISHED, read_entry
from quorumseal.ceremony.policy import GOVERNED, Log
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.statements import SeenCheckpoint
from quorumseal.tlog import Checkpoint, hash_text
from quorumseal.verifier.bundle import SUFFIX, Adopted, Bundle, PolicyVersion, read_bundle, write_bundle
from quorumseal.verifier.errors import CosignaturesMissingError
from quorumseal.verifier.part import Part, verify_logged, verify_seen_checkpoints
from quorumseal.verifier.timestamping import judge_stamps
from quorumseal.verifier.witnessing import judge_witnessed

_DIRECTORY: Final = "bundles/"


def bundle_file(ceremony: str) -> str:
    """Name the file of the bundle of a ceremony."""
    return f"{_DIRECTORY}{ceremony}{SUFFIX}"


def with_bundle(population: Population, period: Period) -> tuple[Audited, ...]:
    """Return the ceremonies of a period after which something was to be published."""
    return tuple(
        each
        for each in population.within(period).ceremonies
        if each.concluded is not None
        and each.concluded.entry.type in PUBLISHED
        and each.request.kind not in GOVERNED
    )


class BundleJudge:
    """Judges bundles against one log; a policy chain that it has seen is not walked again."""

    def __init__(self, population: Population) -> None:
        self._population = population
        self._by_id = {each.id: each for each in population.ceremonies}
        self._seen: dict[int, PolicyVersion] = {}

    def judge(self, ceremony: str, data: bytes) -> int:
        """Return how many timestamps a bundle has, once everything in it is as the log has it."""
        bundle = read_bundle(data)
        if write_bundle(bundle) != data:
            raise PackBundleError(f"expected the bundle of {ceremony} as it is written, got another spelling")
        self._judge_policies(bundle, self._audited(ceremony).policy.policy.version)
        expected = self._path(ceremony)
        given = [_ceremony_of(part) for part in bundle.parts]
        if given != expected:
            raise PackBundleError(
                f"expected a bundle of ceremonies {', '.join(expected)}, got one of {', '.join(given)}"
            )
        checkpoint = self._judge_parts(bundle.parts)
        policy = self._policy_of(bundle.parts[-1])
        judge_witnessed(bundle.witnessed, bundle.parts[-1], checkpoint, policy.policy, self._logs(policy))
        judge_stamps(bundle.timestamps, bundle.parts, self._policy_of, required=False)
        return len(bundle.timestamps)

    def published(self, ceremony: str, data: bytes) -> bool:
        """Whether a bundle is what consumers get: one that waits for witnesses is not yet."""
        try:
            self.judge(ceremony, data)
        except CosignaturesMissingError:
            return False
        return True

    def _path(self, ceremony: str) -> list[str]:
        """List the ceremony and those before it that it is about, the first one first."""
        path = [ceremony]
        while (earlier := self._audited(path[0]).request.earlier) is not None:
            path.insert(0, earlier.ceremony)
        return path

    def _audited(self, ceremony: str) -> Audited:
        if ceremony not in self._by_id:
            raise PackBundleError(f"expected a ceremony of this log, got {ceremony}")
        return self._by_id[ceremony]

    def _policy_of(self, part: Part) -> SignedPolicy:
        return self._audited(_ceremony_of(part)).policy

    def _logs(self, policy: SignedPolicy) -> tuple[Log, ...]:
        """Return how a version and those after it say who signs for the log."""
        every = (each.policy for each in self._population.policies)
        return tuple(each.log for each in every if each.version >= policy.policy.version)

    def _judge_policies(self, bundle: Bundle, needed: int) -> None:
        """See that the policies are those of the log, at least up to the version that was used."""
        known, given = self._population.policies, bundle.policies
        payloads = [policy.payload for policy in known[: len(given)]]
        if len(given) < needed or [version.payload for version in given] != payloads:
            raise PackBundleError(
                f"expected the log's policies up to version {needed} or a later one, "
                f"got {len(given)} that are others"
            )
        for number, version in enumerate(given):
            if self._seen.get(number) == version:
                continue
            if isinstance(version, Adopted):
                self._judge_parts(sorted((version.change, version.acceptance), key=lambda part: part.index))
            elif version != known[number].founding:
                raise PackBundleError("expected the first policy as its founders signed it, got another")
            self._seen[number] = version

    def _judge_parts(self, parts: Sequence[Part]) -> Checkpoint | None:
        """Judge ceremonies of which each is shown to come after the one before it; return the last's end."""
        checkpoint: Checkpoint | None = None
        before: tuple[SeenCheckpoint, ...] = ()
        for part in parts:
            checkpoint = self._judge_part(part)
            verify_seen_checkpoints(part, checkpoint, before)
            before = (SeenCheckpoint(size=checkpoint.size, root=hash_text(checkpoint.root)),)
        return checkpoint

    def _judge_part(self, part: Part) -> Checkpoint:
        audited = self._audited(_ceremony_of(part))
        upto = next(
            (n for n, each in enumerate(audited.entries, start=1) if each.entry.type in CONCLUSIONS), 0
        )
        concluded = audited.entries[:upto]
        if not concluded or part.entries != tuple(each.entry.payload for each in concluded):
            raise PackBundleError(
                f"expected the entries of ceremony {audited.id} as the log has them up to its conclusion, "
                "got others"
            )
        last = concluded[-1].index
        checkpoint = verify_logged(part, *self._logs(audited.policy))
        if (part.index, checkpoint.size) != (last, last + 1):
            raise PackBundleError(
                f"expected entry {last} and the checkpoint of size {last + 1}, "
                f"got entry {part.index} and size {checkpoint.size}"
            )
        return checkpoint


def _ceremony_of(part: Part) -> str:
    ceremony = read_entry(part.entries[0]).ceremony if part.entries else None
    if ceremony is None:
        raise PackBundleError("expected the entries of a ceremony in each part of a bundle, got none")
    return ceremony
