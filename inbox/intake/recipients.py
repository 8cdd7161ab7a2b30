"""A mail to several of our addresses is one ticket, seen in every queue that it was written to."""

from __future__ import annotations

from inbox.intake.batch import Batch
from inbox.intake.draft import Draft


def further_queues(draft: Draft, batch: Batch) -> None:
    """Note the queues of all our addresses that it was sent to, beside the one it came by.

    A hidden copy names them only in what the receiving server wrote down.
    """
    written = batch.own_channels(draft.own_addresses_written)
    draft.also_queues |= {c.queue_id for c in written} - {draft.channel.queue_id}
