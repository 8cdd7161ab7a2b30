"""The chat when something breaks, with real processes: Redis gone, crowds coming back, hostile frames."""

from __future__ import annotations

import ast
import asyncio
import json
import shutil
import struct
import subprocess
import sys
import time
import uuid
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest
from django.db import connection

from bench.chat import Socket
from bench.memory import resident
from crm.service.models import Ticket
from inbox.models import Message, Presence
from inbox.services import replies
from tests.inbox.chat.conftest import ORIGIN, Browser, make_chat
from tests.load.conftest import sized
from tests.processes import free_port, running

pytestmark = pytest.mark.django_db(transaction=True)
ORIGIN_HEADER = {"Origin": ORIGIN}


@pytest.fixture
def chat(queue: Any) -> Any:
    return make_chat(queue)


def serve(env: dict[str, str], port: int, **more: str) -> Any:
    """Pages and sockets with the limits that the product runs with, and no workers beside them."""
    known = {"BASE_URL": f"http://127.0.0.1:{port}", "DEBUG": "1", "CHAT_UNLIMITED_NETWORKS": "127.0.0.0/8"}
    command = [sys.executable, "manage.py", "serve", "--port", str(port)]
    return running(command, {**env, **known, **more}, port=port)


_opened: list[Socket] = []


def run(story: Coroutine[Any, Any, Any]) -> Any:
    """Run it, and leave no socket open behind it."""

    async def whole() -> Any:
        try:
            return await story
        finally:
            for socket in _opened:
                socket.writer.transport.abort()
            _opened.clear()
            await asyncio.sleep(0)

    return asyncio.run(whole())


async def enter(port: int, key: str, token: str, after: int = 0) -> Socket:
    socket = await Socket.open(port, f"/ws/chat/{key}/", ORIGIN_HEADER)
    _opened.append(socket)
    socket.tell(json.dumps({"do": "hello", "token": token, "after": after}))
    await asyncio.wait_for(socket.hear_about("ready"), 60)
    return socket


def in_thread(work: Any, *arguments: Any, **named: Any) -> Any:
    """A service call beside the running loop, with a connection that is closed afterwards."""

    def run() -> Any:
        try:
            return work(*arguments, **named)
        finally:
            connection.close()

    return asyncio.get_running_loop().run_in_executor(None, run)


@pytest.fixture
def redis(tmp_path: Any) -> Iterator[Any]:
    """`redis()` starts a private server on a port of its own, again on the same after it was killed."""
    if not shutil.which("redis-server"):
        pytest.skip("no Redis server")
    port, children = free_port(), []

    class Server:
        url = f"redis://127.0.0.1:{port}/0"

        def start(self) -> None:
            command = ["redis-server", "--port", str(port), "--save", "", "--appendonly", "no", "--dir", str(tmp_path)]
            children.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
            end = time.monotonic() + 10
            while time.monotonic() < end:
                if self.tell("PING") == "PONG":
                    return
                time.sleep(0.05)
            raise AssertionError("Redis did not start")

        def kill(self) -> None:
            children[-1].kill()
            children[-1].wait()

        def tell(self, *words: str) -> str:
            found = subprocess.run(["redis-cli", "-p", str(port), *words], capture_output=True, text=True, check=False)
            return found.stdout.strip()

    yield Server()
    for child in children:
        child.kill()
        child.wait()


