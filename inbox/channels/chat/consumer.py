"""The visitor's socket: a quicker door and a hint. All that it says can be had over HTTP as well."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from django.conf import settings
from django.db import DatabaseError
from django.utils import translation

from inbox import live
from inbox.channels.chat import database, events, pump, sites, views
from inbox.channels.chat.watch import Watch
from inbox.models import Channel, Conversation, VisitorKey
from inbox.services import fetching, utterances, visitors
from inbox.services.utterances import TEXT_LIMIT, NotYet, Refused, Utterance
from inbox.sockets import POLICY, TOKEN, BrowserSocket

TYPING_SECONDS = 2.0
UNREAD_MOST = 1024 * 1024
"""Bytes given to a browser that says nothing any more; beyond that it is closed (R-27)."""


class VisitorConsumer(BrowserSocket):
    """One browser tab with the widget."""

    frame_most = 16 * 1024
    open_sockets: ClassVar[set[VisitorConsumer]] = set()
    addresses: ClassVar[Counter[str]] = Counter()
    channels: ClassVar[Counter[int]] = Counter()
    pump: ClassVar[pump.Pump] = pump.Pump()
    watch: ClassVar[Watch] = Watch()

    async def connect(self) -> None:
        """Let in pages of the channel's list; who sits there says the first frame."""
        self.visitor = self.talk = self.ticket = self.key = self.base = self.reached = self.confirmed = 0
        self.language = "en"
        self.groups_heard: set[str] = set()
        self.deaf = self.answered = False
        self.told: dict[str, Any] = {}
        self.unread = 0
        self.typed_at = float("-inf")
        self.opened_at = time.monotonic()
        client = self.scope.get("client")
        self.network = sites.network_of(client[0] if client else "")
        cls = type(self)
        full = bool(self.network) and cls.addresses[self.network] >= settings.CHAT_SOCKETS_PER_ADDRESS
        key = self.scope["url_route"]["kwargs"]["key"]
        channel = None if full else await database.run(sites.by_key, key)
        if channel is None or cls.channels[channel.pk] >= settings.CHAT_SOCKETS_PER_CHANNEL:
            await self.refuse("too many connections" if full or channel else "no such chat")
            return
        if not sites.may_speak(channel, self._origin()):
            await self.refuse("")
            return
        self.channel: Channel = channel
        live.bind_loop(asyncio.get_running_loop())
        await self.accept()
        cls.open_sockets.add(self)
        cls.addresses[self.network] += 1
        cls.channels[channel.pk] += 1
        cls.watch.begin(cls.open_sockets, cls.pump)

    async def disconnect(self, code: int) -> None:
        """Leave every group; colleagues see that the visitor went."""
        cls = type(self)
        if self not in cls.open_sockets:
            return
        cls.open_sockets.discard(self)
        cls.addresses[self.network] -= 1
        cls.channels[self.channel.pk] -= 1
        cls.addresses += Counter()  # drops what stands at nought
        if self.ticket and not any(s.visitor == self.visitor for s in cls.open_sockets):
            self._sign("gone")
        await self.hear(set())

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Also a sign that what was given before has arrived."""
        self.unread = 0
        try:
            await super().receive(text_data, bytes_data)
        except Refused:
            await self.close(POLICY)
            return
        await self._confirm()

    def may(self, action: Callable[[VisitorConsumer, dict[str, Any]], Awaitable[None]]) -> bool:
        """Nothing before it is known who sits there."""
        return bool(self.visitor) or action is VisitorConsumer.hello

    # What a page asks for

    async def hello(self, asked: dict[str, Any]) -> None:
        """Say by the token who is there and how far he is; he gets everything since."""
        token, after = asked.get("token"), views.number(asked.get("after", 0))
        if self.visitor or not isinstance(token, str):
            raise views.invalid()
        found = await database.run(_arrive, self.channel, token)
        if found is None:
            await self.close(TOKEN)
            return
        self.key, self.visitor, self.language, talk = found
        self.reached = after
        await self.hear({f"visitor.{self.visitor}"})
        await self._follow(talk)
        state = await database.run(_catch_up, self.channel, talk, after, self.language)
        self.reached = max(self.reached, state["seq"])
        self._note(state)
        self.answered = any(event["kind"] != "said" for event in state["events"])
        await self._say({"about": "ready", **state})
        if self.ticket:
            self._sign("here")
            if after > self.base:
                await database.run(fetching.confirm, {self.talk: after - self.base})

    async def say(self, asked: dict[str, Any]) -> None:
        """One message of the visitor; acknowledged when it is stored."""
        name, text = views.client_id(asked), asked.get("text")
        if not isinstance(text, str):
            raise views.invalid()
        text = text.replace("\x00", "").encode("utf-8", "replace").decode()
        with translation.override(self.language):
            if not text.strip() or len(text) > TEXT_LIMIT:
                await self._say({"about": "refused", "id": name, **views.not_that_text(text)})
                return
            told = asyncio.get_running_loop().create_future()
            utterance = Utterance(self.channel, self.visitor, name, text, network=self.network, done=told)
            if utterances.join(utterance):
                await database.run(utterances.serve)
        try:
            said = await asyncio.wait_for(told, 30)
        except Refused as why:
            with translation.override(self.language):
                words = str(why.words)
            await self._say({"about": "refused", "id": name, "code": why.code, "text": words})
            return
        except (NotYet, DatabaseError, OSError, TimeoutError):
            return  # no acknowledgement: the browser says it again, under the same id
        await self._say({"about": "said", "id": name, "seq": said.seq})
        if said.message is not None and said.talk == self.talk and said.seq == self.reached + 1:
            # Nothing came in between, so he need not be told by way of the database.
            self.reached = said.seq
            event = events.said(said.message, self.base)
            await self._say({"about": "events", "seq": said.seq, "events": [event]})

    async def typing(self, asked: dict[str, Any]) -> None:
        """Colleagues who look at the talk see it for a moment; nothing is stored."""
        now = time.monotonic()
        if self.ticket and now - self.typed_at >= TYPING_SECONDS:
            self.typed_at = now
            self._sign("typing", on=asked.get("draft") is not False)

    async def seen(self, asked: dict[str, Any]) -> None:
        """The visitor has read up to a number."""
        upto = views.number(asked.get("seq"))
        if self.talk and upto > self.base:
            self.confirmed = max(self.confirmed, upto)
            await database.run(_seen, self.talk, upto)

    async def page(self, asked: dict[str, Any]) -> None:
        """The visitor has moved on."""
        if self.ticket:
            await database.run(_moved, self.visitor, views.page_of(asked))
            self._sign("page")

    async def ping(self, asked: dict[str, Any]) -> None:
        """Somebody is there."""
        await self._say({"about": "pong"})

    # What the layer tells

    async def ticket_changed(self, event: dict[str, Any]) -> None:
        """From `inbox.live`: fetch what is new, if it is."""
        if event["ticket"] == self.ticket and self.base + event["seq"] > self.reached:
            type(self).pump.ask(self)

    async def chat_typing(self, event: dict[str, Any]) -> None:
        """A colleague is typing."""
        await self._say({"about": "typing", "on": event["on"] is True})

    async def chat_seen(self, event: dict[str, Any]) -> None:
        """A colleague has read up to a number."""
        if event["ticket"] == self.ticket:
            await self._say({"about": "seen", "seq": self.base + event["seq"]})

    async def visitor_began(self, event: dict[str, Any]) -> None:
        """A talk of this visitor began, through whatever door: hear it from now on."""
        talk = await database.run(events.current, self.visitor)
        await self._follow(talk)
        if talk is not None:
            type(self).pump.ask(self)

    async def visitor_left(self, event: dict[str, Any]) -> None:
        """A token of this visitor ended; when it is the one of this socket, so does the socket."""
        if self.key not in await database.run(pump.still_good, [self.key]):
            await self.close(TOKEN)

    # What the pump and the watch do

    def belongs_to(self, channel: Channel) -> bool:
        """Whether a page like this one would be let in to the chat as it is set up now."""
        same: bool = channel.settings.get("key") == self.scope["url_route"]["kwargs"]["key"]
        return same and sites.may_speak(channel, self._origin())

    async def give(self, what: dict[str, Any]) -> None:
        """Tell events above what was told before, and the state when it changed."""
        fresh = [event for event in what["events"] if event["seq"] > self.reached]
        self.reached = max(self.reached, what["seq"])
        if fresh:
            # His own words are delivered to nobody: only what others wrote is worth a statement.
            self.answered = self.answered or any(event["kind"] != "said" for event in fresh)
            await self._say({"about": "events", "seq": what["seq"], "events": fresh})
        state = {**what, "duty": self.told.get("duty", "")}
        if self._note({**state, "duty": events.duty_for(state)}):
            await self._say({"about": "state", **self.told})

    async def tell_duty(self, duty: str) -> None:
        """Tell whether somebody is on duty, when it changed."""
        duty = events.duty_for({**self.told, "duty": duty})
        if self.visitor and self.told.get("duty") != duty:
            self.told["duty"] = duty
            await self._say({"about": "state", **self.told})

    async def hear(self, groups: set[str]) -> None:
        """Be in exactly these groups. Without the layer the socket is deaf, and the watch looks for it meanwhile."""
        try:
            async with asyncio.timeout(live.PATIENCE):
                for group in self.groups_heard - groups:
                    await self.channel_layer.group_discard(group, self.channel_name)
                for group in groups if self.deaf else groups - self.groups_heard:
                    await self.channel_layer.group_add(group, self.channel_name)
            self.deaf = False
        except Exception:  # of whatever class the layer's faults are
            self.deaf = True
        self.groups_heard = set(groups)

    # Below

    def _origin(self) -> str | None:
        found = [value for name, value in self.scope["headers"] if name == b"origin"]
        return found[0].decode("latin-1") if len(found) == 1 else None

    async def _follow(self, talk: Conversation | None) -> None:
        if talk is None or talk.pk == self.talk:
            return
        self.talk, self.ticket, self.base = talk.pk, talk.ticket_id, talk.base
        await self.hear({f"visitor.{self.visitor}", live.public_group(talk.ticket_id)})

    def _note(self, state: dict[str, Any]) -> bool:
        """Remember what the visitor was told of the talk's state; whether it is new to him."""
        told: dict[str, Any] = {name: state[name] for name in ("duty", "agent", "status", "wait") if name in state}
        if told == self.told:
            return False
        self.told = told
        return True

    async def _confirm(self) -> None:
        """A frame of the browser proves that what it was given before has arrived."""
        if self.talk and self.answered and self.reached > max(self.confirmed, self.base):
            self.confirmed, self.answered = self.reached, False
            await database.run(fetching.confirm, {self.talk: self.reached - self.base})

    def _sign(self, sign: str, **more: Any) -> None:
        live.push([(f"ticket.{self.ticket}", {"type": "visitor.sign", "ticket": self.ticket, "sign": sign, **more})])

    async def _say(self, what: dict[str, Any]) -> None:
        text = json.dumps(what, ensure_ascii=False)
        self.unread += len(text)
        if self.unread > UNREAD_MOST:
            await self.close(POLICY)
            return
        await self.send(text_data=text)


