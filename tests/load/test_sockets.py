"""Everybody comes back at once after a restart, and some never read (R-27)."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from bench.figure import percentile
from tests import factories
from tests.load.conftest import Watch, sized
from tests.processes import free_port, running

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql, pytest.mark.redis]
A_USER = 20
"""Tabs that a colleague may have open."""
MB = 1024 * 1024


def cookies(count: int, queue: Any) -> list[str]:
    """Session keys of so many colleagues."""
    found = []
    for n in range(count):
        user = factories.StaffFactory(email=f"desk{n}@guichet.test", role="agent")
        factories.QueueMemberFactory(queue=queue, user=user)
        client = Client()
        client.force_login(user, backend="crm.organisation.backends.PasswordBackend")
        found.append(client.cookies[settings.SESSION_COOKIE_NAME].value)
    return found


async def connect(site: str, cookie: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, float]:
    """Open one desk socket by hand; reader, writer, and the seconds until it said that it is ready."""
    host = urlsplit(site).netloc
    began = time.monotonic()
    reader, writer = await asyncio.open_connection(*host.split(":"), limit=4096)
    key = "x3JJHMbDL1EzLkh9GBhXDw=="
    writer.write(
        f"GET /ws/desk/ HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nOrigin: {site}\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
        f"Cookie: {settings.SESSION_COOKIE_NAME}={cookie}\r\n\r\n".encode()
    )
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101"), head[:60]
    first = await reader.readexactly(2)
    await reader.readexactly(first[1] & 127)
    return reader, writer, time.monotonic() - began


async def storm(site: str, keys: list[str], page: Callable[[], float]) -> tuple[list[float], list[float], list[str]]:
    """All sockets at once, and pages of others meanwhile: seconds of each, and why sockets did not come up."""
    tabs = [connect(site, key) for key in keys for _ in range(A_USER)]
    waits: list[float] = []
    over = asyncio.Event()

    async def read_pages() -> None:
        while not over.is_set():
            waits.append(await asyncio.to_thread(page))

    reading = asyncio.create_task(read_pages())
    opened = await asyncio.gather(*tabs, return_exceptions=True)
    over.set()
    await reading
    good = [each for each in opened if not isinstance(each, BaseException)]
    # None of them reads any more: what the server has to say to them piles up there.
    for _reader, writer, _took in good:
        writer.close()
    return [took for _r, _w, took in good], waits, [repr(each) for each in opened if isinstance(each, BaseException)]


def test_everybody_comes_back_at_once(
    process_environment: dict[str, str], queue: Any, ticket: Any, agent: Any, tell: Callable[..., None]
) -> None:
    """R-27: 2,000 desk sockets (fewer in CI) in one moment: all come up, the server stays small, pages still answer."""
    import httpx

    count = sized(2_000, 120)
    keys = cookies(count // A_USER, queue)
    reader = Client()
    reader.force_login(agent, backend="crm.organisation.backends.PasswordBackend")
    jar = {settings.SESSION_COOKIE_NAME: reader.cookies[settings.SESSION_COOKIE_NAME].value}
    port = free_port()
    site = f"http://127.0.0.1:{port}"
    env = {**process_environment, "BASE_URL": site, "DEBUG": "1"}
    command = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "--websocket_connect_timeout", "60"]
    command.append("portal.asgi:application")
    with running(command, env, port=port) as server, httpx.Client(cookies=jar, timeout=120) as browser:

        def page() -> float:
            began = time.monotonic()
            assert browser.get(site + reverse("inbox:rows")).status_code == 200
            return time.monotonic() - began

        page()
        with Watch(server.pid) as memory:
            opened, waits, failed = asyncio.run(storm(site, keys, page))
        after = page()
    assert not failed, failed[:3]
    assert len(opened) == count
    assert memory.most < 500 * MB
    assert after < 5
    tell(
        sockets=count,
        ready_p50=round(percentile(opened, 50), 2),
        ready_slowest=round(max(opened), 2),
        page_of_others_p95=round(percentile(waits, 95), 2),
        pages_meanwhile=len(waits),
        page_afterwards=round(after, 3),
        server_mb_at_most=memory.most // MB,
    )
