# SPDX-License-Identifier: Apache-2.0
"""Whatever is wrong with what is sent, a code and a hint come back, nothing changes, the server goes on."""

import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count as counting
from typing import Any

import grpc
import pytest

from quorumseal.ceremony.policy import Signer
from quorumseal.ceremony.signed import Signed
from quorumseal.ceremony.statement_document import write_statement
from quorumseal.ceremony.statements import Cancellation, Choice, Request, Statement
from quorumseal.ceremony.values import digest_of, whole_milliseconds
from quorumseal.client.connection import Connection
from quorumseal.client.errors import ClientError
from quorumseal.client.statuses import error_of
from quorumseal.client.values import Annex, LoggedEntry
from quorumseal.signatures import PrivateKey
from quorumseal.signatures.dsse import sign
from quorumseal.strict_json import write
from quorumseal.v1 import coordinator_pb2 as wire
from tests.bad_statements import BAD, HEX, Bad
from tests.certificates.attempts import Attempt, StoppedBy, attempts
from tests.certificates.forging import authority
from tests.grpc_api.knocking import knock
from tests.organisation import REASON, REASON_DIGEST, ROLES, SALT, Organisation, ceremony_number
from tests.running_coordinator import Site

ANNEX = Annex(salt=SALT, text=REASON)
LATER = timedelta(days=20)
MIB = 1 << 20
FOUNDED = datetime.now(UTC)
OWN = authority("acme.example", at=FOUNDED - LATER)
ATTEMPTS = [
    attempt
    for attempt in attempts(OWN, at=FOUNDED)
    if attempt.stopped_by is not StoppedBy.NOBODY and attempt.newest_tls is ssl.TLSVersion.TLSv1_3
]


class Acme(Organisation):
    """Two more engineers: eve's key has expired, and newt's is not valid yet."""

    def _signer(self, name: str) -> Signer:
        signer = super()._signer(name)
        if name != "newt":
            return signer
        return replace(signer, keys=(replace(signer.keys[0], valid_from=self.founded + LATER),))


@dataclass
class Desk:
    """A running coordinator, and one open ceremony on it."""

    site: Site
    address: str
    connections: dict[str, Connection] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: counting(1))
    ceremony: tuple[Signed[Request], str] | None = None

    @property
    def organisation(self) -> Organisation:
        return self.site.organisation

    def connection(self, name: str) -> Connection:
        if name not in self.connections:
            self.connections[name] = Connection(self.address, self.site.client_files(name), patience=0)
        return self.connections[name]

    def size(self) -> int:
        """How many entries the log has."""
        note = self.connection("alice").organisation().checkpoint
        return int(note.splitlines()[1])

    def statement(self, about: str) -> Statement:
        """Return a statement with which nothing is wrong."""
        number = next(self.numbers)
        if about == "request":
            return self.organisation.request(number=number, version=f"1.{number}", at=now())
        assert self.ceremony is not None
        request, opening = self.ceremony
        match about:
            case "approval":
                return self.organisation.decision("alice", request, at=now())
            case "rejection":
                return self.organisation.decision("carol", request, Choice.REJECTION, at=now())
            case _:
                return Cancellation(
                    context=self.organisation.context("mallory", at=now()),
                    ceremony=request.statement.ceremony,
                    request=request.digest,
                    seen=opening,
                    reason=REASON_DIGEST,
                )

    def hand_in(
        self, about: str, payload: bytes, *, key: PrivateKey | None = None, caller: str = ""
    ) -> bytes:
        """Sign bytes and hand them in as what they are about; return the entry that came of it."""
        usual = {"request": "mallory", "cancellation": "mallory", "rejection": "carol"}.get(about, "alice")
        envelope = write(sign(payload, key or self.organisation.key(usual)).to_json())
        return self.send(about, envelope, caller or usual)

    def send(self, about: str, envelope: bytes, caller: str) -> bytes:
        connection = self.connection(caller)
        match about:
            case "request":
                return connection.start(envelope).receipt.entry
            case "approval":
                return connection.decide(envelope).receipt.entry
            case "rejection":
                return connection.decide(envelope, ANNEX).receipt.entry
            case _:
                return connection.act(envelope, ANNEX).receipt.entry

    def open(self) -> None:
        """Open a ceremony for the next test."""
        request = self.organisation.sign_request(self.statement("request"))  # type: ignore[arg-type] # it is one
        entry = self.send("request", write(request.envelope.to_json()), "mallory")
        self.ceremony = request, digest_of(entry)


