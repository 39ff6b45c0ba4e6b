# SPDX-License-Identifier: Apache-2.0
"""Take in what witnesses cosigned: of this log's own checkpoints, by keys of the policy in force, on time.

What is kept would be counted by every verifier; what would not is refused here, where somebody can mend it.
"""

from collections.abc import Callable

from coordinator.clock import LogClock
from coordinator.errors import NotAWitnessError, UncosignedError, UnknownCheckpointError
from coordinator.high_water import HighWater
from coordinator.metrics.catalogue import COSIGNATURES
from coordinator.metrics.observing import Observation, Observe
from coordinator.policies import Policies
from coordinator.storage import CosignatureRow, Storage
from quorumseal.ceremony.entries import read_entry
from quorumseal.ceremony.log_witnesses import witness_name
from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.values import instant_text
from quorumseal.tlog import Cosignature, Witness, WitnessConflictError, read_cosignatures
from quorumseal.verifier.errors import CosignatureTimeError
from quorumseal.verifier.part import open_log_checkpoint


class Cosigning:
    """Keeps cosignatures, and wakes what waits for them."""

    def __init__(
        self,
        storage: Storage,
        policies: Policies,
        high_water: HighWater,
        *,
        clock: LogClock,
        woken: Callable[[], None],
        observe: Observe,
    ) -> None:
        self._storage = storage
        self._policies = policies
        self._high_water = high_water
        self._clock = clock
        self._woken = woken
        self._observe = observe

    def take(self, note: bytes, *, caller: str) -> None:
        """Keep the cosignature of a signer's agent, by the witness key that the policy in force has."""
        policy = self._policies.newest.policy
        name = witness_name(policy.organisation, caller)
        witness = next((each for each in policy.witnesses if each.name == name), None)
        if witness is None:
            raise NotAWitnessError(
                f"expected a signer with a witness key in policy version {policy.version}, got {caller}",
                hint="a policy change lists the key; an agent without one need not cosign",
            )
        self.keep(note, witness)

    def keep(self, note: bytes, witness: Witness) -> None:
        """Keep one witness's cosignature of a checkpoint of this log."""
        policy = self._policies.newest.policy
        checkpoint = open_log_checkpoint(note, policy.log)
        row = self._storage.log.checkpoint(checkpoint.size)
        if row is None or row.root != checkpoint.root:
            self._high_water.show(note, by=witness.name)
            self._high_water.require()
            raise UnknownCheckpointError(
                f"expected a checkpoint that this coordinator signed, got one of size {checkpoint.size} and "
                f"root {checkpoint.root.hex()}",
                hint="cosign what `GetConsistency` answers",
            )
        found = read_cosignatures(note, [witness])
        if not found:
            raise UncosignedError(
                f"expected a line by {witness.name} under the checkpoint, got none by its key",
                hint="the policy in force says which key; a rotated one needs a policy change",
            )
        self._check_time(found[0], checkpoint.size, policy)
        newest = self._storage.cosignatures.keep(
            CosignatureRow(size=checkpoint.size, witness=witness.name, line=found[0].line)
        )
        if newest > checkpoint.size:
            raise WitnessConflictError(
                f"expected {witness.name} to cosign size {newest} or more, as before, got {checkpoint.size}",
                size=newest,
                hint="a witness never goes back: cosign the newest checkpoint",
            )
        self._observe(Observation(COSIGNATURES))
        self._woken()

    def _check_time(self, cosignature: Cosignature, size: int, policy: Policy) -> None:
        (last,) = self._storage.log.entries(size - 1, size)
        written, now = read_entry(last.payload).at, self._clock.now()
        if not written <= cosignature.at + policy.clock_skew or cosignature.at > now + policy.clock_skew:
            raise CosignatureTimeError(
                f"expected a cosignature between the log's newest entry ({instant_text(written)}) and now "
                f"({instant_text(now)}), got one of {instant_text(cosignature.at)} by "
                f"{cosignature.witness.name}",
                hint="set the clock of the witness, or the coordinator's",
            )
