# SPDX-License-Identifier: Apache-2.0
"""A release ceremony on this machine, and the frauds that it must refuse.  ``scripts/demo`` runs it.

``ceremony`` is the story, told by the real commands; ``frauds`` are the attempts, each with the refusal that
it must meet; ``forging`` is what an operator with the log's key can make of a log; ``hostile`` signs with the
demo organisation's keys what no honest program would.  ``stage`` is the organisation on this machine with its
``processes``, ``telling`` is how it is shown.
"""
