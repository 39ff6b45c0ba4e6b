# SPDX-License-Identifier: Apache-2.0
"""The program with access to a key: it reviews, signs, submits and keeps a journal."""
