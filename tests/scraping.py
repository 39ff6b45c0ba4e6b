# SPDX-License-Identifier: Apache-2.0
"""Reads a metrics port as Prometheus does."""

from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

from prometheus_client.parser import text_string_to_metric_families


def fetch(url: str, *, method: str = "GET") -> tuple[int, str]:
    """Return the status and the body."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    with closing(HTTPConnection(parts.hostname, parts.port, timeout=10)) as connection:
        connection.request(method, parts._replace(scheme="", netloc="").geturl())
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def numbers(text: str) -> dict[str, float]:
    """Return every number that Prometheus would store, by its name and the values of its labels."""
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scrape(url: str) -> dict[str, float]:
    """Return every number of a port that answers."""
    status, text = fetch(url)
    assert status == 200
    return numbers(text)
