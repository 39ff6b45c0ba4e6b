# SPDX-License-Identifier: Apache-2.0
"""Why a command could not be carried out, where neither the rules nor the coordinator said no."""

from quorumseal.refusal import Refusal


class CommandError(Refusal):
    """Base of the command line's own refusals."""


class UsageError(CommandError):
    """The command was not written as its help says."""

    code = "usage.arguments"


class FileError(CommandError):
    """A file that the command names cannot be read, or is not what it is named as."""

    code = "usage.file"


class OverwriteError(CommandError):
    """Something else is in the place where a file is to be written: nothing is overwritten."""

    code = "usage.exists"


class BundleMissingError(CommandError):
    """There is no bundle."""

    code = "bundle.missing"


class NoDrillError(CommandError):
    """The organisation is in earnest: it rehearses nothing."""

    code = "usage.no_drill"


class ManifestError(CommandError):
    """The manifest is not a list of SHA-256 sums."""

    code = "usage.manifest"


class ManifestBytesError(CommandError):
    """A file is not the one that the manifest lists."""

    code = "artifact.manifest"


class ExtraMissingError(CommandError):
    """A part of Quorumseal that this command needs is not installed."""

    code = "usage.extra"


class SystemFailedError(CommandError):
    """The operating system said no."""

    code = "system.failed"


class FoundAnotherError(CommandError):
    """The coordinator gave another ceremony than the one that was asked for."""

    code = "log.other_answer"
