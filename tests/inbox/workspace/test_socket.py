"""The socket of the workspace: who gets in, what is heard, and who is put out."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import channel_layers, get_channel_layer
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connections
from django.test import Client
from django.utils import timezone

from core import audit
from core.models import AuditEntry
from crm.service import services
from inbox import live
from inbox.models import Presence
from inbox.services import presence
from inbox.workspace import consumers
from inbox.workspace.consumers import DeskConsumer
from portal.asgi import application
from tests import factories
from tests.inbox.wires.loops import until

pytestmark = pytest.mark.django_db(transaction=True)
ORIGIN = "http://127.0.0.1"


@pytest.fixture(autouse=True)
def own_layer(monkeypatch):
    """A channel layer of this test's event loop, and quick looks at who may listen."""
    audit._strangers.clear()
    channel_layers.backends.clear()
    monkeypatch.setattr(consumers, "RECHECK", 0.2)
    yield
    DeskConsumer.open_sockets.clear()
    channel_layers.backends.clear()


@pytest.fixture(autouse=True)
async def no_connection_left_open():
    """What the threads behind `sync_to_async` opened would keep PostgreSQL from dropping the test's database."""
    yield
    await sync_to_async(connections.close_all)()


def session_of(user) -> str:
    client = Client()
    client.force_login(user, backend="crm.organisation.backends.PasswordBackend")
    return client.cookies[settings.SESSION_COOKIE_NAME].value


class Tab(WebsocketCommunicator):
    """One browser tab."""

    @classmethod
    async def of(cls, user, origin: str | None = ORIGIN, path: str = "/ws/desk/") -> Tab:
        headers = [(b"host", b"127.0.0.1")]
        if origin is not None:
            headers.append((b"origin", origin.encode()))
        if user is not None:
            session = await sync_to_async(session_of)(user)
            headers.append((b"cookie", f"{settings.SESSION_COOKIE_NAME}={session}".encode()))
        return cls(application, path, headers=headers)

    async def enter(self) -> Tab:
        connected, _code = await self.connect(timeout=20)
        assert connected
        assert await self.hear() == {"about": "ready"}
        return self

    async def tell(self, **what: Any) -> None:
        await self.send_to(text_data=json.dumps(what))

    async def hear(self, seconds: float = 20) -> dict[str, Any]:
        return json.loads(await self.receive_from(timeout=seconds))

    async def hear_after(self, state: str) -> dict[str, Any]:
        """What is heard after `state`, which may be said more than once: a greeting can meet a tab twice."""
        while (told := await self.hear())["state"] == state:
            pass
        return told

    async def closed(self, seconds: float = 20) -> int:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            output = await self.receive_output(timeout=max(0.1, end - time.monotonic()))
            if output["type"] == "websocket.close":
                return output["code"]
        raise AssertionError("still open")


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.test",
        "null",
        None,
        "http://127.0.0.1.evil.test",
        "https://evil.test/127.0.0.1",
        "http://evil@x",
        "http://127.0.0.1:8001",
        "http://127.0.0.1@evil.test",
        "ftp://127.0.0.1",
        "127.0.0.1",
        "http://localhost",
        "",
    ],
)
async def test_a_foreign_origin_is_refused(origin, agent):
    tab = await Tab.of(agent, origin)
    assert (await tab.connect(timeout=5))[0] is False
    assert await refusals() == [("", "/ws/desk/", f"origin {'-' if origin is None else origin}")]


async def refusals() -> list[tuple[str, str, str]]:
    """What the audit log says (S-88)."""
    found = AuditEntry.objects.filter(deed="denied").order_by("id").values_list("actor_name", "about", "detail")
    return [entry async for entry in found]


@pytest.mark.parametrize("path", ["/ws/", "/ws/other/", "/desk/inbox/", "/"])
async def test_a_socket_that_is_not_there_is_refused(path, agent):
    assert (await (await Tab.of(agent, path=path)).connect(timeout=5))[0] is False
    assert (await (await Tab.of(None, path=path)).connect(timeout=5))[0] is False
    assert await refusals() == [("", path, "no such socket")] * 2


async def test_a_flood_of_refusals_fills_no_log(agent, monkeypatch):
    monkeypatch.setattr(audit, "_strangers", deque(maxlen=audit.DENIALS_AN_HOUR))
    monkeypatch.setattr(audit, "DENIALS_AN_HOUR", 3)
    for _ in range(6):
        assert (await (await Tab.of(None)).connect())[0] is False
    assert await refusals() == [("", "/ws/desk/", "no right")] * 3
    for _ in range(6):
        assert (await (await Tab.of(agent, "https://evil.test")).connect())[0] is False
    assert len(await refusals()) == 3


