# SPDX-License-Identifier: Apache-2.0
"""Who gets in: every certificate that may be presented, every kind of caller, every RPC, on a real server."""

import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import grpc
import pytest

from coordinator.certificates import Identity, Kind, identity_of
from coordinator.certificates.errors import CertificateExpiredError, CertificateNotYetValidError
from coordinator.grpc_api.callers import CALLERS, SERVICE, Callers
from coordinator.grpc_api.errors import NoCertificateError, OtherOrganisationError, TlsVersionError
from coordinator.grpc_api.server import ApiServer
from quorumseal.client.errors import CoordinatorRefusedError, CoordinatorUnreachableError
from quorumseal.v1 import coordinator_pb2 as wire
from tests.certificates.attempts import Attempt, StoppedBy, attempts
from tests.certificates.forging import DAY, authority
from tests.grpc_api.knocking import Knock, knock
from tests.grpc_api.stand_in import StandIn
from tests.organisation import Organisation
from tests.running_coordinator import InProcess, Site

NOW = datetime.now(UTC)
OWN = authority("acme", at=NOW - 10 * DAY)
METHODS = [method.name for method in wire.DESCRIPTOR.services_by_name["CoordinatorService"].methods]
# grpcio's client cannot be told to use an older TLS: that row has a test of its own
ATTEMPTS = [each for each in attempts(OWN, at=NOW) if each.newest_tls is ssl.TLSVersion.TLSv1_3]
TLS_1_3 = {"ssl_tls_version": [b"TLSv1.3"]}


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("acme"), Organisation(name="acme"), own_authority=OWN)


@pytest.fixture(scope="module")
def reached() -> StandIn:
    return StandIn()


@pytest.fixture(scope="module")
def api(acme: Site, reached: StandIn) -> Iterator[InProcess[ApiServer]]:
    with acme.api(reached) as running:
        yield running


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: attempt.description)
def test_only_a_client_of_this_authority_reaches_the_use_cases(
    attempt: Attempt, acme: Site, api: InProcess[ApiServer], reached: StandIn
) -> None:
    reached.reached.clear()
    with knock(acme, api.address, attempt.presents) as door:
        if attempt.stopped_by is StoppedBy.NOBODY:
            assert door.call("GetOrganisation")
        else:
            refusal = door.refusal("GetOrganisation")
            if attempt.stopped_by is StoppedBy.HANDSHAKE:
                assert isinstance(refusal, CoordinatorUnreachableError)
            else:
                assert isinstance(refusal, CoordinatorRefusedError)
                assert refusal.code in ("certificate.identity", "certificate.wrong_use")
    assert bool(reached.reached) == (attempt.stopped_by is StoppedBy.NOBODY)
    with knock(acme, api.address, acme.client("alice")) as door:
        assert door.call("GetOrganisation"), "the server goes on"


