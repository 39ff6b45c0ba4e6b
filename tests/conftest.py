# SPDX-License-Identifier: Apache-2.0
"""How much the tests count: bounded by default, to the end where ``QUORUMSEAL_DEEP`` is set."""

import os
import signal
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings

# Started in the background, this process ignores interrupts, and so would every program that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
# What a screen looks like is for each test to say.
os.environ.pop("NO_COLOR", None)

DEEP = bool(os.environ.get("QUORUMSEAL_DEEP"))

settings.register_profile("bounded", max_examples=100, deadline=None, derandomize=True, print_blob=True)
settings.register_profile(
    "deep", max_examples=10_000, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("deep" if DEEP else "bounded")


@pytest.fixture
def count() -> Callable[..., int]:
    """How many times: ``count(200, deep=10_000)``."""

    def choose(bounded: int, *, deep: int) -> int:
        return deep if DEEP else bounded

    return choose


@pytest.fixture
def postgresql_address() -> str:
    """The address of a PostgreSQL server that tests marked ``postgresql`` may fill."""
    return os.environ["QUORUMSEAL_TEST_POSTGRESQL"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    _leave_out_what_ran(config, items)
    if "QUORUMSEAL_TEST_POSTGRESQL" in os.environ:
        return
    absent = pytest.mark.skip(reason="PostgreSQL, for want of a server in QUORUMSEAL_TEST_POSTGRESQL")
    for item in items:
        if item.get_closest_marker("postgresql"):
            item.add_marker(absent)


def _leave_out_what_ran(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what ``scripts/test`` has just run under coverage: all but the exhaustive of some folders."""
    folders = [config.rootpath / folder for folder in os.environ.get("QUORUMSEAL_COVERED", "").split()]
    ran = [
        item
        for item in items
        if not item.get_closest_marker("exhaustive")
        and any(item.path.is_relative_to(folder) for folder in folders)
    ]
    if ran:
        config.hook.pytest_deselected(items=ran)
        gone = {id(item) for item in ran}
        items[:] = [item for item in items if id(item) not in gone]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly what was not looked at for want of a program."""
    skipped = {
        str(report.longrepr[2]) for report in terminalreporter.stats.get("skipped", []) if report.longrepr
    }
    for reason in sorted(reason for reason in skipped if "for want of" in reason):
        what = f"NOT TESTED: {reason.removeprefix('Skipped: ')}; .ci/run gets it"
        terminalreporter.write_line(what, red=True, bold=True)