async def test_who_has_too_many_sockets_is_told_apart(agent, monkeypatch):
    monkeypatch.setattr(consumers, "SOCKETS_A_USER", 1)
    tab = await (await Tab.of(agent)).enter()
    assert (await (await Tab.of(agent)).connect())[0] is False
    assert await refusals() == [("Agent", "/ws/desk/", "too many connections")]
    await tab.disconnect()


async def test_only_colleagues_who_work_tickets_come_in(agent, supervisor, marketer, customer_user):
    for user, allowed in ((agent, True), (supervisor, True), (marketer, False), (customer_user, False), (None, False)):
        tab = await Tab.of(user)
        assert (await tab.connect())[0] is allowed, user
        if allowed:
            await tab.disconnect()
    assert [(about, why) for _name, about, why in await refusals()] == [("/ws/desk/", "no right")] * 3


async def test_a_change_is_heard_by_queue_assignee_and_watchers(agent, queue, supervisor, ticket):
    assignee = await sync_to_async(factories.StaffFactory)(role="agent")
    outsider = await sync_to_async(factories.StaffFactory)(role="agent")
    await sync_to_async(services.assign)(ticket, assignee, by=None)
    tabs = [await (await Tab.of(user)).enter() for user in (agent, supervisor, assignee)]
    deaf = await (await Tab.of(outsider)).enter()
    changed = await sync_to_async(services.set_priority)(ticket, 4, by=agent)
    for tab in tabs:
        assert await tab.hear() == {"about": "ticket", "ticket": ticket.pk, "seq": changed.sequence}
    assert await deaf.receive_nothing(timeout=0.3)
    for tab in (*tabs, deaf):
        await tab.disconnect()


async def test_nobody_watches_a_ticket_that_he_does_not_see(agent, ticket, other_queue):
    foreign = await sync_to_async(factories.TicketFactory)(queue=other_queue)
    tab = await (await Tab.of(agent)).enter()
    for wanted in (foreign.pk, foreign.pk + 100):
        await tab.tell(do="watch", tickets=[wanted])
        assert await tab.hear() == {"about": "refused", "ticket": wanted}
    told = [("Agent", f"ticket {wanted}", "/ws/desk/") for wanted in (foreign.pk, foreign.pk + 100)]
    assert await refusals() == told
    await sync_to_async(services.set_priority)(foreign, 4, by=None)
    assert await tab.receive_nothing(timeout=0.3)
    await tab.disconnect()


@pytest.mark.parametrize(
    "frame",
    [
        '{"type": "ticket.changed", "ticket": 1, "seq": 1}',
        '{"type": "websocket.close"}',
        '{"do": "ticket_changed"}',
        '{"do": "__class__"}',
        '{"do": ["watch"]}',
        '{"do": "watch"}',
        '{"do": "watch", "tickets": 1}',
        '{"do": "watch", "tickets": [1, 2, 3, 4, 5, 6]}',
        '{"do": "watch", "tickets": ["queue.1"]}',
        '{"do": "watch", "tickets": ["../1"]}',
        '{"do": "watch", "tickets": [true]}',
        '{"do": "watch", "tickets": [1e400]}',
        '{"do": "watch", "tickets": [-1]}',
        '{"do": "watch", "tickets": [99999999999999999999999]}',
        "[]",
        "not json",
        "[" * 500,
        "1" * 900,
    ],
)
async def test_anything_else_ends_the_connection(frame, agent, ticket):
    tab = await (await Tab.of(agent)).enter()
    await tab.send_to(text_data=frame)
    assert await tab.closed() == 1008


async def test_frames_are_short_text_and_not_too_many(agent, ticket):
    for frame in ({"text_data": json.dumps({"do": "show", "x": "y" * 5000})}, {"bytes_data": b"x"}):
        tab = await (await Tab.of(agent)).enter()
        await tab.send_to(**frame)
        assert await tab.closed() == 1009
    tab = await (await Tab.of(agent)).enter()
    for _ in range(100):
        await tab.tell(do="show")
    assert await tab.closed() == 1008


async def test_a_user_has_a_bounded_number_of_sockets(agent, monkeypatch):
    monkeypatch.setattr(consumers, "SOCKETS_A_USER", 2)
    tabs = [await (await Tab.of(agent)).enter() for _ in range(2)]
    assert (await (await Tab.of(agent)).connect())[0] is False
    await tabs[0].disconnect()
    again = await (await Tab.of(agent)).enter()
    await again.disconnect()
    await tabs[1].disconnect()


