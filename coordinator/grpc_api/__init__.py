# SPDX-License-Identifier: Apache-2.0
"""The coordinator's face: gRPC over mTLS.  Nothing behind it knows gRPC.

A call passes ``gate`` (who calls, may they, how much at once, for how long), is read by ``messages``, done by
the use cases, and written by ``messages``; ``service`` is one line for each RPC.  ``callers`` holds the table
of RPC and kind of caller, ``refusals`` the table of refusal and status.
``server.ApiServer`` is what others build.
"""

import quorumseal.client  # noqa: F401 - before grpc is loaded: makes it speak TLS 1.3 only
