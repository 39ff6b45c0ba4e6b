# SPDX-License-Identifier: Apache-2.0
"""What the pages show: each module reads one page's values from the log, and nothing here writes."""

from typing import Final

from coordinator.web.page import Download, Page
from coordinator.web.showing import (
    ceremonies,
    ceremony,
    effectiveness,
    emergencies,
    evidence,
    log,
    people,
    policies,
    releases,
)

HOME: Final = ceremonies.PAGE.path
PAGES: Final[tuple[Page, ...]] = (
    ceremonies.PAGE,
    ceremony.PAGE,
    releases.PAGE,
    releases.ONE,
    emergencies.PAGE,
    people.PAGE,
    people.ONE,
    policies.PAGE,
    policies.ONE,
    log.PAGE,
    log.ONE,
    effectiveness.PAGE,
)
DOWNLOADS: Final[tuple[Download, ...]] = (
    Download(path="/ceremonies/{ceremony}/bundle.json", read=ceremony.bundle),
    Download(path="/ceremonies/{ceremony}/record.json", read=ceremony.record),
    Download(path="/ceremonies/{ceremony}/entries.jsonl", read=ceremony.entries),
    Download(path="/ceremonies/{ceremony}/evidence/{digest}", read=evidence.read),
    Download(path="/policies/{version}/signed.json", read=policies.payload),
    Download(path="/log/{index}/entry.json", read=log.payload),
    Download(path="/log/newest/checkpoint.txt", read=log.checkpoint),
)
