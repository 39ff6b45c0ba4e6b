# SPDX-License-Identifier: Apache-2.0
"""What auditors ask: one module a question, each a function of what there was and of a period.

They look again at what the replayed log holds and share no rule with whoever wrote it: where a question can
only be answered by "the rules do not permit it", the answer counts what was looked at all the same.
``table`` has them all.
"""
