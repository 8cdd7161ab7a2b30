"""Sizes, and what a process takes."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.fixtures import sink  # noqa: F401

FULL = os.environ.get("GUICHET_LOAD") == "full"


def sized(full: int, ci: int) -> int:
    """How many, here."""
    return full if FULL else ci


def until(true: Callable[[], object], seconds: float, what: str) -> float:
    """Wait; the seconds it took."""
    began = time.monotonic()
    while not true():
        if time.monotonic() - began > seconds:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.05)
    return time.monotonic() - began


def resident(pid: int, *, most: bool = False) -> int:
    """Bytes of memory that a process holds, or held at most."""
    wanted = "VmHWM:" if most else "VmRSS:"
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(wanted))


class Watch:
    """The most memory that a process holds while this is entered."""

    def __init__(self, pid: int) -> None:
        self.pid, self.most, self._over = pid, 0, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_what: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.1):
            self.most = max(self.most, resident(self.pid))


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Iterator[Callable[..., None]]:
    """`tell(name=value)`: a figure for whoever runs `make load`, printed past pytest's capture."""
    figures: dict[str, Any] = {}
    yield figures.update
    if FULL and figures:
        line = json.dumps({"test": request.node.name, **figures})
        with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
            sys.stdout.write(f"\n{line}\n")
