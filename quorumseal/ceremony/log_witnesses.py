# SPDX-License-Identifier: Apache-2.0
"""Who may cosign an organisation's checkpoints, and how many of them a policy may ask for.

A cosignature does not hold the name of its witness, so a key under two names would count twice: every key has
one owner, here as everywhere in a policy.
"""

from collections.abc import Iterable, Mapping

from quorumseal.ceremony.errors import PolicyError
from quorumseal.signatures import PublicKey, Scheme
from quorumseal.tlog import Witness

MOST_OUTSIDE_WITNESSES = 16
MOST_COSIGNATURES = 32
"""A note has room for 64 lines, the log's own among them."""


def witness_name(organisation: str, signer: str) -> str:
    """Return the name by which a signer's agent cosigns."""
    return f"{organisation}/witness/{signer}"


def check_log_witnesses(
    organisation: str, outside: Iterable[Witness], owners: Mapping[PublicKey, str]
) -> None:
    """Refuse witnesses that are no others than those who have keys already, or have another's name."""
    outside = tuple(outside)
    if len(outside) > MOST_OUTSIDE_WITNESSES:
        raise PolicyError(
            f"log: expected at most {MOST_OUTSIDE_WITNESSES} outside witnesses, got {len(outside)}"
        )
    taken, names = dict(owners), set[str]()
    for witness in outside:
        where = f"log: witness {witness.name}"
        if witness.key.scheme is not Scheme.ED25519:
            raise PolicyError(
                f"{where}: expected an Ed25519 key, as C2SP cosignatures prescribe, got {witness.key.scheme}"
            )
        if witness.key in taken:
            raise PolicyError(
                f"{where}: expected a key of its own, got one of {taken[witness.key]}",
                hint="a key under two names would be counted twice; list another witness",
            )
        if witness.name in names or witness.name.startswith(witness_name(organisation, "")):
            raise PolicyError(
                f"{where}: expected a name of its own, got one that another witness has",
                hint=f"{witness_name(organisation, '')}… are the names of the signers' agents",
            )
        taken[witness.key] = f"witness {witness.name}"
        names.add(witness.name)


def check_cosignatures(asked: int, witnesses: int) -> None:
    """Refuse to ask for more cosignatures than there are witnesses."""
    most = min(witnesses, MOST_COSIGNATURES)
    if not 0 <= asked <= most:
        raise PolicyError(
            f"log: expected 0 to {most} cosignatures of its {witnesses} witnesses, got {asked}",
            hint="a signer with a witness key is one, and each of [log.witnesses]: ask for fewer, or add",
        )
