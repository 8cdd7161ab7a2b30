"""Messages on their way out: queueing them, trying again, calling off, and what a bounce says of them."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from core.tokens import sign
from crm.customers.identity import normalise_email
from inbox.channels import registry
from inbox.channels.base import DeliveryReport
from inbox.channels.email import tokens
from inbox.channels.email.addressing import one_address
from inbox.models import Channel, Delivery, Message
from inbox.services import wake

if TYPE_CHECKING:
    from crm.organisation.models import User


FETCHED_WITHIN = timedelta(days=3)
"""What nobody has fetched by then has failed."""


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """One message to one recipient.

    `content` adds what the message row does not hold: for account mail `subject`, `text` and `html`.
    """

    channel: Channel | None
    message: Message | None
    recipient: str
    purpose: str = Delivery.Purpose.REPLY
    content: dict[str, Any] = field(default_factory=dict)


def queue(items: Sequence[NewDelivery]) -> list[Delivery]:
    """Write one row a recipient, in the caller's transaction; the sending loop is woken after the commit.

    The first delivery of a message takes the message's own Message-ID, the others fresh ones of the same ticket.
    Raises ValidationError for a recipient that is not one address of the channel's kind; nothing is written then.
    """
    used: set[str] = set()
    rows = []
    now = timezone.now()
    for item in items:
        mail_id = item.message.mail_id if item.message else ""
        if not mail_id or mail_id in used:
            mail_id = _fresh_id(item)
        used.add(mail_id)
        rows.append(
            Delivery(
                channel=item.channel,
                message=item.message,
                recipient=_one_recipient(item),
                purpose=item.purpose,
                content=item.content,
                mail_id=mail_id,
                next_at=now + _patience(item.channel),
            )
        )
    made = Delivery.objects.bulk_create(rows)
    wake.sending()
    return made


def _patience(channel: Channel | None) -> timedelta:
    """How long the other side may fetch it before the sending loop looks at it."""
    fetched = channel is not None and "fetched" in registry.adapter(channel.kind).can
    return FETCHED_WITHIN if fetched else timedelta(0)


def _one_recipient(item: NewDelivery) -> str:
    if item.channel is None:
        return one_address(item.recipient)
    return registry.adapter(item.channel.kind).address(item.recipient, item.channel.settings)


def _fresh_id(item: NewDelivery) -> str:
    domain = (item.channel.address if item.channel else settings.DEFAULT_FROM_EMAIL).partition("@")[2].strip("> ")
    domain = domain or "localhost"
    if item.message:
        return tokens.new_message_id(item.message.ticket_id, domain)
    return f"{sign('system', f's-{secrets.token_hex(8)}')}@{domain}"


def retry(delivery: Delivery, *, by: User | None) -> bool:
    """Send again what failed or is unclear, under the same Message-ID; False when it is on its way or arrived."""
    changed = Delivery.objects.filter(
        pk=delivery.pk,
        state__in=[Delivery.State.FAILED, Delivery.State.UNCERTAIN, Delivery.State.CANCELLED, Delivery.State.DEFERRED],
    ).update(
        state=Delivery.State.QUEUED, next_at=timezone.now(), lease_token="", lease_until=None, attempts=0, error=""
    )
    if changed:
        wake.sending()
    return bool(changed)


@transaction.atomic
def cancel(delivery: Delivery, *, by: User | None) -> bool:
    """Call off what has not left yet; False when it is too late.

    A server that has it and works on it is asked to give it up, at once; the delivery then says what came of that.
    """
    row = Delivery.objects.select_for_update().filter(pk=delivery.pk).first()
    if row is None or row.state not in (*Delivery.WAITING, Delivery.State.SENDING):
        return False
    if row.content.get("kept", {}).get("job"):
        row.content, row.next_at = {**row.content, "call_off": True}, timezone.now()
        row.save(update_fields=["content", "next_at"])
        wake.sending()
    elif row.state in Delivery.WAITING:
        row.state, row.lease_token, row.lease_until = Delivery.State.CANCELLED, "", None
        row.save(update_fields=["state", "lease_token", "lease_until"])
    else:
        return False
    return True


@transaction.atomic
def bounced(report: DeliveryReport, *, delivered_to: Iterable[str] = ()) -> Delivery | None:
    """Write what a bounce says onto the delivery it is about, and return that; None when it is not one of ours.

    It is found by the signed return path the bounce was sent to, by the envelope id, or by the Message-ID quoted in
    it. A permanent failure makes it failed, a delay and a success are only noted, a reader's receipt says nothing of
    the way there. Whoever complains gets no more automatic answers, see `inbox.effects`.
    """
    delivery = _subject_of(report, delivered_to)
    if delivery is None:
        return None
    if report.unwanted:
        delivery.complained_at = timezone.now()
        delivery.save(update_fields=["complained_at"])
    if report.kind != "failure" and (report.kind != "success" or delivery.bounced_at):
        return delivery
    delivery.response = " ".join(f"{report.status} {report.diagnostic}".split())[:500]
    fields = ["response"]
    if report.permanent:
        delivery.state, delivery.bounced_at = Delivery.State.FAILED, timezone.now()
        delivery.lease_token, delivery.lease_until = "", None
        fields += ["state", "bounced_at", "lease_token", "lease_until"]
    delivery.save(update_fields=fields)
    return delivery


def _subject_of(report: DeliveryReport, delivered_to: Iterable[str]) -> Delivery | None:
    sent = Delivery.objects.select_related("message__ticket", "channel").select_for_update(of=("self",))
    for address in delivered_to:
        beginning = tokens.delivery_of_address(address)
        if beginning and (found := sent.filter(mail_id__startswith=beginning).first()):
            return found
    for mail_id in (report.original_message_id, report.original_envelope_token):
        if mail_id and (found := sent.filter(mail_id=mail_id.strip("<> ")).first()):
            return _of_whom_it_speaks(found, report) or found
    return None


def _of_whom_it_speaks(found: Delivery, report: DeliveryReport) -> Delivery | None:
    """Another recipient's delivery of the same message, when the report names him and not the one it quotes from."""
    named = {normalise_email(address) for address in report.recipients}
    if found.message_id is None or not named or found.recipient in named:
        return None
    rows = Delivery.objects.select_related("message__ticket", "channel").select_for_update(of=("self",))
    return rows.filter(message=found.message_id, recipient__in=named).first()
