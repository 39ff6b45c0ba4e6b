# SPDX-License-Identifier: Apache-2.0
"""The port for people without certificates: pinned, bounded, and silent about codes."""

import logging
import os
import re
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest

from coordinator.certificates import self_signed
from coordinator.grpc_api import enrolment_server
from coordinator.grpc_api.guessing import MOST_GUESSES, WINDOW_SECONDS, Guesses, place_of
from quorumseal.client.connection import TlsFiles
from quorumseal.client.enrolment import EnrolmentConnection, fetch_certificate, fingerprint
from quorumseal.client.errors import ClientError, CoordinatorUnreachableError, CredentialsError
from quorumseal.client.statuses import error_of
from quorumseal.refusal import Refusal
from tests.founding_site import FoundingSite, Running, again
from tests.grpc_api.knocking import wait_until
from tests.newcomer import code_of


@pytest.fixture
def site(tmp_path: Path) -> FoundingSite:
    return FoundingSite(tmp_path)


def refusal(running: Running, code: str) -> str:
    with running.enrolling() as port, pytest.raises(ClientError) as refused:
        port.invitation(code)
    assert refused.value.hint
    return refused.value.code


def test_the_invitation_says_what_it_is_for_and_where_to_go_from_there(site: FoundingSite) -> None:
    with site.running() as running:
        alice = running.newcomer("alice")
        with running.enrolling() as port:
            shown = port.invitation(alice.code)
            assert (shown.organisation, shown.log) == ("acme.example", "log.acme.example/test")
            assert (shown.signer, shown.founder) == ("alice", True)
            enrolled = port.enroll(alice.code, alice.bytes, alice.request)
            assert enrolled.coordinator == "coordinator.acme.example:7443"
            assert enrolled.authority == site.site.authority.certificate_pem
            assert enrolled.expires - datetime.now(UTC) < timedelta(days=7)
            assert port.enroll(alice.code, alice.bytes, alice.request) == enrolled
            with pytest.raises(ClientError) as refused:
                port.invitation(alice.code)
            assert refused.value.code == "invitation.used"


def test_another_certificate_at_the_same_address_is_not_spoken_to(site: FoundingSite) -> None:
    other = self_signed(at=datetime.now(UTC), lifetime=timedelta(days=1), randomness=os.urandom)
    with site.running() as running:
        assert fingerprint(fetch_certificate(running.port)) == site.fingerprint
        assert fingerprint(other.certificate_pem) != site.fingerprint
        with (
            EnrolmentConnection(running.port, other.certificate_pem, patience=0) as port,
            pytest.raises(CoordinatorUnreachableError) as refused,
        ):
            port.invitation(code_of("alice"))
    assert refused.value.hint


def test_where_nobody_listens_there_is_no_certificate() -> None:
    with pytest.raises(CoordinatorUnreachableError):
        fetch_certificate("127.0.0.1:1", timeout=2)
    with pytest.raises(CredentialsError):
        fingerprint(b"no certificate")


def test_the_usual_port_lets_nobody_in_by_the_pinned_certificate(site: FoundingSite) -> None:
    with site.running() as running:
        certificate = (site.folder / "enrolment.crt").read_bytes()
        address = running.process.address
        with EnrolmentConnection(address, certificate, patience=0) as port, pytest.raises(ClientError):
            port.invitation(code_of("alice"))


@pytest.mark.parametrize("data", [b"\xff\xff", b"\x52\x01a", b"\x0a" + b"\xff" * 9], ids=repr)
def test_garbage_is_refused_by_name(site: FoundingSite, data: bytes) -> None:
    with site.running() as running:
        channel = pinned(running)
        call: Any = channel.unary_unary("/quorumseal.v1.EnrolmentService/Enroll")
        with pytest.raises(grpc.RpcError) as failed:
            call(data, timeout=20)
        assert error_of(failed.value, "").code.startswith("message.")
        with pytest.raises(grpc.RpcError) as large:
            call(b"\x0a" + b"a" * 70_000, timeout=20)
        assert large.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        channel.close()


