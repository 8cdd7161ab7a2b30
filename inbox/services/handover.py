"""Answers that a visitor did not wait for go to him by mail, all of them together, when he left an address.

Whoever only claims an address is asked first whether it is his: until the click nothing of the ticket leaves (S-50).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from itertools import groupby

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from inbox import live
from inbox.intake.batch import digest
from inbox.models import Channel, Conversation, Delivery, Message, ThreadKey, Visitor
from inbox.services import chat_addresses, deliveries, guests, visitors, ways_out
from inbox.services.waiting_chats import LEFT

AT_ONCE = 200
ASKED = Visitor.EmailState.ASKED


def mail_what_waits() -> int:
    """Hand over what visitors who are gone have not fetched; how many talks that were."""
    before = timezone.now() - LEFT
    rows = Delivery.objects.filter(
        state__in=Delivery.WAITING,
        recipient__startswith="visitor-",
        created_at__lt=before,
        message__ticket__chat__visitor__seen_at__lt=before,
    ).exclude(
        Q(message__ticket__chat__visitor__email="") | Q(message__ticket__chat__visitor__email_state=ASKED),
        message__ticket__chat__visitor__identifier="",
    )
    # The newest first: those that cannot go yet, whatever their number, hold nobody up.
    keys = rows.order_by("-message__ticket", "message__seq").values_list("message__ticket", "pk")[:AT_ONCE]
    waiting = [(ticket, [pk for _ticket, pk in group]) for ticket, group in groupby(keys, key=lambda row: row[0])]
    if not waiting:
        return 0
    sending = ways_out.sending_channels()
    talks = Conversation.objects.select_related("visitor", "ticket").in_bulk(
        [ticket for ticket, _pks in waiting], field_name="ticket_id"
    )
    return sum(_hand_over(talks[ticket], pks, sending) for ticket, pks in waiting)


def _hand_over(talk: Conversation, keys: Sequence[int], sending: Sequence[Channel]) -> bool:
    """One mail for one talk; False when no address, or no channel, can be used (yet)."""
    address, proven = visitors.address_of(talk.visitor)
    channel = ways_out.for_queue(sending, talk.ticket.queue_id, "email")
    if not address or channel is None:
        return False
    if not proven:
        if talk.visitor.email_state != ASKED:
            with suppress(guests.TooMany):  # it is asked later
                chat_addresses.ask(talk, chat_addresses.ANSWERS)
                _note(keys, _("The visitor had left: %(address)s was asked to confirm that it is his."), address)
        return False
    with transaction.atomic():
        rows = list(
            Delivery.objects.select_for_update(of=("self",))
            .filter(pk__in=keys, state__in=Delivery.WAITING)
            .select_related("message__ticket", "message__author")
            .order_by("message__seq")
        )
        messages = [row.message for row in rows if row.message is not None]
        if not messages:
            return False
        for message in messages:
            # He may answer the mail from this address: whoever was written to belongs to the thread.
            message.to = [*message.to, [address, ""]]
            message.save(update_fields=["to"])
        with translation.override(talk.visitor.locale):
            content = {
                "subject": _("Your chat with %(site)s") % {"site": settings.WAGTAIL_SITE_NAME},
                "together": _together(messages),
                "with": [m.pk for m in messages[:-1]],
            }
        (mail,) = deliveries.queue([deliveries.NewDelivery(channel, _fresh(messages[-1]), address, content=content)])
        ThreadKey.objects.bulk_create(
            [ThreadKey(ticket_id=talk.ticket_id, digest=digest(mail.mail_id))], ignore_conflicts=True
        )
        _note(keys, _("The visitor had left: it goes to %(address)s by e-mail."), address)
        Delivery.objects.filter(pk__in=[row.pk for row in rows]).update(
            state=Delivery.State.CANCELLED, lease_token="", lease_until=None
        )
        live.changed([talk.ticket])
    return True


def _note(keys: Sequence[int], words: str, address: str) -> None:
    Delivery.objects.filter(pk__in=keys).update(response=words % {"address": address})


def _fresh(message: Message) -> Message:
    """The message without its own Message-ID, which the delivery to the browser has used."""
    message.mail_id = ""
    return message


def _together(messages: Sequence[Message]) -> str:
    intro = _("You had left our chat before our answer came. Here it is. You can reply to this mail.")
    return "\n\n".join([intro, *(message.text.strip() for message in messages)])
