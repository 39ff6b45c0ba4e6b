# SPDX-License-Identifier: Apache-2.0
"""Every field of ``policy.toml``, in the order in which it is written, with what it means.

One table, from which the comments of a written policy and the JSON Schema for editors are made.  The reader
of ``policy.toml`` and this table name the same fields: a test holds what the reader asks for against it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, unique


@unique
class Form(StrEnum):
    """What a value is."""

    FORMAT = "format"
    NAME = "name"
    NAMES = "names"
    DAYS = "days"
    DIGESTS = "digests"
    DIGEST = "digest"
    VERSION = "version"
    INSTANT = "instant"
    DURATION = "duration"
    SPAN = "span"
    FLAG = "flag"
    KIND = "kind"
    SCHEME = "scheme"
    BASE64 = "base64"
    PEM = "pem"
    SIZE = "size"
    REJECTION = "rejection"
    STAGES = "stages"
    HOUR = "hour"
    ZONE = "zone"
    DATES = "dates"
    ORIGIN = "origin"
    COUNTS = "counts"
    """A table of roles, each with how many of it."""
    COSIGNATURES = "cosignatures"
    COSIGNER = "cosigner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A value."""

    about: str
    form: Form
    example: str | None = None
    """How it may be written, where it may be left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with the fields that are listed."""

    about: str
    fields: "Mapping[str, Node]"
    sample: tuple[str, ...] = ()
    """How it may be written, where it may be left out; ``{}`` stands for its own name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A table whose keys are names: of roles, rules, products, signers."""

    about: str
    each: "Table | Role"
    sample: tuple[str, ...] = ()
    """How it may be written, where it may be left out; ``{}`` stands for its own name."""
    names: Form = Form.NAME


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What may be a plain list of the table's first field."""

    table: Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """A list of tables."""

    about: str
    each: Table
    optional: bool = False


Node = Leaf | Table | Named | Rows

_KEY = {
    "scheme": Leaf(about="ed25519, or ecdsa-p256-sha256.", form=Form.SCHEME),
    "spki": Leaf(about="The public key: base64 of its SubjectPublicKeyInfo (DER).", form=Form.BASE64),
}

_BREAK_GLASS = Table(
    about="What an emergency needs: at least two people from two roles, one of them a guardian. Everybody is "
    "told, anybody may veto, and the full quorum ratifies what is released, or it lapses.",
    sample=("[{}]", 'reasons = ["outage"]', "[{}.quorum]", "engineering = 1", "security = 1"),
    fields={
        "reasons": Leaf(about="The reasons of which an emergency names one.", form=Form.NAMES),
        "checks": Leaf(
            about="What every approval must state as passed even then.",
            form=Form.NAMES,
            example='["artifacts"]',
        ),
        "veto_window": Leaf(
            about="How long any member of any role may stop it once the quorum is met; 1m to 1d.",
            form=Form.DURATION,
            example='"10m"',
        ),
        "provisional": Leaf(
            about="How long what it releases counts at most, unless ratified.",
            form=Form.DURATION,
            example='"3d"',
        ),
        "ratify": Leaf(about="Until when it can be ratified.", form=Form.DURATION, example='"3d"'),
        "report": Leaf(
            about="Until when somebody who took no part reports.", form=Form.DURATION, example='"7d"'
        ),
        "quorum": Leaf(about="How many of which role an emergency needs.", form=Form.COUNTS),
    },
)

_ROLE = Table(
    about="A list of members, or a table.",
    fields={
        "members": Leaf(about="Who belongs to the role.", form=Form.NAMES),
        "deputies": Leaf(
            about="who may stand in for a member that delegates to them", form=Form.NAMES, example='["dana"]'
        ),
        "lead": Leaf(about="the member who is told when the role is late", form=Form.NAME, example='"alice"'),
        "guardian": Leaf(
            about="whether an emergency may rest on it, and two of it may suspend somebody",
            form=Form.FLAG,
            example="true",
        ),
        "window": Leaf(
            about="how long its members usually take, which reminders follow",
            form=Form.DURATION,
            example='"8h"',
        ),
    },
)

_RULE = Table(
    about="What one class of releases needs.",
    fields={
        "requesters": Leaf(about="The roles whose members may ask, and cancel.", form=Form.NAMES),
        "deadline": Leaf(
            about="How long a ceremony is open unless its requester says otherwise: by the clock (3d, 12h), "
            "in business days (3bd) or in business hours (8bh).",
            form=Form.SPAN,
        ),
        "longest": Leaf(about="The longest that a requester may choose; at most 90d.", form=Form.DURATION),
        "rejection": Leaf(
            about="Whose rejection ends the ceremony: veto (any role of the quorum), count (nobody's alone; "
            "it ends once too few people are left), or a list of roles.",
            form=Form.REJECTION,
            example='"veto"',
        ),
        "checks": Leaf(
            about="What every approval must state as passed.", form=Form.NAMES, example='["artifacts"]'
        ),
        "stages": Leaf(
            about="Roles that decide one after the other; each role of the quorum once.",
            form=Form.STAGES,
            example='[["engineering"], ["security", "release"]]',
        ),
        "extend": Leaf(
            about="The roles whose members may move the deadline, twice at most.",
            form=Form.NAMES,
            example='["managers"]',
        ),
        "quorum": Leaf(
            about="How many distinct people of which role. Whoever asks never counts.", form=Form.COUNTS
        ),
        "break_glass": _BREAK_GLASS,
    },
)

