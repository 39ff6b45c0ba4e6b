# SPDX-License-Identifier: Apache-2.0
"""Write a log of many ceremonies as an auditor's copy, to see how long its questions take.

``python -m scripts.audit_history FOLDER --entries 100000``, then ``quorumseal audit open --copy FOLDER`` with
``--trust FOLDER/trust.json``.  One ceremony in twenty is rejected, the others are approved by four people.
"""

import argparse
from datetime import timedelta
from pathlib import Path

from quorumseal.audit.folder import write_copy
from quorumseal.audit.log_copy import LogCopy
from quorumseal.ceremony.chain import extend
from quorumseal.ceremony.commands import Record
from quorumseal.ceremony.statements import Choice
from quorumseal.verifier.trust import write_trust
from tests.organisation import NOW, Organisation
from tests.simulated_log import SimulatedLog

_ACME = Organisation()
_MINUTE = timedelta(minutes=1)
_QUORUM = ("alice", "bob", "carol", "rita")


def main() -> None:
    """Write it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--entries", type=int, default=100_000)
    arguments = parser.parse_args()
    log, number = SimulatedLog(_ACME), 0
    while log.size < arguments.entries:
        number += 1
        _hold(log, number)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    copy = LogCopy(entries=tuple(log.entries), checkpoint=log.checkpoint())
    for name, data in write_copy(copy).items():
        (arguments.folder / name).write_bytes(data)
    (arguments.folder / "trust.json").write_bytes(write_trust(log.trust))
    print(f"{number} ceremonies, {log.size} entries")


def _hold(log: SimulatedLog, number: int) -> None:
    """Add one ceremony, ten minutes after the one before."""
    at = NOW + 10 * _MINUTE * number
    request = _ACME.sign_request(_ACME.request(number=number, version=f"{number}.0", at=at))
    rejected = number % 20 == 0
    chain, entries = _ACME.run(*(_QUORUM[:2] if rejected else _QUORUM), request=request, at=at)
    if rejected:
        when = at + 4 * _MINUTE
        decision = _ACME.decision("carol", request, Choice.REJECTION, at=when)
        _, more = extend(chain, Record(_ACME.sign_decision(decision)), at=when)
        entries += more
    log.append(entries)


if __name__ == "__main__":
    main()
