# SPDX-License-Identifier: Apache-2.0
"""What a home keeps for the day when the coordinator is down: the policy chain, as it was last verified.

The file is believed as little as the coordinator is: whoever reads it walks it from the trust file again.
"""

from collections.abc import Sequence

from quorumseal.offline.errors import NothingKeptError
from quorumseal.offline.files import (
    MAX_FILE_BYTES,
    KnownOrganisation,
    read_organisation,
    write_organisation,
)
from quorumseal.verifier.bundle import PolicyVersion
from signer_agent.home import Home, write_whole


def keep_policies(home: Home, versions: Sequence[PolicyVersion]) -> None:
    """Write the policy chain down, where it is not what the file holds already."""
    data = write_organisation(KnownOrganisation(policies=tuple(versions)))
    if _read(home) != data:
        with home.exclusive():
            write_whole(home.policies_file, data)


def kept_policies(home: Home) -> tuple[PolicyVersion, ...]:
    """Return the policy chain that this home has verified before, unverified now."""
    data = _read(home)
    if data is None:
        raise NothingKeptError(
            f"expected the policy chain in {home.policies_file}, found none: "
            "this home has never spoken with its coordinator",
            hint="give --organisation FILE, such as organisation.json of your break-glass kit",
        )
    return read_organisation(data).policies


def _read(home: Home) -> bytes | None:
    try:
        with home.policies_file.open("rb") as stream:
            return stream.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        return None
