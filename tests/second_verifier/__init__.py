# SPDX-License-Identifier: Apache-2.0
"""A second verifier of bundles, written from ``docs/spec`` alone.

It shares no line with the product, so that what the two agree on is what the specification says.  Where they
differ, one of three is wrong: the product, this, or the text.  Begin at :mod:`.verifying`.
"""
