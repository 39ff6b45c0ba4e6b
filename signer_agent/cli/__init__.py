# SPDX-License-Identifier: Apache-2.0
"""The agent's verbs, each with ``add_arguments`` and ``run`` as the ``quorumseal`` command takes them.

``inbox``, ``review``, ``approve``, ``reject`` and ``abstain`` are about ceremonies; ``agent`` is the noun
with ``run`` and ``status``.  ``opening`` wires an agent from its home.
"""
