"""From 200 talking visitors to an agent's screen: every message stored, pushed, and fetched by the desk's page."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import time
import uuid
from typing import Any

from bench import chat
from bench.figure import Figure, percentile
from tests.processes import free_port, running

VISITORS, SECONDS_EACH, SECONDS = 200, 5.0, 60.0

LOGIN = """
import django
django.setup()
from django.conf import settings
from django.test import Client
from crm.organisation.models import User
client = Client()
client.force_login(User.objects.get(email="agent@guichet.test"), backend="crm.organisation.backends.PasswordBackend")
print(f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}")
"""


def main(name: str) -> None:
    """The reference is the time until the visitor's own acknowledgement, which says that the message is stored."""
    web = free_port()
    env = {
        **os.environ,
        "BASE_URL": f"http://127.0.0.1:{web}",
        "CHAT_UNLIMITED_NETWORKS": "127.0.0.0/8",
        "STAFF_SECOND_FACTOR": "optional",
    }
    subprocess.run([sys.executable, "-c", chat.PREPARE], env=env, check=True)
    cookie = subprocess.run([sys.executable, "-c", LOGIN], env=env, check=True, capture_output=True, text=True).stdout
    command = ["taskset", "-c", "0", sys.executable, "manage.py", "serve", "--port", str(web)]
    os.sched_setaffinity(0, set(range(1, os.cpu_count() or 2)) or {0})  # the server has a core to itself
    with running(command, env, port=web, seconds=120):
        asyncio.run(_measure(name, web, cookie.strip()))


class Screen:
    """The agent's tab: hears hints, fetches what the ticket's page would, and notes when each word was there."""

    def __init__(self, web: int, cookie: str) -> None:
        self.web, self.cookie = web, cookie
        self.seen: dict[str, float] = {}
        self.reached: dict[int, int] = {}
        self.heads: dict[int, str] = {}
        self.wanted: asyncio.Queue[int] = asyncio.Queue()

    async def listen(self) -> None:
        """Hear of changed tickets for ever."""
        headers = {"Origin": f"http://127.0.0.1:{self.web}", "Cookie": self.cookie}
        socket = await chat.Socket.open(self.web, "/ws/desk/", headers)
        while True:
            frame = json.loads(await socket.hear())
            if frame.get("about") == "ticket":
                self.wanted.put_nowait(frame["ticket"])

    async def fetch(self) -> None:
        """Get what is new of one ticket after the other, over a connection that is kept."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.web)
        while True:
            ticket = await self.wanted.get()
            after = self.reached.get(ticket, 0)
            path = f"/desk/inbox/{ticket + 100_000}/after/{after}/?head={self.heads.get(ticket, '')}"
            head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.web}\r\nCookie: {self.cookie}\r\n\r\n"
            writer.write(head.encode())
            status = await reader.readuntil(b"\r\n\r\n")
            body = await _body(reader, status)
            now = time.perf_counter()
            if b" 200 " not in status[:15]:
                sys.exit(f"{path} answered {status[:200]!r}")
            for word in body.split(b"word-")[1:]:
                self.seen.setdefault(word[:32].decode(), now)
            self.heads[ticket] = body.split(b'data-head="')[1].split(b'"')[0].decode()
            for mark in body.split(b'data-entry="')[1:]:
                self.reached[ticket] = max(self.reached.get(ticket, 0), int(mark.split(b'"')[0]))


async def _body(reader: asyncio.StreamReader, head: bytes) -> bytes:
    lower = head.lower()
    if b"transfer-encoding: chunked" in lower:
        body = b""
        while size := int((await reader.readline()).strip(), 16):
            body += await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readexactly(2)
        return body
    length = lower.split(b"content-length:")[1].split(b"\r\n")[0]
    return await reader.readexactly(int(length))


async def _talk(socket: chat.Socket, told: dict[str, float], stored: list[float], until: float) -> None:
    heard: dict[str, asyncio.Future[None]] = {}

    async def listen() -> None:
        while True:
            frame: dict[str, Any] = json.loads(await socket.hear())
            if frame.get("about") == "said" and frame["id"] in heard:
                heard.pop(frame["id"]).set_result(None)
            elif frame.get("about") == "refused":
                sys.exit(f"refused: {frame}")

    listener = asyncio.create_task(listen())
    await asyncio.sleep(random.random() * SECONDS_EACH)
    while (began := time.perf_counter()) < until:
        word, name = uuid.uuid4().hex, str(uuid.uuid4())
        heard[name] = asyncio.get_running_loop().create_future()
        told[word] = began
        socket.tell(json.dumps({"do": "say", "id": name, "text": f"word-{word} my parcel has not come yet"}))
        await heard_or_exit(heard[name])
        stored.append(time.perf_counter() - began)
        await asyncio.sleep(max(0.0, SECONDS_EACH - (time.perf_counter() - began)))
    listener.cancel()


async def heard_or_exit(answer: asyncio.Future[None]) -> None:
    """Wait for an acknowledgement as long as a person would."""
    try:
        await asyncio.wait_for(answer, 30)
    except TimeoutError:
        sys.exit("a message was not acknowledged within 30 s")


async def _measure(name: str, web: int, cookie: str) -> None:
    loop = asyncio.get_running_loop()
    screen = Screen(web, cookie)
    tasks = [asyncio.create_task(screen.listen()), *(asyncio.create_task(screen.fetch()) for _ in range(4))]
    sockets = []
    for _ in range(VISITORS):
        token = await loop.run_in_executor(None, chat.enter, web)
        sockets.append(await chat.visitor(web, token))
    warm: dict[str, float] = {}
    await asyncio.gather(*(_talk(s, warm, [], time.perf_counter() + 2 * SECONDS_EACH) for s in sockets))
    told: dict[str, float] = {}
    stored: list[float] = []
    await asyncio.gather(*(_talk(s, told, stored, time.perf_counter() + SECONDS) for s in sockets))
    await asyncio.sleep(3)
    missing = set(told) - set(screen.seen)
    if missing:
        sys.exit(f"{len(missing)} of {len(told)} messages never reached the screen")
    for task in tasks:
        if task.done():
            task.result()
        task.cancel()
    took = [(screen.seen[word] - at) * 1000 for word, at in told.items()]
    acknowledged = [each * 1000 for each in stored]
    Figure(f"{name}: p95", percentile(took, 95), "ms", percentile(acknowledged, 95), "<= 150").tell()
    Figure(f"{name}: median", percentile(took, 50), "ms", percentile(acknowledged, 50), "").tell()
    Figure(f"{name}: messages", len(told) / SECONDS, "messages/s", VISITORS / SECONDS_EACH, "").tell()


if __name__ == "__main__":
    main(sys.argv[1])