def now() -> datetime:
    return whole_milliseconds(datetime.now(UTC))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    roles = {**ROLES, "engineering": (*ROLES["engineering"], "eve", "newt")}
    acme = Acme(founded=FOUNDED, roles=roles, valid_until={"eve": FOUNDED - timedelta(hours=1)})
    folder = tmp_path_factory.mktemp("acme")
    site = Site(folder, acme, own_authority=OWN, limits={"streams_per_caller": 16})
    with site.in_process() as server:
        desk = Desk(site, server.address)
        yield desk
        for connection in desk.connections.values():
            connection.close()


@pytest.fixture
def desk(running: Desk) -> Iterator[Desk]:
    """Nothing that a test does changes the log, and after it a good decision is recorded."""
    running.open()
    before = running.size()
    yield running
    assert running.size() == before, "nothing was written"
    for about in ("approval", "rejection"):
        assert running.hand_in(about, write_statement(running.statement(about)))


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.description)
def test_a_statement_that_is_wrong_in_one_way_is_refused_with_its_code(desk: Desk, bad: Bad) -> None:
    statement: dict[str, Any] = json.loads(write_statement(desk.statement(bad.about)))
    refused(lambda: desk.hand_in(bad.about, bad.edit(statement)), bad.code)


ENVELOPES: list[tuple[str, Callable[[dict[str, Any]], object], str]] = [
    ("no envelope", lambda _: "", "json.invalid_field"),
    ("nobody's signature", lambda e: {**e, "signatures": []}, "envelope.signature_count"),
    ("two signatures", lambda e: {**e, "signatures": e["signatures"] * 2}, "envelope.signature_count"),
    ("an unknown field", lambda e: {**e, "cert": "x"}, "json.unknown_field"),
    ("another payload type", lambda e: {**e, "payloadType": "text/plain"}, "envelope.payload_type"),
    ("base64 of another sort", lambda e: {**e, "payload": "__--"}, "envelope.base64"),
    ("another payload under the signature", lambda e: {**e, "payload": "e30="}, "json.missing_field"),
    (
        "a signature of zeros",
        lambda e: {**e, "signatures": [{**e["signatures"][0], "sig": "A" * 86 + "=="}]},
        "statement.signature",
    ),
    (
        "a signature that is too short",
        lambda e: {**e, "signatures": [{**e["signatures"][0], "sig": "AAAA"}]},
        "statement.signature",
    ),
]


@pytest.mark.parametrize(("_", "edit", "code"), ENVELOPES, ids=[row[0] for row in ENVELOPES])
def test_an_envelope_that_is_wrong_in_one_way_is_refused_with_its_code(
    desk: Desk, _: str, edit: Callable[[dict[str, Any]], object], code: str
) -> None:
    sealed = desk.organisation.seal(desk.statement("approval")).to_json()
    assert isinstance(sealed, dict)
    refused(lambda: desk.send("approval", json.dumps(edit(sealed)).encode(), "alice"), code)


def test_a_statement_signed_with_somebody_elses_key_is_refused(desk: Desk) -> None:
    payload = write_statement(desk.statement("approval"))
    key = desk.organisation.key("bob")
    refused(lambda: desk.hand_in("approval", payload, key=key), "statement.signature")


def test_a_statement_handed_in_by_somebody_else_is_refused(desk: Desk) -> None:
    payload = write_statement(desk.statement("approval"))
    refused(lambda: desk.hand_in("approval", payload, caller="bob"), "caller.not_the_signer")


def test_a_caller_who_is_not_in_the_policy_is_refused(desk: Desk) -> None:
    payload = write_statement(desk.statement("approval"))
    refused(lambda: desk.hand_in("approval", payload, caller="stranger"), "caller.not_the_signer")


@pytest.mark.parametrize("signer", ["eve", "newt"])
def test_a_key_that_is_not_valid_now_decides_nothing(desk: Desk, signer: str) -> None:
    """Neither one that has expired nor one whose time has not come, nor by signing for another time."""
    assert desk.ceremony is not None
    for at in (now(), now() - LATER / 2, now() + 2 * LATER):
        decision = desk.organisation.decision(signer, desk.ceremony[0], at=at)
        key = desk.organisation.key(signer)
        payload = write_statement(decision)
        with pytest.raises(ClientError) as refusal:
            desk.hand_in("approval", payload, key=key, caller=signer)
        assert refusal.value.code in ("key.not_valid", "decision.signed_before_opening")
        assert refusal.value.hint


