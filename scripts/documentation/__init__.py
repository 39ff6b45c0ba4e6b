# SPDX-License-Identifier: Apache-2.0
"""What the documents quote: examples, tables and transcripts, each made from the code."""
