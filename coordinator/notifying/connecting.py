# SPDX-License-Identifier: Apache-2.0
"""A connection to a receiver: to the address that was checked, and cut off when its time is over."""

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from coordinator.errors import NotTakenError, OwnAddressError

OwnPorts = Callable[[], Collection[int]]
"""The ports on which the coordinator itself listens now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """A socket, and how many seconds are left of its time."""

    socket: socket.socket
    seconds: float


def connect(host: str, port: int, *, seconds: float, own_ports: OwnPorts) -> Timed:
    """Connect to one of a name's addresses, none of which may be the coordinator's.

    The check is made on the addresses that are then used, so no second answer of a name server comes between.
    """
    end = time.monotonic() + seconds
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):  # the latter: labels that no name can have
        raise NotTakenError("expected the receiver's name to have an address, got none") from None
    if port in own_ports() and any(is_of_this_machine(str(address[0])) for *_, address in found):
        raise OwnAddressError(
            f"expected a receiver, got an address that leads to the coordinator itself (port {port})"
        )
    reason = "its time was over"
    for family, _, _, _, address in found:
        left = end - time.monotonic()
        if left <= 0:
            break
        connection = socket.socket(family, socket.SOCK_STREAM)
        connection.settimeout(left)
        try:
            connection.connect(address)
        except OSError as error:
            connection.close()
            reason = error.strerror or "no answer in time"
        else:
            return Timed(socket=connection, seconds=max(end - time.monotonic(), 0.001))
    raise NotTakenError(f"expected to connect to the receiver, got {reason}")


def is_of_this_machine(address: str) -> bool:
    """Tell whether an address is one of this machine's own."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    if ip.is_loopback or ip.is_unspecified:
        return True
    family = socket.AF_INET if ip.version == 4 else socket.AF_INET6
    # only to an address of its own can a machine bind, and a datagram socket disturbs nobody
    with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.bind((str(ip), 0))
        return True
    return False


@contextmanager
def cut_off(timed: Timed) -> Iterator[None]:
    """End the connection when its time is over, whatever it is busy with: a slow trickle too."""
    handle = timed.socket.dup()  # whoever wraps the socket in TLS takes the original's descriptor

    def end() -> None:
        with suppress(OSError):
            handle.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(timed.seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        handle.close()


def tls_context(authorities: Path | None) -> ssl.SSLContext:
    """Return what verifies a receiver: by the authorities of a file, or by those of this machine."""
    context = ssl.create_default_context(cafile=None if authorities is None else str(authorities))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
