# SPDX-License-Identifier: Apache-2.0
"""A ceremony without its coordinator: the same statements, carried as files.

``files`` are what is kept and carried: the policy chain, a request, what was signed about it.  ``assembling``
makes the entries that a log would hold, at the statements' own signing times, and from them a bundle that is
*unlogged*.  Nothing here is believed: each envelope is authenticated under a policy that a trust file pins,
and the rules are those that the coordinator and the verifier run.
"""