@pytest.mark.parametrize(
    ("newest", "gets_in"), [(ssl.TLSVersion.TLSv1_2, False), (ssl.TLSVersion.TLSv1_3, True)]
)
def test_nothing_older_than_tls_1_3_is_spoken(newest: ssl.TLSVersion, gets_in: bool, tmp_path: Path) -> None:
    """In a process of its own: the setting counts when grpcio is loaded, and here that was long ago."""
    script = tmp_path / "serve.py"
    script.write_text(
        "import sys\n"
        "from pathlib import Path\n"
        "from tests.grpc_api.stand_in import StandIn\n"
        "from tests.running_coordinator import Site\n"
        f"site = Site(Path({str(tmp_path)!r}))\n"
        "site.client_files('alice')\n"
        "with site.api(StandIn()) as api:\n"
        "    print(api.address, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    ) as server:
        assert server.stdout is not None
        host, _, port = server.stdout.readline().strip().rpartition(":")
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client.load_verify_locations(tmp_path / "authority.crt")
        client.load_cert_chain(tmp_path / "signer-alice.crt", tmp_path / "signer-alice.key")
        client.set_alpn_protocols(["h2"])
        client.maximum_version = newest
        try:
            with socket.create_connection((host, int(port))) as plain:
                if not gets_in:
                    with pytest.raises(ssl.SSLError):
                        client.wrap_socket(plain, server_hostname="localhost")
                else:
                    with client.wrap_socket(plain, server_hostname="localhost") as secure:
                        assert secure.version() == "TLSv1.3"
                        assert secure.recv(9), "HTTP/2 settings"
        finally:
            assert server.stdin is not None
            server.stdin.close()


def test_a_connection_over_older_tls_is_refused_on_every_call_too() -> None:
    with pytest.raises(TlsVersionError, match="expected a connection over TLS"):
        callers().admit(f"/{SERVICE}/Follow", {"ssl_tls_version": [b"TLSv1.2"]})
    with pytest.raises(NoCertificateError):
        callers().admit(f"/{SERVICE}/Follow", TLS_1_3)


def test_plain_text_gets_nowhere(api: InProcess[ApiServer], reached: StandIn) -> None:
    reached.reached.clear()
    with grpc.insecure_channel(api.address) as channel, pytest.raises(grpc.RpcError):
        Knock(channel).call("GetOrganisation")
    assert not reached.reached


def test_every_rpc_has_its_row_in_the_table_and_no_row_is_without_rpc() -> None:
    ours = {path for path in CALLERS if path.startswith(f"/{SERVICE}/")}
    assert ours == {f"/{SERVICE}/{method}" for method in METHODS}
    assert all(CALLERS.values())


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("method", METHODS)
def test_each_rpc_is_open_to_the_kinds_in_the_table_only(
    method: str, kind: Kind, acme: Site, api: InProcess[ApiServer], reached: StandIn
) -> None:
    reached.reached.clear()
    with knock(acme, api.address, acme.client("olga", kind)) as door:
        code = door.code_of_any(method)
    assert (code == "caller.not_allowed") == (kind not in CALLERS[f"/{SERVICE}/{method}"])
    if code == "caller.not_allowed":
        assert not reached.reached


def test_an_rpc_that_is_not_there_is_not_made(acme: Site, api: InProcess[ApiServer]) -> None:
    with knock(acme, api.address, acme.client("alice")) as door:
        assert door.refusal("Approve").code == "rpc.unimplemented"


def callers(at: datetime = NOW, organisation: str = "acme", revoked: tuple[str, ...] = ()) -> Callers:
    return Callers(organisation, revoked=lambda: revoked, now=lambda: at)


def alice(acme: Site) -> tuple[Identity, dict[str, list[bytes]]]:
    pem = acme.client("alice").certificate_pem
    return identity_of(pem), {**TLS_1_3, "x509_pem_cert": [pem]}


def test_the_end_of_a_certificate_counts_on_a_connection_that_outlasts_it(acme: Site) -> None:
    identity, context = alice(acme)
    method = f"/{SERVICE}/Follow"
    assert callers(identity.not_after).admit(method, context) == identity
    with pytest.raises(CertificateExpiredError):
        callers(identity.not_after + DAY).admit(method, context)
    with pytest.raises(CertificateNotYetValidError):
        callers(identity.not_before - DAY).admit(method, context)


def test_a_certificate_of_another_organisation_is_refused(acme: Site) -> None:
    with pytest.raises(OtherOrganisationError, match="expected a certificate of other, got one of acme"):
        callers(organisation="other").admit(f"/{SERVICE}/Follow", alice(acme)[1])


def test_somebody_who_is_suspended_reads_on_and_does_nothing_else(site: Site, use_cases: StandIn) -> None:
    use_cases.suspended["alice"] = NOW + DAY
    with site.api(use_cases) as api:
        with knock(site, api.address, site.client("alice")) as door:
            assert door.call("GetOrganisation")
            for method in ("Stand", "Decide", "Publish"):
                assert door.refusal(method).code == "signer.suspended"
        with knock(site, api.address, site.client("bob")) as door:
            assert door.refusal("Publish").code == "value.format", "it was let in, and asked for nothing"


def test_an_operator_of_the_same_name_is_somebody_else(acme: Site) -> None:
    pem = acme.client("alice", kind=Kind.OPERATOR).certificate_pem
    judge = Callers("acme", now=lambda: identity_of(pem).not_before, suspended_until=lambda _: NOW)
    assert judge.admit(f"/{SERVICE}/Publish", {**TLS_1_3, "x509_pem_cert": [pem]}).name == "alice"


def test_a_method_without_a_row_is_open_to_nobody(acme: Site) -> None:
    identity, context = alice(acme)
    with pytest.raises(Exception, match="expected Shutdown to be called by nobody, got signer alice"):
        callers(at=identity.not_before).admit(f"/{SERVICE}/Shutdown", context)


def test_a_revoked_certificate_is_refused_though_the_handshake_lets_it_in(
    site: Site, use_cases: StandIn
) -> None:
    site.revoked = (identity_of(site.client("alice").certificate_pem).serial,)
    with site.api(use_cases) as api:
        with knock(site, api.address, site.client("alice")) as door:
            assert door.refusal("GetOrganisation").code == "certificate.revoked"
        with knock(site, api.address, site.client("bob")) as door:
            assert door.call("GetOrganisation")
    assert use_cases.reached.total() == 1
