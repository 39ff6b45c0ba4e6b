# SPDX-License-Identifier: Apache-2.0
"""How ``agent doctor`` judges: each rule from facts to a finding, without looking at anything itself."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from quorumseal.ceremony.expiring import Expiring, Expiry, warned
from quorumseal.ceremony.policy import Policy, Signer
from quorumseal.examining import end, life, secret_mode
from quorumseal.refusal import Refusal
from quorumseal.signatures import PublicKey
from quorumseal.terminal.durations import duration_text
from quorumseal.terminal.findings import Finding, fine, unknown, warning, wrong
from quorumseal.verifier.trust import Trust
from signer_agent.examining.facts import Answered, Facts, Kept, Secret, Server
from signer_agent.examining.witness import witness
from signer_agent.key_sources.certificates import Certificate

_OTHER = "use your other key; or have a new one listed by a change of the policy"
_OPERATOR = "ask the coordinator's operator for the next one"


def judge(facts: Facts) -> tuple[Finding, ...]:
    """Return one finding or more for everything that is known."""
    found = [*fork(facts), *(secret(about, each) for about, each in facts.secrets.items())]
    found += [
        certificate(
            "own certificate", facts.own, at=facts.at, hint="it renews itself while `agent run` works"
        ),
        certificate("authority", facts.authority, at=facts.at, hint=_OPERATOR),
        server(facts.server, facts.coordinator, at=facts.at),
        trust(facts.trust, facts.answered),
        journal(facts.kept),
    ]
    if not isinstance(facts.kept, Refusal):
        found.append(receipts(facts.kept.pending))
    if isinstance(facts.key, Refusal):
        found.append(wrong("signing key", str(facts.key), facts.key.hint or "compare [key] of agent.toml"))
    if isinstance(facts.answered, Refusal):
        found.append(wrong("coordinator", str(facts.answered), facts.answered.hint or "ask its operator"))
        return tuple(found)
    policy = facts.answered.policy
    highest = None if isinstance(facts.kept, Refusal) else facts.kept.highest
    found += [seen(policy, highest), clock(facts.answered, at=facts.at)]
    found += roster(facts.answered, facts.name, facts.key, at=facts.at)
    found += [standing(facts.answered), witness(facts, policy)]
    if warned(policy.expires, at=facts.at) is not None or policy.expires <= facts.at:
        found.append(
            end(Expiry(what=Expiring.POLICY, name=str(policy.version), ends=policy.expires), at=facts.at)
        )
    return tuple(found)


def fork(facts: Facts) -> Iterator[Finding]:
    """Say that nothing is signed after a fork, and that its proof is there."""
    if facts.blocked:
        text = "expected a log with one history, but it signed two: nothing is signed"
        yield wrong("fork", text, "show the fork-proof file in state/ to your auditor")
    elif facts.fork_proofs:
        text = f"{', '.join(facts.fork_proofs)}: the log signed two histories once"
        yield warning("fork", text, "see that your auditor has these files")
    else:
        yield fine("fork", "none was ever seen")


def secret(about: str, file: Secret) -> Finding:
    """Judge a file with a secret: ours, and for nobody else."""
    if file.mode is None:
        return wrong(
            about, f"expected to read {file.path}, got: {file.reason}", "restore it from your backup"
        )
    if not file.ours:
        text = f"expected {file.path} to be yours, got another owner"
        return wrong(about, text, "see whose it is; a key that others own is refused")
    return secret_mode(about, file.path, file.mode)


def certificate(about: str, known: Certificate | Refusal, *, at: datetime, hint: str) -> Finding:
    """Judge a certificate by whether it can be read, and how long it lasts."""
    if isinstance(known, Refusal):
        return wrong(about, str(known), known.hint or hint)
    return life(about, known.not_before, known.not_after, at=at, hint=hint)


def server(known: Server, coordinator: str, *, at: datetime) -> Finding:
    """Judge whether the coordinator can be reached, and shows a certificate that fits."""
    if known.certificate is None:
        text = f"expected {coordinator} to answer with a certificate of the authority, got: {known.reason}"
        return wrong(
            "reachability", text, "see that it runs, and that coordinator in agent.toml is its address"
        )
    shown = known.certificate
    hint = "tell the coordinator's operator"
    return life(f"certificate of {coordinator}", shown.not_before, shown.not_after, at=at, hint=hint)


def trust(known: Trust | Refusal, answered: Answered | Refusal) -> Finding:
    """Judge the trust file: it can be read, and its minimum is not far behind."""
    if isinstance(known, Refusal):
        return wrong("trust file", str(known), known.hint or "get trust.json from your organisation")
    version = None if isinstance(answered, Refusal) else answered.policy.version
    text = f"it pins {known.organisation}, and accepts policy version {known.minimum_version} or newer"
    if version is not None and version > known.minimum_version:
        return warning(
            "trust file", f"{text}; the newest is {version}", "raise it: `quorumseal trust update`"
        )
    return fine("trust file", text)


def journal(kept: Kept | Refusal) -> Finding:
    """Judge the journal by what the database says of itself."""
    problem = str(kept) if isinstance(kept, Refusal) else kept.problem
    if problem:
        hint = "restore it from a backup; without it the agent forgets what it signed"
        return wrong("journal", f"expected a sound file, got: {problem}", hint)
    return fine("journal", "sound")


def receipts(pending: int) -> Finding:
    """Say whether everything that was signed was acknowledged."""
    if pending:
        text = f"expected a receipt for everything signed, but {pending} have none"
        return warning("receipts", text, "they are sent again by `quorumseal agent run`")
    return fine("receipts", "everything signed was acknowledged")


def seen(policy: Policy, highest: int | None) -> Finding:
    """Say which policy is in force, and which was seen before."""
    before = "none before" if highest is None else f"version {highest} was the highest seen"
    return fine("policy", f"version {policy.version}, verified from the trust file; {before}")


def clock(answered: Answered, *, at: datetime) -> Finding:
    """Compare this machine's clock with the coordinator's."""
    apart, skew = abs(answered.now - at), answered.policy.clock_skew
    if apart > skew:
        which = "behind" if answered.now > at else "ahead of"
        text = f"expected it within {duration_text(skew)} of the coordinator's, got one "
        text += f"{duration_text(apart)} {which} it"
        return wrong("clock", text, "set this machine's clock, or tell the operator about theirs")
    return fine("clock", f"{duration_text(apart)} from the coordinator's")


def roster(
    answered: Answered, name: str, key: PublicKey | Refusal | None, *, at: datetime
) -> Iterator[Finding]:
    """Judge this signer's keys in the roster, and the one that was opened."""
    policy, revoked = answered.policy, answered.revoked
    signer = policy.signers.get(name)
    if signer is None:
        text = f"expected {name} in the roster of policy version {policy.version}, got nobody of that name"
        yield wrong("roster", text, "ask your organisation; `name` in agent.toml says who you are")
        return
    if not isinstance(key, Refusal):
        yield opened(signer, key, revoked, at=at)
    good = [each for each in signer.keys if each.key.key_id not in revoked]
    valid = [each for each in good if each.valid_at(at)]
    for each in signer.keys:
        if each not in good:
            text = f"{each.key.key_id} was revoked, and signs no more"
            yield warning(f"key of {name}", text, "have it taken off the roster by a change of the policy")
    for each in good:
        ending = Expiry(what=Expiring.KEY, name=name, ends=each.valid_until, key_id=each.key.key_id)
        if each.valid_until - at <= timedelta(days=60):
            yield end(ending, at=at)
    if not valid:
        yield wrong(
            "keys", "expected a key that may sign now, got none", "ask for a policy change with a new key"
        )
    elif len(valid) == 1:
        text = "one key that may sign; were it lost, you could neither decide nor revoke it"
        yield warning(
            "keys", text, "have a second one listed by a change of the policy, and keep it elsewhere"
        )
    else:
        yield fine("keys", f"{len(valid)} that may sign; keep one of them elsewhere")


