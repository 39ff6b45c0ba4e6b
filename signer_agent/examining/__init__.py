# SPDX-License-Identifier: Apache-2.0
"""How an agent is: ``gathering`` finds out, ``facts`` are what was found, ``rules`` judge each by itself."""
