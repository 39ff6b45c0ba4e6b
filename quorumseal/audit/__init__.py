# SPDX-License-Identifier: Apache-2.0
"""What an auditor makes of a log: the same rules once more, from the entries alone.

``log_copy`` is what an auditor holds; ``replaying`` takes its entries in the order of the log and demands
each to be the one that the rules make of those before it; ``examining`` finds everything that is wrong;
``population`` is what there was.  ``overview`` tells a period as a whole, ``shown`` one ceremony,
``questions`` what auditors ask, ``sampling`` which ceremonies to look at, ``effectiveness`` how well the rule
works; ``pack`` is what an auditor is handed for a period.  Nothing here reads a file, a clock or a database.
"""
