"""What becomes of a delivery after an attempt: its row, its channel's health, its ticket when it failed for good."""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import fault, ledger
from core.said import storable
from crm.service import rules
from crm.service.changes import Change
from crm.service.models import Ticket
from inbox import live
from inbox.channels.base import Outcome, Receipt
from inbox.models import Channel, Delivery
from inbox.services import channel_health, wake

log = logging.getLogger(__name__)

GIVE_UP = timedelta(days=3)
"""How long a message is tried before its sender is told that it did not arrive (RFC 5321, 4.5.4.1: 4-5 days)."""
RESENT_ONCE = (Delivery.Purpose.REPLY, Delivery.Purpose.SYSTEM)
"""What is sent a second time, under the same Message-ID, when nobody knows whether it arrived.

An automatic answer is not worth a double.
"""


def record(delivery: Delivery, receipt: Receipt) -> bool:
    """Write the outcome of one attempt; False when the delivery is not ours any more, and nothing was written."""
    fault.point("sending.before_record")
    with transaction.atomic():
        row = ledger.held(Delivery.objects.select_for_update(), delivery).first()
        if row is None:
            log.warning("delivery %s: the lease was lost, its outcome %s is dropped", delivery.pk, receipt.outcome)
            return False
        # Servers answer with any bytes; a NUL or half a character cannot be stored, and the outcome must be.
        row.code, row.response = receipt.code, storable(receipt.response, 500)
        row.lease_token, row.lease_until, row.error = "", None, ""
        if receipt.kept is not None:
            row.content = {**row.content, "kept": dict(receipt.kept)}
        _apply(row, receipt)
        if row.state not in Delivery.WAITING:
            row.content.pop("call_off", None)  # whoever sends it again wants it
        row.save()
        _tell(row)
        fault.point("sending.recorded")
    return True


def _apply(row: Delivery, receipt: Receipt) -> None:
    state, now = Delivery.State, timezone.now()
    if receipt.outcome is Outcome.SENT:
        row.state, row.sent_at = state.SENT, now
        channel_health.sent(row.channel)
    elif receipt.outcome is Outcome.CALLED_OFF:
        row.state = state.CANCELLED
        channel_health.sent(row.channel)
    elif receipt.outcome is Outcome.RECIPIENT_FAULT:
        fail(row)
    elif receipt.outcome is Outcome.UNCERTAIN:
        unclear(row, resend=receipt.resend)
    elif receipt.look_again and receipt.outcome is Outcome.LATER:
        row.attempts = max(0, row.attempts - 1)
        row.state, row.next_at = state.DEFERRED, now + timedelta(seconds=receipt.look_again)
        row.content = {key: value for key, value in row.content.items() if key != "unclear"}
        channel_health.sent(row.channel)
    elif receipt.outcome is Outcome.ACCOUNT_FAULT or receipt.whole_account:
        # It was not about this recipient: the channel waits, and the attempt does not count.
        row.attempts = max(0, row.attempts - 1)
        row.next_at = _pause(row.channel, receipt)
        _wait(row)
    else:
        row.next_at = now + ledger.later(row.attempts)
        _wait(row)


def _wait(row: Delivery) -> None:
    if timezone.now() - row.created_at > GIVE_UP:
        row.error = _("Given up after three days.")
        fail(row)
    elif row.attempts or row.state != Delivery.State.QUEUED:
        row.state = Delivery.State.DEFERRED


def fail(row: Delivery) -> None:
    """Nothing more is tried. An agent's answer that did not arrive brings its ticket back; the caller saves the row."""
    row.state = Delivery.State.FAILED
    if row.message is None or row.purpose != Delivery.Purpose.REPLY:
        return
    change = Change.lock(row.message.ticket_id, merged=True)
    change.record("undelivered", new=row.recipient, why=row.response or row.error)
    change.ticket.activity_at = timezone.now()
    if change.ticket.status not in Ticket.WORKING and change.ticket.status != Ticket.Status.MERGED:
        change.set_status(Ticket.Status.OPEN, why="undelivered")
    rules.run_changed([change])
    change.save()


def unclear(row: Delivery, *, resend: bool = True) -> None:
    """Nobody knows whether it arrived. Sent once more if that is better than silence, else shown; the caller saves.

    When that was stands in the row's content: what can ask its server must know how old the question is.
    """
    row.lease_token, row.lease_until = "", None
    if resend and row.purpose in RESENT_ONCE and not row.content.get("unclear"):
        row.content = {**row.content, "unclear": round(timezone.now().timestamp(), 3)}
        row.state, row.next_at = Delivery.State.DEFERRED, timezone.now()
        row.error = _("The answer of the mail server was lost. It is sent once more under the same Message-ID.")
    else:
        row.state = Delivery.State.UNCERTAIN
        row.error = _("The answer of the mail server was lost. Nobody knows whether it arrived.")


def sweep(mine: Collection[int] = ()) -> int:
    """Settle what a killed or frozen process was sending; how many that were.

    `mine`: what is under way here. Who still waits for an answer is neither.
    """
    with transaction.atomic():
        rows = Delivery.objects.filter(state=Delivery.State.SENDING, lease_until__lt=timezone.now())
        rows = rows.exclude(pk__in=mine)
        found = list(rows.select_for_update(skip_locked=True, of=("self",)).order_by("id")[:200])
        for row in found:
            unclear(row)
            row.save()
            _tell(row)
    return len(found)


def _tell(row: Delivery) -> None:
    if row.message is not None:
        live.changed([row.message.ticket])


def _pause(channel: Channel | None, receipt: Receipt) -> datetime:
    """Let everything of the channel wait, longer every time; until when."""
    now = timezone.now()
    if channel is None:
        return now + timedelta(minutes=5)
    known = Channel.objects.select_for_update().get(pk=channel.pk)
    until = known.sending_paused_until
    if until and until > now:
        return until  # somebody else met the same fault a moment ago
    account = receipt.outcome is Outcome.ACCOUNT_FAULT
    first, longest = (60.0, 900.0) if account else (2.0, 45.0)
    before = (until - known.sending_at).total_seconds() if until and known.sending_at else 0.0
    seconds = min(max(first, before * 2), longest)
    until = now + timedelta(seconds=seconds)
    known.sending_health = Channel.Health.PAUSED if account else Channel.Health.TROUBLE
    known.sending_note, known.sending_at, known.sending_paused_until = storable(receipt.response, 300), now, until
    known.save(update_fields=["sending_health", "sending_note", "sending_at", "sending_paused_until"])
    log.warning("%s: sending pauses for %d s: %s", known, seconds, known.sending_note)
    return until


def resume(channel: Channel) -> None:
    """Try again at once: the settings were changed, or somebody pressed the button."""
    Channel.objects.filter(pk=channel.pk).update(sending_paused_until=None)
    Delivery.objects.filter(channel=channel, state__in=Delivery.WAITING).update(next_at=timezone.now())
    wake.sending()