QUESTIONS: list[tuple[str, Callable[[Connection], object], str]] = [
    ("a ceremony that is not there", lambda c: c.ceremony(ceremony_number(10**6)), "ceremony.unknown"),
    ("a ceremony that is a path", lambda c: c.ceremony("../../etc/passwd"), "value.format"),
    ("a log longer than it is", lambda c: c.consistency(10**6), "log.size_ahead"),
    ("a size that no log has", lambda c: c.consistency(2**63), "message.field"),
    ("entries that are not written yet", lambda c: next(c.follow(10**6)), "log.size_ahead"),
    ("entries of an unknown type", lambda c: next(c.follow(types=["gossip"])), "message.field"),
    ("the next page of another list", lambda c: c.list_ceremonies(page_token="7; DROP"), "page.token"),
    ("a page of everything", lambda c: c.list_ceremonies(page_size=10**6), "message.field"),
    ("ceremonies in no known state", lambda c: c.list_ceremonies(states=["lost"]), "message.field"),
    ("evidence that nobody sent", lambda c: c.evidence("sha256:" + HEX), "evidence.unknown"),
    ("evidence by another digest", lambda c: c.evidence("md5:00"), "value.format"),
    ("evidence over the limit", lambda c: c.put_evidence(bytes(17 * MIB)), "evidence.too_large"),
    ("an envelope over the limit", lambda c: c.start(bytes(2 * MIB)), "rpc.resource_exhausted"),
]


@pytest.mark.parametrize(("_", "ask", "code"), QUESTIONS, ids=[row[0] for row in QUESTIONS])
def test_a_question_that_is_wrong_in_one_way_is_refused_with_its_code(
    desk: Desk, _: str, ask: Callable[[Connection], object], code: str
) -> None:
    refused(lambda: ask(desk.connection("rita")), code)


@pytest.mark.parametrize(
    ("annex", "code"),
    [
        (Annex(salt=b"", text=REASON), "message.field"),
        (Annex(salt=SALT, text=""), "message.field"),
        (Annex(salt=SALT, text="x" * 99_999), "message.field"),
        (Annex(salt=SALT, text="another reason"), "annex.commitment"),
        (Annex(salt=b"x" * 32, text=REASON), "annex.commitment"),
    ],
    ids=["no salt", "no text", "a book", "another text", "another salt"],
)
def test_a_reason_that_is_not_the_committed_one_is_refused(desk: Desk, annex: Annex, code: str) -> None:
    envelope = write(desk.organisation.seal(desk.statement("cancellation")).to_json())
    refused(lambda: desk.connection("mallory").act(envelope, annex), code)


def test_the_bundle_of_an_open_ceremony_is_refused(desk: Desk) -> None:
    assert desk.ceremony is not None
    ceremony = desk.ceremony[0].statement.ceremony
    refused(lambda: desk.connection("alice").bundle(ceremony), "bundle.not_approved")
    refused(lambda: desk.connection("alice").publish(ceremony), "bundle.not_approved")


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: attempt.description)
def test_a_good_decision_through_a_bad_certificate_is_not_recorded(desk: Desk, attempt: Attempt) -> None:
    envelope = write(desk.organisation.seal(desk.statement("approval")).to_json())
    message = wire.DecideRequest(envelope=envelope).SerializeToString()
    with knock(desk.site, desk.address, attempt.presents) as door:
        refusal = door.refusal("Decide", message)
    assert refusal.hint
    in_handshake = attempt.stopped_by is StoppedBy.HANDSHAKE
    assert (refusal.code == "coordinator.unreachable") == in_handshake
    assert in_handshake or refusal.code.startswith("certificate.")


def test_thousands_of_streams_opened_at_once_are_refused_beyond_the_limit(
    desk: Desk, count: Callable[..., int]
) -> None:
    """From many connections of one caller; what is within the limit streams, and others are not held up."""
    request = wire.FollowRequest().SerializeToString()
    with ExitStack() as stack:
        doors = [
            stack.enter_context(knock(desk.site, desk.address, desk.site.client("bob"))) for _ in range(8)
        ]
        streams = [door.stream("Follow", request) for door in doors for _ in range(count(250, deep=1_000))]
        refusals = []
        for stream in streams:
            try:
                next(stream)
            except grpc.RpcError as error:
                refusals.append(error_of(error, "test"))
        assert len(streams) - len(refusals) == desk.site.limits["streams_per_caller"]
        assert {(error.code, error.retryable) for error in refusals} == {("limit.concurrent", True)}
        assert all(error.hint for error in refusals)
        with desk.connection("carol").follow() as following:
            assert isinstance(next(following), LoggedEntry)


def refused(call: Callable[[], object], code: str) -> ClientError:
    """Make a call that must be refused: with its code, in a sentence, and with what to do."""
    with pytest.raises(ClientError) as refusal:
        call()
    error = refusal.value
    assert error.code == code
    assert ": expected " in str(error) or str(error).startswith("expected "), "what was expected"
    assert "got" in str(error), "and what came"
    assert error.hint, "and what to do"
    return error
