# SPDX-License-Identifier: Apache-2.0
"""Which ceremony a person means: by its id or how that begins, by its release, or the only one that waits.

The coordinator's list only says where to look; ``require_meant`` sees that it is what was meant.
"""

from collections.abc import Callable

from quorumseal.ceremony.errors import ValueFormatError
from quorumseal.ceremony.lifecycle import Ceremony, State
from quorumseal.ceremony.values import ceremony_id, name, version
from quorumseal.client.values import CeremonySummary
from signer_agent.agent import Agent
from signer_agent.errors import AmbiguousCeremonyError, NoSuchCeremonyError, OtherAnswerError, UsageError
from signer_agent.inbox import open_inbox

NAMED = "its id, the beginning of it, or PRODUCT@VERSION (the open one, else the newest)"
_LIST = "`quorumseal list` shows what there is"
_PAGE = 100
_MOST_PAGES = 20
_FEWEST_DIGITS = 4
_SHOWN = 5


Among = Callable[[CeremonySummary], bool]


def find_ceremony(agent: Agent, named: str | None, among: Among = lambda _: True) -> str:
    """Return the id of the ceremony that is meant; whoever uses it sees that it is the one.

    A release may have several: an emergency, its ratification, a revocation; ``among`` says which is meant.
    """
    if named is None:
        return _only_waiting(agent)
    try:
        return ceremony_id(named)
    except ValueFormatError:
        product, at, released = named.partition("@")
        return (
            _of_release(agent, name(product), version(released), among) if at else _by_beginning(agent, named)
        )


def require_meant(ceremony: Ceremony, named: str | None) -> None:
    """Refuse a ceremony that is not the one that was meant."""
    request = ceremony.request.statement
    if named is not None and "@" in named and named != f"{request.product}@{request.version}":
        raise OtherAnswerError(
            f"expected a ceremony about {named}, got one about {request.product}@{request.version}",
            hint="the coordinator's list is wrong: name the ceremony by its id, and tell its operator",
        )


def of_release(agent: Agent, product: str, released: str) -> tuple[CeremonySummary, ...]:
    """Return the ceremonies of a release, newest first, as the coordinator says."""
    return agent.connection.list_ceremonies(
        product=name(product), version=version(released), page_size=_PAGE
    ).ceremonies


def _of_release(agent: Agent, product: str, released: str, among: Among) -> str:
    """Return the open ceremony of a release, or the latest where none is."""
    every = of_release(agent, product, released)
    found = [each for each in every if among(each)]
    if not found:
        got = f"{len(every)} of other kinds or in other states" if every else "none"
        raise NoSuchCeremonyError(f"expected such a ceremony of {product} {released}, got {got}", hint=_LIST)
    return ceremony_id(next((each for each in found if each.state == State.OPEN), found[0]).ceremony)


def _by_beginning(agent: Agent, text: str) -> str:
    if len(text) < _FEWEST_DIGITS or set(text) - set("0123456789abcdef-"):
        raise NoSuchCeremonyError(
            f"expected a ceremony's id, {_FEWEST_DIGITS} or more digits of its beginning, or "
            f"PRODUCT@VERSION, got {text[:64]}",
            hint=_LIST,
        )
    found = [each for each in _everything(agent) if each.ceremony.startswith(text)]
    if not found:
        raise NoSuchCeremonyError(
            f"expected the beginning of a ceremony's id, got {text}, with which none begins", hint=_LIST
        )
    if len(found) > 1:
        shown = ", ".join(f"{s.ceremony} ({s.product} {s.version})" for s in found[:_SHOWN])
        raise AmbiguousCeremonyError(
            f"expected the beginning of one ceremony's id, got that of {len(found)}: {shown}",
            hint="write more of it, or PRODUCT@VERSION",
        )
    return ceremony_id(found[0].ceremony)


def _everything(agent: Agent) -> list[CeremonySummary]:
    found: list[CeremonySummary] = []
    token = ""
    for _ in range(_MOST_PAGES):
        page = agent.connection.list_ceremonies(page_size=_PAGE, page_token=token)
        found += page.ceremonies
        token = page.next_token
        if not token:
            break
    return found


def _only_waiting(agent: Agent) -> str:
    waiting = open_inbox(agent).waiting
    match len(waiting):
        case 1:
            return waiting[0].request.statement.ceremony
        case 0:
            raise UsageError(
                f"expected the name of a ceremony, since nothing waits for {agent.name}",
                hint="name it as PRODUCT@VERSION or by its id; " + _LIST,
            )
        case count:
            raise UsageError(
                f"expected the name of a ceremony, since {count} wait for {agent.name}",
                hint="name one as PRODUCT@VERSION or by its id; `quorumseal inbox` lists them",
            )
