# SPDX-License-Identifier: Apache-2.0
"""The pack that an auditor is handed: a slice of the log with its proofs, and all that follows from it.

``making`` makes the files; ``judging`` says whether files are such a pack, by making what follows from the
log once more and comparing bytes.  ``manifest`` lists the files; ``tables``, ``texts`` and ``summary`` follow
from the log; ``slicing`` says which entries from before the period belong to it; ``bundles`` holds what was
published against the log.  Nothing here reads a file: files are a mapping from names to bytes.
"""
