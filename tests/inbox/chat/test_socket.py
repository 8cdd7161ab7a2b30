"""The visitor's socket: who gets in, what is told, what ends it."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import channel_layers
from channels.testing import WebsocketCommunicator
from django.db import connections

from core import audit
from core.models import AuditEntry
from crm.service.models import Ticket
from inbox import sockets
from inbox.channels.chat import consumer, database, pump, watch
from inbox.channels.chat.consumer import VisitorConsumer
from inbox.models import Channel, Conversation, Delivery, Message, Presence
from inbox.services import channel_setup, chats, replies, visitors
from portal.asgi import application
from tests.inbox.chat.conftest import ORIGIN, Browser

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def own_loop(monkeypatch: Any) -> Any:
    """A channel layer, a pump and a watch of this test's event loop."""
    channel_layers.backends.clear()
    monkeypatch.setattr(VisitorConsumer, "pump", pump.Pump())
    monkeypatch.setattr(VisitorConsumer, "watch", watch.Watch())
    monkeypatch.setattr(watch, "TURN", 0.1)
    pump._duties.clear()
    yield
    VisitorConsumer.open_sockets.clear()
    VisitorConsumer.addresses.clear()
    VisitorConsumer.channels.clear()
    channel_layers.backends.clear()


@pytest.fixture(autouse=True)
async def no_connection_left_open() -> Any:
    yield
    await sync_to_async(connections.close_all)()
    await database.run(connections.close_all)


class Tab(WebsocketCommunicator):
    """One page with the widget."""

    def __init__(self, channel: Any, origin: str | None = ORIGIN, more: tuple = ()) -> None:
        headers = [(b"host", b"desk.test"), *more]
        if origin is not None:
            headers.append((b"origin", origin.encode()))
        super().__init__(application, f"/ws/chat/{channel.settings['key']}/", headers=headers)
        self.scope["client"] = ("203.0.113.7", 40000)

    async def enter(self, browser: Browser, after: int = 0) -> dict[str, Any]:
        connected, _code = await self.connect(timeout=20)
        assert connected
        await self.tell(do="hello", token=browser.token, after=after)
        return await self.hear("ready")

    async def tell(self, **what: Any) -> None:
        await self.send_to(text_data=json.dumps(what))

    async def hear(self, about: str, seconds: float = 20) -> dict[str, Any]:
        """The next frame of this kind; others in between are passed over."""
        end = time.monotonic() + seconds
        while True:
            frame = json.loads(await self.receive_from(timeout=max(0.05, end - time.monotonic())))
            if frame["about"] == about:
                return frame

    async def closed(self, seconds: float = 20) -> int:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            output = await self.receive_output(timeout=max(0.1, end - time.monotonic()))
            if output["type"] == "websocket.close":
                return output["code"]
        raise AssertionError("still open")


async def visitor_of(chat: Any, **session: Any) -> Browser:
    return await sync_to_async(Browser)(chat, **session)


async def test_who_waits_moves_up_when_others_leave_the_line(chat, here, monkeypatch):
    monkeypatch.setattr(watch, "LOOK_SECONDS", 0.2)
    first, second = await visitor_of(chat), await visitor_of(chat)
    await sync_to_async(first.post)("say", id=str(uuid.uuid4()), text="I was first")
    tab = Tab(chat)
    await tab.enter(second)
    await tab.tell(do="say", id=str(uuid.uuid4()), text="And I came later")
    while (await tab.hear("state")).get("wait") != 2:
        pass
    ticket = await Ticket.objects.aget(subject="I was first")
    await sync_to_async(chats.take_over)(ticket, here)
    assert (await tab.hear("state"))["wait"] == 1
    await tab.disconnect()


async def test_his_own_words_come_back_without_the_database(chat, here, monkeypatch):
    """The second line of a talk is told from what was just stored: one statement less for each of thousands."""
    browser, tab = await visitor_of(chat), Tab(chat)
    await tab.enter(browser)
    await tab.tell(do="say", id=str(uuid.uuid4()), text="Hello")
    await tab.hear("events")
    asked = []
    monkeypatch.setattr(pump, "news", lambda behind: asked.append(behind) or {})
    name = str(uuid.uuid4())
    await tab.tell(do="say", id=name, text="Is *anybody* there? https://shop.test/")
    said, events = await tab.hear("said"), await tab.hear("events")
    assert events["seq"] == said["seq"]
    monkeypatch.undo()
    stored = await sync_to_async(browser.events)(after=said["seq"] - 1)
    assert events["events"] == stored["events"]
    assert events["events"][0]["id"] == name
    assert not asked
    await tab.disconnect()


