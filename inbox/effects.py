"""What rules and intake have written beside the ticket itself: automatic answers and notes, all of a save at once."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from core import limits, merge_fields
from crm.service.changes import Change, Effect
from inbox.channels.email import tokens
from inbox.models import Channel, Delivery, Message, Template, TemplateText
from inbox.services import deliveries, ways_out

if TYPE_CHECKING:
    from crm.organisation.models import User
    from inbox.intake.draft import Draft

log = logging.getLogger(__name__)

PER_HOUR, PER_DAY = 3, 10
"""Automatic mails to one address; beyond that it is a loop, or somebody is being flooded (S-49).

The same holds for a mailbox, and for a domain, that writes from ever new addresses: `_refuse_new_addresses`.
"""


@dataclass(slots=True)
class Note(Effect):
    """An internal note of a rule or a macro."""

    seq: int
    text: str
    author_name: str
    author: User | None

    @classmethod
    def write(cls, items: list[tuple[Change, Note]]) -> None:
        """Insert the notes."""
        Message.objects.bulk_create(
            Message(
                ticket=change.ticket,
                seq=note.seq,
                kind=Message.Kind.NOTE,
                author=note.author,
                from_name=note.author_name[:200],
                text=note.text,
                reply_text=note.text,
            )
            for change, note in items
        )


@dataclass(slots=True)
class AutomaticAnswer(Effect):
    """An answer from a template to whoever wrote the message that is being posted."""

    draft: Draft
    template_id: int
    seq: int

    @classmethod
    def offer(cls, change: Change, template_id: int) -> str:
        """Plan the answer, unless something stands against it. What was decided: `queued`, or why not.

        One a message at most. `inbox.intake.answer_words` has the words.
        """
        draft: Draft | None = change.occasion
        if draft is None:
            return "no message to answer"
        if draft.answer:
            return draft.answer
        if any(isinstance(effect, cls) and effect.draft is draft for effect in change.effects):
            return "answered already"
        change.after(cls(draft, template_id, change.next_seq()))
        return "queued"

    @classmethod
    def write(cls, items: list[tuple[Change, AutomaticAnswer]]) -> None:
        """Insert messages and deliveries for all that the limits let through; each draft learns which."""
        counts = _Sent(items)
        texts = _texts({a.template_id for _c, a in items})
        messages, wanted = [], []
        sending: list[Channel] | None = None
        for change, answer in items:
            draft = answer.draft
            draft.answer = counts.refuse(draft.sender, change)
            text = _choose(texts.get(answer.template_id, []), draft.inbound.language, draft.channel.language)
            draft.answer = draft.answer or _refuse_new_addresses(draft)
            if not draft.answer and text is None:
                draft.answer = "the template has no text"
            carrier: Channel | None = draft.channel
            if not ways_out.can_send(draft.channel):
                # A form cannot answer: its acknowledgement goes by mail, as the agents' answers do.
                sending = ways_out.sending_channels() if sending is None else sending
                carrier = ways_out.for_queue(sending, change.ticket.queue_id, draft.point)
            if not draft.answer and carrier is None:
                draft.answer = "no channel can send an answer"
            if draft.answer or text is None or carrier is None:
                continue
            counts.add(draft.sender, change)
            message = _message(change, answer, text, carrier)
            messages.append(message)
            wanted.append(deliveries.NewDelivery(carrier, message, draft.sender, Delivery.Purpose.AUTOMATIC))
            draft.answer = "queued"
        Message.objects.bulk_create(messages)
        deliveries.queue(wanted)


def _refuse_new_addresses(draft: Draft) -> str:
    """Why whoever writes from ever new addresses gets no further automatic mail now; no address of his gets many.

    What stands behind a plus leads to the same mailbox. Without one, only an echo shows that the domain is one machine:
    customers of a large domain have nothing to do with each other.
    """
    mailbox = tokens.without_plus(draft.sender)
    if mailbox != draft.sender and _too_many(mailbox):
        return "too many automatic answers to this mailbox"
    if _is_echo(draft) and _too_many(draft.sender.rpartition("@")[2]):
        return "too many automatic answers to this domain"
    return ""


def _is_echo(draft: Draft) -> bool:
    """Whether it names a ticket that was acknowledged to another address of its sender's domain.

    A help desk that writes from a new address for each of its tickets does so for ever.
    """
    if draft.linked is None:
        return False
    acknowledged = Delivery.objects.filter(message__ticket=draft.linked, purpose=Delivery.Purpose.AUTOMATIC)
    return acknowledged.filter(recipient__endswith=f"@{draft.sender.rpartition('@')[2]}").exists()


def _too_many(party: str) -> bool:
    counted = {f"echo-hour:{party}": (1, PER_HOUR, 3600), f"echo-day:{party}": (1, PER_DAY, 86400)}
    over = bool(limits.hit_many(counted))
    if over:
        log.warning("automatic answers to %s stopped: it writes from ever new addresses", party)
    return over


class _Sent:
    """How many automatic mails these addresses were sent lately, and whether they want any."""

    def __init__(self, items: list[tuple[Change, AutomaticAnswer]]) -> None:
        now = timezone.now()
        addresses = {a.draft.sender for _c, a in items}
        _one_after_the_other(addresses)
        tickets = [c.ticket.pk for c, _a in items]
        lately = Q(created_at__gt=now - timedelta(days=1)) | Q(message__ticket_id__in=tickets)
        counted = Q(purpose=Delivery.Purpose.AUTOMATIC) & lately
        rows = Delivery.objects.filter(counted | Q(complained_at__isnull=False), recipient__in=addresses)
        self.day: dict[str, int] = {}
        self.hour: dict[str, int] = {}
        self.told: set[tuple[str, int]] = set()
        self.unwanted: set[str] = set()
        for recipient, at, ticket, complained in rows.values_list(
            "recipient", "created_at", "message__ticket_id", "complained_at"
        ):
            if complained:
                self.unwanted.add(recipient)
                continue
            self.day[recipient] = self.day.get(recipient, 0) + (at > now - timedelta(days=1))
            self.hour[recipient] = self.hour.get(recipient, 0) + (at > now - timedelta(hours=1))
            self.told.add((recipient, ticket))

    def refuse(self, address: str, change: Change) -> str:
        """Why this address gets no further automatic mail now; empty when it does."""
        if address in self.unwanted:
            return "mail of ours to this address was reported as unwanted"
        if (address, change.ticket.pk) in self.told:
            return "this ticket was acknowledged already"
        if self.hour.get(address, 0) >= PER_HOUR or self.day.get(address, 0) >= PER_DAY:
            log.warning("automatic answers to ticket %s stopped: too many to one address", change.ticket.number)
            return "too many automatic answers to this address"
        return ""

    def add(self, address: str, change: Change) -> None:
        """Count one more."""
        self.day[address] = self.day.get(address, 0) + 1
        self.hour[address] = self.hour.get(address, 0) + 1
        self.told.add((address, change.ticket.pk))


def _one_after_the_other(addresses: set[str]) -> None:
    """Until the end of the transaction no other worker counts what these addresses were sent: each sees the other's.

    SQLite has one writer at a time anyway.
    """
    if connection.vendor != "postgresql":
        return
    # In one order, so that two workers never wait for each other.
    keys = sorted(_key(address) for address in addresses)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(key) FROM unnest(%s::bigint[]) AS key", [keys])


def _key(address: str) -> int:
    """A number below 2**56 that stands for automatic answers to this address."""
    mark = hashlib.blake2b(f"automatic answer to {address}".encode("utf-8", "surrogatepass"), digest_size=7)
    return int.from_bytes(mark.digest())


def _texts(templates: set[int]) -> dict[int, list[TemplateText]]:
    found: dict[int, list[TemplateText]] = {}
    rows = TemplateText.objects.filter(template_id__in=templates, template__purpose=Template.Purpose.AUTOMATIC)
    for text in rows.order_by("id"):
        found.setdefault(text.template_id, []).append(text)
    return found


def _choose(texts: list[TemplateText], wanted: str, channel: str) -> TemplateText | None:
    """The text in the customer's language, else the channel's, else English, else any."""
    by_language = {t.language: t for t in texts}
    order = [wanted, channel, "en"]
    return next((by_language[name] for name in order if name in by_language), texts[0] if texts else None)


def _message(change: Change, answer: AutomaticAnswer, text: TemplateText, carrier: Channel) -> Message:
    draft, ticket = answer.draft, change.ticket
    fields = {
        "contact.name": str(ticket.contact.name or draft.sender),
        "ticket.number": str(ticket.number),
        "ticket.subject": ticket.subject,
        "queue.name": ticket.queue.name,
        "channel.name": carrier.display_name or carrier.name,
    }
    return Message(
        ticket=ticket,
        seq=answer.seq,
        kind=Message.Kind.AUTOMATIC,
        channel=carrier,
        contact=draft.contact,
        to=[[draft.sender, draft.inbound.sender.name if draft.inbound.sender else ""]],
        subject=merge_fields.render(text.subject, fields) or ticket.subject,
        text=merge_fields.render(text.body, fields),
        language=text.language,
        mail_id=tokens.new_message_id(ticket.pk, carrier.address.rpartition("@")[2] or "localhost"),
        automatic="answer",
    )
