# SPDX-License-Identifier: Apache-2.0
"""The pages of an organisation whose clock a test moves."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request

from coordinator.founding import found
from coordinator.web.app import make_app
from coordinator.web.context import open_context
from coordinator.web.viewer import Viewer
from tests.coordinator.workshop import Desk, Workshop
from tests.organisation import NOW, Organisation

AUDITOR = Viewer(name="audrey", kind="auditor")


@pytest.fixture
def organisation() -> Organisation:
    return Organisation()


@pytest.fixture
def database(organisation: Organisation, tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'log.sqlite'}"
    found(url, organisation.log_key, organisation.policy, at=NOW - timedelta(days=1))
    return url


@pytest.fixture
def workshop(database: str, organisation: Organisation, tmp_path: Path) -> Iterator[Workshop]:
    shop = Workshop(database, organisation, tmp_path / "published")
    yield shop
    shop.close()


@pytest.fixture
def desk(workshop: Workshop) -> Desk:
    return workshop.desk()


@pytest.fixture
def pages(workshop: Workshop, desk: Desk) -> Iterator[Callable[..., Starlette]]:
    """Makes the application, for an auditor unless told."""
    context = open_context(workshop.database, desk.live, lambda: workshop.time.now)

    def make(viewers: Callable[[Request], Viewer] = lambda _: AUDITOR) -> Starlette:
        return make_app(context, viewers)

    yield make
    context.storage.close()


@pytest.fixture
def app(pages: Callable[..., Starlette]) -> Starlette:
    return pages()
