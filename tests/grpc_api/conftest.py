# SPDX-License-Identifier: Apache-2.0
"""What every test of the API begins with."""

from pathlib import Path

import pytest

from tests.grpc_api.stand_in import StandIn
from tests.running_coordinator import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.fixture
def use_cases() -> StandIn:
    return StandIn()
