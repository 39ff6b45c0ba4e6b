# SPDX-License-Identifier: Apache-2.0
"""The coordinator's API for Python programs.

``connection`` speaks to a coordinator and returns plain ``values``: claims, which the signer's agent verifies
before anybody believes them.  ``following`` is a stream that comes back by itself, ``errors`` what can go
wrong.

Importing this package makes gRPC speak TLS 1.3 only, at whichever end of a connection this process is.
grpcio has no setting for that, but its library reads the ciphers of TLS 1.2 from the environment when it is
loaded (those of 1.3 are fixed): a list of only a cipher that needs a pre-shared key, which nobody has, leaves
TLS 1.2 without a cipher to agree on.  The library is also told to keep its own words to itself: what goes
wrong is said once, by ``errors``; whoever wants to hear it sets ``GRPC_VERBOSITY``.
"""

import os

os.environ["GRPC_SSL_CIPHER_SUITES"] = "ECDHE-PSK-CHACHA20-POLY1305"
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