async def _lose(how: str, user) -> None:
    def lose() -> None:
        if how == "deactivated":
            type(user).objects.filter(pk=user.pk).update(is_active=False)
        elif how == "role":
            user.groups.clear()
        elif how == "password":
            user.set_password("another one entirely")
            user.save()
        elif how == "logout":
            Session.objects.all().delete()

    await sync_to_async(lose)()


@pytest.mark.parametrize("how", ["deactivated", "role", "password", "logout"])
async def test_who_loses_the_right_is_put_out(how, agent, queue):
    """S-35: within five seconds; here the look is taken every 0.2 seconds, in production every RECHECK."""
    tab = await (await Tab.of(agent)).enter()
    await _lose(how, agent)
    assert await tab.closed(3) == 4403
    assert (await (await Tab.of(agent if how != "logout" else None)).connect())[0] is (how == "password")


async def watched(ticket: Any) -> None:
    """Come back once a tab hears of this ticket."""
    async with asyncio.timeout(20):
        while not any(f"ticket.{ticket.pk}" in socket.joined for socket in DeskConsumer.open_sockets):
            await asyncio.sleep(0.02)


async def test_who_leaves_a_queue_hears_it_no_more(agent, queue, ticket):
    tab = await (await Tab.of(agent)).enter()
    await tab.tell(do="watch", tickets=[ticket.pk])
    await watched(ticket)
    await sync_to_async(agent.queue_memberships.all().delete)()
    assert await tab.hear(3) == {"about": "refused", "ticket": ticket.pk}
    await sync_to_async(services.set_priority)(ticket, 4, by=None)
    assert await tab.receive_nothing(timeout=0.3)
    await tab.disconnect()


async def test_others_at_the_ticket_are_shown_and_leave(agent, supervisor, queue, ticket):
    one, two = await (await Tab.of(agent)).enter(), await (await Tab.of(supervisor)).enter()
    await one.tell(do="watch", tickets=[ticket.pk])
    await watched(ticket)
    await two.tell(do="watch", tickets=[ticket.pk])

    def said(user, state):
        return {"about": "person", "ticket": ticket.pk, "user": user.pk, "name": str(user), "state": state}

    assert await one.hear() == said(supervisor, "looking")
    assert await two.hear() == said(agent, "looking")
    await two.tell(do="show", typing=ticket.pk)
    assert await one.hear_after("looking") == said(supervisor, "typing")
    await two.tell(do="watch", tickets=[])
    assert await one.hear_after("typing") == said(supervisor, "gone")
    await two.tell(do="watch", tickets=[ticket.pk])
    assert await one.hear() == said(supervisor, "looking")
    await two.disconnect()
    assert await one.hear_after("looking") == said(supervisor, "gone")
    await one.disconnect()


async def test_several_tickets_are_watched_at_once(agent, supervisor, queue, ticket, other_queue):
    second = await sync_to_async(factories.TicketFactory)(queue=queue)
    foreign = await sync_to_async(factories.TicketFactory)(queue=other_queue)
    one, two = await (await Tab.of(agent)).enter(), await (await Tab.of(supervisor)).enter()
    await one.tell(do="watch", tickets=[ticket.pk, second.pk, foreign.pk])
    assert await one.hear() == {"about": "refused", "ticket": foreign.pk}
    await two.tell(do="watch", tickets=[second.pk])
    assert (await one.hear())["ticket"] == second.pk
    assert (await two.hear())["name"] == str(agent)
    await one.tell(do="show", typing=second.pk)
    assert await two.hear_after("looking") == {
        "about": "person",
        "ticket": second.pk,
        "user": agent.pk,
        "name": str(agent),
        "state": "typing",
    }
    await one.tell(do="watch", tickets=[ticket.pk])
    assert (await two.hear_after("typing"))["state"] == "gone"
    await one.disconnect()
    await two.disconnect()


async def test_a_hint_of_another_room_is_passed_on_with_its_own_fields_only(agent, queue):
    tab = await (await Tab.of(agent)).enter()
    hint = {"type": "call.ringing", "call": 5, "state": "ringing", "number": "+4930", "about": "ready"}
    await asyncio.to_thread(live.push, [(f"user.{agent.pk}", hint)])
    assert await tab.hear() == {"about": "call", "call": 5, "state": "ringing"}
    await tab.disconnect()


