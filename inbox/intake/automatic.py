"""Whether a machine may answer it (RFC 3834). Limits per address are checked when the answer is queued."""

from __future__ import annotations

from inbox.channels.email import tokens
from inbox.intake.batch import Batch
from inbox.intake.draft import Draft

MACHINE = "written by a machine: %s"


def may_answer(draft: Draft, batch: Batch) -> None:
    """Machines, spam, our own addresses and senders that cannot be identified get no automatic answer."""
    if draft.answer:
        return
    if draft.automatic:
        draft.answer = MACHINE % draft.automatic
    elif draft.inbound.spam:
        draft.answer = "marked as spam"
    elif draft.inbound.ambiguous_sender or not draft.sender:
        draft.answer = "no usable sender"
    elif batch.own_channels([draft.sender, tokens.without_plus(draft.sender)]):
        draft.answer = "from one of our own addresses"
