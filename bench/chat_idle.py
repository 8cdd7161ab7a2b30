"""What 2,000 idle chat sockets cost in one server process."""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import sys
import time

from bench import chat
from bench.figure import Figure
from bench.memory import resident
from tests.processes import free_port, running

SOCKETS, AT_ONCE = 2_000, 50


def main(name: str) -> None:
    """The reference is the same process without a socket, after it has answered a page and one socket."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8_192, hard), hard))
    web = free_port()
    env = {
        **os.environ,
        "BASE_URL": f"http://127.0.0.1:{web}",
        "CHAT_UNLIMITED_NETWORKS": "127.0.0.0/8",
    }
    subprocess.run([sys.executable, "-c", chat.PREPARE], env=env, check=True)
    with running([sys.executable, "manage.py", "serve", "--port", str(web)], env, port=web, seconds=120) as server:
        asyncio.run(_measure(name, web, server.pid))


async def _measure(name: str, web: int, pid: int) -> None:
    loop = asyncio.get_running_loop()
    tokens = [await loop.run_in_executor(None, chat.enter, web) for _ in range(20)]
    first = await chat.visitor(web, tokens[0])
    before = resident(pid)
    sockets = [first]
    began = time.perf_counter()
    while len(sockets) < SOCKETS:
        # Twenty people with a hundred tabs each: what a socket costs does not hang on whose it is.
        wanted = range(len(sockets), min(SOCKETS, len(sockets) + AT_ONCE))
        sockets += await asyncio.gather(*(chat.visitor(web, tokens[n % len(tokens)]) for n in wanted))
    took = time.perf_counter() - began
    listeners = [asyncio.create_task(socket.hear_about("never")) for socket in sockets]
    await asyncio.sleep(45)
    alive = sum(not each.done() for each in listeners)
    if alive != SOCKETS:
        sys.exit(f"only {alive} of {SOCKETS} sockets are still open")
    Figure(name, resident(pid), "MB", before, "<= 400").tell()
    Figure(f"{name}: handshakes with hello", SOCKETS / took, "sockets/s", 0, "").tell()
    for each in listeners:
        each.cancel()


if __name__ == "__main__":
    main(sys.argv[1])