async def test_a_talk_over_the_socket(chat, here):
    browser, tab = await visitor_of(chat), Tab(chat)
    ready = await tab.enter(browser)
    assert (ready["events"], ready["duty"], ready["status"]) == ([], "open", "ended")
    name = str(uuid.uuid4())
    await tab.tell(do="say", id=name, text="Hello")
    said = await tab.hear("said")
    events = await tab.hear("events")
    assert [(e["seq"], e["id"], e["kind"]) for e in events["events"]] == [(said["seq"], name, "said")]
    ticket = await Ticket.objects.aget()
    await sync_to_async(chats.take_over)(ticket, here)
    while (state := await tab.hear("state"))["agent"] is None:
        assert state["wait"] == 1
    assert state["agent"] == {"name": "Agent", "picture": None, "initials": "A"}
    await sync_to_async(chats.typing)(ticket, here)
    assert (await tab.hear("typing"))["on"] is True
    await sync_to_async(replies.reply)(ticket, author=here, text="Good morning!")
    events = await tab.hear("events")
    assert [e["text"] for e in events["events"]] == ["Good morning!"]
    await sync_to_async(chats.seen)(ticket, here, said["seq"])
    assert (await tab.hear("seen"))["seq"] == said["seq"]
    assert (await Delivery.objects.aget()).state == "queued"
    await tab.tell(do="ping")
    await tab.hear("pong")
    await tab.tell(do="ping")
    await tab.hear("pong")
    assert (await Delivery.objects.aget()).state == "sent"
    await sync_to_async(chats.end)(ticket, here)
    assert (await tab.hear("state"))["status"] == "ended"
    await tab.disconnect()


async def test_a_second_tab_hears_of_a_talk_that_began_elsewhere(chat):
    browser, tab = await visitor_of(chat), Tab(chat)
    await tab.enter(browser)
    seq = await sync_to_async(browser.say)("Said over HTTP")
    events = await tab.hear("events")
    assert [(e["seq"], e["text"]) for e in events["events"]] == [(seq, "Said over HTTP")]
    await tab.disconnect()


async def test_who_comes_back_gets_what_he_missed_and_nothing_twice(chat, here):
    """R-22: cut for a while, then everything since the last number."""
    browser, tab = await visitor_of(chat), Tab(chat)
    await tab.enter(browser)
    await tab.tell(do="say", id=str(uuid.uuid4()), text="Hello")
    last = (await tab.hear("events"))["seq"]
    await tab.disconnect()
    ticket = await Ticket.objects.aget()
    for n in range(3):
        await sync_to_async(replies.reply)(ticket, author=here, text=f"Answer {n}")
    tab = Tab(chat)
    ready = await tab.enter(browser, last)
    assert [e["text"] for e in ready["events"]] == ["Agent has joined.", "Answer 0", "Answer 1", "Answer 2"]
    await sync_to_async(replies.reply)(ticket, author=here, text="Answer 3")
    assert [e["text"] for e in (await tab.hear("events"))["events"]] == ["Answer 3"]
    assert await tab.receive_nothing(timeout=0.3)
    await tab.disconnect()


async def test_a_retry_over_both_doors_is_stored_once(chat):
    """R-25."""
    browser, name = await visitor_of(chat), str(uuid.uuid4())
    numbers = []
    for _ in range(3):
        tab = Tab(chat)
        await tab.enter(browser)
        await tab.tell(do="say", id=name, text="Once")
        numbers.append((await tab.hear("said"))["seq"])
        await tab.disconnect()
        numbers.append(await sync_to_async(browser.say)("Once", name))
    assert len(set(numbers)) == 1
    assert await Message.objects.acount() == 1


async def test_many_who_speak_at_once_are_all_stored(chat, settings):
    settings.CHAT_UNLIMITED_NETWORKS = ["203.0.113.0/24"]
    browsers = [await visitor_of(chat) for _ in range(8)]
    tabs = [Tab(chat) for _ in browsers]
    for tab, browser in zip(tabs, browsers, strict=True):
        await tab.enter(browser)
    await asyncio.gather(*(t.tell(do="say", id=str(uuid.uuid4()), text=f"Line {n}") for n, t in enumerate(tabs)))
    await asyncio.gather(*(t.hear("said") for t in tabs))
    assert await Message.objects.acount() == await Conversation.objects.acount() == 8
    for tab in tabs:
        await tab.disconnect()


