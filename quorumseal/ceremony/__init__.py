# SPDX-License-Identifier: Apache-2.0
"""The rules and the records of a ceremony: no input or output, no clock, no randomness.

Read ``quorum`` (who is seated where), ``events`` (what can happen), ``lifecycle`` (the state machine),
``opening`` and ``decisions`` (what a request and a decision do), ``deciding`` (what any command does), then
``chain`` (the same, with log entries).  ``policy`` is what the rules are about, ``statements`` what people
sign; their ``…_document`` modules read and write them, by way of ``…_fields``; ``policy_source`` compiles
``policy.toml``.  ``admission`` decides which request may open a ceremony beside the others, ``budget`` how
much one may hold, ``record`` is the auditor's account.

Waiting: ``calendar``, ``extending``, ``delegating`` and ``standing`` (who is away, who stands in);
``reminding`` (who hears when that a ceremony waits) and ``forecasting`` (what may keep it from its quorum).
Emergencies: ``emergency`` (the floor), ``breaking_glass`` (their course), ``emergencies`` (how many),
``succeeding`` (what ratifies, approves anew or revokes), ``aftermath`` (what is owed afterwards);
``compromise`` says what is left of a release without a key.
"""