def _arrive(channel: Channel, token: str) -> tuple[int, int, str, Conversation | None] | None:
    try:
        visitor = visitors.by_token(channel, token)
    except visitors.TokenRefused:
        return None
    key = VisitorKey.objects.values_list("pk", flat=True).get(digest=visitors.digest_of(token))
    visitors.sign_of_life(visitor)
    return key, visitor.pk, visitor.locale, events.current(visitor.pk)


def _catch_up(channel: Channel, talk: Conversation | None, after: int, language: str) -> dict[str, Any]:
    with translation.override(language):
        if talk is not None:
            talk.ticket.refresh_from_db(fields=["sequence", "status", "assignee"])
        return events.read(talk, after, pump.duty_of(channel))


def _seen(talk: int, upto: int) -> None:
    found = Conversation.objects.select_related("ticket").filter(pk=talk).first()
    if found is not None:
        fetching.seen(found, upto - found.base)


def _moved(visitor: int, page: visitors.Page) -> None:
    found = visitors.Visitor.objects.filter(pk=visitor).first()
    if found is not None:
        visitors.moved(found, page)


VisitorConsumer.actions = {
    "hello": VisitorConsumer.hello,
    "say": VisitorConsumer.say,
    "typing": VisitorConsumer.typing,
    "seen": VisitorConsumer.seen,
    "page": VisitorConsumer.page,
    "ping": VisitorConsumer.ping,
}
