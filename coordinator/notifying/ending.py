# SPDX-License-Identifier: Apache-2.0
"""What people are told before something of the policy ends: their keys, and the policy itself."""

from datetime import datetime, timedelta

from coordinator.notifying.notice import AUDIT, About, Notice, NoticeType
from quorumseal.ceremony.expiring import Expiring, Expiry
from quorumseal.ceremony.policy import Policy


def notices_of_expiry(policy: Policy, expiry: Expiry, span: timedelta, *, at: datetime) -> list[Notice]:
    """Return what is told at a warning: of a key to its holder, of the policy to whoever decides the next."""
    of_key = expiry.what is Expiring.KEY
    about = About(log=policy.log.origin, ceremony="", product="policy", version=str(policy.version))
    day = f"{expiry.ends:%Y-%m-%d}"
    headline = (
        f"your key ends {day}: within {span.days} days"
        if of_key
        else f"policy version {policy.version} of {policy.organisation} ends {day}: within {span.days} days"
    )
    sentences = (
        ("After that nothing is counted that it signs.", f"The key is {expiry.key_id}.")
        if of_key
        else ("After that nothing can be released until the next version is adopted.",)
    )
    governing = {name for each in policy.governance for name in policy.roles[each.role].members}
    recipients = [expiry.name] if of_key else [*sorted(governing), AUDIT]
    return [
        Notice(
            type=NoticeType.KEY_ENDS if of_key else NoticeType.POLICY_ENDS,
            recipient=recipient,
            about=about,
            cause=f"{expiry.what} {expiry.key_id or expiry.name} {span.days}",
            at=at,
            headline=headline,
            sentences=sentences,
            command="quorumseal agent doctor" if of_key else "quorumseal policy show",
        )
        for recipient in recipients
    ]