def pinned(running: Running) -> grpc.Channel:
    credentials = grpc.ssl_channel_credentials(fetch_certificate(running.port))
    name = ("grpc.ssl_target_name_override", "enrolment.quorumseal")
    own = ("grpc.use_local_subchannel_pool", 1)
    return grpc.secure_channel(running.port, credentials, [name, own])


def test_calls_that_begin_and_send_nothing_hold_the_port_for_a_while_only(
    site: FoundingSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enrolment_server, "_CALL_SECONDS", 1.0)
    over = threading.Event()

    def nothing() -> Iterator[bytes]:
        over.wait()
        yield from ()

    with site.running() as running:
        channels = [pinned(running) for _ in range(8)]
        calls: list[Any] = []
        for channel in channels:
            begin: Any = channel.stream_unary("/quorumseal.v1.EnrolmentService/GetInvitation")
            calls += [begin.future(nothing(), timeout=60) for _ in range(4)]
        try:
            wait_until(lambda: all(call.done() for call in calls))
            assert {error_of(call.exception(), "").code for call in calls} == {"limit.time"}
            assert refusal(running, code_of("anybody")) == "invitation.unknown"
        finally:
            over.set()
            for channel in channels:
                channel.close()


def test_guesses_are_counted_and_whoever_makes_no_mistake_is_not_kept_waiting(site: FoundingSite) -> None:
    with site.running() as running:
        good = site.invite("alice")
        for number in range(MOST_GUESSES - 1):
            assert refusal(running, code_of(f"guess {number}")) == "invitation.unknown"
        with running.enrolling() as port:
            assert port.invitation(good).signer == "alice"
        assert refusal(running, code_of("one more")) == "invitation.unknown"
        assert refusal(running, code_of("too many")) == "invitation.too_many_guesses"
        assert refusal(running, good) == "invitation.too_many_guesses"


def test_places_are_counted_apart_and_forgiven_after_a_while() -> None:
    at = 0.0
    guesses = Guesses(lambda: at)
    for _ in range(MOST_GUESSES):
        guesses.check("here")
        guesses.count("here")
    guesses.check("there")
    with pytest.raises(Refusal) as refused:
        guesses.check("here")
    assert refused.value.code == "invitation.too_many_guesses"
    at += WINDOW_SECONDS
    guesses.check("here")
    guesses.count("here")
    guesses.check("here")
    for number in range(5000):
        guesses.count(f"place {number}")
    assert len(guesses._places) < 5000, "somebody with many addresses takes no more room"


@pytest.mark.parametrize(
    ("peer", "place"),
    [
        ("ipv4:192.0.2.7:51000", "192.0.2.7"),
        ("ipv6:%5B2001:db8::1%5D:51000", "2001:db8::/64"),
        ("ipv6:[2001:db8::2]:51000", "2001:db8::/64"),
        ("ipv6:%5Bfe80::1%25eth0%5D:51000", "fe80::/64"),
        ("ipv6:%5B::ffff:192.0.2.7%5D:51000", "192.0.2.7"),
        ("unix:/somewhere", "unix:/somewhere"),
    ],
)
def test_a_place_is_an_address_or_a_households_network(peer: str, place: str) -> None:
    assert place_of(peer) == place


