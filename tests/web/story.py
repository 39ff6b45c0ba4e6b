# SPDX-License-Identifier: Apache-2.0
"""A week at Acme with something of everything, for pages to show."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from coordinator.commands import Act, Stand, Start
from coordinator.values import Annex
from quorumseal.ceremony.commands import Cancel, Expire, Record
from quorumseal.ceremony.policy import Kind
from quorumseal.ceremony.statements import Choice, Evidence, KeyRevocation, Locator, Request, RevocationReason
from quorumseal.ceremony.values import digest_of
from tests.burning import (
    BURNING,
    DAY,
    HOUR,
    MINUTE,
    WINDOW,
    absence,
    delegation,
    emergency_request,
    joins,
    ratification,
    reports,
    vetoes,
)
from tests.changing import next_version, policy_decision, policy_request
from tests.coordinator.workshop import Desk, Workshop
from tests.organisation import REASON, SALT, Organisation, ceremony_number

HOSTILE = "<script>alert(1)</script> \u202edrowssap\u202c {{ 7*7 }} \x1b[31m p\u0430ypal"
ACME = replace(BURNING, spare=frozenset({"erin"}), leads={"security": "carol"}, windows={"release": HOUR * 4})
TWO = next_version(
    ACME,
    roles={**ACME.roles, "engineering": ("alice", "bob", "erin", "zoe")},
    quorum={"engineering": 1, "security": 1, "release": 1},
    clock_skew=timedelta(minutes=4),
)
APPROVED, REJECTED, EXPIRED, CANCELLED, OPEN, BURNT, VETOED, BURNING_NOW = (
    ceremony_number(number) for number in (1, 2, 3, 4, 5, 6, 7, 8)
)

SBOM_FILE = b"<script>alert(1)</script>" * 30_000
SBOM = Evidence(
    kind="sbom", name="reports/sbom.html", media_type="text/html; charset=utf-8", digest=digest_of(SBOM_FILE)
)
LOST = Evidence(kind="log", name="tests.log", media_type="text/plain", digest=digest_of(b"lost"))
UNNAMED = digest_of(b"of no request")


def annex(text: str) -> Annex:
    return Annex(salt=SALT, text=text)


@dataclass
class Story:
    """Writes what happened, in the order in which it did."""

    shop: Workshop
    desk: Desk
    acme: Organisation = ACME

    @property
    def now(self) -> datetime:
        return self.shop.time.now

    def passes(self, time: timedelta) -> None:
        self.shop.time.pass_by(time)

    def start(self, request: Request, *annexes: Annex, proposed: bytes | None = None) -> Start:
        signed = self.acme.sign_request(request)
        start = Start(policy=self.acme.policy, request=signed, annexes=annexes, proposed=proposed)
        self.desk.written(start)
        return start

    def release(self, number: int, version: str, product: str = "widget", **more: timedelta) -> Start:
        request = self.acme.request(number=number, version=version, product=product, at=self.now, **more)  # type: ignore[arg-type] # one of its durations
        return self.start(request)

    def decides(self, start: Start, signer: str, choice: Choice = Choice.APPROVAL, text: str = "") -> None:
        decision = self.acme.decision(signer, start.request, choice, at=self.now)
        if choice is Choice.REJECTION:
            decision = replace(decision, reason=digest_of(SALT + (text or REASON).encode()))
        said = annex(text or REASON) if choice is Choice.REJECTION else None
        command = Record(self.acme.sign_decision(decision))
        self.desk.written(Act(ceremony=start.request.statement.ceremony, command=command, annex=said))
        self.passes(MINUTE * 7)

    def approve(self, start: Start, signers: Iterable[str] = ("alice", "erin", "carol", "rita")) -> None:
        for signer in signers:
            self.decides(start, signer)

    def expire(self, start: Start) -> None:
        self.desk.written(Act(ceremony=start.request.statement.ceremony, command=Expire()))

    def burn(self, number: int, version: str, *signers: str) -> Start:
        request = emergency_request(self.acme, number=number, version=version, at=self.now)
        start = self.start(request, annex(REASON))
        for signer in signers:
            chain = self.desk.chain(start.request.statement.ceremony)
            command = joins(chain, signer, acme=self.acme, at=self.now)
            self.desk.written(Act(ceremony=chain.id, command=command))
            self.passes(MINUTE)
        return start

    def change(self, new: Organisation, number: int) -> None:
        for kind, under in ((Kind.POLICY_CHANGE, self.acme), (Kind.POLICY_ACCEPTANCE, new)):
            request = policy_request(kind, under, new, number=number, requester="alice", at=self.now)
            proposed = new.policy.payload if kind is Kind.POLICY_CHANGE else None
            start = Start(policy=under.policy, request=under.sign_request(request), proposed=proposed)
            self.desk.written(start)
            for signer in ("alice", "carol"):
                decided = Record(policy_decision(under, signer, start.request, at=self.now))
                self.desk.written(Act(ceremony=start.request.statement.ceremony, command=decided))
            number += 1
        self.acme = new

    def stands(self, act: Stand) -> None:
        self.desk.written(act)


def tell(shop: Workshop, desk: Desk) -> Story:
    """Let the week go by; one ceremony and one emergency are open at its end."""
    story = Story(shop, desk)
    acme = story.acme
    story.approve(story.release(1, "1.0"))
    story.passes(HOUR)
    rejected = story.release(2, "1.1")
    story.decides(rejected, "alice")
    story.decides(rejected, "carol", Choice.REJECTION, HOSTILE)
    expired = story.release(3, "1.2", deadline=HOUR)
    story.decides(expired, "bob", Choice.ABSTENTION)
    story.passes(HOUR)
    story.expire(expired)
    cancelled = story.release(4, "1.3")
    chain = desk.chain(CANCELLED)
    cancellation = acme.cancellation("mallory", chain, at=story.now)
    command = Cancel(acme.sign_cancellation(cancellation))
    desk.written(Act(ceremony=CANCELLED, command=command, annex=annex(REASON)))
    assert cancelled.request.statement.ceremony == CANCELLED
    story.passes(DAY)
    burnt = story.burn(6, "2.0", "alice", "bob")
    story.passes(WINDOW)
    story.expire(burnt)
    story.passes(HOUR)
    file = reports(desk.chain(BURNT), "dan", acme=acme, at=story.now)
    desk.written(Act(ceremony=BURNT, command=file, annex=annex(REASON)))
    ratified = story.start(replace(ratification(desk.chain(BURNT), acme, at=story.now), version="2.0"))
    story.approve(ratified, ("alice", "erin", "carol", "dan"))
    story.burn(7, "2.1", "alice")
    stop = vetoes(desk.chain(VETOED), "carol", acme=acme, at=story.now)
    desk.written(Act(ceremony=VETOED, command=stop, annex=annex(REASON)))
    gone = absence("erin", acme=acme, since=story.now, until=story.now + 9 * DAY)
    story.stands(Stand(policy=acme.policy, act=acme.sign(gone)))
    given = delegation("bob", "engineering", "frank", acme=acme, since=story.now, until=story.now + 3 * DAY)
    story.stands(Stand(policy=acme.policy, act=acme.sign(given)))
    lost = KeyRevocation(
        context=acme.context("erin", at=story.now),
        number=1,
        key=acme.key("erin").public.key_id,
        since=story.now,
        reason=RevocationReason.LOST,
    )
    story.stands(Stand(policy=acme.policy, act=acme.sign(lost, key=acme.spare_key("erin"))))
    story.change(TWO, 20)
    story.passes(DAY)
    waits = story.acme.request(number=5, version="3.0", at=story.now, deadline=3 * DAY)
    desk.storage.evidence.put(SBOM.digest, SBOM_FILE, uploader="mallory", until=story.now + DAY)
    desk.storage.evidence.put(UNNAMED, b"of no request", uploader="mallory", until=story.now + DAY)
    waits = replace(
        waits,
        evidence=(SBOM, LOST),
        ticket="REL-17 ready to go",
        locators=(Locator(name="widget.tar.gz", uri="https://dl.acme.example/widget.tar.gz"),),
    )
    start = story.start(waits)
    story.passes(HOUR * 5)
    story.decides(start, "bob")
    story.burn(8, "3.1", "alice")
    story.passes(HOUR / 4)
    return story
