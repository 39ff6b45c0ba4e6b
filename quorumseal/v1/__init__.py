# SPDX-License-Identifier: Apache-2.0
"""The wire types, generated from ``protos/`` by ``scripts/generate``."""
