"""Telling other programs: rules queue calls, a loop makes them, signed as Standard Webhooks says.

The headers are `webhook-id` (the same over all attempts), `webhook-timestamp` (seconds) and `webhook-signature`:
`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`, keyed with what follows `whsec_` in the secret.
Source: the Standard Webhooks specification, version 1.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import logging
import secrets
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from django.db import connections, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import fault, ledger, outbound
from core.running import rest
from core.secrets import SecretUnreadable
from crm.organisation.models import User
from crm.organisation.roles import ADMINISTRATOR
from crm.organisation.services import notify
from crm.service.changes import Change, Effect
from inbox.models import Message, Webhook, WebhookCall

log = logging.getLogger(__name__)

SECONDS = 15.0
"""One call may take this long."""
LEASE = 60
AT_ONCE, AT_ONCE_A_WEBHOOK = 8, 2
"""Calls under way: one slow target holds up no other."""
GIVE_UP = timedelta(days=5)
"""A target that answers nothing well for so long is not called any more, and administrators are told."""
LONGEST_WAIT = timedelta(days=1)
KEPT = timedelta(days=30)
"""How long ended calls can be looked at."""
TEXT_MOST = 20_000
POLL_SECONDS = 1.0


@dataclass(slots=True)
class Call(Effect):
    """A rule wants this webhook to know of the ticket."""

    webhook_id: int
    event: str

    @classmethod
    def write(cls, items: list[tuple[Change, Call]]) -> None:
        """Queue the calls, in the transaction of what they tell of."""
        hooks = Webhook.objects.in_bulk({call.webhook_id for _change, call in items})
        WebhookCall.objects.bulk_create(
            new_call(hooks[call.webhook_id], call.event, about(change, hooks[call.webhook_id]))
            for change, call in items
            if call.webhook_id in hooks
        )


def new_call(webhook: Webhook, event: str, data: dict[str, Any]) -> WebhookCall:
    """A call that is not stored yet."""
    return WebhookCall(webhook=webhook, event_id=f"msg_{secrets.token_hex(12)}", event=event, data=data)


def about(change: Change, webhook: Webhook) -> dict[str, Any]:
    """What the target learns. Never a note or a hidden message: only what the customer himself wrote (S-53)."""
    ticket, draft = change.ticket, change.occasion
    data: dict[str, Any] = {
        "ticket": {
            "id": ticket.pk,
            "number": ticket.number,
            "subject": ticket.subject,
            "status": ticket.status,
            "priority": ticket.priority,
            "queue": ticket.queue.name,
            "assignee": ticket.assignee.email if ticket.assignee else None,
            "contact": {"id": ticket.contact_id, "name": ticket.contact.name},
            "channel": ticket.origin,
            "tags": sorted(change.tags),
            "sequence": ticket.sequence,
        }
    }
    message: Message | None = getattr(draft, "message", None)
    if message is not None and message.kind == Message.Kind.INBOUND:
        data["message"] = {"sequence": message.seq, "from": message.from_address, "language": message.language}
        if webhook.with_text:
            data["message"]["text"] = (message.reply_text or message.text)[:TEXT_MOST]
    return data


def new_secret() -> str:
    """A signing secret of 256 bits."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


@transaction.atomic
def save_webhook(webhook: Webhook, *, by: User | None) -> str:
    """Save it; a new one gets a secret, which is returned and can never be read again. Empty for an old one."""
    webhook.save()
    if webhook.sealed:
        return ""
    return renew_secret(webhook, by=by)


def renew_secret(webhook: Webhook, *, by: User | None) -> str:
    """Another secret from now on; it is returned this once."""
    secret = new_secret()
    webhook.set_secret(secret)
    webhook.save(update_fields=["sealed"])
    log.info("the secret of webhook %s was renewed by %s", webhook.pk, by.pk if by else "system")
    return secret


@transaction.atomic
def start_again(webhook: Webhook, *, by: User | None) -> None:
    """Call it again, with everything that has waited or failed since it stopped answering."""
    since = webhook.failing_since or webhook.stopped_at or timezone.now()
    Webhook.objects.filter(pk=webhook.pk).update(stopped_at=None, failing_since=None)
    ended = webhook.calls.filter(state=WebhookCall.State.FAILED, created_at__gte=since)
    ended.update(state=WebhookCall.State.QUEUED)
    webhook.calls.filter(state=WebhookCall.State.QUEUED).update(next_at=timezone.now(), attempts=0)


def send_test(webhook: Webhook, *, by: User) -> WebhookCall:
    """Queue a call that says who tries it."""
    call = new_call(webhook, "test", {"by": by.email})
    call.save()
    return call


def signature(secret: str, event_id: str, stamp: int, body: bytes) -> str:
    """The value of `webhook-signature`."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mark = hmac.new(key, f"{event_id}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(mark).decode()


def body_of(call: WebhookCall) -> bytes:
    """What is sent: the same bytes at every attempt."""
    told = {"type": call.event, "timestamp": call.created_at.isoformat(), "data": call.data}
    return json.dumps(told, ensure_ascii=False, sort_keys=True).encode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the target said: a status code, or a fault in words."""

    code: int = 0
    error: str = ""
    retry_after: str = ""

    @property
    def good(self) -> bool:
        """Any 2xx counts as taken."""
        return 200 <= self.code < 300