def test_the_running_log_says_what_was_refused_and_never_a_code(
    site: FoundingSite, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with site.running() as running:
        alice = running.newcomer("alice")
        wrong = code_of("nobody")
        assert refusal(running, wrong) == "invitation.unknown"
        running.join(alice)
        assert refusal(running, alice.code) == "invitation.used"
    said = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert "invitation.used" in said
    for code in (alice.code, wrong):
        assert code not in said
        assert code.replace("-", "") not in said
    assert not re.search(r"(?:[0-9a-f]{4}-){7}[0-9a-f]{4}", said)


def test_a_certificate_is_renewed_for_its_own_holder_only(site: FoundingSite) -> None:
    with site.running() as running:
        alice, bob = running.newcomer("alice"), running.newcomer("bob")
        files = running.join(alice)
        with running.connect(files) as connection:
            renewed = connection.renew_certificate(alice.request)
            with pytest.raises(ClientError) as refused:
                connection.renew_certificate(b"let me be bob")
            assert refused.value.code == "certificate.request"
            assert [record.founder for record in connection.enrolments()] == [True]
        files = running.files(alice, renewed.certificate)
        with running.connect(files) as connection:
            assert connection.founding().unenrolled == ("bob", "carol")
        assert bob.code


def test_a_revoked_certificate_ends_what_is_open_and_lets_nobody_in(site: FoundingSite) -> None:
    with site.running() as running:
        people = running.everybody()
        for person, files in people.items():
            running.sign(person, files)
        (alice, hers), (_, his), _ = people.items()
        ended: list[str] = []

        def follow() -> None:
            with running.connect(hers) as connection, connection.follow(patience=0) as events:
                try:
                    ended.extend("event" for _ in events)
                except ClientError as error:
                    ended.append(error.code)

        follower = threading.Thread(target=follow)
        follower.start()
        wait_until(lambda: "event" in ended)
        with site.door() as door:
            assert len(door.inviting().revoke_certificates("alice")) == 1
        follower.join(20)
        assert ended[-1] == "certificate.revoked"
        with running.connect(hers) as connection:
            for call in (connection.organisation, lambda: connection.renew_certificate(alice.request)):
                with pytest.raises(ClientError) as refused:
                    call()
                assert (refused.value.code, bool(refused.value.hint)) == ("certificate.revoked", True)
        with running.connect(his) as connection:
            assert connection.organisation().checkpoint
        back = again(alice, site.invite("alice", founder=False))
        with running.connect(running.join(back)) as connection:
            assert connection.organisation().checkpoint


def test_serial_numbers_in_the_settings_are_read_again(site: FoundingSite) -> None:
    with site.running() as running:
        alice = running.newcomer("alice")
        files = running.join(alice)
        with site.door() as door:
            (row,) = door.storage.certificates.of("alice")
        assert refused_as(running, files) == ""
        site.site.revoked = (row.serial,)
        settings = site.site.settings
        wait_until(lambda: refused_as(running, files) == "certificate.revoked")
        settings.write_text("this is no TOML")
        time.sleep(1.5)  # it was read by now
        assert refused_as(running, files) == "certificate.revoked"
        site.site.revoked = ()
        assert site.site.settings == settings
        wait_until(lambda: refused_as(running, files) == "")


def refused_as(running: Running, files: TlsFiles) -> str:
    with running.connect(files) as connection:
        try:
            connection.founding()
        except ClientError as error:
            return error.code
    return ""


def test_a_new_server_certificate_is_shown_without_a_restart(site: FoundingSite) -> None:
    with site.running() as running:
        before = fetch_certificate(running.process.address)
        new = site.site.authority.issue_server(
            ["localhost", "127.0.0.1"],
            at=datetime.now(UTC),
            lifetime=timedelta(days=2),
            randomness=os.urandom,
        )
        site.site.write("server.crt", new.certificate_pem)
        assert fetch_certificate(running.process.address) == before, "it does not fit the key yet"
        site.site.write("server.key", new.private_key_pem)
        assert fingerprint(fetch_certificate(running.process.address)) == fingerprint(new.certificate_pem)
        files = running.join(running.newcomer("alice"))
        with running.connect(files) as connection:
            assert connection.founding().unenrolled == ("bob", "carol")
        (site.folder / "server.crt").unlink()
        assert fingerprint(fetch_certificate(running.process.address)) == fingerprint(new.certificate_pem)
