"""The right pane: messages and history of one ticket in the order in which they came."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db.models import BooleanField, Case, Prefetch, When
from django.urls import reverse
from django.utils.translation import gettext as _

from core.html import linkify
from crm.customers import timeline
from crm.customers.models import TimelineEntry
from crm.organisation.models import User
from crm.service.models import Ticket, TicketEvent, TicketLink, TicketMerge, TicketQuerySet
from inbox.models import Attachment, Delivery, Message
from inbox.services import replies
from inbox.workspace import history
from routing import words
from routing.models import Rule, RuleRun

WINDOW = 40
"""Messages that are shown at first; earlier ones on demand."""
EVENTS = 200
_TOGETHER = timedelta(minutes=5)

# Bidirectional overrides and invisible signs can make a name or an address look like another (S-15).
_INVISIBLE = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)


def visible(text: str) -> str:
    """`text` with every control and invisible sign shown as its code point."""
    return _INVISIBLE.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)


def on_one_line(text: str, length: int = 120) -> str:
    """As `visible`, without line ends and cut: for names and subjects."""
    flat = " ".join(text.split())
    return visible(flat[:length] + ("…" if len(flat) > length else ""))


@dataclass
class Entry:
    """One thing in the conversation: a message, or changes that one person made together."""

    seq: int
    message: Message | None = None
    events: list[tuple[TicketEvent, str, str, str]] = field(default_factory=list)
    actor: str = ""
    unseen: bool = False

    @property
    def kind(self) -> str:
        """Which template part shows it."""
        return "message" if self.message else "events"


def _messages(ticket: Ticket) -> Any:
    attachments = Attachment.objects.only("id", "message_id", "name", "content_type", "size", "inline", "content_id")
    return (
        ticket.messages.select_related("author", "contact", "channel")
        .prefetch_related(Prefetch("attachments", queryset=attachments), "deliveries")
        .annotate(has_html=Case(When(html="", then=False), default=True, output_field=BooleanField()))
        .defer("html", "authentication")
    )


def _dress(message: Message) -> Message:
    """What the template asks of a message."""
    # A contact's name alone: as a string it asks for its addresses, once a message.
    sender = str(message.author) if message.author else message.contact.name if message.contact else ""
    name = message.from_name or sender
    message.shown_name = on_one_line(name or message.from_address) or _("Unknown sender")  # type: ignore[attr-defined]
    message.shown_address = on_one_line(message.from_address, 320)  # type: ignore[attr-defined]
    short = message.reply_text.strip()
    whole = message.text.strip()
    message.short = linkify(visible(short or whole))  # type: ignore[attr-defined]
    message.whole = linkify(visible(whole)) if short and short != whole else ""  # type: ignore[attr-defined]
    files = [file for file in message.attachments.all() if not (file.inline and file.content_id)]
    for file in files:
        file.shown_name = on_one_line(file.name, 100)  # type: ignore[attr-defined]
        file.is_picture = file.content_type.lower() in PICTURES  # type: ignore[attr-defined]
        file.is_text = file.content_type.lower().partition(";")[0] in TEXTS  # type: ignore[attr-defined]
    message.files = files  # type: ignore[attr-defined]
    message.recipients = [  # type: ignore[attr-defined]
        on_one_line(pair[0], 320) for pair in [*message.to, *message.cc] if isinstance(pair, list) and pair
    ]
    return message


PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"})
"""Claimed types that a preview is offered for; whether they are pictures shows when they are read."""
TEXTS = frozenset({"text/plain", "text/csv", "application/json", "text/calendar"})


def entries(messages: Sequence[Message], events: Sequence[TicketEvent], seen: int, reader: User) -> list[Entry]:
    """Messages and changes by sequence number; neighbouring changes of one person make one entry."""
    things: list[Message | TicketEvent] = sorted([*messages, *events], key=lambda thing: thing.seq)
    found: list[Entry] = []
    for thing in things:
        if isinstance(thing, Message):
            found.append(
                Entry(thing.seq, message=_dress(thing), unseen=0 < seen < thing.seq and thing.author_id != reader.pk)
            )
            continue
        actor = history.actor(thing)
        last = found[-1] if found else None
        if last is None or last.message or last.actor != actor or thing.at - last.events[0][0].at > _TOGETHER:
            last = Entry(thing.seq, actor=actor)
            found.append(last)
        last.events.append((thing, history.in_words(thing), history.icon(thing), history.reason(thing)))
    return found


def since(ticket: Ticket, seq: int, user: User) -> list[Entry]:
    """All after sequence number `seq`."""
    messages = list(_messages(ticket).filter(seq__gt=seq).order_by("seq")[: 2 * WINDOW])
    events = list(ticket.events.filter(seq__gt=seq).order_by("seq")[:EVENTS])
    return entries(messages, events, seq, user)


@dataclass
class Window:
    """A stretch of the conversation, and whether there is more before it."""

    entries: list[Entry]
    earlier: int
    """Sequence number to ask for what came before; 0 at the beginning."""


def window(ticket: Ticket, reader: User, seen: int, before: int = 0) -> Window:
    """The last messages (before sequence number `before`) with the changes between them."""
    messages = _messages(ticket).order_by("-seq")
    events = ticket.events.order_by("-seq")
    if before:
        messages, events = messages.filter(seq__lt=before), events.filter(seq__lt=before)
    found = list(messages[: WINDOW + 1])
    more = len(found) > WINDOW
    found = found[:WINDOW][::-1]
    if more:
        events = events.filter(seq__gte=found[0].seq)
    return Window(entries(found, list(events[:EVENTS]), seen, reader), found[0].seq if more else 0)


def recipient(ticket: Ticket, shown: Window) -> str:
    """Whom an answer goes to, as `inbox.services.replies` will choose; mostly without asking the database again."""
    for entry in reversed(shown.entries):
        message = entry.message
        theirs = message and message.kind == Message.Kind.INBOUND and message.contact_id == ticket.contact_id
        if message and theirs and message.from_address:
            return message.from_address
    return replies.default_recipient(ticket)


def head(ticket: Ticket, visible: TicketQuerySet) -> dict[str, Any]:
    """What stands above the conversation, and is renewed with every change."""
    links = ticket.links.filter(kind=TicketLink.Kind.UNVERIFIED, other__in=visible).select_related("other")[:3]
    return {
        "ticket": ticket,
        "subject": on_one_line(ticket.subject, 250) or _("(no subject)"),
        "tags": list(ticket.tags.all()),
        "claims": [link.other for link in links],
    }


def pending_deliveries(ticket: Ticket) -> list[Delivery]:
    """Deliveries of the last answers: their state changes without a new message."""
    return list(Delivery.objects.filter(message__ticket=ticket).order_by("-id")[: 2 * WINDOW])


def about(ticket: Ticket, visible: TicketQuerySet, reader: User) -> dict[str, Any]:
    """The customer beside the conversation."""
    contact = ticket.contact
    visible_tickets = visible.exclude(pk=ticket.pk)
    others = visible_tickets.filter(contact=contact).order_by("-activity_at", "-id")[:6]
    colleagues: list[Ticket] = []
    if ticket.customer_id:
        same = visible_tickets.filter(customer_id=ticket.customer_id).exclude(contact=contact)
        colleagues = list(same.select_related("contact").order_by("-activity_at", "-id")[:4])
    merges = TicketMerge.objects.filter(target=ticket, undone_at=None).select_related("source")
    return {
        "contact": contact,
        "points": list(contact.points.all()),
        "contact_tags": list(contact.tags.all()),
        "customer": ticket.customer,
        "others": list(others),
        "colleagues": colleagues,
        "timeline": timeline.visible_to(
            reader, TimelineEntry.objects.filter(contact=contact).order_by("-at", "-id"), 8
        ),
        "participants": [
            p.contact for p in ticket.participants.select_related("contact")[:20] if p.contact_id != contact.pk
        ],
        "merges": list(merges),
        "also_in": [row.queue for row in ticket.also_in.select_related("queue")],
    }


def runs(ticket: Ticket) -> list[RuleRun]:
    """What the rules did to the ticket, the first event first."""
    found = list(RuleRun.objects.filter(subject=f"ticket:{ticket.pk}").order_by("-id")[:30])[::-1]
    labels = words.Labels()
    for run in found:
        run.label = dict(Rule.Event.choices).get(run.event, run.event)  # type: ignore[attr-defined]
        for match in run.matched:
            match["because"] = [visible(words.reason(row, labels)) for row in match.get("because", [])]
        run.errors = [visible(f"{error.get('name', '')}: {error.get('error', '')}") for error in run.errors]
    return found


def address(ticket: Ticket) -> str:
    """Where the ticket stands."""
    return reverse("inbox:ticket", args=[ticket.number])
