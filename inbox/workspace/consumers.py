"""The socket of the workspace. It carries hints and presence, never content: pages fetch what changed themselves."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.contrib.auth import HASH_SESSION_KEY

from core.limits import hit
from crm.organisation import access
from inbox import live
from inbox.workspace.watchdog import Grant, Holder, grants

RECHECK = 3.0
"""Seconds between two looks at who may still listen."""
FRAME_MOST = 1024
"""Characters of a frame; what a page has to say is shorter."""
FRAMES = 20
"""Frames a second, and as many again in a burst."""
SOCKETS_A_USER = 20
CONNECTS_A_MINUTE = 60

GOING_AWAY, POLICY, TOO_BIG, FORBIDDEN = 1001, 1008, 1009, 4403


class DeskConsumer(AsyncWebsocketConsumer):
    """One browser tab of a colleague."""

    open_sockets: ClassVar[set[DeskConsumer]] = set()
    guard: ClassVar[asyncio.Task[None] | None] = None

    async def connect(self) -> None:
        """Let a colleague in who may work tickets, and hear the queues that he sees."""
        self.joined: set[str] = set()
        self.ticket = 0
        self.state = "looking"
        self.tokens, self.filled = float(2 * FRAMES), time.monotonic()
        self.user = self.scope["user"]
        session = self.scope["session"]
        holder = Holder(self.user.pk or 0, session.session_key or "", session.get(HASH_SESSION_KEY, ""), 0)
        grant = await self._first_grant(holder)
        if grant is None:
            await self.close(FORBIDDEN)
            return
        self.session, self.password_mark, self.name = holder.session, holder.password_mark, grant.name
        live.bind_loop(asyncio.get_running_loop())
        await self._hear({f"user.{self.user.pk}", *(f"queue.{queue}" for queue in grant.queues)})
        await self.accept()
        cls = type(self)
        cls.open_sockets.add(self)
        if cls.guard is None or cls.guard.done():
            cls.guard = asyncio.create_task(cls._keep_watch())
        await self._say({"about": "ready"})

    async def disconnect(self, code: int) -> None:
        """Take the name off the ticket, and leave every group."""
        type(self).open_sockets.discard(self)
        if self.ticket:
            await self._tell_presence("gone")
        await self._hear(set())

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Do one of the few things a page may ask for; anything else ends the connection (S-74, S-76)."""
        now = time.monotonic()
        self.tokens = min(2.0 * FRAMES, self.tokens + (now - self.filled) * FRAMES) - 1
        self.filled = now
        if bytes_data is not None or text_data is None or len(text_data) > FRAME_MOST:
            await self.close(TOO_BIG)
            return
        if self.tokens < 0:
            await self.close(POLICY)
            return
        try:
            asked = json.loads(text_data)
        except (ValueError, RecursionError):
            asked = None
        wanted = asked.get("do") if isinstance(asked, dict) else None
        action = _ACTIONS.get(wanted) if isinstance(wanted, str) else None
        if action is None:
            await self.close(POLICY)
            return
        await action(self, asked)

    async def watch(self, asked: dict[str, Any]) -> None:
        """Hear this ticket from now on, if the colleague may see it, and show who else looks at it."""
        ticket = asked.get("ticket")
        if not isinstance(ticket, int) or isinstance(ticket, bool) or not 0 < ticket < 2**63:
            await self.close(POLICY)
            return
        await self.leave(asked)
        holder = Holder(self.user.pk, self.session, self.password_mark, ticket)
        grant = (await database_sync_to_async(grants)([holder])).get(holder)
        if grant is None or not grant.ticket:
            await self._say({"about": "refused", "ticket": ticket})
            return
        self.ticket, self.state = ticket, "looking"
        await self._hear(self.joined | {f"ticket.{ticket}"})
        await self._tell_presence("hello")

    async def leave(self, asked: dict[str, Any]) -> None:
        """Stop hearing the ticket."""
        if self.ticket:
            await self._tell_presence("gone")
            await self._hear(self.joined - {f"ticket.{self.ticket}"})
            self.ticket = 0

    async def show(self, asked: dict[str, Any]) -> None:
        """Say again that somebody is here, reading or typing: what is not said again ends by itself in the browsers."""
        self.state = "typing" if asked.get("typing") is True else "looking"
        if self.ticket:
            await self._tell_presence(self.state)
        await self._say({"about": "here"})

    async def ticket_changed(self, event: dict[str, Any]) -> None:
        """From `inbox.live`: pass the hint on."""
        await self._say({"about": "ticket", "ticket": event["ticket"], "seq": event["seq"]})

    async def desk_presence(self, event: dict[str, Any]) -> None:
        """From another tab: who is here. A newcomer's hello is answered, so that presence needs no memory anywhere."""
        if event["tab"] == self.channel_name or event["ticket"] != self.ticket:
            return
        if event["state"] == "hello":
            await self._tell_presence(self.state)
        if event["user"] != self.user.pk:
            state = "looking" if event["state"] == "hello" else event["state"]
            await self._say(
                {"about": "person", "ticket": self.ticket, "user": event["user"], "name": event["name"], "state": state}
            )

    async def _say(self, what: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps(what))

    async def _tell_presence(self, state: str) -> None:
        event = {"type": "desk.presence", "ticket": self.ticket, "state": state}
        await self._layer(
            self.channel_layer.group_send,
            f"ticket.{self.ticket}",
            {**event, "user": self.user.pk, "name": self.name, "tab": self.channel_name},
        )

    async def _hear(self, groups: set[str]) -> None:
        """Be in exactly these groups."""
        for group in self.joined - groups:
            await self._layer(self.channel_layer.group_discard, group, self.channel_name)
        for group in groups - self.joined:
            await self._layer(self.channel_layer.group_add, group, self.channel_name)
        self.joined = set(groups)

    async def _layer(self, call: Callable[..., Awaitable[Any]], *arguments: Any) -> None:
        """Use the channel layer; without it the socket must end, so that the page asks by itself until it is back."""
        try:
            async with asyncio.timeout(live.PATIENCE):
                await call(*arguments)
        except Exception:
            if self in type(self).open_sockets:
                type(self).open_sockets.discard(self)
                await self.close(GOING_AWAY)

    async def _first_grant(self, holder: Holder) -> Grant | None:
        if not access.is_person(self.user):
            return None
        mine = [s for s in type(self).open_sockets if s.user.pk == holder.user]
        if len(mine) >= SOCKETS_A_USER:
            return None

        def look() -> Grant | None:
            if not hit(f"desk-socket:{holder.user}", limit=CONNECTS_A_MINUTE, seconds=60):
                return None
            return grants([holder]).get(holder)

        return await database_sync_to_async(look)()

    @classmethod
    async def _keep_watch(cls) -> None:
        """Close every socket whose owner lost his right, and let each hear exactly the queues that he sees now."""
        while cls.open_sockets:
            await asyncio.sleep(RECHECK)
            sockets = {s: Holder(s.user.pk, s.session, s.password_mark, s.ticket) for s in list(cls.open_sockets)}
            try:
                found = await database_sync_to_async(grants)(set(sockets.values()))
            except Exception:  # without a database nobody can be checked, so nobody may listen
                found = {}
            for socket, holder in sockets.items():
                await socket._apply(holder, found.get(holder))

    async def _apply(self, holder: Holder, grant: Grant | None) -> None:
        if self not in type(self).open_sockets:
            return
        if grant is None:
            type(self).open_sockets.discard(self)
            await self.close(FORBIDDEN)
            return
        groups = {f"user.{holder.user}", *(f"queue.{queue}" for queue in grant.queues)}
        lost = self.ticket if self.ticket == holder.ticket and not grant.ticket else 0
        if lost:
            self.ticket = 0
        if self.ticket:
            groups.add(f"ticket.{self.ticket}")
        if groups != self.joined:
            await self._hear(groups)
        if lost:
            await self._say({"about": "refused", "ticket": lost})


_ACTIONS: dict[str, Callable[[DeskConsumer, dict[str, Any]], Awaitable[None]]] = {
    "watch": DeskConsumer.watch,
    "leave": DeskConsumer.leave,
    "show": DeskConsumer.show,
}
"""All that a page may ask for. What it writes never names a handler, a group or a class."""
