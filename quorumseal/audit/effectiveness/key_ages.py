# SPDX-License-Identifier: Apache-2.0
"""How old the keys in force are, and how long they still hold."""

from datetime import datetime, timedelta

from quorumseal.audit.answer import counted
from quorumseal.audit.effectiveness.measure import Bar, Bars, Measure
from quorumseal.ceremony.policy import Policy
from quorumseal.ceremony.standing import Standing
from quorumseal.terminal.durations import duration_text

_SOON = timedelta(days=30)


def key_ages(policy: Policy, standing: Standing, *, at: datetime) -> Measure:
    """List every key of the policy in force by age, oldest first."""
    rows, bars, ending = [], [], 0
    held = [(key, name) for name, signer in policy.signers.items() for key in signer.keys]
    for key, name in sorted(held, key=lambda each: (each[0].valid_from, each[1], each[0].key.key_id)):
        begins = key.valid_from
        revoked = standing.revoked.get(key.key.key_id)
        state = (
            f"revoked since {revoked.since:%Y-%m-%d}"
            if revoked
            else "ended"
            if at >= key.valid_until
            else "not yet"
            if at < begins
            else f"{duration_text(key.valid_until - at)} more"
        )
        age = max(at - begins, timedelta())
        soon = revoked is None and begins <= at < key.valid_until <= at + _SOON
        ending += soon
        digits = key.key.key_id.removeprefix("sha256:")[:8]
        rows.append((name, digits, str(key.key.scheme), f"{begins:%Y-%m-%d}", duration_text(age), state))
        bars.append(Bar(f"{name} {digits}", age.days, state, notable=soon))
    return Measure(
        name="key-ages",
        title="Keys by age",
        said=(
            f"{counted(len(rows), 'key')} of {counted(len(policy.signers), 'signer')}; "
            f"{ending or 'none'} end{'s' if ending == 1 else ''} within {_SOON.days} days."
        ),
        columns=("signer", "key", "scheme", "since", "age", "holds"),
        rows=tuple(rows),
        picture=Bars(tuple(bars)),
    )
