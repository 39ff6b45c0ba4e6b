# SPDX-License-Identifier: Apache-2.0
"""The server: it collects decisions, keeps the log, publishes bundles; it is trusted for liveness only."""
