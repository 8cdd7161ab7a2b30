"""A mail to several of our addresses is one ticket, seen in every queue that it was written to."""

from __future__ import annotations

from inbox.intake.batch import Batch
from inbox.intake.draft import Draft
from inbox.models import RawMessage


def further_queues(draft: Draft, batch: Batch) -> None:
    """Show a new ticket to the queues of our other addresses in To and Cc."""
    if draft.outcome == RawMessage.Outcome.OPENED and draft.change is not None:
        written = [a.address for a in (*draft.inbound.to, *draft.inbound.cc)]
        queues = {c.queue_id for c in batch.own_channels(written)}
        draft.change.also_queues |= queues - {draft.change.ticket.queue_id}
