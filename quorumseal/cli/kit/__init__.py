# SPDX-License-Identifier: Apache-2.0
"""What to print and keep for the day when nothing works: ``content`` says it once, ``pages`` write it down.

Everything in a kit is public: digests, names, rules, commands.  Nothing in it opens anything.
"""
