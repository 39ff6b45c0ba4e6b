# SPDX-License-Identifier: Apache-2.0
"""The server: it collects decisions, keeps the log and publishes bundles, and is trusted for liveness only."""
