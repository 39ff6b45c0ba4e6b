# SPDX-License-Identifier: Apache-2.0
"""What a live coordinator says beside its log, held against what the log bears out."""

from collections.abc import Iterator
from dataclasses import replace

from quorumseal.audit.defect import Defect
from quorumseal.audit.errors import ListDiffersError
from quorumseal.audit.population import Audited, Population
from quorumseal.client.connection import Connection
from quorumseal.client.values import CeremonySummary
from quorumseal.verifier.bundle import parse_version

_PAGE = 200


def compare_lists(connection: Connection, population: Population) -> tuple[Defect, ...]:
    """Return where the coordinator's lists and its log disagree, as far as the population goes."""
    return (*_ceremonies(connection, population), *_policies(connection, population))


def _ceremonies(connection: Connection, population: Population) -> Iterator[Defect]:
    listed = {
        each.ceremony: replace(each, publication="")  # of which no log says anything
        for each in _listed(connection)
    }
    for audited in population.ceremonies:
        given, expected = listed.get(audited.id), summary_of(audited)
        if given != expected and not _went_on(connection, audited):
            yield Defect(
                ListDiffersError(
                    f"expected the list to say {expected}, got {given or 'nothing'}",
                ),
                audited.entries[0].index,
                audited.id,
            )


def _listed(connection: Connection) -> Iterator[CeremonySummary]:
    token = ""
    while True:
        page = connection.list_ceremonies(page_size=_PAGE, page_token=token)
        yield from page.ceremonies
        token = page.next_token
        if not token:
            return


def _went_on(connection: Connection, audited: Audited) -> bool:
    """Whether the ceremony has more entries by now than the copy that was audited."""
    entries = connection.ceremony(audited.id).part.entries
    known = tuple(each.entry.payload for each in audited.entries)
    return len(entries) > len(known) and entries[: len(known)] == known


def summary_of(audited: Audited) -> CeremonySummary:
    """Return what a list says of a ceremony if it agrees with the log."""
    request, ceremony = audited.request, audited.ceremony
    return CeremonySummary(
        ceremony=audited.id,
        product=request.product,
        version=request.version,
        kind=str(request.kind),
        state=str(ceremony.state),
        requester=audited.signed.signer,
        opened_at=request.opened_at,
        deadline=ceremony.deadline,
        ended_at=ceremony.ended_at,
        mode=str(request.mode),
    )


def _policies(connection: Connection, population: Population) -> Iterator[Defect]:
    given = [parse_version(data).payload for data in connection.organisation().policies]
    expected = [policy.payload for policy in population.policies]
    if given[: len(expected)] != expected:
        yield Defect(
            ListDiffersError(f"expected the {len(expected)} policy versions that the log holds, got others")
        )
