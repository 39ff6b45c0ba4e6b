# SPDX-License-Identifier: Apache-2.0
"""What every party of a signing ceremony must agree on.

The layers, lowest first: ``strict_json`` and ``refusal``; ``signatures``; ``tlog``; ``ceremony`` (the rules
and the records); ``verifier`` (the judge); ``v1`` (the wire types); ``client``; ``cli``.  This module imports
nothing, so that ``quorumseal verify`` starts fast.
"""
