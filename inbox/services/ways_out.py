"""By which channel, and to which address, an answer can go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crm.service.models import Ticket
from inbox.channels import registry
from inbox.models import Channel, Message

LOOKED_AT = 50
"""Newest messages of a ticket that say where its customer writes from."""


@dataclass(frozen=True, slots=True)
class Way:
    """One channel of ours and one address of the customer's."""

    channel: Channel
    recipient: str


def can_send(channel: Channel) -> bool:
    """True when its adapter sends."""
    return "send" in registry.adapter(channel.kind).can


def point_of(channel: Channel) -> str:
    """What the channel's people are known by, see `Adapter.point`."""
    return registry.adapter(channel.kind).point


def sending_channels() -> list[Channel]:
    """The active channels that send, oldest first."""
    return [channel for channel in Channel.objects.filter(active=True).order_by("id") if can_send(channel)]


def for_queue(sending: Sequence[Channel], queue_id: int, point: str) -> Channel | None:
    """Of those that reach this kind of address, one of the queue's own, else the oldest; None when there is none."""
    fitting = [c for c in sending if point_of(c) == point]
    return next((c for c in fitting if c.queue_id == queue_id), fitting[0] if fitting else None)


def ways(ticket: Ticket, sending: Sequence[Channel] | None = None) -> list[Way]:
    """Every way to the ticket's contact; the first is the one an answer takes by itself.

    First stands where the customer last wrote from, by the channel he wrote to if that sends, else by one that reaches
    the same kind of address. Then follow the other addresses of the contact.
    """
    sending = sending_channels() if sending is None else sending
    by_key = {channel.pk: channel for channel in sending}
    found: dict[tuple[str, str], Way] = {}
    heard = ticket.messages.filter(kind__in=(Message.Kind.INBOUND, Message.Kind.CALL), contact_id=ticket.contact_id)
    for message in heard.exclude(from_address="").select_related("channel").order_by("-seq")[:LOOKED_AT]:
        if message.channel is None:
            continue
        point = point_of(message.channel)
        channel = by_key.get(message.channel_id or 0) or for_queue(sending, ticket.queue_id, point)
        if channel is not None:
            found.setdefault((point, message.from_address), Way(channel, message.from_address))
    used = _channels_used(ticket)
    for kind, value in sorted(ticket.contact.points.values_list("kind", "value"), key=lambda each: each[0] != "email"):
        channel = next((by_key[key] for key in used if key in by_key and point_of(by_key[key]) == kind), None)
        channel = channel or for_queue(sending, ticket.queue_id, kind)
        if channel is not None:
            found.setdefault((kind, value), Way(channel, value))
    return list(found.values())


def _channels_used(ticket: Ticket) -> list[int]:
    public = ticket.messages.filter(kind__in=Message.PUBLIC, channel__isnull=False).order_by("-seq")
    return list(public.values_list("channel", flat=True)[:LOOKED_AT])
