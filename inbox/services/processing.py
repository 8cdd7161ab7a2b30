"""From the journal to the ticket: claims what waits, reads it, posts it. One bad message never holds up the next."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from core import audit, fault, ledger
from core.said import said as _
from core.said import storable
from crm.organisation.models import User
from inbox.channels import registry
from inbox.intake import pipeline
from inbox.intake.draft import Draft
from inbox.models import RawMessage
from inbox.services import floods, wake
from inbox.services.posting import post

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 5
STORAGE_PAUSE = timedelta(seconds=20)
LOOK_AGAIN = 0.05
PATIENCE = 10.0
"""Seconds for which a person waits for another worker that has his message."""


def process_waiting(limit: int = 100) -> int:
    """Claim up to `limit` waiting messages and post them; how many were claimed.

    Half of them are the oldest, the other half the oldest of the other channels: ten thousand mails in one mailbox do
    not hold up another (R-10). What was claimed before and did not end (a killed worker) is taken alone: should it be
    what kills the worker, it takes no other message with it, and after five attempts it is put aside.
    """
    waiting = RawMessage.objects.filter(state=RawMessage.State.STORED).select_related("channel")
    fresh = waiting.filter(attempts=0)
    rows = ledger.claim(fresh, limit=limit - limit // 2, seconds=settings.LEASE_SECONDS)
    if len(rows) == limit - limit // 2:
        others = fresh.exclude(channel__in={row.channel_id for row in rows})
        rows += ledger.claim(others, limit=limit - len(rows), seconds=settings.LEASE_SECONDS)
        if len(rows) < limit:
            rows += ledger.claim(fresh, limit=limit - len(rows), seconds=settings.LEASE_SECONDS)
    if not rows:
        rows = ledger.claim(waiting, limit=1, seconds=settings.LEASE_SECONDS)
    fault.point("process.claimed")
    work(rows)
    return len(rows)


def process(raw: RawMessage) -> RawMessage:
    """Take this one through now; it comes back as it is afterwards. One that another worker holds is left to him."""
    waiting = RawMessage.objects.filter(pk=raw.pk, state=RawMessage.State.STORED).select_related("channel")
    work(ledger.claim(waiting, limit=1, seconds=settings.LEASE_SECONDS))
    return RawMessage.objects.select_related("channel").get(pk=raw.pk)


def see_through(raw: RawMessage, seconds: float = PATIENCE) -> RawMessage:
    """As `process`, but while another worker holds it its end is waited for, up to `seconds`.

    For whoever has to tell what became of it: accepting it wakes the workers, and one of them may be sooner.
    """
    until = time.monotonic() + seconds
    while (raw := process(raw)).state == RawMessage.State.STORED and raw.lease_until and time.monotonic() < until:
        time.sleep(LOOK_AGAIN)
    return raw


@transaction.atomic
def replay(raw: RawMessage, *, by: User | None) -> bool:
    """Have a quarantined message run again from its bytes; False when it is not in quarantine."""
    changed = RawMessage.objects.filter(pk=raw.pk, state=RawMessage.State.DEAD).update(
        state=RawMessage.State.STORED,
        outcome="",
        reason="",
        attempts=0,
        next_at=timezone.now(),
        lease_until=None,
        facts={**raw.facts, floods.RELEASED: True},
    )
    if changed:
        audit.record("released", by=by, about=f"message {raw.pk}")
        log.info("message %s replayed by %s", raw.pk, by.pk if by else "system")
        wake.processing()
    return bool(changed)


@transaction.atomic
def release(raw: RawMessage) -> bool:
    """Let a held message in (its sender confirmed his address); False when it was let in before."""
    changed = RawMessage.objects.filter(pk=raw.pk, state=RawMessage.State.HELD).update(
        state=RawMessage.State.STORED, next_at=timezone.now()
    )
    if changed:
        wake.processing()
    return bool(changed)


def work(rows: Sequence[RawMessage]) -> None:
    """Take rows through that the caller holds the lease of: together, and one by one when that fails."""
    drafts = [draft for row in rows if (draft := _read(row)) is not None]
    fault.point("process.read")
    parked = floods.parked(drafts)
    for draft in drafts:
        if draft.raw.pk in parked:
            _quarantine(draft.raw, parked[draft.raw.pk])
    drafts = [draft for draft in drafts if draft.raw.pk not in parked]
    if not drafts:
        return
    try:
        post(drafts)
    except Exception as error:  # the batch is tried one by one, and each of them tells its own fault
        if len(drafts) > 1:
            log.info("a batch of %s goes one by one: %s", len(drafts), type(error).__name__)
        for draft in drafts:
            _post_alone(draft)


def _read(raw: RawMessage) -> Draft | None:
    if raw.attempts > MAX_ATTEMPTS:
        _quarantine(raw, _("given up after %(n)s attempts: %(why)s", n=MAX_ATTEMPTS, why=raw.error or "?"))
        return None
    if why := _too_large(raw):
        _quarantine(raw, why)
        return None
    try:
        draft = pipeline.read(raw)
        if not draft.inbound.foreign or raw.facts.get(floods.RELEASED):
            return draft
        _quarantine(raw, _("This is no mail: empty, or another kind of file. “Run again” opens a ticket all the same."))
    except OSError as error:
        _put_off(raw, error)
    except Exception as error:
        log.exception("message %s cannot be read", raw.pk)
        _quarantine(raw, f"{type(error).__name__}: {error}")
    return None


def _too_large(raw: RawMessage) -> str:
    """Why a mail that came whole is not read before somebody has decided so (R-10); doors that can refuse it did."""
    mail = registry.has(raw.channel.kind, "reads_mail") and not raw.facts.get(floods.RELEASED)
    if not mail or raw.size <= settings.MAIL_MAX_BYTES:
        return ""
    said = _("The mail is %(size)s MB, more than is accepted. “Run again” takes it all the same.")
    return said % {"size": round(raw.size / 1024 / 1024)}


def _post_alone(draft: Draft) -> None:
    raw = draft.raw
    try:
        post([_fresh(draft)])
    except IntegrityError:
        # Another worker made the same contact or tag at this moment: now it is there.
        try:
            post([_fresh(draft)])
        except DatabaseError as error:
            _put_off(raw, error)
    except (DatabaseError, OSError) as error:
        _put_off(raw, error)
    except Exception as error:
        log.exception("message %s cannot be posted", raw.pk)
        _quarantine(raw, f"{type(error).__name__}: {error}")


def _fresh(draft: Draft) -> Draft:
    """The draft as it was read, without what a rolled-back attempt wrote into it."""
    draft.raw.ticket_id = draft.raw.message_id = None
    return Draft(raw=draft.raw, channel=draft.channel, inbound=draft.inbound, fingerprint=draft.fingerprint)


def _quarantine(raw: RawMessage, reason: str) -> None:
    ledger.held(RawMessage.objects.filter(state=RawMessage.State.STORED), raw).update(
        state=RawMessage.State.DEAD,
        outcome=RawMessage.Outcome.QUARANTINED,
        reason=storable(reason, 300),
        error=reason,
        lease_token="",
        lease_until=None,
        done_at=timezone.now(),
    )


def _put_off(raw: RawMessage, error: Exception) -> None:
    """The fault is the database's or the disk's: the message waits, however long that lasts."""
    log.warning("message %s waits: %s", raw.pk, type(error).__name__)
    try:
        ledger.held(RawMessage.objects.all(), raw).update(
            attempts=1,
            next_at=timezone.now() + STORAGE_PAUSE,
            error=f"{type(error).__name__}: {error}",
            lease_token="",
            lease_until=None,
        )
    except DatabaseError:
        log.warning("the database cannot be written; message %s comes again when its lease ends", raw.pk)
