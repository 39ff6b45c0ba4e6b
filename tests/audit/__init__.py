# SPDX-License-Identifier: Apache-2.0
"""What an auditor makes of a log."""
