# SPDX-License-Identifier: Apache-2.0
"""A log with hostile texts in every field that reaches a page, and one of the same shape with plain ones.

A text that the rules refuse in a field, mark-up in a role's name say, cannot get there, and a plain one
stands in its place.  Reports and destinations share a page; for the rest, a text has ceremonies of its own.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from starlette.applications import Starlette

from coordinator.commands import Act
from coordinator.founding import found
from coordinator.storage import OutboxRow
from coordinator.web.app import make_app
from coordinator.web.context import open_context
from coordinator.web.measuring import Measuring, measure
from quorumseal.ceremony import values
from quorumseal.ceremony.chain import Chain
from quorumseal.ceremony.commands import Cancel, File, Record, Stop
from quorumseal.ceremony.statements import (
    Check,
    CheckOutcome,
    Choice,
    Evidence,
    Locator,
    Report,
    Request,
    Subject,
    Veto,
)
from quorumseal.ceremony.values import digest_of
from quorumseal.refusal import Refusal
from tests.burning import BREAK_GLASS, WINDOW, emergency_request, joins, revocation
from tests.conftest import DEEP
from tests.coordinator.workshop import Workshop
from tests.organisation import NOW, SALT, SUBJECTS, Organisation, ceremony_number
from tests.web import story
from tests.web.browser import Gallery
from tests.web.naughty import NAUGHTY

PLAIN: Final = "plain"
RELEASED, BURNT = 1, 2
VERSION: Final = "0.0.1"
_REJECTED, _VETOED, _CANCELLED = range(3)
VETOED, CANCELLED = (range(0, 999, 1 if DEEP else 2), range(0 if DEEP else 1, 999, 1 if DEEP else 2))
"""The places of the texts that have such a ceremony, too."""
_DIGEST: Final = digest_of(b"evidence")


def allowed(text: str, rule: Callable[[str], str] = values.printable) -> bool:
    try:
        rule(text)
    except Refusal:
        return False
    return True


NAMES: Final = tuple(text for text in NAUGHTY if allowed(text, values.name))
"""What people, roles, products and reasons can be called."""


@dataclass(frozen=True)
class HostileLog:
    """Which page shows which text."""

    texts: tuple[str, ...]
    names: tuple[str, ...]

    def rejected(self, place: int) -> str:
        """The page with a text as ticket, address, evidence, check and reason."""
        return self._page(place, _REJECTED)

    def vetoed(self, place: int) -> str:
        """The page with it as incident, justification, impact and reason of the veto."""
        return self._page(place, _VETOED)

    def cancelled(self, place: int) -> str:
        """The page with it as reason to take a release back, and to let that be."""
        return self._page(place, _CANCELLED)

    def _page(self, place: int, which: int) -> str:
        return f"/ceremonies/{ceremony_number(number_of(place, which))}"


def number_of(place: int, which: int) -> int:
    return 10 + 3 * place + which


@contextmanager
def hostile_log(
    folder: Path, texts: Sequence[str], names: Sequence[str]
) -> Iterator[tuple[HostileLog, Starlette, Gallery]]:
    """Write the log, and make its pages."""
    folder.mkdir()
    database, acme = f"sqlite:///{folder / 'log.sqlite'}", _acme(names)
    found(database, acme.log_key, acme.policy, at=NOW - timedelta(days=1))
    shop = Workshop(database, acme, folder / "published")
    try:
        told = story.Story(shop, shop.desk(), acme)
        write(told, texts, names)
        measuring = counted(database, lambda: shop.time.now)
        context = replace(open_context(database, told.desk.live, lambda: shop.time.now), measuring=measuring)
        gallery = Gallery(folder, acme.name)
        app = make_app(context, gallery.visitors)
        yield HostileLog(tuple(texts), tuple(names)), app, gallery
        context.storage.close()
    finally:
        shop.close()


def counted(database: str, now: Callable[[], datetime]) -> Measuring:
    """Return what has counted how well the rule works."""
    with ThreadPoolExecutor(1) as pool:
        measuring = Measuring(database, now, lambda database, at: pool.submit(measure, database, at))
        measuring.newest(0)
    return measuring


def _acme(names: Sequence[str]) -> Organisation:
    """Return Acme with more people, roles, products and reasons of such names."""
    return replace(
        story.ACME,
        roles={**story.ACME.roles, **{name: (name, "alice") for name in names}},
        deputies={**story.ACME.deputies, **dict.fromkeys(names, ("frank",))},
        products=(*story.ACME.products, *names),
        emergency=replace(BREAK_GLASS, reasons=BREAK_GLASS.reasons | {*names}),
    )


def write(told: story.Story, texts: Sequence[str], names: Sequence[str]) -> None:
    """Write each text wherever one goes, as the coordinator would have it."""
    told.desk.storage.evidence.put(_DIGEST, b"evidence", uploader="mallory", until=told.now)
    released = told.release(RELEASED, VERSION)
    told.approve(released)
    _publish(told, released.request.statement.ceremony, texts)
    burnt = told.burn(BURNT, "0.0.2", "alice", "bob")
    told.passes(WINDOW)
    told.expire(burnt)
    chain = told.desk.chain(burnt.request.statement.ceremony)
    for text in texts:
        _report(told, chain, said(text))
        told.passes(timedelta(seconds=1))
    for place, text in enumerate(texts):
        product = names[place % len(names)]
        _reject(told, number_of(place, _REJECTED), text, product)
        if place in VETOED:
            _veto(told, number_of(place, _VETOED), text, product)
        if place in CANCELLED:
            _cancel(told, number_of(place, _CANCELLED), text, released.request.digest)


def said(text: str) -> str:
    """A text as an annex can have it."""
    return text.replace("\0", "") or PLAIN


def _fitting(text: str, rule: Callable[[str], str], instead: str = PLAIN) -> str:
    return text if allowed(text, rule) else instead


def _reject(told: story.Story, number: int, text: str, product: str) -> None:
    line, name = _fitting(text, values.printable), _fitting(text, values.name)
    artifact = _fitting(text, values.subject_name)
    request = replace(
        told.acme.request(number=number, product=product, version=_version(number, text), at=told.now),
        ticket=line,
        subjects=(*SUBJECTS, Subject(name=artifact, digest=_DIGEST)),
        locators=(Locator(name=artifact, uri=line),),
        evidence=(Evidence(kind=name, name=artifact, media_type=line, digest=_DIGEST),),
    )
    start = told.start(request)
    approval = replace(
        told.acme.decision("alice", start.request, at=told.now),
        checks=(Check(name=product, outcome=CheckOutcome.WAIVED),),
    )
    told.desk.written(Act(ceremony=request.ceremony, command=Record(told.acme.sign_decision(approval))))
    told.decides(start, "carol", Choice.REJECTION, said(text))


def _veto(told: story.Story, number: int, text: str, product: str) -> None:
    committed = digest_of(SALT + said(text).encode())
    request = emergency_request(told.acme, number=number, version=f"{number}.0", at=told.now)
    assert request.emergency is not None
    emergency = replace(
        request.emergency,
        incident=_fitting(text, values.printable),
        reason=product,
        impact=committed,
    )
    told.start(replace(request, product=product, why=committed, emergency=emergency), story.annex(said(text)))
    chain = told.desk.chain(request.ceremony)
    told.desk.written(Act(ceremony=chain.id, command=joins(chain, "alice", acme=told.acme, at=told.now)))
    chain = told.desk.chain(request.ceremony)
    veto = Veto(
        context=told.acme.context("carol", at=told.now),
        ceremony=chain.id,
        request=chain.ceremony.request.digest,
        seen=chain.hashes[-1],
        reason=committed,
    )
    told.desk.written(
        Act(ceremony=chain.id, command=Stop(told.acme.sign(veto)), annex=story.annex(said(text)))
    )


def _cancel(told: story.Story, number: int, text: str, released: str) -> None:
    committed = digest_of(SALT + said(text).encode())
    request: Request = replace(
        revocation(released, told.acme, number=number, at=told.now),
        version=VERSION,
        why=committed,
        ticket=_fitting(text, values.printable),
    )
    told.start(request, story.annex(said(text)))
    chain = told.desk.chain(request.ceremony)
    cancellation = replace(told.acme.cancellation("mallory", chain, at=told.now), reason=committed)
    command = Cancel(told.acme.sign_cancellation(cancellation))
    told.desk.written(Act(ceremony=chain.id, command=command, annex=story.annex(said(text))))


def _report(told: story.Story, chain: Chain, text: str) -> None:
    report = Report(
        context=told.acme.context("dan", at=told.now),
        ceremony=chain.id,
        request=chain.ceremony.request.digest,
        seen=chain.hashes[-1],
        text=digest_of(SALT + text.encode()),
    )
    told.desk.written(Act(ceremony=chain.id, command=File(told.acme.sign(report)), annex=story.annex(text)))


def _publish(told: story.Story, ceremony: str, texts: Sequence[str]) -> None:
    """A destination of each text's name, that answered with it."""
    told.desk.storage.outbox.ask_again(
        [
            OutboxRow(
                ceremony=ceremony,
                destination=f"{number}:{said(text)}",
                state="failed",
                detail=said(text),
                attempts=1,
                due_at=told.now,
            )
            for number, text in enumerate(texts)
        ]
    )


def _version(number: int, text: str) -> str:
    return f"{number}.0" if text == PLAIN else _fitting(text, values.version, f"{number}.0")
