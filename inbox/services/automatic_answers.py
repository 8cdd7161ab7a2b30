"""The acknowledgement of a new ticket, when no rule has answered it."""

from __future__ import annotations

from crm.service.changes import Change
from inbox.effects import AutomaticAnswer
from inbox.intake.batch import Batch
from inbox.intake.draft import Draft


def acknowledge(draft: Draft, change: Change, batch: Batch) -> None:
    """Plan the channel's acknowledgement; the draft learns why there is none."""
    template = batch.channels[draft.channel.pk].acknowledge_id
    planned = any(isinstance(e, AutomaticAnswer) and e.draft is draft for e in change.effects)
    if draft.answer or planned:
        return
    if template is None:
        draft.answer = "no template for this channel"
        return
    AutomaticAnswer.offer(change, template)
