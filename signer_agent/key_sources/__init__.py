# SPDX-License-Identifier: Apache-2.0
"""Where signing keys are: a source opens to a ``PrivateKey``, and what opens it never leaves this package.

``file`` is an encrypted key file; ``passphrases`` gets what opens it from a prompt, a file descriptor or a
credentials file, never from an argument, the environment or a log.
"""

from signer_agent.key_sources.file import open_key_file, open_with_passphrase, open_witness_key
from signer_agent.key_sources.passphrases import Passphrases

__all__ = ["Passphrases", "open_key_file", "open_with_passphrase", "open_witness_key"]
