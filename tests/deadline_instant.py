# SPDX-License-Identifier: Apache-2.0
"""The last approval around the deadline: one rule, one table, for whoever judges.

What is logged before the deadline counts; in its very instant the ceremony has expired, and the approval is
late.  An instant is a whole millisecond everywhere, so "just before" is one millisecond.
"""

from datetime import timedelta

INSTANT = timedelta(milliseconds=1)
FIRST = ("alice", "bob", "carol")
LAST = "rita"
AFTER_THE_DEADLINE: dict[str, tuple[timedelta, list[str]]] = {
    "an hour before": (-timedelta(hours=1), ["decided", "approved"]),
    "just before": (-INSTANT, ["decided", "approved"]),
    "in its very instant": (timedelta(0), ["expired", "late"]),
    "just after": (INSTANT, ["expired", "late"]),
    "an hour after": (timedelta(hours=1), ["expired", "late"]),
}
"""How long after the deadline the last approval is logged, and the entries that this makes."""
