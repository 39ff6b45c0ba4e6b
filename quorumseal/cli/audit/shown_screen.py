# SPDX-License-Identifier: Apache-2.0
"""How a quorum record is drawn."""

from quorumseal.audit.answer import name_of
from quorumseal.audit.shown import Shown
from quorumseal.ceremony.entries import EntryType
from quorumseal.ceremony.lifecycle import State
from quorumseal.ceremony.record import Act, Moment
from quorumseal.cli.ceremony_screen import draw_artifacts, draw_evidence
from quorumseal.terminal import Cell, Foreign, Mark, Screen, instant_text

_MARKS = {
    State.APPROVED: Mark.DONE,
    State.PROVISIONAL: Mark.WARNING,
    State.OPEN: Mark.WAITING,
}


def draw_shown(drawn: Screen, shown: Shown) -> None:
    """Draw everything about one ceremony."""
    audited, record = shown.audited, shown.record
    ended = f" {instant_text(record.ended_at)}" if record.ended_at else ""
    drawn.answer(_MARKS.get(record.state, Mark.FAILED), f"{name_of(audited)} is {record.state}{ended}")
    for index in shown.contradicted:
        drawn.banner(f"entry {index}: its signer was shown another log than this one")
    _draw_request(drawn, shown)
    _draw_policy(drawn, shown)
    drawn.heading("How the quorum was counted")
    for role, threshold, people in record.seats:
        full = len(people) >= threshold
        by = ", ".join(people) or "nobody"
        drawn.item(Mark.DONE if full else Mark.WAITING, f"{role} needs {threshold}: {by}")
    for sentence in record.missing:
        drawn.item(Mark.WAITING, sentence)
    if shown.counted:
        drawn.table(
            ["who", "decided", "for", "and it"],
            [[e.who, str(e.choice), ", ".join(e.consented), e.how] for e in shown.counted],
        )
    draw_artifacts(drawn, audited.ceremony)
    draw_evidence(drawn, audited.ceremony)
    drawn.heading("What happened")
    for entry, moment in zip(audited.entries, record.timeline, strict=True):
        _draw_moment(drawn, shown, entry.index, moment)


def _draw_request(drawn: Screen, shown: Shown) -> None:
    request = shown.audited.request
    facts: list[tuple[str, Cell]] = [
        ("  ceremony", shown.audited.id),
        ("  asked for by", request.context.signer),
        ("  opened", instant_text(shown.audited.opened_at)),
        ("  deadline", instant_text(shown.audited.ceremony.deadline)),
    ]
    if request.on_behalf_of:
        facts.append(("  for", request.on_behalf_of))
    if request.ticket:
        facts.append(("  ticket", Foreign(request.ticket)))
    if request.emergency:
        facts.append(("  emergency", f"{request.emergency.reason}, {request.emergency.incident}"))
    drawn.facts(facts)


def _draw_policy(drawn: Screen, shown: Shown) -> None:
    policy, rule = shown.record.policy, shown.audited.ceremony.rule
    drawn.heading(f"The policy as of then: version {policy.policy.version}")
    ceremony, since = shown.audited.ceremony, shown.later_versions
    held = f"from entry {shown.policy_from} on" if shown.policy_from is not None else "not in force itself"
    later = f"; {since} later version{'s' if since != 1 else ''}" if since else ""
    asks = ", ".join(sorted(rule.requesters))
    facts: list[tuple[str, Cell]] = [
        ("  digest", policy.digest),
        ("  held", held + later),
        ("  rule", f"{rule.name}; {asks} may ask; checks: {', '.join(sorted(ceremony.checks)) or 'none'}"),
        ("  excluded", ", ".join(sorted(ceremony.excluded)) or "nobody"),
    ]
    facts += [
        (f"  {need.role}", f"{need.threshold} of {', '.join(sorted(need.members)) or 'nobody'}")
        for need in ceremony.needs
    ]
    drawn.facts(facts)


def _draw_moment(drawn: Screen, shown: Shown, index: int, moment: Moment) -> None:
    act, fell = moment.act, bool(moment.act and moment.act.fell)
    mark = Mark.WARNING if fell or moment.type is EntryType.LATE or moment.loss else Mark.DONE
    drawn.item(mark, f"entry {index}, {instant_text(moment.at)}: {_what(moment)}")
    if moment.told:
        drawn.note(f"{moment.told[0]} was told by {moment.told[1]}, as the coordinator says")
    if moment.superseded_by:
        drawn.note(f"by request {moment.superseded_by}")
    if moment.loss:
        drawn.note(f"{moment.loss.reason}; signed by {', '.join(moment.loss.signers)}")
    if act is not None:
        _draw_act(drawn, shown, index, act)


def _what(moment: Moment) -> str:
    act = moment.act
    if act is None:
        return str(moment.type)
    place = f" for {act.stands_for}" if act.stands_for else ""
    choice = f": {act.choice} as {', '.join(act.roles) or 'nothing'}" if act.choice else ""
    return f"{moment.type} by {act.signer}{place}{choice}"


def _draw_act(drawn: Screen, shown: Shown, index: int, act: Act) -> None:
    drawn.note(f"signed {instant_text(act.signed_at)}{'; it fell later' if act.fell else ''}")
    drawn.note(f"key {act.key_id}")
    if act.checks:
        drawn.note("checked " + ", ".join(f"{check.name}: {check.outcome}" for check in act.checks))
    if act.timestamp is not None:
        drawn.note(f"made by {instant_text(act.timestamp.latest)}, as {act.timestamp.authority} says")
    if act.deadline is not None:
        drawn.note(f"until {instant_text(act.deadline)}")
    seen = shown.seen.get(index)
    if seen is not None:
        had = (
            f"had seen the log at size {seen.checkpoint.size}"
            if seen.checkpoint.size
            else "had seen no log yet"
        )
        of = {True: "", False: ": not this log", None: ", from before this copy"}[seen.same]
        drawn.note(had + of)
    if act.reason is not None:
        text = shown.audited.texts.get(act.reason)
        if text is None:
            drawn.note("wrote a text that is not here")
        else:
            drawn.note("wrote:")
            drawn.quote(text)
