# SPDX-License-Identifier: Apache-2.0
"""A practice ceremony on one machine: the real rules and screens, an organisation that nobody else has.

``organisation`` is the domain in which everything is signed: an exercise of its own name, with keys that are
thrown away.  ``coordinator`` takes what is signed, in memory.  ``lessons`` are what there is to decide.
"""