@pytest.mark.redis
def test_without_redis_visitors_are_answered_all_the_same(
    chat: Any, agent: Any, process_environment: dict[str, str], redis: Any
) -> None:
    """R-26: killed, flushed, full, back again. No answer takes longer than ten seconds, and nothing is lost."""
    redis.start()
    Presence.objects.create(user=agent)
    browser, port = Browser(chat), free_port()
    browser.say("Hello")
    ticket, key = Ticket.objects.get(), chat.settings["key"]

    async def story() -> list[float]:
        socket = await enter(port, key, browser.token)
        took = []

        async def answered(text: str) -> None:
            began = time.monotonic()
            await in_thread(replies.reply, ticket, author=agent, text=text)
            while True:
                frame = await asyncio.wait_for(socket.hear_about("events"), 10)
                if any(event["text"] == text for event in frame["events"]):
                    took.append(time.monotonic() - began)
                    return

        await answered("with Redis")
        redis.tell("FLUSHALL")
        await answered("flushed")
        redis.tell("CONFIG", "SET", "maxmemory", "1")
        await answered("full")
        redis.tell("CONFIG", "SET", "maxmemory", "0")
        redis.kill()
        await answered("killed")
        seq = await in_thread(browser.say, "Are you there?")
        assert seq > 0
        polled = await in_thread(browser.events, 0)
        assert polled["events"][-1]["text"] == "Are you there?"
        redis.start()
        # A page that comes while the layer is coming back is let in, or told to try again; then all is as before.
        end = time.monotonic() + 20
        while True:
            try:
                second = await enter(port, key, browser.token, polled["seq"])
                break
            except (ConnectionError, TimeoutError, asyncio.IncompleteReadError):
                assert time.monotonic() < end
                await asyncio.sleep(0.5)
        await answered("back")
        frame = await asyncio.wait_for(second.hear_about("events"), 10)
        assert frame["events"][-1]["text"] == "back"
        return took

    with serve({**process_environment, "REDIS_URL": redis.url}, port):
        took = run(story())
    assert max(took) < 10
    texts = list(Message.objects.order_by("seq").values_list("text", flat=True))
    assert texts == ["Hello", "with Redis", "flushed", "full", "killed", "Are you there?", "back"]


def test_a_crowd_comes_back_at_once(chat: Any, agent: Any, process_environment: dict[str, str]) -> None:
    """R-27: all sockets after a restart, each with its token and its number; who talks meanwhile is served."""
    crowd = sized(full=1_999, ci=80)
    browsers = [Browser(chat) for _ in range(10)]
    browsers[0].say("Hello")
    ticket, key, port = Ticket.objects.get(), chat.settings["key"], free_port()

    async def story(pid: int) -> tuple[float, list[float], float]:
        first = await enter(port, key, browsers[0].token)
        began, waits = time.monotonic(), []

        async def talk() -> None:
            while True:
                at, name = time.monotonic(), str(uuid.uuid4())
                first.tell(json.dumps({"do": "say", "id": name, "text": "still here"}))
                await first.hear_about("said")
                waits.append(time.monotonic() - at)
                await asyncio.sleep(1.6)

        talker = asyncio.create_task(talk())
        gate = asyncio.Semaphore(200)  # as many as reconnect within a moment of each other's jitter

        async def come(number: int) -> Socket:
            async with gate:
                return await enter(port, key, browsers[number % 10].token)

        sockets = await asyncio.gather(*(come(n) for n in range(crowd)))
        took = time.monotonic() - began
        talker.cancel()
        await in_thread(replies.reply, ticket, author=agent, text="Good morning to all")
        for socket in [s for n, s in enumerate(sockets) if n % 10 == 0]:
            said = ""
            while said != "Good morning to all":  # they hear what was said before it too
                said = (await asyncio.wait_for(socket.hear_about("events"), 60))["events"][-1]["text"]
        return took, waits, resident(pid)

    with serve(process_environment, port, CHAT_MESSAGES_PER_MINUTE="600") as server:
        took, waits, memory = run(story(server.pid))
    assert took < 120
    assert memory < 400
    assert sorted(waits)[int(len(waits) * 0.95) - 1] < 10


def test_hostile_frames_end_their_own_socket_and_nothing_else(chat: Any, process_environment: dict[str, str]) -> None:
    """S-76: a frame of 2 MB, a message that never ends, 100,000 tiny frames, a flood of pings; memory stays bounded."""
    browser, key, port = Browser(chat), chat.settings["key"], free_port()
    zeros = b"\x00" * 4

    async def closes(socket: Socket) -> bool:
        try:
            while True:
                await asyncio.wait_for(socket.hear(), 20)
        except (ConnectionError, asyncio.IncompleteReadError):
            return True

    async def story(pid: int) -> float:
        good = await enter(port, key, browser.token)
        for flood in (
            struct.pack("!BBQ", 0x81, 0xFF, 2_000_000) + zeros + b"x" * 2_000_000,
            struct.pack("!BB", 0x01, 0x81)
            + zeros
            + b"x"
            + (struct.pack("!BBH", 0x00, 0xFE, 60_000) + zeros + b"x" * 60_000) * 50,
            (struct.pack("!BB", 0x81, 0x8D) + zeros + b'{"do":"ping"}') * 100_000,
        ):
            bad = await enter(port, key, browser.token)
            try:
                bad.writer.write(flood)
                await bad.writer.drain()
            except ConnectionError:
                continue
            assert await closes(bad)
        bad = await enter(port, key, browser.token)
        for _ in range(50):
            bad.writer.write((struct.pack("!BB", 0x89, 0x84) + zeros + b"ping") * 1_000)
        good.tell(json.dumps({"do": "ping"}))
        await asyncio.wait_for(good.hear_about("pong"), 20)
        assert await closes(bad)
        name = str(uuid.uuid4())
        good.tell(json.dumps({"do": "say", "id": name, "text": "All is well"}))
        await asyncio.wait_for(good.hear_about("said"), 20)
        return resident(pid, "VmHWM")

    with serve(process_environment, port) as server:
        peak = run(story(server.pid))
    assert peak < 400
    assert Message.objects.get().text == "All is well"


