# SPDX-License-Identifier: Apache-2.0
"""From signed statements to the entries that a log would hold, and to a bundle without a log.

1. Each envelope is authenticated under the policy; a statement in several files is one statement.
2. They go through the rules in the order of their signing times, which are all the clock there is.  What the
   rules refuse refuses the whole.
3. What time alone brings (the end of a veto window, the deadline) comes when it is due.
4. Approvals signed after the end are left out, and named.  Anything else signed after it is refused: without
   a log nobody can show which of the two came first.

The same files give the same entries, whoever assembles them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from quorumseal.ceremony.chain import Chain, extend, open_chain
from quorumseal.ceremony.checking import check_about
from quorumseal.ceremony.commands import Command, Expire, command_of
from quorumseal.ceremony.deciding import next_due
from quorumseal.ceremony.entries import Entry
from quorumseal.ceremony.errors import CeremonyEndedError, SignedInFutureError, StatementFormatError
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.policy_document import SignedPolicy
from quorumseal.ceremony.signed import Signed, authenticate, signed_as
from quorumseal.ceremony.statements import Cancellation, Choice, Decision, Request, Statement, Veto
from quorumseal.ceremony.values import instant_text
from quorumseal.signatures import Envelope
from quorumseal.verifier.bundle import make_bundle, write_bundle
from quorumseal.verifier.part import Part

_RELEASED = frozenset({State.APPROVED, State.PROVISIONAL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembled:
    """A ceremony that was made again from files, as it stands."""

    policy: SignedPolicy
    chain: Chain
    entries: tuple[Entry, ...]
    left_out: tuple[Signed[Decision], ...] = ()
    """Approvals that came after the quorum, and that nobody needs."""

    @property
    def released(self) -> bool:
        """Whether there is anything to make a bundle of."""
        return self.chain.ceremony.state in _RELEASED

    def bundle(self) -> bytes:
        """Return the bundle; whoever writes it down verifies it first."""
        payloads = tuple(entry.payload for entry in self.entries)
        return write_bundle(make_bundle([self.policy], Part(entries=payloads)))


def open_offline(policy: SignedPolicy, request: Signed[Request], *, now: datetime) -> tuple[Chain, Entry]:
    """Open a ceremony at the instant that its request names; refuse one that is not there yet."""
    _require_past(request, policy, now)
    return open_chain(policy, request, at=request.statement.opened_at)


def read_statements(envelopes: Iterable[Envelope], policy: SignedPolicy) -> tuple[Signed[Statement], ...]:
    """Authenticate what was signed; return each statement once, in the order of their signing times."""
    signed = {each.digest: each for each in (authenticate(envelope, policy) for envelope in envelopes)}
    return tuple(sorted(signed.values(), key=lambda each: (each.statement.context.signed_at, each.digest)))


def assemble(
    policy: SignedPolicy,
    request: Signed[Request],
    statements: Sequence[Signed[Statement]],
    *,
    now: datetime,
) -> Assembled:
    """Make the ceremony again, as far as it has come by now; raise what the rules refuse."""
    for signed in statements:
        _require_past(signed, policy, now)
    chain, opening = open_offline(policy, request, now=now)
    entries = [opening]
    for position, signed in enumerate(statements):
        at = max(signed.statement.context.signed_at, chain.last_at)
        chain, more = let_time_pass(chain, at)
        entries += more
        if chain.ceremony.state is not State.OPEN:
            left_out = _after(chain, statements[position:])
            return Assembled(policy=policy, chain=chain, entries=tuple(entries), left_out=left_out)
        chain, more = extend(chain, command_about(chain, signed), at=at)
        entries += more
    chain, more = let_time_pass(chain, now)
    return Assembled(policy=policy, chain=chain, entries=(*entries, *more))


def let_time_pass(chain: Chain, until: datetime) -> tuple[Chain, tuple[Entry, ...]]:
    """Bring what is due by an instant, each at its own: the end of a veto window, the deadline."""
    entries: tuple[Entry, ...] = ()
    while (due := next_due(chain.ceremony)) is not None and due <= until:
        chain, more = extend(chain, Expire(), at=max(due, chain.last_at))
        entries += more
    return chain, entries


def command_about(chain: Chain, signed: Signed[Statement]) -> Command:
    """Return what a statement asks of its ceremony; refuse what no ceremony in files takes."""
    if isinstance(signed.statement, Decision | Veto | Cancellation):
        return command_of(signed_as(type(signed.statement), signed))
    raise StatementFormatError(
        f"expected a decision, veto or cancellation about request {chain.ceremony.request.digest}, "
        f"got a signed {type(signed.statement).__name__.lower()}",
        hint="deadlines are extended, and deputies named, in the log alone",
    )


def _after(chain: Chain, later: Sequence[Signed[Statement]]) -> tuple[Signed[Decision], ...]:
    """Return the approvals that came after the end; refuse whatever would have changed it a moment before."""
    approvals = [signed_as(Decision, each) for each in later if isinstance(each.statement, Decision)]
    for approval in approvals:
        check_about(chain.ceremony, approval)
    if chain.ceremony.state in _RELEASED:
        for each in later:
            if not isinstance(each.statement, Decision) or each.statement.choice is not Choice.APPROVAL:
                raise CeremonyEndedError(
                    f"expected nothing but approvals after the end ({instant_text(chain.last_at)}), got a "
                    f"{_word(each.statement)} of {each.signer}, "
                    f"signed at {instant_text(each.statement.context.signed_at)}",
                    hint="only a log shows which came first: let the coordinator take them in, or ask again",
                )
    return tuple(approvals)


def _word(statement: Statement) -> str:
    return str(statement.choice) if isinstance(statement, Decision) else type(statement).__name__.lower()


def _require_past(signed: Signed[Statement], policy: SignedPolicy, now: datetime) -> None:
    """The assembler's clock is the only other one: what is dated ahead of it is refused."""
    signed_at = signed.statement.context.signed_at
    if signed_at - now > policy.policy.clock_skew:
        raise SignedInFutureError(
            f"expected something signed by now ({instant_text(now)}), got {instant_text(signed_at)}",
            hint=f"check the clocks of this machine and of {signed.signer}'s",
        )
