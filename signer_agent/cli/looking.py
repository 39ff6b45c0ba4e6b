# SPDX-License-Identifier: Apache-2.0
"""What ``review`` and the deciding verbs share: which ceremony, which artifacts, and hashing them visibly."""

import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path

from signer_agent.agent import Agent
from signer_agent.artifacts import Sources
from signer_agent.deciding import look
from signer_agent.naming import NAMED, find_ceremony, require_meant
from signer_agent.review import Review
from signer_agent.settings import Settings

_WORTH_SHOWING = 256 << 20


def add_ceremony(parser: ArgumentParser) -> None:
    """Let a verb be told which ceremony."""
    parser.add_argument(
        "ceremony",
        nargs="?",
        metavar="CEREMONY",
        help=f"{NAMED}; left out: the only one that waits for you",
    )


def add_artifacts(parser: ArgumentParser) -> None:
    """Let a verb be told where the artifacts are."""
    parser.add_argument(
        "--artifacts",
        action="append",
        type=Path,
        default=[],
        metavar="PATH",
        help="a file, or a directory that holds them under the names of the request; may be repeated",
    )
    parser.add_argument(
        "--fetch", action="store_true", help="follow the request's locators (file:// and https:// alone)"
    )


def look_at(agent: Agent, settings: Settings, arguments: Namespace) -> Review:
    """Return the review of the ceremony that is meant, its artifacts hashed."""
    review = look(agent, find_ceremony(agent, arguments.ceremony), sources=sources_of(settings, arguments))
    require_meant(review.ceremony, arguments.ceremony)
    return review


def sources_of(settings: Settings, arguments: Namespace) -> Sources:
    """Return where this command looks for artifacts."""
    return Sources(
        paths=tuple(arguments.artifacts),
        directory=settings.artifacts.directory,
        fetch=arguments.fetch or settings.artifacts.fetch,
        largest=settings.artifacts.largest,
        progress=_progress(),
    )


def _progress() -> Callable[[str, int], None]:
    """Return what shows how far hashing is: on a terminal, where it takes long."""
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        return lambda _name, _done: None

    def show(name: str, done: int) -> None:
        if done >= _WORTH_SHOWING and done % (64 << 20) < 1 << 20:
            sys.stderr.write(f"\r\x1b[Khashing {name}: {done / 1e9:.1f} GB\r")
            sys.stderr.flush()

    return show