@pytest.mark.parametrize(
    "origin",
    ["https://evil.test", "null", None, f"{ORIGIN}.evil.test", f"https://evil.test/{ORIGIN}", "http://www.shop.test"],
)
async def test_a_foreign_origin_is_refused(origin, chat):
    """S-73."""
    audit._strangers.clear()
    assert (await Tab(chat, origin).connect())[0] is False
    assert VisitorConsumer.open_sockets == set()
    entry = await AuditEntry.objects.aget(deed="denied")
    told = (f"/ws/chat/{chat.settings['key']}/", f"origin {origin or '-'}", "203.0.113.7")
    assert (entry.about, entry.detail, entry.address) == told


async def test_no_cookie_opens_anything(chat, agent):
    """S-73: a colleague's session is worth nothing here."""
    tab = Tab(chat, more=((b"cookie", b"session=whatever"),))
    await tab.connect()
    assert "user" not in next(iter(VisitorConsumer.open_sockets)).scope
    await tab.tell(do="hello", token="", after=0)
    assert await tab.closed() == sockets.TOKEN


@pytest.mark.parametrize(
    "frame",
    [
        '{"type": "ticket.changed", "ticket": 1, "seq": 1}',
        '{"type": "websocket.close"}',
        '{"do": "give"}',
        '{"do": "ticket_changed"}',
        '{"do": "__class__"}',
        '{"do": ["say"]}',
        '{"do": "join", "group": "ticket.1"}',
        '{"do": "seen", "seq": "../1"}',
        '{"do": "seen", "seq": true}',
        '{"do": "seen", "seq": 1e400}',
        '{"do": "say", "id": "short", "text": "x"}',
        '{"do": "say", "id": "8f14e45f-ceea-467f-9575-1c2d3e4f5a6b", "text": 7}',
        '{"do": "hello", "token": "again", "after": 0}',
        "[]",
        "not json",
        "[" * 5000,
    ],
)
async def test_anything_else_ends_the_connection(frame, chat):
    """S-74."""
    browser, tab = await visitor_of(chat), Tab(chat)
    await tab.enter(browser)
    await tab.send_to(text_data=frame)
    assert await tab.closed() == sockets.POLICY
    assert await Message.objects.acount() == 0


async def test_before_hello_nothing_is_done(chat):
    tab = Tab(chat)
    await tab.connect()
    await tab.tell(do="say", id=str(uuid.uuid4()), text="x")
    assert await tab.closed() == sockets.POLICY
    assert await Message.objects.acount() == 0


async def test_who_says_nothing_is_put_out(chat, monkeypatch):
    monkeypatch.setattr(watch, "HELLO_SECONDS", 0.3)
    tab = Tab(chat)
    await tab.connect()
    assert await tab.closed(3) == sockets.POLICY


async def test_large_binary_and_hasty_frames_end_the_connection(chat):
    """S-76."""
    browser = await visitor_of(chat)
    for send, code in (
        ({"text_data": json.dumps({"do": "ping", "x": "y" * VisitorConsumer.frame_most})}, sockets.TOO_BIG),
        ({"bytes_data": b"\x00"}, sockets.TOO_BIG),
    ):
        tab = Tab(chat)
        await tab.enter(browser)
        await tab.send_to(**send)
        assert await tab.closed() == code
    tab = Tab(chat)
    await tab.enter(browser)
    for _ in range(4 * sockets.FRAMES):
        await tab.tell(do="ping")
    assert await tab.closed() == sockets.POLICY


async def test_sockets_of_one_address_and_of_a_channel_are_limited(chat, settings):
    """S-76."""
    settings.CHAT_SOCKETS_PER_ADDRESS = 2
    tabs = [Tab(chat) for _ in range(3)]
    assert [(await tab.connect())[0] for tab in tabs] == [True, True, False]
    await tabs[0].disconnect()
    again = Tab(chat)
    assert (await again.connect())[0] is True
    settings.CHAT_SOCKETS_PER_ADDRESS, settings.CHAT_SOCKETS_PER_CHANNEL = 100, 2
    assert (await Tab(chat).connect())[0] is False
    for tab in (tabs[1], again):
        await tab.disconnect()