def opened(signer: Signer, key: PublicKey | None, revoked: Collection[str], *, at: datetime) -> Finding:
    """Judge the key that was opened: it opens, and is this signer's."""
    if key is None:
        return unknown("signing key", "not opened", "with --key it is: you are asked for its passphrase")
    if key.key_id in revoked:
        return wrong("signing key", f"expected a key that counts, but {key.key_id} was revoked", _OTHER)
    for each in signer.keys:
        if each.key == key:
            if each.valid_at(at):
                return fine(
                    "signing key", f"it opens, and is {signer.name}'s until {each.valid_until:%Y-%m-%d}"
                )
            text = f"expected a key that may sign now, got one valid from {each.valid_from:%Y-%m-%d}"
            return wrong("signing key", f"{text} until {each.valid_until:%Y-%m-%d}", _OTHER)
    text = f"expected one of {signer.name}'s keys in the policy, got {key.key_id}"
    return wrong("signing key", text, "compare file in [key] of agent.toml; or ask for a policy change")


def standing(answered: Answered) -> Finding:
    """Say whether this signer's decisions count."""
    if answered.suspended_until is not None:
        text = f"suspended until {answered.suspended_until:%Y-%m-%d %H:%M} UTC: nothing you decide counts"
        return wrong("standing", text, "ask the guardians who did it; it ends by itself")
    return fine("standing", "not suspended: what you decide counts")
