# SPDX-License-Identifier: Apache-2.0
"""The pages of an organisation whose clock a test moves."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from starlette.applications import Starlette
from starlette.requests import Request

from coordinator.founding import found
from coordinator.web.app import make_app
from coordinator.web.context import open_context
from coordinator.web.viewer import Viewer
from tests.coordinator.workshop import Desk, Workshop
from tests.organisation import NOW, Organisation
from tests.prepared_tables import with_tables
from tests.web import story
from tests.web.browser import chromium

AUDITOR = Viewer(name="audrey", kind="auditor")


@pytest.fixture
def organisation() -> Organisation:
    return Organisation()


@pytest.fixture
def database(organisation: Organisation, tmp_path: Path) -> str:
    url = with_tables(f"sqlite:///{tmp_path / 'log.sqlite'}")
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


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Starlette]:
    """The pages of a week at Acme; nobody writes any more."""
    folder = tmp_path_factory.mktemp("told")
    database = f"sqlite:///{folder / 'log.sqlite'}"
    found(database, story.ACME.log_key, story.ACME.policy, at=NOW - timedelta(days=1))
    shop = Workshop(database, story.ACME, folder / "published")
    try:
        desk = shop.desk()
        story.tell(shop, desk)
        context = open_context(database, desk.live, lambda: shop.time.now)
        yield make_app(context, lambda _: AUDITOR)
        context.storage.close()
    finally:
        shop.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; while it is there, no other event loop runs in this thread."""
    with chromium() as started:
        yield started
