# SPDX-License-Identifier: Apache-2.0
"""The ``quorumseal`` command.

``main`` finds the verb in ``table`` and runs it; nothing that the verb does not need is imported.  Each verb
about a ceremony is one module, each noun is one module with its verbs.
"""
