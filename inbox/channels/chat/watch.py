"""What is looked after for all visitors' sockets of a process: who said nothing, whose token ended, what was missed."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from inbox.channels.chat import database, pump
from inbox.services import visitors
from inbox.sockets import FORBIDDEN, POLICY, TOKEN

if TYPE_CHECKING:
    from inbox.channels.chat.consumer import VisitorConsumer

log = logging.getLogger(__name__)

TURN = 1.0
HELLO_SECONDS = 10.0
LOOK_SECONDS = 5.0
"""A hint that the layer lost is made good so soon: with Redis away the sockets are served by asking (R-26)."""
CHECK_SECONDS = 5.0
BEAT_SECONDS = 20.0


class Watch:
    """One task, as long as there are sockets."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    def begin(self, sockets: set[VisitorConsumer], at: pump.Pump) -> None:
        """Look after these sockets from now on, if nobody does."""
        if self._task is None or self._task.done() or self._task.get_loop() is not asyncio.get_running_loop():
            self._task = asyncio.create_task(self._keep(sockets, at))

    async def _keep(self, sockets: set[VisitorConsumer], at: pump.Pump) -> None:
        looked = checked = time.monotonic()
        beaten = 0.0
        while sockets:
            await asyncio.sleep(TURN)
            now = time.monotonic()
            try:
                await self._silent(sockets, now)
                if now - looked >= LOOK_SECONDS:
                    looked = now
                    await self._look(sockets, at)
                if now - checked >= CHECK_SECONDS:
                    checked = now
                    await self._check(sockets)
                if now - beaten >= BEAT_SECONDS:
                    beaten = now
                    await database.run(visitors.seen_now, {s.visitor for s in sockets if s.talk})
            except Exception as fault:  # a database that is away for a moment ends no socket
                log.warning("the watch over visitors' sockets stumbled: %s", type(fault).__name__)

    async def _silent(self, sockets: set[VisitorConsumer], now: float) -> None:
        for socket in [s for s in sockets if not s.visitor and now - s.opened_at > HELLO_SECONDS]:
            await socket.close(POLICY)

    async def _look(self, sockets: set[VisitorConsumer], at: pump.Pump) -> None:
        """Find what no hint told, and be in the groups again that the layer refused."""
        talking = [s for s in sockets if s.ticket]
        for socket in [s for s in sockets if s.deaf][:200]:
            await socket.hear(socket.groups_heard)
            if socket.deaf:
                break  # the layer is still away: the others would only wait as long
        if not talking:
            return
        heights = await database.run(pump.heights, {s.ticket for s in talking})
        for socket in talking:
            # Nobody tells those who wait that somebody before them left the line.
            if socket.base + heights.get(socket.ticket, 0) > socket.reached or "wait" in socket.told:
                at.ask(socket)

    async def _check(self, sockets: set[VisitorConsumer]) -> None:
        """End sockets whose page may not speak any more or whose token ended; tell the others who is on duty."""
        entered = [s for s in sockets if s.visitor]
        if not entered:
            return
        good = await database.run(pump.still_good, {s.key for s in entered})
        present = await database.run(pump.present, {s.channel.pk for s in entered})
        for socket in entered:
            channel, duty = present.get(socket.channel.pk, (None, ""))
            if channel is None or not socket.belongs_to(channel):
                await socket.close(FORBIDDEN)
            elif socket.key not in good:
                await socket.close(TOKEN)
            else:
                await socket.tell_duty(duty)
