# SPDX-License-Identifier: Apache-2.0
"""The product and the second verifier, given the same bundles: honest ones of every sort, and mutants.

:mod:`.scenes` makes the honest ones with the product, :mod:`.mutating` changes them, :mod:`.forging` signs
what was changed anew, :mod:`.comparing` asks both.
"""
