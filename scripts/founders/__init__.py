# SPDX-License-Identifier: Apache-2.0
"""Three founders, a coordinator and a consumer, each on their own machine, by the commands of the manual.

``manual`` reads who types what in ``docs/manuals/founding.md``; ``machines`` are network namespaces, where
they can be made; ``typing`` runs a command on a terminal and answers what it asks; ``story`` is all of it.
"""