async def test_a_visitor_sees_an_answer_coming_and_never_a_note(agent, queue, ticket):
    layer = get_channel_layer()
    name = await layer.new_channel()
    await layer.group_add(live.public_group(ticket.pk), name)
    tab = await (await Tab.of(agent)).enter()
    await tab.tell(do="watch", tickets=[ticket.pk])
    await tab.tell(do="show", typing=ticket.pk)
    await tab.tell(do="show", typing=ticket.pk, aloud="yes")
    await tab.tell(do="show", typing=ticket.pk + 1, aloud=True)
    await tab.tell(do="show", typing=ticket.pk, aloud=True)
    assert await asyncio.wait_for(layer.receive(name), 5) == {"type": "chat.typing", "on": True}
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(layer.receive(name), 0.3)
    await tab.disconnect()


async def test_who_has_a_page_open_is_here(agent, queue, monkeypatch):
    monkeypatch.setattr(consumers, "BEAT", 0.0)
    tab = await (await Tab.of(agent)).enter()
    assert await sync_to_async(presence.is_here)(agent)
    await sync_to_async(Presence.objects.update)(seen_at=timezone.now() - presence.HERE * 2)
    async with asyncio.timeout(5):
        while not await sync_to_async(presence.is_here)(agent):
            await asyncio.sleep(0.05)
    await tab.disconnect()


async def test_a_change_of_a_chat_says_that_somebody_waits(agent, queue, ticket):
    tab = await (await Tab.of(agent)).enter()
    await sync_to_async(type(ticket).objects.filter(pk=ticket.pk).update)(origin="chat")
    changed = await sync_to_async(services.set_priority)(ticket, 4, by=agent)
    assert await tab.hear() == {"about": "ticket", "ticket": ticket.pk, "seq": changed.sequence, "live": True}
    await tab.disconnect()


async def test_a_push_from_a_worker_thread_arrives_at_once(agent, queue, ticket):
    tab = await (await Tab.of(agent)).enter()
    begun = time.monotonic()
    await asyncio.to_thread(live.push, [(f"queue.{queue.pk}", {"type": "ticket.changed", "ticket": 7, "seq": 8})])
    assert await tab.hear() == {"about": "ticket", "ticket": 7, "seq": 8}
    assert time.monotonic() - begun < 0.5
    await tab.disconnect()


async def test_nothing_is_pushed_before_the_commit_or_after_a_rollback(agent, queue, ticket):
    from django.db import transaction

    tab = await (await Tab.of(agent)).enter()

    def undo() -> None:
        with transaction.atomic():
            services.set_priority(ticket, 4, by=None)
            transaction.set_rollback(True)

    await sync_to_async(undo)()
    assert await tab.receive_nothing(timeout=0.3)
    await tab.disconnect()


class Broken:
    """A channel layer that is away: every call fails, or takes too long."""

    def __init__(self, slow: bool = False) -> None:
        self.slow = slow
        self.calls = 0

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        self.calls += 1
        if self.slow:
            await asyncio.sleep(60)
        raise ConnectionError("redis is away")

    group_add = group_discard = group_send


@pytest.mark.parametrize("slow", [False, True])
def test_without_the_channel_layer_work_goes_on(slow, agent, ticket, monkeypatch):
    """R-26: a change is saved and answered at once, whatever the layer does."""
    broken = Broken(slow)
    monkeypatch.setattr(live, "get_channel_layer", lambda: broken)
    monkeypatch.setattr(live, "PATIENCE", 1.0)
    monkeypatch.setattr(live, "_server", None)
    begun = time.monotonic()
    services.set_priority(ticket, 4, by=agent)
    assert time.monotonic() - begun < 0.9
    ticket.refresh_from_db()
    assert ticket.priority == 4
    until(lambda: broken.calls and not live._under_way)
    assert broken.calls == 1
    assert live._under_way == 0


def test_pushes_that_pile_up_are_dropped(ticket, monkeypatch):
    broken = Broken(slow=True)
    monkeypatch.setattr(live, "get_channel_layer", lambda: broken)
    monkeypatch.setattr(live, "PATIENCE", 0.3)
    monkeypatch.setattr(live, "BACKLOG", 3)
    monkeypatch.setattr(live, "_server", None)
    for _ in range(10):
        live.push([("ticket.1", {"type": "ticket.changed", "ticket": 1, "seq": 1})])
    until(lambda: broken.calls == 3)
    time.sleep(0.5)
    assert broken.calls == 3


async def test_a_socket_ends_when_the_layer_breaks_so_that_the_page_polls(agent, queue, ticket, monkeypatch):
    tab = await (await Tab.of(agent)).enter()
    layer = get_channel_layer()

    async def away(*arguments: Any) -> None:
        raise ConnectionError

    monkeypatch.setattr(layer, "group_send", away)
    await tab.tell(do="watch", tickets=[ticket.pk])
    assert await tab.closed() == 1001
