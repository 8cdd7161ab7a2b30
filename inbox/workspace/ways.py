"""The way an answer takes: what the composer shows of it, and what a form may ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from crm.customers.models import ContactPoint
from crm.organisation.models import User
from crm.service.models import Ticket
from inbox import queries
from inbox.channels import registry
from inbox.models import Channel, Message
from inbox.services import chats, ways_out
from inbox.services.ways_out import Way
from inbox.workspace.access import AgentRequest, desk, ticket_or_404
from inbox.workspace.conversation import Entry, has_address, reached

TYPED_MOST = 320
"""Characters of an address; no mail address is longer (RFC 5321)."""


class WayRefused(ValueError):
    """An answer cannot go so; the message says why, to the person who asked."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One way as people see it."""

    channel: Channel
    to: str
    """What the form sends back."""
    name: str
    """Whom it reaches. Visitors have no address that would mean anything: there the medium and the place stand."""
    medium: str
    icon: str
    copies: bool
    preview: str
    """Address that shows what an answer would look like before it is sent; empty: none."""

    @classmethod
    def of(cls, way: Way, ticket: Ticket) -> Choice:
        """What is shown of this way."""
        adapter = registry.adapter(way.channel.kind)
        preview = getattr(adapter, "preview", "")
        return cls(
            channel=way.channel,
            to=way.recipient,
            name=reached(way.channel, way.recipient),
            medium=str(adapter.label),
            icon=adapter.icon,
            copies="copies" in adapter.can,
            preview=reverse(preview, args=[ticket.number]) if preview else "",
        )


def shown(ticket: Ticket, entries: Sequence[Entry]) -> Choice | None:
    """The way an answer takes by itself, where the messages shown tell it without another question to the database.

    None: the page asks `menu`, whose first way it is.
    """
    for entry in reversed(entries):
        message = entry.message
        if message and is_from_customer(message, ticket):
            channel = message.channel
            fits = channel and channel.active and ways_out.can_send(channel)
            return Choice.of(Way(channel, message.from_address), ticket) if channel and fits else None
    return None


def is_from_customer(message: Message, ticket: Ticket) -> bool:
    """Whether it says where the customer can be reached."""
    theirs = message.kind in (Message.Kind.INBOUND, Message.Kind.CALL) and message.contact_id == ticket.contact_id
    return theirs and bool(message.from_address) and message.channel_id is not None


def channels_of(user: User) -> list[Channel]:
    """The channels by which a colleague may write to an address of his choice: those of the queues that he sees."""
    queues = {queue.pk for queue in queries.queues_of(user)}
    return [c for c in ways_out.sending_channels() if c.queue_id in queues and has_address(c)]


def typed(user: User, text: str) -> list[Way]:
    """Every way to an address that somebody writes down; none while it is not one."""
    found = []
    for channel in channels_of(user) if text else []:
        try:
            found.append(Way(channel, registry.adapter(channel.kind).address(text, channel.settings)))
        except (ValidationError, ValueError):
            continue
    return found


def asked_for(ticket: Ticket, user: User, channel: str, to: str) -> Way | None:
    """The way that a form asks for; None when it leaves the choice to us.

    Another address than those of the ticket may be written to by a channel of the colleague's own queues. Raises
    Http404 for a channel that is not his to use, WayRefused for an address that is not one.
    """
    to = to.replace("\x00", "").strip()[:TYPED_MOST]
    if not channel and not to:
        return None
    if not (channel.isascii() and channel.isdigit() and len(channel) < 18):
        raise WayRefused(_("Choose how the answer is sent."))
    ways = ways_out.ways(ticket)
    key = int(channel)
    for way in ways:
        if way.channel.pk == key and way.recipient == to:
            return way
    found = next((c for c in channels_of(user) if c.pk == key), None)
    if found is None:
        raise Http404
    try:
        return Way(found, registry.adapter(found.kind).address(to, found.settings))
    except ValidationError as fault:
        raise WayRefused(" ".join(fault.messages)) from fault


@desk("GET")
def menu(request: AgentRequest, number: int) -> HttpResponse:
    """The ways to the customer of this ticket, and those to an address that is being typed (`q`).

    Below them his telephone numbers, and the address that a visitor gave: it is offered, and never taken by itself.
    """
    ticket = ticket_or_404(request, number)
    text = request.GET.get("q", "").replace("\x00", "").strip()[:TYPED_MOST]
    known = ways_out.ways(ticket)
    if text:
        plain = text.casefold()
        known = [w for w in known if plain in w.recipient.casefold() or plain in w.channel.name.casefold()]
    card = None if text else chats.visitor_of(ticket)
    others = [way for way in typed(request.user, card.claimed_email if card else text) if way not in known]
    points = ticket.contact.points.filter(kind=ContactPoint.Kind.PHONE)
    numbers = [number for number in points.values_list("value", flat=True) if text in number]
    context = {
        "ticket": ticket,
        "ways": [Choice.of(way, ticket) for way in known],
        "others": [Choice.of(way, ticket) for way in others],
        "numbers": numbers,
        "text": text,
    }
    return render(request, "inbox/ways.html", context)