def call_once(call: WebhookCall) -> Outcome:
    """One attempt. Raises nothing that the other side can cause."""
    try:
        body, stamp = body_of(call), int(time.time())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Guichet",
            "webhook-id": call.event_id,
            "webhook-timestamp": str(stamp),
            "webhook-signature": signature(call.webhook.secret(), call.event_id, stamp, body),
        }
        answer = outbound.post(call.webhook.url, body, headers, seconds=SECONDS, limit=10_000)
    except (outbound.OutboundRefused, SecretUnreadable) as why:
        return Outcome(error=str(why)[:200])
    except (OSError, http.client.HTTPException) as why:
        return Outcome(error=f"{type(why).__name__}: {why}"[:200])
    return Outcome(answer.status, "", answer.retry_after)


@transaction.atomic
def record(call: WebhookCall, outcome: Outcome) -> bool:
    """Write what came of an attempt; False when the row is not ours any more."""
    row = ledger.held(WebhookCall.objects.select_for_update(of=("self",)), call).first()
    if row is None:
        return False
    now = timezone.now()
    row.code, row.error, row.lease_token, row.lease_until = outcome.code, outcome.error, "", None
    webhook = Webhook.objects.select_for_update().get(pk=row.webhook_id)
    if outcome.good:
        row.state, row.done_at = WebhookCall.State.DONE, now
        if webhook.failing_since:
            Webhook.objects.filter(pk=webhook.pk).update(failing_since=None)
    else:
        row.next_at = now + (_asked_to_wait(outcome.retry_after) or ledger.later(row.attempts))
        webhook.failing_since = webhook.failing_since or now
        gone = outcome.code == 410
        if now - row.created_at > GIVE_UP or gone:
            row.state, row.done_at = WebhookCall.State.FAILED, now
        if gone or now - webhook.failing_since > GIVE_UP:
            _stop(webhook, now)
        webhook.save(update_fields=["failing_since", "stopped_at"])
    row.save()
    return True


def _asked_to_wait(header: str) -> timedelta | None:
    """What Retry-After asks for: seconds or a date (RFC 9110, 10.2.3); at most a day."""
    if header.isascii() and header.isdigit():
        return min(timedelta(seconds=min(int(header[:9]), 10**6)), LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max(at - datetime.now(UTC), timedelta()), LONGEST_WAIT)


def _stop(webhook: Webhook, now: datetime) -> None:
    if webhook.stopped_at:
        return
    webhook.stopped_at = now
    log.warning("webhook %s is not called any more: it fails since %s", webhook.pk, webhook.failing_since)
    people = User.objects.filter(is_active=True, groups__name=ADMINISTRATOR)
    told = _("The webhook “%(name)s” does not answer and is not called any more.") % {"name": webhook.name}
    notify(list(people), told, url=f"/desk/webhooks/{webhook.pk}/")


def forget_ended() -> int:
    """Delete calls that ended long ago; how many went."""
    old = WebhookCall.objects.exclude(state=WebhookCall.State.QUEUED).filter(created_at__lt=timezone.now() - KEPT)
    return WebhookCall.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:5000])).delete()[0]


class CallingLoop:
    """One process' share of the calls."""

    def __init__(self) -> None:
        self._under_way: dict[Future[None], int] = {}
        self._freed = threading.Event()

    @classmethod
    def run(cls, stopping: threading.Event) -> None:
        """A duty for `core.running.Crew`."""
        cls().work(stopping)

    def work(self, stopping: threading.Event) -> None:
        """Call until `stopping` is set; what is under way then is waited for by nobody, its lease ends alone."""
        pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="webhook")
        try:
            while not stopping.is_set():
                self._freed.clear()
                if not self.turn(pool):
                    rest()
                    self._freed.wait(POLL_SECONDS)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def turn(self, pool: ThreadPoolExecutor) -> int:
        """Begin what is due and fits; how many were begun."""
        self._under_way = {future: hook for future, hook in self._under_way.items() if not future.done()}
        hooks = list(self._under_way.values())
        busy = [hook for hook in set(hooks) if hooks.count(hook) >= AT_ONCE_A_WEBHOOK]
        room = AT_ONCE - len(hooks)
        waiting = WebhookCall.objects.filter(
            state=WebhookCall.State.QUEUED, webhook__active=True, webhook__stopped_at=None
        ).exclude(webhook__in=busy)
        if room <= 0 or not waiting.filter(ledger.due()).exists():
            return 0
        rows = ledger.claim(waiting.select_related("webhook"), limit=min(room, AT_ONCE_A_WEBHOOK), seconds=LEASE)
        fault.point("webhook.claimed")
        for row in rows:
            future = pool.submit(self._one, row)
            self._under_way[future] = row.webhook_id
            future.add_done_callback(lambda _future: self._freed.set())
        return len(rows)

    def _one(self, row: WebhookCall) -> None:
        try:
            outcome = call_once(row)
            fault.point("webhook.answered")
            record(row, outcome)
        except Exception:
            # The row keeps its lease and comes back when that ends: the target knows a repeated call by its id.
            log.exception("webhook call %s fell", row.pk)
        finally:
            connections.close_all()
