# SPDX-License-Identifier: Apache-2.0
"""How the coordinator is: what is wrong with its settings, and with a running one.

``settings`` lists everything at once that would stop it or should be mended; ``files``, ``certificates`` and
``addresses`` look at what the settings name.  ``doctor`` gathers facts of a running coordinator and has
``rules``, each from facts to one finding, judge them.
"""
