# SPDX-License-Identifier: Apache-2.0
"""Policies as a command names them: a policy.toml, or the bytes that it was compiled to."""

from pathlib import Path

from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.policy_document import MAX_POLICY_BYTES, read_policy
from quorumseal.cli.errors import FileError
from quorumseal.cli.files import read_file


def read_source(path: Path) -> Policy:
    """Build the policy that a policy.toml describes, or refuse it."""
    return compiled(text_of_file(path))


def text_of_file(path: Path) -> str:
    """Return the text of a policy.toml."""
    try:
        return read_file(path, "a policy", MAX_POLICY_BYTES).decode()
    except UnicodeDecodeError:
        raise FileError(f"expected text in {path}, got other bytes") from None


def compiled(source: str) -> Policy:
    """Build the policy that a text describes, in a time zone that this machine knows."""
    from quorumseal.ceremony.policy_source import compile_policy
    from signer_agent.deadlines import zone_of

    policy = compile_policy(source)
    zone_of(policy.calendar)  # a misspelt zone would be found out by whoever starts the first ceremony
    return policy


def read_any(path: Path) -> Policy:
    """Return the policy of a file in either form."""
    data = read_file(path, "a policy", MAX_POLICY_BYTES)
    return read_policy(data) if data.lstrip()[:1] == b"{" else read_source(path)
