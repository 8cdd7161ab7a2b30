"""The right pane: messages and history of one ticket in the order in which they came."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any

from django.db.models import BooleanField, Case, QuerySet, When, prefetch_related_objects
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from core.composed import Composed
from core.html import linkify
from core.telephone import spaced
from crm.customers import timeline
from crm.customers.models import ContactPoint, TimelineEntry
from crm.organisation.models import User
from crm.service.models import Ticket, TicketEvent, TicketLink, TicketMerge, TicketQuerySet
from inbox.channels import registry
from inbox.models import Attachment, Channel, Delivery, Message
from inbox.services import chats
from inbox.workspace import history
from routing import words
from routing.models import Rule, RuleRun

WINDOW = 40
"""Messages that are shown at first; earlier ones on demand."""
EVENTS = 200
_IN_A_CHAT = frozenset({"assignee", "queue", "chat-ended", "merged", "absorbed", "merge-undone", "split", "rated"})
_TOGETHER = timedelta(minutes=5)

# Bidirectional overrides and invisible signs can make a name or an address look like another (S-15).
_INVISIBLE = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)


def visible(text: str) -> str:
    """`text` with every control and invisible sign shown as its code point; the CR of a line's end is no sign."""
    return _INVISIBLE.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text.replace("\r\n", "\n"))


def on_one_line(text: str, length: int = 120) -> str:
    """As `visible`, without line ends and cut: for names and subjects."""
    flat = " ".join(text.split())
    return visible(flat[:length] + ("…" if len(flat) > length else ""))


def has_address(channel: Channel) -> bool:
    """False where people have only a token, as visitors do: that says nothing to anybody, and is not shown."""
    return registry.adapter(channel.kind).point in ContactPoint.Kind.values


@cache
def live_kinds() -> frozenset[str]:
    """Kinds of channels whose people sit before their screen and wait."""
    return frozenset(adapter.kind for adapter in registry.adapters() if "live" in adapter.can)


def reached(channel: Channel | None, address: str) -> str:
    """What is shown of an address that something goes to: itself, or the medium and the place."""
    if channel is None or has_address(channel):
        return spaced(on_one_line(address, 320))
    return _("%(medium)s on %(place)s") % {"medium": registry.adapter(channel.kind).label, "place": channel.name}


@dataclass
class Entry:
    """One thing in the conversation: a message, or changes that one person made together."""

    seq: int
    message: Message | None = None
    events: list[tuple[TicketEvent, str, str, str]] = field(default_factory=list)
    actor: str = ""
    unseen: bool = False
    follows: bool = False
    """A line of a chat said right after another one of the same person."""

    @property
    def speaker(self) -> str:
        """Who said it, the same for all his lines of a chat; empty for what stands by itself, as a mail does."""
        message = self.message
        if message is None or message.channel is None or message.channel.kind not in live_kinds():
            return ""
        return f"{message.kind}-{message.author_id or message.contact_id or 0}"

    @property
    def talked_about(self) -> list[str]:
        """Of the changes those that matter beside a chat: who has it, where it went, how it ended."""
        return [words for event, words, _icon, _why in self.events if event.what in _IN_A_CHAT]

    @property
    def kind(self) -> str:
        """Which template part shows it."""
        return "message" if self.message else "events"


def _messages(ticket: int) -> QuerySet[Message]:
    return (
        Message.objects.filter(ticket_id=ticket)
        .select_related("author", "contact", "channel")
        .annotate(has_html=Case(When(html="", then=False), default=True, output_field=BooleanField()))
        .defer("html", "authentication")
    )


_messages_since = Composed(lambda ticket, seq: _messages(ticket).filter(seq__gt=seq).order_by("seq")[: 2 * WINDOW])
_events_since = Composed(
    lambda ticket, seq: TicketEvent.objects.filter(ticket_id=ticket, seq__gt=seq).order_by("seq")[:EVENTS]
)
_files_of = Composed(
    lambda messages: Attachment.objects.filter(message_id__in=messages).only(
        "id", "message_id", "name", "content_type", "size", "inline", "content_id", "verdict"
    )
)
_deliveries_of = Composed(
    lambda ticket: (
        Delivery.objects.filter(message__ticket_id=ticket).select_related("channel").order_by("-id")[: 2 * WINDOW]
    )
)


