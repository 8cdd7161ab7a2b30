"""Visitors and agents for measurements of the chat: bare sockets over asyncio, without a library in the way."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import secrets
import struct
import urllib.request
from typing import Any

ORIGIN = "http://shop.bench"
KEY = "bench"

PREPARE = f"""
import django
django.setup()
from django.core.management import call_command
from bench import office
from crm.organisation import services
from crm.organisation.models import User
from inbox.models import Channel
from routing.models import BusinessHours, Queue, QueueMember
call_command("migrate", verbosity=0)
call_command("collectstatic", verbosity=0, interactive=False)
office.set_up(rules=14)  # as many as the demo company has
queue = Queue.objects.create(name="Chat", strategy="manual")
agent = User.objects.create_user("agent@guichet.test", "bench", name="Bench Agent")
services.set_roles(agent, ["agent"])
QueueMember.objects.create(queue=queue, user=agent)
Channel.objects.create(name="Chat", kind="chat", queue=queue, settings={{"key": "{KEY}", "origins": "{ORIGIN}"}})
"""


def post(port: int, what: str, body: dict[str, Any], token: str = "") -> dict[str, Any]:
    """One request of a widget."""
    headers = {"Origin": ORIGIN, "Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/chat/v1/{KEY}/{what}", json.dumps(body).encode(), headers
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return json.loads(answer.read() or b"{}")


def enter(port: int) -> str:
    """A new visitor's token."""
    page = {"url": f"{ORIGIN}/", "title": "Shop", "referrer": ""}
    return post(port, "session", {"page": page, "locale": "en"})["token"]


class Socket:
    """A WebSocket client of RFC 6455: text frames only."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def open(cls, port: int, path: str, headers: dict[str, str]) -> Socket:
        """Connected. Raises ConnectionError when the handshake is refused."""
        self = cls()
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port)
        lines = {
            "Host": f"127.0.0.1:{port}",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            "Sec-WebSocket-Version": "13",
            **headers,
        }
        head = f"GET {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self.writer.write(head.encode() + b"\r\n")
        answer = await self.reader.readuntil(b"\r\n\r\n")
        if b" 101 " not in answer.split(b"\r\n")[0] + b" ":
            self.writer.transport.abort()
            raise ConnectionError(answer.decode())
        return self

    def tell(self, text: str) -> None:
        """Send one text frame."""
        data, mask = text.encode(), secrets.token_bytes(4)
        length = len(data)
        head = struct.pack("!BB", 0x81, 0x80 | length) if length < 126 else struct.pack("!BBH", 0x81, 0xFE, length)
        self.writer.write(head + mask + bytes(b ^ mask[n & 3] for n, b in enumerate(data)))

    async def hear(self) -> str:
        """The next text frame; pings are answered. Raises ConnectionError when it was closed."""
        while True:
            first, second = await self.reader.readexactly(2)
            length = second & 0x7F
            if length == 126:
                (length,) = struct.unpack("!H", await self.reader.readexactly(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", await self.reader.readexactly(8))
            data = await self.reader.readexactly(length)
            if first & 0x0F == 1:
                return data.decode()
            if first & 0x0F == 9:
                mask = secrets.token_bytes(4)
                self.writer.write(
                    bytes([0x8A, 0x80 | length]) + mask + bytes(b ^ mask[n & 3] for n, b in enumerate(data))
                )
            elif first & 0x0F == 8:
                raise ConnectionError(f"closed {data!r}")

    async def hear_about(self, about: str) -> dict[str, Any]:
        """The next frame of this kind."""
        while True:
            frame = json.loads(await self.hear())
            if frame.get("about") == about:
                return frame


async def visitor(port: int, token: str) -> Socket:
    """A visitor's socket after its hello."""
    socket = await Socket.open(port, f"/ws/chat/{KEY}/", {"Origin": ORIGIN})
    socket.tell(json.dumps({"do": "hello", "token": token, "after": 0}))
    await socket.hear_about("ready")
    return socket
