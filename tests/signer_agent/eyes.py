# SPDX-License-Identifier: Apache-2.0
"""Somebody who reads: what was on the screen when a signature was made, held against what was signed."""

from dataclasses import dataclass, field
from io import StringIO

from quorumseal.ceremony.statement_document import read_statement
from quorumseal.ceremony.statements import Choice, Decision
from quorumseal.ceremony.values import digest_of
from quorumseal.terminal import Screen
from signer_agent.draft_screen import draw_draft
from signer_agent.drafting import Draft, consequences
from signer_agent.recollection import Stored
from signer_agent.review import Review
from signer_agent.screen import draw_review
from signer_agent.signing import send, settle, sign_and_store
from tests.signer_agent.desks import Desk, payload_of


@dataclass(frozen=True)
class Seen:
    """One screen, and the bytes that it was drawn from."""

    text: str
    request: bytes
    draft: bytes


@dataclass
class Eyes:
    """Everything that one signer was shown."""

    seen: list[Seen] = field(default_factory=list)

    def show(self, review: Review, draft: Draft) -> None:
        """Draw what a person is shown before they say yes."""
        text = StringIO()
        screen = Screen.on(text, StringIO(), {})
        draw_review(screen, review)
        draw_draft(screen, review, draft, consequences(review, draft))
        self.seen.append(Seen(text.getvalue(), review.request.envelope.payload, draft.payload))

    def decide(self, desk: Desk, ceremony: str, choice: Choice = Choice.APPROVAL) -> Stored:
        """Do what ``approve`` does, with the screen in between."""
        review = desk.look(ceremony)
        if review.pending is not None:
            return settle(desk.agent, review.pending, review.observation)
        review.findings.require(unchecked=False)
        draft = desk.draft(review, choice)
        self.show(review, draft)
        stored = sign_and_store(desk.agent, draft, desk.key, review.observation.policy)
        return send(desk.agent, stored, review.observation.policy)

    def require_all_seen(self, desk: Desk) -> int:
        """Assert that every signature is over bytes that were on a screen; return how many there are."""
        for message in desk.key.signed:
            payload = payload_of(message)
            (seen,) = [each for each in self.seen if each.draft == payload]
            decision = read_statement(payload)
            assert isinstance(decision, Decision)
            assert decision.request == digest_of(seen.request)
            for said in (decision.request, decision.context.policy.digest, digest_of(payload)):
                assert said in seen.text
            request = read_statement(seen.request)
            for subject in request.subjects:  # type: ignore[union-attr] # a request was shown
                assert subject.name in seen.text
                assert subject.digest in seen.text
            if decision.choice is Choice.APPROVAL:
                assert decision.subjects == request.subjects  # type: ignore[union-attr]
        return len(desk.key.signed)
