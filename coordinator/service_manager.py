# SPDX-License-Identifier: Apache-2.0
"""What a service manager is told of start and stop (sd_notify(3)): a datagram, and none where nobody asks."""

import os
import socket
from collections.abc import Mapping

READY, STOPPING = "READY=1", "STOPPING=1"


def notify(*lines: str, environment: Mapping[str, str]) -> bool:
    """Tell whoever started this service; say whether somebody wanted to know."""
    address = environment.get("NOTIFY_SOCKET", "")
    if address[:1] not in ("/", "@"):
        return False
    # An abstract name begins with a zero byte, which an environment cannot hold.
    address = address.replace("@", "\0", 1) if address[0] == "@" else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as told:
        told.sendto("\n".join(lines).encode(), os.fsencode(address))
    return True
