"""The sending loop: claims deliveries, hands each to its channel's adapter, writes what came of it.

Any number of these run side by side. A row is claimed with a lease; `sending` is committed before the bytes leave;
each result is written under the claim's token. Messages of one ticket to one recipient leave in their order.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from django.conf import settings
from django.db import connections
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from core import fault, ledger
from core.running import rest
from core.said import said as _
from inbox.channels import registry
from inbox.channels.base import NotComposable, Outbound, Outcome, Receipt
from inbox.channels.email.pool import POOL
from inbox.models import Channel, Delivery
from inbox.services import outcomes, wake

log = logging.getLogger(__name__)

AT_ONCE, AT_ONCE_A_CHANNEL = 64, 16
"""Deliveries under way; one slow server holds up no other channel."""
ACCOUNT_MAIL = "email"
"""Kind of the channels that sign-up and password mails go by."""
POLL_SECONDS = 0.5
SWEEP_SECONDS = 5.0

T = TypeVar("T")


def waiting(busy: Collection[int] = ()) -> Any:
    """Deliveries that may leave now: their channel is not paused, and nothing earlier of their conversation waits."""
    earlier = Delivery.objects.filter(
        message__ticket=OuterRef("message__ticket"),
        recipient=OuterRef("recipient"),
        pk__lt=OuterRef("pk"),
        state__in=[*Delivery.WAITING, Delivery.State.SENDING],
    )
    resting = Q(sending_paused_until__gt=timezone.now()) | Q(active=False)
    stopped = set(busy) | set(Channel.objects.filter(resting).values_list("pk", flat=True))
    rows = Delivery.objects.filter(~Exists(earlier), state__in=Delivery.WAITING)
    return rows.exclude(channel_id__in=stopped, channel_id__isnull=False) if stopped else rows


def claim(limit: int, busy: Collection[int] = (), mine: Collection[int] = ()) -> list[Delivery]:
    """Take up to `limit` deliveries for a lease, but for `mine`, which are under way here.

    Looking does not take the write lock of SQLite; claiming does.
    """
    rows = waiting(busy).exclude(pk__in=mine)
    if not rows.filter(ledger.due()).exists():
        return []
    found = ledger.claim(rows, limit=limit, seconds=settings.LEASE_SECONDS)
    fault.point("sending.claimed")
    return found


def prepare(row: Delivery) -> tuple[Channel | None, Outbound] | Receipt:
    """The channel that sends and the bytes; or a receipt when it cannot be made."""
    delivery = Delivery.objects.select_related("channel", "message__ticket", "message__author").get(pk=row.pk)
    row.channel, row.message = delivery.channel, delivery.message
    channel = delivery.channel or _for_account_mail()
    if channel is None and settings.MAIL_SINK is None:
        return Receipt(Outcome.LATER, 0, _("No channel can send account mail."), whole_account=True)
    try:
        out = registry.adapter(kind_of(channel)).compose(delivery, channel)
    except NotComposable as why:
        return Receipt(Outcome.RECIPIENT_FAULT, 0, str(why))
    except OSError as why:
        return Receipt(Outcome.LATER, 0, _("A file of the message cannot be read: %(detail)s", detail=why))
    except Exception as why:
        log.exception("delivery %s cannot be composed", row.pk)
        return Receipt(Outcome.RECIPIENT_FAULT, 0, f"{type(why).__name__}: {why}"[:500])
    fault.point("sending.composed")
    return channel, out


def kind_of(channel: Channel | None) -> str:
    """Kind of the adapter that sends: account mail without a channel is e-mail."""
    return channel.kind if channel else ACCOUNT_MAIL


def _for_account_mail() -> Channel | None:
    channels = [
        channel
        for channel in Channel.objects.filter(active=True, kind=ACCOUNT_MAIL).exclude(address="").order_by("pk")
        if channel.settings.get("smtp_host")
    ]
    wanted = settings.DEFAULT_FROM_EMAIL
    return next((each for each in channels if each.address in wanted), channels[0] if channels else None)


def mark_sending(row: Delivery) -> bool:
    """Commit that the bytes are about to leave; False when the row was cancelled or taken over meanwhile."""
    changed = ledger.held(Delivery.objects.filter(state__in=Delivery.WAITING), row).update(
        state=Delivery.State.SENDING, lease_until=timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)
    )
    fault.point("sending.marked")
    return bool(changed)


def prolong(rows: Collection[Delivery]) -> None:
    """Keep the leases of deliveries that are still under way."""
    until = timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)
    Delivery.objects.filter(pk__in=[r.pk for r in rows], lease_token__in={r.lease_token for r in rows}).update(
        lease_until=until
    )


def give_back(rows: Collection[Delivery]) -> None:
    """Let others have at once what was claimed and of which nothing has left."""
    for row in rows:
        ledger.held(Delivery.objects.filter(state__in=[*Delivery.WAITING, Delivery.State.SENDING]), row).update(
            state=Delivery.State.QUEUED, lease_token="", lease_until=None, attempts=F("attempts") - 1
        )


class SendingLoop:
    """One process' share of the sending. The event loop runs in the calling thread, the database in another."""

    def __init__(self) -> None:
        self._under_way: dict[int, tuple[Delivery, asyncio.Task[None]]] = {}
        self._begun: set[int] = set()
        self._stopped: set[int] = set()
        self._freed = asyncio.Event()
        self._database = ThreadPoolExecutor(1, thread_name_prefix="sending-database")
        self._waiter = ThreadPoolExecutor(1, thread_name_prefix="sending-wait")

    @classmethod
    def run(cls, stopping: threading.Event) -> None:
        """A duty for `core.running.Crew`: one that fell leaves nothing behind for the next one to stumble over."""
        asyncio.run(cls().main(stopping))

    async def main(self, stopping: threading.Event) -> None:
        """Work until `stopping` is set, then end what is being sent and give back the rest."""
        side = [asyncio.create_task(self._sweep(stopping)), asyncio.create_task(self._prolong())]
        try:
            while not stopping.is_set():
                for task in side:
                    if task.done():
                        task.result()
                await self._claim(stopping)
        finally:
            for task in side:
                task.cancel()
            try:
                await self._end()
            except Exception:
                log.exception("deliveries could not be given back; their leases end by themselves")
            await self._db(connections.close_all)
            self._database.shutdown(wait=True)
            self._waiter.shutdown(wait=False, cancel_futures=True)

    async def _claim(self, stopping: threading.Event) -> None:
        wake.sending_event.clear()
        self._freed.clear()
        room = AT_ONCE - len(self._under_way)
        counts = Counter(row.channel_id for row, _task in self._under_way.values())
        busy = [pk for pk, count in counts.items() if pk is not None and count >= AT_ONCE_A_CHANNEL]
        mine = list(self._under_way)
        rows = await self._db(claim, min(room, AT_ONCE_A_CHANNEL), busy, mine) if room > 0 else []
        for row in rows:
            task = asyncio.create_task(self._one(row))
            self._under_way[row.pk] = row, task
            task.add_done_callback(partial(self._done, row.pk))
        if rows or stopping.is_set():
            return
        if self._under_way:
            # The next message of a conversation may leave when the one before it has.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._freed.wait(), POLL_SECONDS)
        else:
            await POOL.close_idle()
            await self._db(rest)
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._waiter, wake.sending_event.wait, POLL_SECONDS)

    def _done(self, pk: int, _task: asyncio.Task[None]) -> None:
        self._under_way.pop(pk, None)
        self._begun.discard(pk)
        self._stopped.discard(pk)
        self._freed.set()

    async def _one(self, row: Delivery) -> None:
        try:
            prepared = await self._db(prepare, row)
            receipt = prepared if isinstance(prepared, Receipt) else await self._send(row, *prepared)
            if row.pk in self._stopped:
                await self._db(give_back, [row])
            else:
                await self._db(outcomes.record, row, receipt)
        except Exception:
            # The row keeps its lease and comes back when that ends: as it was, or as unclear when bytes had left.
            log.exception("delivery %s: the attempt fell", row.pk)

    async def _send(self, row: Delivery, channel: Channel | None, out: Outbound) -> Receipt:
        async def go() -> bool:
            asked = time.monotonic()
            # A process that was frozen in between must not go on: somebody else has judged this delivery.
            if await self._db(mark_sending, row) and time.monotonic() - asked < settings.LEASE_SECONDS / 2:
                self._begun.add(row.pk)
                return True
            self._stopped.add(row.pk)
            return False

        return await registry.adapter(kind_of(channel)).send(channel, replace(out, go=go))

    async def _sweep(self, stopping: threading.Event) -> None:
        while not stopping.is_set():
            if await self._db(outcomes.sweep, list(self._under_way)):
                self._freed.set()
            await asyncio.sleep(SWEEP_SECONDS)

    async def _prolong(self) -> None:
        while True:
            await asyncio.sleep(settings.LEASE_SECONDS / 3)
            if rows := [row for row, _task in self._under_way.values()]:
                await self._db(prolong, rows)

    async def _end(self) -> None:
        """Give what is being handed over two seconds; what has not begun goes back at once."""
        unbegun = [(row, task) for pk, (row, task) in self._under_way.items() if pk not in self._begun]
        for _row, task in unbegun:
            task.cancel()
        tasks = [task for _row, task in self._under_way.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=2)
        await self._db(give_back, [row for row, _task in unbegun])
        await POOL.close_idle(0)

    async def _db(self, work: Callable[..., T], *values: Any) -> T:
        def run() -> T:
            try:
                return work(*values)
            except Exception:
                connections.close_all()
                raise

        return await asyncio.get_running_loop().run_in_executor(self._database, run)
