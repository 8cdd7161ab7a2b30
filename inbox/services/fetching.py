"""What a visitor's browser has been given, and what he has read: that is what makes an answer in a chat delivered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from inbox import live
from inbox.models import Conversation, Delivery
from inbox.services import channel_health


def was_fetched(delivery_id: int) -> bool:
    """Whether the visitor's browser has the message of this delivery."""
    return Delivery.objects.filter(pk=delivery_id, message__ticket__chat__fetched__gte=F("message__seq")).exists()


def confirm(reached: Mapping[int, int]) -> None:
    """Browsers have everything up to these sequence numbers, by key of the talk: answers up to there are delivered."""
    talks = [
        talk
        for talk in Conversation.objects.filter(pk__in=reached).select_related("ticket")
        if talk.fetched < min(reached[talk.pk], talk.ticket.sequence)
    ]
    if not talks:
        return
    with transaction.atomic():
        arrived = Q(pk__in=[])
        for talk in talks:
            upto = min(reached[talk.pk], talk.ticket.sequence)
            Conversation.objects.filter(pk=talk.pk, fetched__lt=upto).update(fetched=upto)
            arrived |= Q(message__ticket=talk.ticket_id, message__seq__lte=upto, message__seq__gt=talk.fetched)
        rows = Delivery.objects.filter(arrived, state__in=Delivery.WAITING, recipient__startswith="visitor-")
        found = list(rows.select_related("channel").annotate(ticket=F("message__ticket")).only("channel"))
        keys = {row.pk: row.ticket for row in found}
        if not keys:
            return
        for channel in {row.channel_id: row.channel for row in found}.values():
            transaction.on_commit(partial(channel_health.sent, channel), robust=True)
        Delivery.objects.filter(pk__in=keys, state__in=Delivery.WAITING).update(
            state=Delivery.State.SENT,
            sent_at=timezone.now(),
            response=_("The visitor’s browser has it."),
            lease_token="",
            lease_until=None,
        )
        live.changed(talk.ticket for talk in talks if talk.ticket_id in set(keys.values()))


def seen(talk: Conversation, seq: int) -> None:
    """The visitor has read up to this sequence number; colleagues see it."""
    seq = min(seq, talk.ticket.sequence)
    confirm({talk.pk: seq})
    if Conversation.objects.filter(pk=talk.pk, visitor_seen__lt=seq).update(visitor_seen=seq):
        tell_colleagues(talk.ticket_id, "seen", seq=seq)


def tell_colleagues(ticket_id: int, sign: str, **more: object) -> None:
    """Let whoever looks at the ticket know of a sign of the visitor: `typing`, `seen`, `page`, `here`, `gone`."""
    event = {"type": "visitor.sign", "ticket": ticket_id, "sign": sign, **more}
    transaction.on_commit(lambda: live.push([(f"ticket.{ticket_id}", event)]), robust=True)


def deliveries_waiting(tickets: Iterable[int]) -> list[Delivery]:
    """Answers of these tickets that no browser has fetched yet, in order."""
    rows = Delivery.objects.filter(
        message__ticket__in=list(tickets), state__in=Delivery.WAITING, recipient__startswith="visitor-"
    )
    return list(rows.select_related("message__ticket", "message__author").order_by("message__seq"))
