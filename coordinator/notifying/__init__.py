# SPDX-License-Identifier: Apache-2.0
"""Telling people: at least once, whatever receivers do.

``telling`` says which entries make which notices, and is pure.  ``Notifier`` is the one entry point: it puts
notices on their way through ``Routes``; those that entries cause go in the transaction that writes the
entries.  ``Notifying`` is the threads that deliver what is on its way, over ``channels``.
"""

from coordinator.notifying.delivering import Heard, Notifying
from coordinator.notifying.notice import AUDIT, About, Notice, NoticeType
from coordinator.notifying.notifier import Notifier
from coordinator.notifying.routes import Route, Routes

__all__ = ["AUDIT", "About", "Heard", "Notice", "NoticeType", "Notifier", "Notifying", "Route", "Routes"]
