"""By which channel an answer goes."""

from __future__ import annotations

from inbox.channels import registry
from inbox.models import Channel


def can_send(channel: Channel) -> bool:
    """True when its adapter sends."""
    return "send" in registry.adapter(channel.kind).can


def sending_channels() -> list[Channel]:
    """The active channels that send, oldest first."""
    return [channel for channel in Channel.objects.filter(active=True).order_by("id") if can_send(channel)]


def for_queue(sending: list[Channel], queue_id: int) -> Channel | None:
    """One of the queue's own, else the oldest; None when there is none."""
    return next((c for c in sending if c.queue_id == queue_id), sending[0] if sending else None)
