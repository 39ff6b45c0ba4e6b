# SPDX-License-Identifier: Apache-2.0
"""Rules by which the doctors of coordinator and agent judge alike: what ends, and who can read a secret."""

from datetime import datetime
from pathlib import PurePath

from quorumseal.ceremony.expiring import Expiring, Expiry, warned
from quorumseal.terminal.durations import duration_text
from quorumseal.terminal.findings import Finding, fine, warning, wrong

_OTHERS = 0o027
"""Whom a secret is kept from; not the owner's group, through which a service often reads it."""


def life(about: str, begins: datetime, ends: datetime, *, at: datetime, hint: str) -> Finding:
    """Judge a certificate by how long it is still valid."""
    if at < begins:
        return wrong(about, f"expected it to be valid, but it begins {_minute(begins)}", "compare the clocks")
    if at > ends:
        return wrong(about, f"expected it to be valid, but it ended {_minute(ends)}", hint)
    left = f"valid until {ends:%Y-%m-%d}, {duration_text(ends - at)} more"
    # One that never had sixty days is renewed by its own measure.
    soon = warned(ends, at=at) is not None and 3 * (ends - at) < ends - begins
    return warning(about, left, hint) if soon else fine(about, left)


def end(expiry: Expiry, *, at: datetime) -> Finding:
    """Judge one thing of a policy that ends."""
    if expiry.what is Expiring.POLICY:
        about, hint = "policy", "have its next version decided: `quorumseal policy edit`"
        name = f"version {expiry.name}"
    else:
        about, hint = (
            f"key of {expiry.name}",
            f"{expiry.name} makes the next one: `quorumseal key rotate`",
        )
        name = expiry.key_id
    if at >= expiry.ends:
        return wrong(about, f"{name} ended {expiry.ends:%Y-%m-%d}", hint)
    return warning(about, f"{name} ends {expiry.ends:%Y-%m-%d}, in {duration_text(expiry.ends - at)}", hint)


def secret_mode(about: str, path: PurePath, mode: int) -> Finding:
    """Judge a secret's permissions: nobody but its owner, and at most its group, reads it."""
    if mode & _OTHERS:
        return warning(
            about,
            f"expected {path} to be for its owner alone (0600), got {mode:04o}",
            f"run: chmod 600 {path}, and think about who may have read it",
        )
    return fine(about, f"{path} is for its owner alone" if not mode & 0o070 else f"{path} is for its group")


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
