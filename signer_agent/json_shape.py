# SPDX-License-Identifier: Apache-2.0
"""What a JSON document is made of, for those who write one."""

from collections.abc import Mapping, Sequence

Json = str | int | bool | None | Sequence["Json"] | Mapping[str, "Json"]