def _complete(messages: Sequence[Message]) -> None:
    """Load what hangs on them, where something can: a line of a visitor has neither a delivery nor a call."""
    for message in messages:
        message.attached = []  # type: ignore[attr-defined]
    by_key = {message.pk: message for message in messages}
    for file in _files_of(list(by_key)):
        by_key[file.message_id].attached.append(file)  # type: ignore[attr-defined]
    prefetch_related_objects([m for m in messages if m.kind in _SENT], "deliveries")
    with_panel = [m for m in messages if m.channel and registry.adapter(m.channel.kind).panel]
    prefetch_related_objects(with_panel, "call__agent", "call__queue")


_SENT = (Message.Kind.OUTBOUND, Message.Kind.AUTOMATIC)


def _height(text: str) -> str:
    """How high the frame of a mail begins, by the lines of its text: the sandbox keeps the frame from being measured.

    Whoever wants another height drags its corner.
    """
    lines = sum(1 + len(line) // 90 for line in text.splitlines())
    return "low" if lines <= 8 else "tall" if lines > 30 else ""


def _dress(message: Message) -> Message:
    """What the template asks of a message."""
    # A contact's name alone: as a string it asks for its addresses, once a message.
    sender = str(message.author) if message.author else message.contact.name if message.contact else ""
    name = message.from_name or sender
    if message.kind == Message.Kind.NOTE and message.author is None:
        name = history.named(name)
    message.shown_name = on_one_line(name or spaced(message.from_address)) or _("Unknown sender")  # type: ignore[attr-defined]
    known = message.channel is None or has_address(message.channel)
    message.shown_address = spaced(on_one_line(message.from_address, 320)) if known else ""  # type: ignore[attr-defined]
    short = message.reply_text.strip()
    whole = message.text.strip()
    message.short = linkify(visible(short or whole))  # type: ignore[attr-defined]
    message.frame = _height(whole)  # type: ignore[attr-defined]
    message.whole = linkify(visible(whole)) if short and short != whole else ""  # type: ignore[attr-defined]
    files = [file for file in message.attached if not (file.inline and file.content_id)]  # type: ignore[attr-defined]
    for file in files:
        file.shown_name = on_one_line(file.name, 100)  # type: ignore[attr-defined]
        file.is_picture = file.content_type.lower() in PICTURES  # type: ignore[attr-defined]
        file.is_text = file.content_type.lower().partition(";")[0] in TEXTS  # type: ignore[attr-defined]
    message.files = files  # type: ignore[attr-defined]
    message.medium = registry.adapter(message.channel.kind) if message.channel else None  # type: ignore[attr-defined]
    message.recipients = [  # type: ignore[attr-defined]
        reached(message.channel, pair[0]) for pair in [*message.to, *message.cc] if isinstance(pair, list) and pair
    ]
    for delivery in message.deliveries.all() if message.kind in _SENT else ():
        delivery.reached = reached(message.channel, delivery.recipient)  # type: ignore[attr-defined]
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
            unseen = 0 < seen < thing.seq and thing.author_id != reader.pk
            entry, before = Entry(thing.seq, message=_dress(thing), unseen=unseen), found[-1] if found else None
            entry.follows = bool(entry.speaker and before and before.speaker == entry.speaker)
            found.append(entry)
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
    messages = _messages_since(ticket.pk, seq)
    _complete(messages)
    events = _events_since(ticket.pk, seq)
    return entries(messages, events, seq, user)


@dataclass
class Window:
    """A stretch of the conversation, and whether there is more before it."""

    entries: list[Entry]
    earlier: int
    """Sequence number to ask for what came before; 0 at the beginning."""


def window(ticket: Ticket, reader: User, seen: int, before: int = 0) -> Window:
    """The last messages (before sequence number `before`) with the changes between them."""
    messages = _messages(ticket.pk).order_by("-seq")
    events = ticket.events.order_by("-seq")
    if before:
        messages, events = messages.filter(seq__lt=before), events.filter(seq__lt=before)
    found = list(messages[: WINDOW + 1])
    more = len(found) > WINDOW
    found = found[:WINDOW][::-1]
    _complete(found)
    if more:
        events = events.filter(seq__gte=found[0].seq)
    return Window(entries(found, list(events[:EVENTS]), seen, reader), found[0].seq if more else 0)


def head(ticket: Ticket, visible: TicketQuerySet) -> dict[str, Any]:
    """What stands above the conversation, and is renewed with every change."""
    claims: list[Ticket] = []
    if getattr(ticket, "has_claims", True):
        links = ticket.links.filter(kind=TicketLink.Kind.UNVERIFIED, other__in=visible).select_related("other")[:3]
        claims = [link.other for link in links]
    tags = list(ticket.tags.all())
    return {
        "ticket": ticket,
        "subject": on_one_line(ticket.subject, 250) or _("(no subject)"),
        "tags": tags,
        "claims": claims,
        "head_mark": head_mark(ticket),
    }


def head_mark(ticket: Ticket) -> str:
    """Of what the head shows, all but the tags and whom the ticket may belong to: their changes are events.

    A page whose mark is the same, and that missed no event, has the head that there is.
    """
    left = int((ticket.due_at - timezone.now()).total_seconds() // 60) if ticket.due_at else 0
    looks = (
        ticket.subject,
        ticket.status,
        ticket.priority,
        ticket.queue_id,
        ticket.assignee_id,
        ticket.snoozed_until,
        max(left, -1),
        getattr(ticket, "has_claims", True),
    )
    return hashlib.sha256(repr(looks).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def pending_deliveries(ticket: Ticket) -> list[Delivery]:
    """Deliveries of the last answers: their state changes without a new message."""
    found = _deliveries_of(ticket.pk)
    for delivery in found:
        delivery.reached = reached(delivery.channel, delivery.recipient)  # type: ignore[attr-defined]
    return found


def about(ticket: Ticket, visible: TicketQuerySet, reader: User) -> dict[str, Any]:
    """The customer beside the conversation."""
    contact = ticket.contact
    prefetch_related_objects([contact], "points")
    visible_tickets = visible.exclude(pk=ticket.pk)
    others = visible_tickets.filter(contact=contact).order_by("-activity_at", "-id")[:6]
    colleagues: list[Ticket] = []
    if ticket.customer_id:
        same = visible_tickets.filter(customer_id=ticket.customer_id).exclude(contact=contact)
        colleagues = list(same.select_related("contact").order_by("-activity_at", "-id")[:4])
    participants = [
        row.contact for row in ticket.participants.select_related("contact")[:20] if row.contact_id != contact.pk
    ]
    # Who has no name is called by his address.
    nameless = [each for each in (*participants, *(other.contact for other in colleagues)) if not each.name]
    prefetch_related_objects(nameless, "points")
    talk = chats.of(ticket) if ticket.origin in live_kinds() else None
    merges = TicketMerge.objects.filter(target=ticket, undone_at=None).select_related("source")
    return {
        "card": chats.card_of(talk) if talk else None,
        "contact": contact,
        "points": list(contact.points.all()),
        "contact_tags": list(contact.tags.all()),
        "customer": ticket.customer,
        "others": list(others),
        "colleagues": colleagues,
        "timeline": _with_media(
            timeline.visible_to(reader, TimelineEntry.objects.filter(contact=contact).order_by("-at", "-id"), 8)
        ),
        "participants": participants,
        "merges": list(merges),
        "also_in": [row.queue for row in ticket.also_in.select_related("queue")],
    }


def _with_media(lines: list[TimelineEntry]) -> list[TimelineEntry]:
    """Each line about a ticket gets the adapter of the channel that the ticket came by."""
    keys = {line: line.reference.removeprefix("ticket:") for line in lines if line.reference.startswith("ticket:")}
    origins = dict(Ticket.objects.filter(pk__in={int(key) for key in keys.values()}).values_list("pk", "origin"))
    for line in lines:
        kind = origins.get(int(keys[line])) if line in keys else None
        line.medium = registry.adapter(kind) if kind in registry.kinds() else None  # type: ignore[attr-defined]
    return lines


def runs(ticket: Ticket) -> list[RuleRun]:
    """What the rules did to the ticket, the first event first."""
    found = list(RuleRun.objects.filter(subject=f"ticket:{ticket.pk}").order_by("-id")[:30])[::-1]
    labels = words.Labels()
    for run in found:
        run.label = dict(Rule.Event.choices).get(run.event, run.event)  # type: ignore[attr-defined]
        for match in run.matched:
            match["because"] = [visible(words.reason(row, labels)) for row in match.get("because", [])]
            match["did"] = [visible(words.deed(kept)) for kept in match.get("did", [])]
        run.errors = [visible(f"{error.get('name', '')}: {error.get('error', '')}") for error in run.errors]
    return found


def address(ticket: Ticket) -> str:
    """Where the ticket stands."""
    return reverse("inbox:ticket", args=[ticket.number])
