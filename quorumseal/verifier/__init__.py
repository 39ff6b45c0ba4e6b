# SPDX-License-Identifier: Apache-2.0
"""The judge: a bundle, a trust file and some artifacts in; what was approved, or a refusal, out.  Offline.

``verify`` numbers the steps; ``bundle`` and ``trust`` are the files; ``policy_chain`` leads from the pinned
policy to the one used; ``part`` is a ceremony with its log proof; ``outcomes`` gives
refusals their exit codes.
"""
