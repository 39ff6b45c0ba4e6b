# SPDX-License-Identifier: Apache-2.0
"""A first policy.toml, with the comments that help to change it."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from quorumseal.ceremony.policy_schema import DIRECTIVE
from quorumseal.ceremony.values import instant_text
from quorumseal.signatures import PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What goes into a first policy."""

    organisation: str
    people: Mapping[str, PublicKey | None]
    """With the keys of those who have one already; the others bring theirs by enrolling."""
    roles: Mapping[str, Sequence[str]]
    quorum: Mapping[str, int]
    requesters: Sequence[str]
    products: Sequence[str]
    origin: str
    log_key: PublicKey
    authorities: Sequence[str]
    valid_from: datetime
    valid_until: datetime
    machines: frozenset[str] = frozenset()
    spare: Mapping[str, PublicKey] = field(default_factory=dict)
    """The second keys of those who have one."""
    witnesses: Mapping[str, PublicKey] = field(default_factory=dict)
    """The witness keys of those who have one already."""
    rejection: str = "veto"
    emergency: Mapping[str, int] = field(default_factory=dict)
    """How many of which role release in an emergency; none where there are no emergencies."""
    guardians: frozenset[str] = frozenset()
    veto_window: str = "10m"
    drill: bool = False


def policy_text(draft: Draft) -> str:
    """Write the draft as TOML; its names are such that nothing in them needs quoting."""
    return f"""\
{DIRECTIVE}
# Who may release what.  This file is for people; what counts are the signed bytes that it is compiled to:
{_standing(draft)}
format = 0
organisation = "{draft.organisation}"
version = 1
expires = {instant_text(draft.valid_until)}
# How far the clocks of signers and coordinator may differ.
clock_skew = "2m"
# The certificate authorities whose certificates let people talk to the coordinator.
authorities = [{_listed(draft.authorities)}]
{_drill(draft)}
# Roles.  A person may have several, but counts once in a ceremony, wherever they are needed most.
[roles]
{_lines(_role(role, members, draft) for role, members in draft.roles.items())}

# Rules.  Whoever requests a release never counts towards its quorum.
[rules.standard]
requesters = [{_listed(draft.requesters)}]
deadline = "3bd" # three business days, unless the requester chooses otherwise; "3d" are days
longest = "7d"  # the latest that a requester can choose
# "veto": one rejection by any role of the quorum ends the ceremony; name roles to give only them this veto.
# "count": it ends once too few people are left to meet the quorum.
rejection = "{draft.rejection}"
# checks = ["built-from-source"] # what every approval must state as passed

[rules.standard.quorum]
{_counts(draft.quorum)}
{_emergency(draft)}
# Products.  Each has exactly one rule for its releases.
{_products(draft.products)}
# When people work: what "3bd" (business days) and "8bh" (business hours) are counted by.
# [calendar]
# zone = "Europe/Lisbon"
# days = ["monday", "tuesday", "wednesday", "thursday", "friday"]
# opens = "09:00"
# closes = "17:00"
# holidays = [2027-01-01] # drafted by: quorumseal policy holidays PT --year 2027

# Whose word for the time of a decision is taken beside the log's (RFC 3161): at most four, each by the root
# certificate that its own lead back to.
# [timestamping."clock.{draft.organisation}"]
# certificate = '''
# -----BEGIN CERTIFICATE-----
# …
# -----END CERTIFICATE-----
# '''

# Who signs the next version of this policy.
[governance]
{_counts(draft.quorum)}

# The log that every decision goes to, and the key that signs its checkpoints.
[log]
origin = "{draft.origin}"
# cosignatures = 3 # how many witnesses (agents at work) must vouch for it before anything is published

[[log.keys]]
{_key(draft.log_key)}
from_size = 0

# The roster.  Keys prove who somebody is; people are what is counted.
{_keyless(draft)}{"".join(_person(name, key, draft) for name, key in draft.people.items()).rstrip()}
"""


def _standing(draft: Draft) -> str:
    if None in draft.people.values():
        return """\
# Compiled once everybody below has enrolled, for the founders to sign.  Change it as you like before that;
# while nobody has signed, `quorumseal org compile` takes it anew.  Afterwards a change is a new version.
"""
    return """\
#   quorumseal policy check policy.toml      says what it means, or what is wrong with it
# Version 1 is in the log already.  A change is a new version, signed by the governance quorum.
"""


def _keyless(draft: Draft) -> str:
    if None not in draft.people.values():
        return ""
    return "# Whoever has no key here makes one on their own machine and enrols it.\n"


def _person(name: str, key: PublicKey | None, draft: Draft) -> str:
    keys = [each for each in (key, draft.spare.get(name)) if each is not None]
    return f"""\
[signers.{_bare(name)}]
kind = "{"machine" if name in draft.machines else "person"}"

{"".join(_valid_key(name, key, draft) for key in keys)}{_witness(name, draft)}"""


def _witness(name: str, draft: Draft) -> str:
    key = draft.witnesses.get(name)
    return "" if key is None else f"[signers.{_bare(name)}.witness]\n{_key(key)}\n\n"


def _valid_key(name: str, key: PublicKey, draft: Draft) -> str:
    return f"""\
[[signers.{_bare(name)}.keys]]
{_key(key)}
valid_from = {instant_text(draft.valid_from)}
valid_until = {instant_text(draft.valid_until)}

"""


def _drill(draft: Draft) -> str:
    if not draft.drill:
        return ""
    return "# This organisation rehearses: no verifier accepts what it releases.\ndrill = true\n"


def _role(role: str, members: Sequence[str], draft: Draft) -> str:
    if role in draft.guardians:
        return f"{_bare(role)} = {{ members = [{_listed(members)}], guardian = true }}"
    return f"{_bare(role)} = [{_listed(members)}]"


def _emergency(draft: Draft) -> str:
    """Write what an emergency needs; it is prepared here, before there is one."""
    if not draft.emergency:
        return ""
    return f"""
# Emergencies: fewer people, at least two from two roles, one of them a guardian.  Everybody is told, anybody
# may veto within the window, what is released is provisional, and the full quorum ratifies it or it lapses.
[rules.standard.break_glass]
reasons = ["data-loss", "outage", "vulnerability"]
veto_window = "{draft.veto_window}"
provisional = "3d" # how long a provisional bundle may count at most
ratify = "3d"
report = "7d"

[rules.standard.break_glass.quorum]
{_counts(draft.emergency)}
"""


def _products(products: Sequence[str]) -> str:
    return "".join(f'[products.{_bare(product)}]\nrelease = "standard"\n\n' for product in products)


def _key(key: PublicKey) -> str:
    return f'scheme = "{key.scheme}"\nspki = "{base64.b64encode(key.spki).decode()}"'


def _counts(quorum: Mapping[str, int]) -> str:
    return _lines(f"{_bare(role)} = {count}" for role, count in quorum.items())


def _bare(name: str) -> str:
    """Return a name as a TOML key; the dots that names may have would split it."""
    return f'"{name}"' if "." in name else name


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(f'"{text}"' for text in texts)


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(lines)
