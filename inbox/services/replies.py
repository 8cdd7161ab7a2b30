"""What colleagues and customers add to a ticket."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import fault
from crm.customers.identity import contacts_for
from crm.customers.models import Contact, ContactPoint
from crm.organisation.models import User
from crm.organisation.services import notify
from crm.service import access as ticket_access
from crm.service import rules
from crm.service.changes import Change
from crm.service.models import Ticket
from inbox.channels import registry
from inbox.channels.email import tokens
from inbox.channels.packed_files import File
from inbox.channels.webform.adapter import pack
from inbox.models import Attachment, Channel, Mention, Message, RawMessage
from inbox.models.message import preview
from inbox.past import PastMessage, keyword_sets
from inbox.services import deliveries, files, ways_out
from inbox.services.accept import accept
from inbox.services.processing import process
from routing.models import Rule

MAX_RECIPIENTS = 20
"""Reply-all to a mail with thousands in Cc must not turn us into a spammer (S-52)."""


class UnseenMessages(Exception):
    """The customer, or a colleague, added something that the author has not seen."""

    def __init__(self, messages: list[Message]) -> None:
        super().__init__("there are messages that the author has not seen")
        self.messages = messages


class NoWayOut(Exception):
    """There is no address, or no channel, by which this customer can be reached."""


@transaction.atomic
def reply(
    ticket: Ticket,
    *,
    author: User,
    text: str,
    to: str | None = None,
    cc: Iterable[str] = (),
    attached: Sequence[File] = (),
    seen: int | None = None,
    override: bool = False,
    status: str | None = None,
    channel: Channel | None = None,
    subject: str = "",
) -> Message:
    """Answer the customer: message and deliveries in one transaction, sent by the loop afterwards.

    A ticket that is nobody's becomes the author's, if it may.

    `channel` and `to` choose another way than the one the customer last used. `seen` is the ticket's sequence number
    that the author has before his eyes. Raises UnseenMessages when anybody else wrote since (unless `override`),
    ValidationError for addresses that the channel cannot take or too many of them, NoWayOut, TicketMerged.
    """
    if not text.strip() and not attached:
        raise ValidationError(_("The answer is empty."))
    change = Change.lock(ticket.pk, actor=author)
    ticket = change.ticket
    if seen is not None and not override:
        # Our own machine's words change nothing for the author; a colleague's answer or note may change everything.
        added = ticket.messages.exclude(kind=Message.Kind.AUTOMATIC).exclude(author=author)
        unseen = list(added.filter(seq__gt=seen).order_by("seq"))
        if unseen:
            raise UnseenMessages(unseen)
    way = _way(ticket, channel, to)
    channel, adapter = way.channel, registry.adapter(way.channel.kind)
    main = adapter.address(way.recipient, channel.settings)
    if refuse := getattr(adapter, "refuse_files", None):
        refuse(attached)
    ours = {a for c in Channel.objects.all() for a in c.addresses}
    copies = [adapter.address(each, channel.settings) for each in cc]
    others = list(dict.fromkeys(a for a in copies if a != main and a not in ours))
    if others and "copies" not in adapter.can:
        raise ValidationError(_("“%(channel)s” sends to one recipient, without copies.") % {"channel": channel})
    if 1 + len(others) > MAX_RECIPIENTS:
        raise ValidationError(_("At most %(n)s recipients are possible.") % {"n": MAX_RECIPIENTS})
    if ticket.assignee_id is None and ticket_access.may_be_assigned(author, ticket):
        change.assign(author, why="answer")  # the customer's next words are for whoever knows the talk
    now = timezone.now()
    message = Message(
        ticket=ticket,
        seq=change.next_seq(),
        kind=Message.Kind.OUTBOUND,
        channel=channel,
        author=author,
        from_name=str(author),
        to=[[main, ""]],
        cc=[[address, ""] for address in others],
        subject=(subject or ticket.subject)[:1000],
        text=text,
        reply_text=text,
        language=ticket.language,
        mail_id=tokens.new_message_id(ticket.pk, channel.address.partition("@")[2] or "localhost"),
        at=now,
    )
    change.answered(now)
    ticket.message_count += 1
    ticket.preview = preview(text, [name for name, _kind, _content in attached])
    if status:
        change.set_status(status)
    # Whom a colleague writes to takes part: his answer belongs here.
    change.participants |= {contact.pk for contact in _people(adapter.point, [main, *others]).values()}
    change.note("message.out", message.subject, actor=author)
    rules.run_changed([change])
    change.save()
    message.save()
    _attach(message, attached)
    deliveries.queue([deliveries.NewDelivery(channel, message, address) for address in (main, *others)])
    fault.point("reply.written")
    return message


@transaction.atomic
def add_note(
    ticket: Ticket, *, author: User, text: str, attached: Sequence[File] = (), mentions: Iterable[User] = ()
) -> Message:
    """Write something that only colleagues see; who is mentioned is told, if he may see the ticket (S-37)."""
    if not text.strip() and not attached:
        raise ValidationError(_("The note is empty."))
    change = Change.lock(ticket.pk, actor=author)
    message = Message(
        ticket=change.ticket,
        seq=change.next_seq(),
        kind=Message.Kind.NOTE,
        author=author,
        from_name=str(author),
        text=text,
        reply_text=text,
    )
    change.ticket.activity_at = timezone.now()
    change.save()
    message.save()
    _attach(message, attached)
    told = [u for u in mentions if u != author and Ticket.objects.visible_to(u).filter(pk=ticket.pk).exists()]
    Mention.objects.bulk_create(Mention(user=u, ticket=change.ticket, message=message) for u in told)
    notify(
        told,
        _("%(name)s mentioned you in #%(number)s") % {"name": author, "number": ticket.number},
        url=f"/desk/inbox/{ticket.number}/",
    )
    return message


@transaction.atomic
def open_outgoing(
    *,
    author: User,
    channel: Channel,
    to: str,
    subject: str,
    text: str,
    cc: Iterable[str] = (),
    attached: Sequence[File] = (),
) -> Message:
    """Write to somebody first: a new ticket that begins with our message. Raises as `reply` does.

    The rules for opened tickets see it as any other; none of them answers, for there is nobody to be answered.
    """
    adapter = registry.adapter(channel.kind)
    address = adapter.address(to, channel.settings)
    contact = _people(adapter.point, [address]).get(address)
    if contact is None:
        raise NoWayOut(_("“%(channel)s” can only answer. It cannot start a conversation.") % {"channel": channel})
    change = Change.opening(subject=subject, queue=channel.queue, contact=contact, origin=channel.kind)
    with change.acting(str(author), author):
        change.record("opened", new=channel.queue, why=channel.name)
        change.assign(author)
        change.set_status(Ticket.Status.PENDING)
    change.note("ticket.opened", subject, actor=author)
    change.save()
    message = reply(
        change.ticket, author=author, text=text, to=address, cc=cc, attached=attached, channel=channel, subject=subject
    )
    opened = Change.lock(change.ticket.pk)
    rules.run_event(opened, Rule.Event.TICKET_OPENED, PastMessage(message, keyword_sets(), first=True))
    opened.save()
    return message


def customer_reply(ticket: Ticket, *, user: User, text: str, attached: Sequence[File] = ()) -> RawMessage:
    """What a customer writes on the portal; it goes the way of every message. Raises NoWayOut without a form channel.

    The caller has checked that `user` sees the ticket.
    """
    channel = Channel.objects.filter(kind="webform", active=True).order_by("id").first()
    if channel is None:
        raise NoWayOut(_("The form is not set up."))
    contact = user.contact
    content = pack(name=str(contact), email=user.email, subject=ticket.subject, text=text, files=attached)
    facts = {"ticket": ticket.pk, "contact": contact.pk, "user": user.pk}
    return process(accept(channel, content, external_id=f"portal-{secrets.token_hex(12)}", facts=facts))


def _way(ticket: Ticket, channel: Channel | None, to: str | None) -> ways_out.Way:
    """The way that is asked for, else the one the customer last used. Raises NoWayOut."""
    if channel is not None and not ways_out.can_send(channel):
        raise NoWayOut(_("“%(channel)s” cannot send.") % {"channel": channel})
    if channel is not None and to:
        return ways_out.Way(channel, to)
    sending = ways_out.sending_channels()
    if not sending:
        raise NoWayOut(_("No active channel can send an answer."))
    possible = [way for way in ways_out.ways(ticket, sending) if channel is None or way.channel == channel]
    if to:
        exact = next((way for way in possible if way.recipient == to), None)
        return exact or ways_out.Way(possible[0].channel if possible else sending[0], to)
    if not possible:
        raise NoWayOut(_("This customer has no address to answer to."))
    return possible[0]


def _people(point: str, addresses: Sequence[str]) -> dict[str, Contact]:
    """The contacts behind these addresses, made where missing; none for visitors, who have a token only."""
    return contacts_for(point, dict.fromkeys(addresses, "")) if point in ContactPoint.Kind.values else {}


def _attach(message: Message, attached: Sequence[File]) -> None:
    if not attached:
        return
    names = files.store_many("attachments", [content for _name, _type, content in attached])
    Attachment.objects.bulk_create(
        Attachment(message=message, name=name[:255], content_type=kind[:100], size=len(content), blob=blob)
        for (name, kind, content), blob in zip(attached, names, strict=True)
    )
