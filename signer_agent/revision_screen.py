# SPDX-License-Identifier: Apache-2.0
"""How a revision is drawn: what is other than in the request whose place it takes."""

from quorumseal.terminal import Mark, Screen
from signer_agent.review import Review
from signer_agent.revisions import Difference, Revision


def draw_revision(screen: Screen, review: Review) -> None:
    """Draw what changed since the request that this one supersedes, if it supersedes one."""
    request, revision = review.request.statement, review.revision
    if request.supersedes is None:
        return
    screen.heading("Since the request that it supersedes")
    if revision is None:
        screen.item(Mark.WARNING, "The coordinator does not show that request:")
        screen.line(f"    {request.supersedes}")
        return
    for what, difference in (("artifacts", revision.subjects), ("evidence", revision.evidence)):
        _draw_difference(screen, what, difference)
    screen.item(Mark.WARNING if revision.policy else Mark.DONE, "policy: " + _policy_words(revision))
    for change in revision.policy[1:]:
        screen.line(f"    {change}")


def revision_text(revision: Revision) -> str:
    """Say in one line what changed."""
    counts = [("artifacts", revision.subjects), ("evidence", revision.evidence)]
    parts = [f"{what} {difference.words}" for what, difference in counts if difference.count]
    parts += [revision.policy[0]] if revision.policy else []
    return "; ".join(parts) or "the same artifacts, evidence and policy"


def _draw_difference(screen: Screen, what: str, difference: Difference) -> None:
    screen.item(Mark.WARNING if difference.count else Mark.DONE, f"{what}: {difference.words}")
    for name, digest in difference.changed.items():
        screen.line(f"    {name} was")
        screen.line(f"      {digest}")
    for name in difference.added:
        screen.line(f"    {name} is new")
    for name in difference.removed:
        screen.line(f"    {name} is gone")


def _policy_words(revision: Revision) -> str:
    return revision.policy[0].removeprefix("policy ") if revision.policy else "as before"
