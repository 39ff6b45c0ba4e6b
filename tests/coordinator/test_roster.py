# SPDX-License-Identifier: Apache-2.0
"""Who has left gets no certificate any more, unless they were let in again since."""

from datetime import timedelta

import pytest

from coordinator.roster import left_at
from quorumseal.ceremony.policy import Policy
from tests.organisation import NOW, ROLES, Organisation

DAY = timedelta(days=1)
WITH = Organisation().build_policy()
WITHOUT = Organisation(
    roles={role: tuple(m for m in members if m != "erin") for role, members in ROLES.items()}
).build_policy()


@pytest.mark.parametrize(
    ("versions", "left"),
    [
        ([], None),
        ([WITH], None),
        ([WITHOUT], None),
        ([WITHOUT, WITH], None),
        ([WITH, WITHOUT], 1),
        ([WITH, WITHOUT, WITHOUT], 1),
        ([WITH, WITHOUT, WITH], 1),
        ([WITH, WITHOUT, WITH, WITHOUT], 3),
    ],
)
def test_since_when_somebody_is_gone_is_the_first_policy_without_them(
    versions: list[Policy], left: int | None
) -> None:
    instants = [NOW + DAY * number for number in range(len(versions))]
    assert left_at("erin", versions, instants) == (None if left is None else instants[left])