async def test_a_token_that_ended_ends_its_socket(chat, monkeypatch):
    """S-75."""
    browser, tab = await visitor_of(chat), Tab(chat)
    await tab.enter(browser)
    await sync_to_async(visitors.leave)(chat, browser.token)
    assert await tab.closed() == sockets.TOKEN
    tab = Tab(chat)
    await tab.connect()
    await tab.tell(do="hello", token=browser.token, after=0)
    assert await tab.closed() == sockets.TOKEN


@pytest.mark.parametrize(
    "change", [{"origins": "https://www.elsewhere.test"}, {"key": "another-key-0001"}, None], ids=["site", "key", "off"]
)
async def test_a_page_that_may_not_speak_any_more_is_put_out(change, chat, monkeypatch):
    """S-73 holds for sockets that are open: off the list, under an old key, or of a chat that was switched off."""
    monkeypatch.setattr(watch, "CHECK_SECONDS", 0.2)
    browser, tab = await visitor_of(chat), Tab(chat)
    await tab.enter(browser)
    if change is None:
        await Channel.objects.filter(pk=chat.pk).aupdate(active=False)
    else:
        await sync_to_async(channel_setup.save_channel)(chat, {**chat.settings, **change}, {}, by=None)
    assert await tab.closed() == sockets.FORBIDDEN


async def test_a_lost_hint_costs_a_moment(chat, here, monkeypatch):
    """R-26: with the layer silent the watch finds what is new."""
    monkeypatch.setattr(watch, "LOOK_SECONDS", 0.3)
    browser, tab = await visitor_of(chat), Tab(chat)
    await tab.enter(browser)
    await tab.tell(do="say", id=str(uuid.uuid4()), text="Hello")
    await tab.hear("events")
    monkeypatch.setattr("inbox.live.push", lambda hints: None)
    ticket = await Ticket.objects.aget()
    await sync_to_async(replies.reply)(ticket, author=here, text="Nobody told you")
    found = (await tab.hear("events"))["events"]
    assert [e["text"] for e in found] == ["Agent has joined.", "Nobody told you"]
    await tab.disconnect()


async def test_duty_is_told_when_it_changes(chat, agent, monkeypatch):
    monkeypatch.setattr(watch, "CHECK_SECONDS", 0.3)
    monkeypatch.setattr(pump, "DUTY_SECONDS", 0.1)
    browser, tab = await visitor_of(chat), Tab(chat)
    assert (await tab.enter(browser))["duty"] == "closed"
    await Presence.objects.acreate(user=agent)
    assert (await tab.hear("state"))["duty"] == "open"
    await tab.disconnect()


async def test_who_has_a_colleague_is_not_told_that_all_are_busy(chat, agent, monkeypatch):
    monkeypatch.setattr(watch, "CHECK_SECONDS", 0.3)
    monkeypatch.setattr(pump, "DUTY_SECONDS", 0.1)
    agent.chats_at_once, chat.queue.strategy = 1, "round-robin"
    await agent.asave()
    await chat.queue.asave()
    await Presence.objects.acreate(user=agent)
    (served, tab), (waits, other) = [(await visitor_of(chat), Tab(chat)) for _ in range(2)]
    for browser, each in ((served, tab), (waits, other)):
        await each.enter(browser)
        await each.tell(do="say", id=str(uuid.uuid4()), text="Hello")
        await each.hear("said")
    while (await other.hear("state"))["duty"] != "busy":
        pass
    await asyncio.sleep(1)
    told = []
    while not await tab.receive_nothing(timeout=0.3):
        told.append(json.loads(await tab.receive_from()))
    assert [frame for frame in told if frame.get("duty") == "busy"] == []
    assert any(frame.get("agent") for frame in told)
    await tab.disconnect()
    await other.disconnect()


async def test_a_browser_that_takes_nothing_is_closed(chat, here, monkeypatch):
    """R-27: what is given without a sign of the browser is bounded."""
    monkeypatch.setattr(consumer, "UNREAD_MOST", 5_000)
    browser, tab = await visitor_of(chat), Tab(chat)
    await tab.enter(browser)
    await tab.tell(do="say", id=str(uuid.uuid4()), text="Hello")
    await tab.hear("events")
    ticket = await Ticket.objects.aget()
    for _ in range(3):
        await sync_to_async(replies.reply)(ticket, author=here, text="long " * 400)
        await asyncio.sleep(0.1)
    assert await tab.closed() == sockets.POLICY
