# SPDX-License-Identifier: Apache-2.0
"""A file of evidence: what a request in the log names, and nothing else that is stored."""

from functools import partial

from coordinator.web.asked import Asked
from coordinator.web.context import WebContext
from coordinator.web.errors import NoSuchPageError
from coordinator.web.page import Pieces


def read(context: WebContext, asked: Asked) -> Pieces:
    """Return the file that a ceremony's request names by its digest; the name is the request's."""
    asked.allow()
    ceremony, digest = asked.ceremony(), asked.path["digest"]
    request = context.reader.request(ceremony)
    named = next((each for each in request.evidence if each.digest == digest), None)
    if named is None:
        raise NoSuchPageError(f"expected evidence that ceremony {ceremony} names, got {digest!r}")
    stored = context.storage.evidence
    size = stored.size(digest)
    if size is None:
        raise NoSuchPageError(f"expected {named.name} to be stored, got nothing: it is kept no more")
    return Pieces(name=named.name.rpartition("/")[2], size=size, piece=partial(stored.chunk, digest))
