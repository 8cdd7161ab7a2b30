"""Child processes of tests and measurements."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

BASE = Path(__file__).resolve().parent.parent


def free_port() -> int:
    """A TCP port on loopback that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def await_port(port: int, told: Callable[[], str], child: subprocess.Popen | None = None, seconds: float = 30) -> None:
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


@contextmanager
def running(
    command: list[str], env: dict[str, str], *, port: int = 0, seconds: float = 30
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
