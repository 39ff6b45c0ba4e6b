# SPDX-License-Identifier: Apache-2.0
"""What a pack can be refused for, beyond what is wrong with its log."""

from quorumseal.refusal import Refusal


class PackError(Refusal):
    """Base of what is wrong with a pack's files."""


class PackFormatError(PackError):
    """The files are not a pack, or its manifest is not one of this format."""

    code = "audit.pack_format"


class PackFileError(PackError):
    """A file was changed, is missing, or was added."""

    code = "audit.pack_file"
    usual_hint = "ask for the pack again, over another way; keep this one"


class PackProjectionError(PackError):
    """A table, a text or a page says something else than the log."""

    code = "audit.pack_projection"
    usual_hint = "whoever made the pack altered it; believe the log alone, and ask why"


class PackBundleError(PackError):
    """A bundle is not that of its ceremony in the log."""

    code = "audit.pack_bundle"
    usual_hint = "what was published differs from what the log has; keep both, and ask why"
