"""Chromium throws away what it is loading when the machine's network changes, as it does when modems are wired up.

Workers of one run stand on the same machine: who changes the network waits for browsers, and they for him.
"""

from __future__ import annotations

import fcntl
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOCK = Path(tempfile.gettempdir()) / "guichet-network.lock"
NOTICED = 3.0
"""Seconds after which a browser that starts takes no notice any more."""


@contextmanager
def steady() -> Iterator[None]:
    """Nobody changes the network in here."""
    with _LOCK.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


@contextmanager
def changing() -> Iterator[None]:
    """No browser loads anything in here."""
    with _LOCK.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
        time.sleep(NOTICED)
