# SPDX-License-Identifier: Apache-2.0
"""Every entry of the log, as it comes, for a SIEM: one line of JSON each (docs/spec/siem.md).

``line`` makes the lines; ``sinks`` hands them on, to a file or by HTTP; ``cursor`` keeps how far it is, in a
file; ``exporting`` is the thread that does it.  At least once and in order; a sink that takes nothing is left
alone for a moment and holds up nothing but this.
"""
