# SPDX-License-Identifier: Apache-2.0
"""Base64 and PEM, read in one spelling only: decode, encode again, compare."""

import base64
import binascii

_LINE = 64
_MAX_PEM_BYTES = 16 * 1024


def decode_base64(text: str) -> bytes:
    """Return the bytes of canonical base64 (RFC 4648, section 4, with padding); ValueError for any other."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("not base64") from None
    if encode_base64(data) != text:
        raise ValueError("base64 in another spelling than the canonical one")
    return data


def encode_base64(data: bytes) -> str:
    """Return the canonical base64 of ``data``."""
    return base64.b64encode(data).decode()


def armour(label: str, der: bytes) -> bytes:
    """Return ``der`` as PEM (RFC 7468, the strict form that everybody writes)."""
    text = encode_base64(der)
    lines = [text[start : start + _LINE] for start in range(0, len(text), _LINE)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""]).encode()


def unarmour(pem: bytes | str, *labels: str) -> tuple[str, bytes]:
    """Return label and DER of the one PEM block of a file; only line ends and blank edges may differ."""
    try:
        text = pem if isinstance(pem, str) else pem.decode("ascii")
    except UnicodeDecodeError:
        raise ValueError("got bytes that are not ASCII") from None
    if len(text) > _MAX_PEM_BYTES:
        raise ValueError(f"got {len(text)} bytes, more than {_MAX_PEM_BYTES}")
    lines = text.strip().splitlines()
    for label in labels:
        if lines and lines[0] == f"-----BEGIN {label}-----":
            der = decode_base64("".join(lines[1:-1]))
            if armour(label, der).decode().splitlines() != lines:
                raise ValueError("got PEM that is folded or ended in an unusual way")
            return label, der
    raise ValueError(f"got no line that says BEGIN {' or BEGIN '.join(labels)}")
