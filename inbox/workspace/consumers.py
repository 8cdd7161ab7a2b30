"""The socket of the workspace. It carries hints and presence, never content: pages fetch what changed themselves."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from channels.db import database_sync_to_async
from django.contrib.auth import HASH_SESSION_KEY

from core import audit
from core.limits import hit
from core.proof import second_factor_missing
from crm.organisation import access
from crm.organisation.models import User
from inbox import live
from inbox.services import presence
from inbox.sockets import FORBIDDEN, GOING_AWAY, POLICY, BrowserSocket
from inbox.workspace.conversation import live_kinds
from inbox.workspace.watchdog import Grant, Holder, grants

RECHECK = 3.0
"""Seconds between two looks at who may still listen."""
SOCKETS_A_USER = 20
CONNECTS_A_MINUTE = 120
BEAT = 15.0
"""Seconds between two signs of life of a colleague."""
TICKETS_MOST = 5
"""Tickets that one tab watches at once: several chats stand side by side."""


def _passed_on(about: str, *names: str) -> Callable[[DeskConsumer, dict[str, Any]], Awaitable[None]]:
    """A handler that tells the page a hint of another room: these fields and no others, as the event `desk:<about>`."""

    async def handler(self: DeskConsumer, event: dict[str, Any]) -> None:
        await self._say({"about": about, **{name: event[name] for name in names if name in event}})

    return handler


class DeskConsumer(BrowserSocket):
    """One browser tab of a colleague."""

    frame_most = 1024
    open_sockets: ClassVar[set[DeskConsumer]] = set()
    guard: ClassVar[asyncio.Task[None] | None] = None
    beaten: ClassVar[dict[int, float]] = {}
    """When this process last said of each colleague that he is here."""

    async def connect(self) -> None:
        """Let a colleague in who may work tickets, and hear the queues that he sees."""
        self.joined: set[str] = set()
        self.tickets: dict[int, str] = {}
        self.why = "no right"
        self.user = self.scope["user"]
        session = self.scope["session"]
        holder = Holder(self.user.pk or 0, session.session_key or "", session.get(HASH_SESSION_KEY, ""))
        grant = await self._first_grant(holder)
        if grant is None:
            await self.refuse(self.why, self.user)
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
        """Take the name off the tickets, and leave every group."""
        type(self).open_sockets.discard(self)
        for ticket in self.tickets:
            await self._tell_presence(ticket, "gone")
        await self._hear(set())

    async def watch(self, asked: dict[str, Any]) -> None:
        """Hear exactly these tickets from now on, if the colleague may see them, and show who else looks at them."""
        wanted = asked.get("tickets")
        if not isinstance(wanted, list) or len(wanted) > TICKETS_MOST or not all(map(_is_key, wanted)):
            await self.close(POLICY)
            return
        for ticket in [ticket for ticket in self.tickets if ticket not in wanted]:
            await self._tell_presence(ticket, "gone")
            del self.tickets[ticket]
        fresh = frozenset(wanted).difference(self.tickets)
        sees: frozenset[int] = frozenset()
        if fresh:
            holder = Holder(self.user.pk, self.session, self.password_mark, fresh)
            grant = (await database_sync_to_async(grants)([holder])).get(holder)
            sees = grant.tickets if grant else frozenset()
        for ticket in sorted(sees):
            self.tickets[ticket] = "looking"
        await self._hear({group for group in self.joined if not group.startswith("ticket.")} | self._watched())
        for ticket in sorted(sees):
            await self._tell_presence(ticket, "hello")
        for ticket in sorted(fresh - sees):
            await database_sync_to_async(audit.denied)(self.user, f"ticket {ticket}", "/ws/desk/")
            await self._say({"about": "refused", "ticket": ticket})

    async def show(self, asked: dict[str, Any]) -> None:
        """Say again that somebody is here, reading or typing: what is not said again ends by itself in the browsers.

        `typing` is the ticket he types in; `aloud` when it will be an answer, which a visitor sees coming.
        """
        typing = asked.get("typing")
        for ticket in self.tickets:
            here = typing is not True and typing == ticket
            self.tickets[ticket] = "typing" if here else "looking"
            await self._tell_presence(ticket, self.tickets[ticket])
            if here and asked.get("aloud") is True:
                await self._layer(
                    self.channel_layer.group_send, live.public_group(ticket), {"type": "chat.typing", "on": True}
                )
        await self._say({"about": "here"})

    async def ticket_changed(self, event: dict[str, Any]) -> None:
        """From `inbox.live`: pass the hint on; `live` when somebody sits before his screen and waits."""
        waits = {"live": True} if event.get("origin") in live_kinds() else {}
        await self._say({"about": "ticket", "ticket": event["ticket"], "seq": event["seq"], **waits})

    call_ringing = _passed_on("call", "call", "state")
    visitor_sign = _passed_on("visitor", "ticket", "sign", "on", "seq")

    async def desk_presence(self, event: dict[str, Any]) -> None:
        """From another tab: who is here. A newcomer's hello is answered, so that presence needs no memory anywhere."""
        ticket = event["ticket"]
        if event["tab"] == self.channel_name or ticket not in self.tickets:
            return
        if event["state"] == "hello":
            await self._tell_presence(ticket, self.tickets[ticket])
        if event["user"] != self.user.pk:
            state = "looking" if event["state"] == "hello" else event["state"]
            await self._say(
                {"about": "person", "ticket": ticket, "user": event["user"], "name": event["name"], "state": state}
            )

    async def _say(self, what: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps(what))

    def _watched(self) -> set[str]:
        return {f"ticket.{ticket}" for ticket in self.tickets}

    async def _tell_presence(self, ticket: int, state: str) -> None:
        event = {"type": "desk.presence", "ticket": ticket, "state": state}
        await self._layer(
            self.channel_layer.group_send,
            f"ticket.{ticket}",
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
        if not access.is_person(self.user) or second_factor_missing(self.scope["session"]):
            return None
        mine = [s for s in type(self).open_sockets if s.user.pk == holder.user]
        if len(mine) >= SOCKETS_A_USER:
            self.why = "too many connections"
            return None

        def look() -> Grant | None:
            if not hit(f"desk-socket:{holder.user}", limit=CONNECTS_A_MINUTE, seconds=60):
                self.why = "too many connections"
                return None
            return self._look({holder}).get(holder)

        return await database_sync_to_async(look)()

    @classmethod
    async def _keep_watch(cls) -> None:
        """Close every socket whose owner lost his right, and let each hear exactly the queues that he sees now."""
        while cls.open_sockets:
            await asyncio.sleep(RECHECK)
            sockets = {
                s: Holder(s.user.pk, s.session, s.password_mark, frozenset(s.tickets)) for s in list(cls.open_sockets)
            }
            try:
                found = await database_sync_to_async(cls._look)(set(sockets.values()))
            except Exception:  # without a database nobody can be checked, so nobody may listen
                found = {}
            for socket, holder in sockets.items():
                await socket._apply(holder, found.get(holder))

    @staticmethod
    def _look(holders: set[Holder]) -> dict[Holder, Grant]:
        """Who may still listen; an open socket is a sign of life, also while its tab is in the background."""
        found, now = grants(holders), time.monotonic()
        due = {h.user for h in found if now - DeskConsumer.beaten.get(h.user, -BEAT) >= BEAT}
        for user in User.objects.filter(pk__in=due) if due else ():
            DeskConsumer.beaten[user.pk] = now
            presence.beat(user)
        return found

    async def _apply(self, holder: Holder, grant: Grant | None) -> None:
        if self not in type(self).open_sockets:
            return
        if grant is None:
            type(self).open_sockets.discard(self)
            await self.close(FORBIDDEN)
            return
        lost = [ticket for ticket in holder.tickets - grant.tickets if ticket in self.tickets]
        for ticket in lost:
            del self.tickets[ticket]
        groups = {f"user.{holder.user}", *(f"queue.{queue}" for queue in grant.queues), *self._watched()}
        if groups != self.joined:
            await self._hear(groups)
        for ticket in lost:
            await self._say({"about": "refused", "ticket": ticket})


def _is_key(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63


DeskConsumer.actions = {"watch": DeskConsumer.watch, "show": DeskConsumer.show}
