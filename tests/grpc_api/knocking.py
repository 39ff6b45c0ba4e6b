# SPDX-License-Identifier: Apache-2.0
"""A client without manners: raw bytes to any method, with any certificate."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc

from coordinator.certificates import Credentials
from coordinator.grpc_api.callers import SERVICE
from quorumseal.client.errors import ClientError
from quorumseal.client.statuses import error_of
from quorumseal.v1 import coordinator_pb2 as wire
from tests.running_coordinator import Site

TIMEOUT = 20


class Knock:
    """One connection."""

    def __init__(self, channel: grpc.Channel) -> None:
        self.channel: Any = channel  # its stub wants messages; these calls send bytes

    def call(self, method: str, data: bytes = b"", *, timeout: float = TIMEOUT) -> bytes:
        """Make a unary call, wait for the answer."""
        answer: bytes = self.channel.unary_unary(_path(method))(data, timeout=timeout)
        return answer

    def later(self, method: str, data: bytes = b"") -> Any:
        """Make a unary call, do not wait."""
        return self.channel.unary_unary(_path(method)).future(data, timeout=TIMEOUT)

    def stream(self, method: str, data: bytes = b"") -> Any:
        """Open a stream of answers."""
        return self.channel.unary_stream(_path(method))(data, timeout=TIMEOUT)

    def upload(self, method: str, chunks: Iterable[bytes]) -> bytes:
        """Send a stream, wait for the answer."""
        answer: bytes = self.channel.stream_unary(_path(method))(iter(chunks), timeout=TIMEOUT)
        return answer

    def code_of_any(self, method: str, data: bytes = b"") -> str:
        """Make any call, whatever its shape; return the refusal's code, or nothing."""
        descriptor = wire.DESCRIPTOR.services_by_name["CoordinatorService"].methods_by_name[method]
        try:
            if descriptor.client_streaming:
                self.upload(method, [data] if data else [])
            elif descriptor.server_streaming:
                stream = self.stream(method, data)
                next(stream)
                stream.cancel()
            else:
                self.call(method, data)
        except grpc.RpcError as error:
            return error_of(error, "test").code
        return ""

    def refusal(self, method: str, data: bytes = b"") -> ClientError:
        """Make a unary call that has to fail."""
        try:
            self.call(method, data)
        except grpc.RpcError as error:
            return error_of(error, "test")
        raise AssertionError(f"{method} was answered")


@contextmanager
def knock(site: Site, address: str, credentials: Credentials | None) -> Iterator[Knock]:
    """Connect with a certificate, or with none."""
    tls = grpc.ssl_channel_credentials(
        site.authority.certificate_pem,
        None if credentials is None else credentials.private_key_pem,
        None if credentials is None else credentials.certificate_pem,
    )
    with grpc.secure_channel(address, tls, [("grpc.use_local_subchannel_pool", 1)]) as channel:
        yield Knock(channel)


def wait_until(condition: Callable[[], bool], patience: float = TIMEOUT) -> None:
    """Wait for what another thread brings about."""
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)


def _path(method: str) -> str:
    return method if method.startswith("/") else f"/{SERVICE}/{method}"
