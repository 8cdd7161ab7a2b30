"""Hints to the browsers: "ticket N is at sequence S now". The truth is in the database; a lost hint costs a moment."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Collection, Iterable
from typing import Any

from channels.layers import InMemoryChannelLayer, get_channel_layer
from django.db import transaction

from crm.service.models import Ticket

log = logging.getLogger(__name__)

PATIENCE = 2.0
"""Seconds one push may take before it is given up."""
BACKLOG = 5_000
"""Pushes that may be under way; beyond that they are dropped, and browsers find the changes when they ask."""

_server: asyncio.AbstractEventLoop | None = None
_own: asyncio.AbstractEventLoop | None = None
_lock = threading.Lock()
_under_way = 0


def bind_loop(loop: asyncio.AbstractEventLoop) -> None:
    """Name the event loop that serves the sockets of this process.

    The in-memory layer belongs to that loop: a push from another thread has to be handed over to it, or it arrives
    late (its queues do not wake a foreign loop).
    """
    global _server
    _server = loop


def public_group(ticket_id: int) -> str:
    """Who listens here hears that the ticket changed and nothing else: for sockets of customers and visitors."""
    return f"public.ticket.{ticket_id}"


def changed(tickets: Iterable[Ticket], also_queues: Collection[int] = ()) -> None:
    """Tell everybody who looks at these tickets, their queues or assignees, once the transaction has committed.

    `also_queues`: queues that a ticket has just left. Never raises because of the channel layer, and never waits.
    """
    hints: list[tuple[str, dict[str, Any]]] = []
    for ticket in tickets:
        public = {"type": "ticket.changed", "ticket": ticket.pk, "seq": ticket.sequence}
        hints.append((public_group(ticket.pk), public))
        hint = {**public, "origin": ticket.origin}
        groups = [f"ticket.{ticket.pk}", f"queue.{ticket.queue_id}"]
        groups += [f"queue.{queue}" for queue in also_queues]
        if ticket.assignee_id:
            groups.append(f"user.{ticket.assignee_id}")
        hints += [(group, hint) for group in groups]
    if hints:
        transaction.on_commit(lambda: push(hints), robust=True)


def push(hints: Collection[tuple[str, dict[str, Any]]]) -> None:
    """Send each hint to its group, from the right loop, without waiting."""
    global _under_way
    loop = _loop()
    with _lock:
        if loop is None or _under_way >= BACKLOG:
            return
        _under_way += 1
    try:
        asyncio.run_coroutine_threadsafe(_send(hints), loop)
    except RuntimeError:  # the loop was closed under us: the server is going down
        _done()


async def _send(hints: Collection[tuple[str, dict[str, Any]]]) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            layer = get_channel_layer()
            for group, hint in hints:
                await layer.group_send(group, hint)
    except Exception as fault:  # the layer's own errors are of any class; a hint is never worth one
        log.warning("A live hint was not sent: %s", type(fault).__name__)
    finally:
        _done()


def _done() -> None:
    global _under_way
    with _lock:
        _under_way -= 1


def _loop() -> asyncio.AbstractEventLoop | None:
    if _server is not None and _server.is_running():
        return _server
    if isinstance(get_channel_layer(), InMemoryChannelLayer):
        return None  # nobody can listen: sockets of this process would have bound their loop
    return _background()


def _background() -> asyncio.AbstractEventLoop:
    """A loop in a thread of its own, for processes that serve no sockets: a slow Redis never holds up a worker."""
    global _own
    with _lock:
        if _own is None:
            loop = _own = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="live", daemon=True).start()
        return _own