GUIDE = Table(
    about="Who may release what, and who says so.",
    fields={
        "format": Leaf(about="Always 0, until version 1.0 of Quorumseal.", form=Form.FORMAT),
        "organisation": Leaf(about="Whose policy this is. It never changes.", form=Form.NAME),
        "version": Leaf(about="Which version: one more than that before.", form=Form.VERSION),
        "previous": Leaf(
            about="The digest of the version before (version 1 has none).",
            form=Form.DIGEST,
            example='"sha256:…"',
        ),
        "expires": Leaf(
            about="When this version ends. Nothing is released after it; what was before stays valid.",
            form=Form.INSTANT,
        ),
        "clock_skew": Leaf(
            about="How far the clocks of signers and coordinator may differ; at most 10m.", form=Form.DURATION
        ),
        "authorities": Leaf(
            about="Digests of the certificate authorities (DER) whose certificates let people talk to the "
            "coordinator. No certificate approves anything.",
            form=Form.DIGESTS,
        ),
        "drill": Leaf(
            about="Whether this organisation only rehearses: no verifier accepts what it releases.",
            form=Form.FLAG,
            example="true",
        ),
        "keys_valid": Leaf(
            about="How long the keys may sign that come by enrolment, while the organisation is founded.",
            form=Form.DURATION,
            example='"365d"',
        ),
        "roles": Named(
            about="Roles. A person may have several, but counts once in a ceremony, wherever they are needed "
            "most.",
            each=Role(table=_ROLE),
        ),
        "rules": Named(about="Rules: what each class of releases needs.", each=_RULE),
        "products": Named(
            about="Products: which rule each one's releases need.",
            each=Table(
                about="The rules of a product.",
                fields={
                    "release": Leaf(about="The rule of its releases.", form=Form.NAME),
                    "release-revocation": Leaf(
                        about="The rule for taking one back; the release's, unless named.",
                        form=Form.NAME,
                        example='"standard"',
                    ),
                },
            ),
        ),
        "calendar": Table(
            about="When people work, which 3bd and 8bh are counted by; Monday to Friday, 09:00 to 17:00 UTC, "
            "unless it says otherwise.",
            sample=("[{}]", 'zone = "Europe/Lisbon"', "holidays = [2027-01-01]"),
            fields={
                "zone": Leaf(about="The time zone (IANA).", form=Form.ZONE, example='"Europe/Lisbon"'),
                "days": Leaf(
                    about="The working days.",
                    form=Form.DAYS,
                    example='["monday", "tuesday", "wednesday", "thursday", "friday"]',
                ),
                "opens": Leaf(about="When work begins.", form=Form.HOUR, example='"09:00"'),
                "closes": Leaf(about="When work ends.", form=Form.HOUR, example='"17:00"'),
                "holidays": Leaf(
                    about="Days without work; `quorumseal policy holidays` drafts a country's.",
                    form=Form.DATES,
                    example="[2027-01-01]",
                ),
            },
        ),
        "timestamping": Named(
            about="RFC 3161 authorities whose word for the time of a decision is taken, by the certificate "
            "that theirs lead back to.",
            sample=("[{}.example]", 'certificate = """ (PEM) """'),
            each=Table(
                about="A timestamp authority.",
                fields={"certificate": Leaf(about="The certificate, in PEM.", form=Form.PEM)},
            ),
        ),
        "governance": Leaf(
            about="How many of which role change this policy. A change needs them under the old version and "
            "under the new one.",
            form=Form.COUNTS,
        ),
        "log": Table(
            about="The log that every decision goes to.",
            fields={
                "origin": Leaf(about="Its name, on every checkpoint. It never changes.", form=Form.ORIGIN),
                "cosignatures": Leaf(
                    about="How many witnesses must vouch for the log that a release is in before it is "
                    "published: of the signers with a witness key, and of [log.witnesses].",
                    form=Form.COSIGNATURES,
                    example="2",
                ),
                "keys": Rows(
                    about="The keys that sign its checkpoints; none of them may approve.",
                    each=Table(
                        about="A key of the log.",
                        fields={
                            **_KEY,
                            "from_size": Leaf(
                                about="The size of the log from which it signs; the first, from 0.",
                                form=Form.SIZE,
                            ),
                            "from_root": Leaf(
                                about="The root of the log at that size; the first key has none.",
                                form=Form.DIGEST,
                                example='"sha256:…"',
                            ),
                        },
                    ),
                ),
                "witnesses": Named(
                    about="Witnesses beside the signers' agents, by the names of their keys (C2SP); where "
                    "they are reached is in the coordinator's settings.",
                    sample=('[{}."witness.example/w1"]', 'key = "witness.example/w1+…"'),
                    names=Form.ORIGIN,
                    each=Table(
                        about="An outside witness.",
                        fields={
                            "key": Leaf(
                                about="The verifier key that it publishes: name, id, and the key in base64.",
                                form=Form.COSIGNER,
                            )
                        },
                    ),
                ),
            },
        ),
        "signers": Named(
            about="The roster. Keys prove who somebody is; people are what is counted.",
            each=Table(
                about="Somebody who is counted.",
                fields={
                    "kind": Leaf(
                        about="person, or machine: a program, which asks on behalf of a person.",
                        form=Form.KIND,
                    ),
                    "witness": Table(
                        about="The key by which their agent vouches for the log; never one that approves.",
                        sample=("[{}]", 'scheme = "ed25519"', 'spki = "…"'),
                        fields=_KEY,
                    ),
                    "keys": Rows(
                        about="Each key is listed once, for one signer; those of founders come by enrolment.",
                        optional=True,
                        each=Table(
                            about="A key of a signer.",
                            fields={
                                **_KEY,
                                "valid_from": Leaf(about="From when it may sign.", form=Form.INSTANT),
                                "valid_until": Leaf(about="Until when it may sign.", form=Form.INSTANT),
                            },
                        ),
                    ),
                },
            ),
        ),
    },
)
