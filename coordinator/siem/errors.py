# SPDX-License-Identifier: Apache-2.0
"""Why an entry could not be handed on."""

from coordinator.errors import CoordinatorError


class SinkError(CoordinatorError):
    """The sink takes nothing now; what waits is handed on later."""

    code = "siem.sink"
    usual_hint = "see who reads it, how much room is there, and who may write"


class CursorError(CoordinatorError):
    """How far the export is cannot be read, or is about another log."""

    code = "siem.cursor"
