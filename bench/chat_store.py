"""How many messages of visitors a second one server process stores, held against a bare echo of the same Daphne."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
import uuid
from pathlib import Path

from bench import chat
from bench.figure import Figure
from tests.processes import free_port, running

VISITORS, SECONDS = 100, 12.0


async def echo(scope: dict, receive, send) -> None:  # type: ignore[no-untyped-def,type-arg]  # noqa: ANN001
    """The reference: an ASGI application that sends back what it gets, and nothing else."""
    if scope["type"] != "websocket":
        return
    while True:
        event = await receive()
        if event["type"] == "websocket.connect":
            await send({"type": "websocket.accept"})
        elif event["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": event["text"]})
        else:
            return


def main(name: str) -> None:
    """Both servers on the same core, both loaded by the same client: as many visitors, each waits for its answer."""
    os.sched_setaffinity(0, set(range(1, os.cpu_count() or 2)) or {0})
    web, bare = free_port(), free_port()
    env = {**os.environ, "BASE_URL": f"http://127.0.0.1:{web}", "CHAT_UNLIMITED_NETWORKS": "127.0.0.0/8"}
    subprocess.run([sys.executable, "-c", chat.PREPARE], env=env, check=True)
    core = ["taskset", "-c", "0", sys.executable]
    reference = [*core, "-m", "daphne", "-b", "127.0.0.1", "-p", str(bare), "bench.chat_store:echo"]
    with running(reference, env, port=bare) as server:
        echoed, echoed_a_cpu_second = asyncio.run(_echo(bare, server.pid))
    fast = {**env, "CHAT_MESSAGES_PER_MINUTE": str(10**6)}
    with running([*core, "manage.py", "serve", "--port", str(web)], fast, port=web, seconds=120) as server:
        stored, stored_a_cpu_second = asyncio.run(_store(web, server.pid))
    count = subprocess.run([sys.executable, "-c", COUNT], env=env, check=True, capture_output=True, text=True).stdout
    if int(count) < stored * SECONDS + VISITORS:
        sys.exit(f"{count} messages are stored, but more were acknowledged")
    Figure(name, stored, "messages/s", echoed, "ratio >= 0.06, aim 0.15").tell()
    # On a machine that does other things at the same time only what the server itself used can be compared.
    name = f"{name}: by the server's processor time"
    Figure(name, stored_a_cpu_second, "messages/s", echoed_a_cpu_second, "ratio >= 0.06, aim 0.15").tell()


COUNT = "import django; django.setup(); from inbox.models import Message; print(Message.objects.count())"


def _used(pid: int) -> float:
    """Processor seconds of the process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _rate(sockets: list[chat.Socket], text: str, about: str, pid: int) -> tuple[float, float]:
    """Answers a second, and answers a second of the server's processor time, once everybody has had one."""
    for socket in sockets:
        socket.tell(text.replace("NAME", str(uuid.uuid4())))
    for socket in sockets:
        while json.loads(await socket.hear()).get("about") != about:
            pass
    counted, begin, before = 0, time.perf_counter(), _used(pid)
    end = begin + SECONDS

    async def talk(socket: chat.Socket) -> None:
        nonlocal counted
        while time.perf_counter() < end:
            socket.tell(text.replace("NAME", str(uuid.uuid4())))
            while (frame := json.loads(await socket.hear())).get("about") != about:
                if frame.get("about") == "refused":
                    sys.exit(f"refused: {frame}")
            counted += 1

    await asyncio.gather(*map(talk, sockets))
    return counted / (time.perf_counter() - begin), counted / max(0.01, _used(pid) - before)


async def _echo(port: int, pid: int) -> tuple[float, float]:
    sockets = [await chat.Socket.open(port, "/", {"Origin": chat.ORIGIN}) for _ in range(VISITORS)]
    text = json.dumps({"about": "said", "id": "NAME", "text": "my parcel has not come yet"})
    return await _rate(sockets, text, "said", pid)


async def _store(port: int, pid: int) -> tuple[float, float]:
    loop = asyncio.get_running_loop()
    sockets = []
    for _ in range(VISITORS):
        sockets.append(await chat.visitor(port, await loop.run_in_executor(None, chat.enter, port)))
    text = json.dumps({"do": "say", "id": "NAME", "text": "my parcel has not come yet"})
    return await _rate(sockets, text, "said", pid)


if __name__ == "__main__":
    main(sys.argv[1])
