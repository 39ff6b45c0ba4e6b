# SPDX-License-Identifier: Apache-2.0
"""The same policies and statements are read many thousand times: remember what pure functions answered."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from unittest.mock import patch

from quorumseal.ceremony.policy_document import read_policy, signed_policy
from quorumseal.ceremony.statement_document import read_statement

_PURE = (signed_policy, read_policy, read_statement)


@contextmanager
def quickened() -> Iterator[None]:
    """Remember the answers while this lasts, wherever the functions are used; a refusal is made anew."""
    with ExitStack() as stack:
        for function in _PURE:
            remembering = lru_cache(maxsize=5_000)(function)
            for module in [*sys.modules.values()]:
                if vars(module).get(function.__name__) is function:
                    stack.enter_context(patch.object(module, function.__name__, remembering))
        yield