def test_a_killed_server_loses_nothing_that_was_acknowledged(chat: Any, process_environment: dict[str, str]) -> None:
    """R-25: the server dies before it has acknowledged anything; the retries store it, and once."""
    browser, key, port = Browser(chat), chat.settings["key"], free_port()
    name = str(uuid.uuid4())

    async def say_once() -> None:
        socket = await enter(port, key, browser.token)
        socket.tell(json.dumps({"do": "say", "id": name, "text": "Once"}))
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await asyncio.wait_for(socket.hear_about("said"), 20)

    # Inside the transaction nothing of it is there; after the commit only the acknowledgement is missing.
    for point, stored in (("post.finished", 0), ("utterances.stored", 1)):
        with serve({**process_environment, "GUICHET_FAULT": f"{point}=kill"}, port):
            run(say_once())
        assert Message.objects.count() == stored

    with serve(process_environment, port):
        told = [run(_said(port, key, browser.token, name)) for _ in range(3)]
    told += [browser.say("Once", name) for _ in range(2)]
    assert len(set(told)) == 1
    assert Message.objects.get().text == "Once"
    assert [event["text"] for event in browser.events()["events"]] == ["Once"]


async def _said(port: int, key: str, token: str, name: str) -> int:
    socket = await enter(port, key, token)
    socket.tell(json.dumps({"do": "say", "id": name, "text": "Once"}))
    return (await asyncio.wait_for(socket.hear_about("said"), 40))["seq"]


def test_a_delayed_commit_is_never_skipped(chat: Any, agent: Any) -> None:
    """R-23: the number N is taken first and committed last; a browser that asks in between waits for it."""
    import threading

    from django.db import transaction

    browser = Browser(chat)
    browser.say("Hello")
    ticket = Ticket.objects.get()
    begun, may_commit = threading.Event(), threading.Event()

    def slow() -> None:
        try:
            with transaction.atomic():
                replies.reply(ticket, author=agent, text="Slow")
                begun.set()
                may_commit.wait(10)
        finally:
            connection.close()

    def quick() -> None:
        try:
            replies.reply(ticket, author=agent, text="Quick")
        finally:
            connection.close()

    threads = [threading.Thread(target=slow), threading.Thread(target=quick)]
    threads[0].start()
    begun.wait(10)
    threads[1].start()
    seen = browser.ask("GET", "events", {"after": 0}).json() if connection.vendor == "postgresql" else None
    may_commit.set()
    for thread in threads:
        thread.join()
    after = seen["seq"] if seen else 0
    texts = [e["text"] for e in (seen or {"events": []})["events"]]
    texts += [e["text"] for e in browser.events(after)["events"]]
    assert texts == ["Hello", "Agent has joined.", "Slow", "Quick"]


def test_who_breaks_a_rule_is_told_by_the_code_and_takes_no_place(
    chat: Any, process_environment: dict[str, str]
) -> None:
    """S-76: the code reaches the browser, and the socket is given up, so that nobody is locked out by it."""
    browser, key, port = Browser(chat), chat.settings["key"], free_port()

    async def code_of(socket: Socket) -> int:
        with pytest.raises(ConnectionError) as closed:
            while True:
                await asyncio.wait_for(socket.hear(), 20)
        return int.from_bytes(ast.literal_eval(str(closed.value).removeprefix("closed "))[:2])

    async def story() -> None:
        for frame, code in (('{"do": "what"}', 1008), (json.dumps({"do": "x" * 20_000}), 1009)) * 3:
            bad = await enter(port, key, browser.token)
            bad.tell(frame)
            assert await code_of(bad) == code
        await enter(port, key, browser.token)

    with serve(process_environment, port, CHAT_SOCKETS_PER_ADDRESS="2"):
        run(story())
