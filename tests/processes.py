"""Child processes of tests and measurements."""

from __future__ import annotations

import random
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

BASE = Path(__file__).resolve().parent.parent


_FIRST, _LAST = 11_000, 31_000
"""Below the ports that systems give to whoever asks for any (from 32768 on Linux), as every connection does."""
_next = random.SystemRandom().randrange(_FIRST, _LAST)


def free_port() -> int:
    """A TCP port on loopback where nobody listens now. The same one comes again only after all others."""
    global _next
    while True:
        _next = _next + 1 if _next < _LAST else _FIRST
        with socket.socket() as probe:
            # As servers do: connections that have just ended are no hindrance.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", _next))
                probe.listen(1)
            except OSError:
                continue
            return _next


def await_port(port: int, told: Callable[[], str], child: subprocess.Popen | None = None, seconds: float = 120) -> None:
    """Come back once this port answers; when it does not, or `child` ends, fail with what was `told`."""
    end = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if (child and child.poll() is not None) or time.monotonic() > end:
                raise AssertionError(f"nobody answers on port {port}:\n{told()}") from None
            time.sleep(0.02)


def wait_for_no_disk() -> None:
    """Let commits of this process on SQLite return before the disk has them. The machine stays on; processes are killed."""
    from django.conf import settings

    options = settings.DATABASES["default"].get("OPTIONS", {})
    if "init_command" in options:
        options["init_command"] = options["init_command"].replace("synchronous=FULL", "synchronous=OFF")


@contextmanager
def running(
    command: list[str], env: dict[str, str], *, port: int = 0, seconds: float = 120
) -> Iterator[subprocess.Popen]:
    """A child process in the checkout; with `port`, once that port answers. It is ended, soon killed, at the end."""
    with (Path(env["GUICHET_VAR"]) / f"process-{time.monotonic_ns()}.log").open("w+b") as log:
        child = subprocess.Popen(command, cwd=BASE, env=env, stdout=log, stderr=subprocess.STDOUT)
        try:
            if port:
                await_port(port, lambda: Path(log.name).read_text(), child, seconds)
            yield child
        finally:
            if child.poll() is None:
                child.terminate()
                try:
                    child.wait(3)  # Daphne waits longer for browsers that still hold a socket
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()
