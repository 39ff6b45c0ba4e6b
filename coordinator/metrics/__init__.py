# SPDX-License-Identifier: Apache-2.0
"""Numbers for Prometheus, on a port of their own.

``catalogue`` lists every metric with what it means; ``observing`` turns what happened into observations, a
pure rule; ``readings`` asks the database and this process for the rest at each scrape; ``registry`` hands
both to Prometheus' library, ``serving`` to whoever asks, and ``metering`` wires them.  No label holds the
name of a person, and the values of each are a closed set.
"""
