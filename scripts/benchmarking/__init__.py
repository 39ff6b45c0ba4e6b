# SPDX-License-Identifier: Apache-2.0
"""The parts of ``scripts/bench``: each measures one thing against another in the same run."""
