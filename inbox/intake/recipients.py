"""A mail to several of our addresses is one ticket, seen in every queue that it was written to."""

from __future__ import annotations

from inbox.intake.batch import Batch
from inbox.intake.draft import Draft


def further_queues(draft: Draft, batch: Batch) -> None:
    """Note the queues of all our addresses in To and Cc, beside the one it came by."""
    written = [a.address for a in (*draft.inbound.to, *draft.inbound.cc)]
    draft.also_queues |= {c.queue_id for c in batch.own_channels(written)} - {draft.channel.queue_id}
