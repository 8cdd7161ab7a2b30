"""The threads of one process: a crew of duties that are started, started again when they fall, and stopped."""

from __future__ import annotations

import gc
import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.db import close_old_connections, connection, connections

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0
"""Seconds before a thread that fell is started again; doubled every time."""
KEPT = 60.0
"""Seconds that a thread keeps a connection that is dear to open."""
YOUNG_OBJECTS = 20_000
"""Objects made between two searches for garbage. Python's 700 are gone through for every message or two of a chat."""
_since = threading.local()


@dataclass
class _Duty:
    name: str
    run: Callable[[threading.Event], None]
    thread: threading.Thread | None = None
    restarts: int = 0


class Crew:
    """Named duties, one thread each. A duty that raises is logged and started again, later each time."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self._duties: list[_Duty] = []
        self._wake: list[threading.Event] = []

    def add(self, name: str, run: Callable[[threading.Event], None]) -> None:
        """`run(stopping)` works until the event is set. A return before that counts as a fall."""
        self._duties.append(_Duty(name, run))

    def wake_at_end(self, *events: threading.Event) -> None:
        """Set these too when it is time to stop: duties wait for them."""
        self._wake.extend(events)

    def start(self) -> None:
        """Start every duty."""
        settle()
        for duty in self._duties:
            duty.thread = threading.Thread(target=self._keep, args=(duty,), name=duty.name, daemon=True)
            duty.thread.start()

    def stop(self, seconds: float) -> list[str]:
        """Ask all to end and wait at most `seconds` altogether; the names of those that did not."""
        self.stopping.set()
        for event in self._wake:
            event.set()
        until = time.monotonic() + seconds
        for duty in self._duties:
            if duty.thread:
                duty.thread.join(max(0.0, until - time.monotonic()))
        return [duty.name for duty in self._duties if duty.thread and duty.thread.is_alive()]

    def restarts(self) -> dict[str, int]:
        """How often each duty fell."""
        return {duty.name: duty.restarts for duty in self._duties}

    def _keep(self, duty: _Duty) -> None:
        pause = FIRST_PAUSE
        while not self.stopping.is_set():
            began = time.monotonic()
            try:
                duty.run(self.stopping)
            except Exception:
                log.exception("%s fell", duty.name)
            finally:
                connections.close_all()
            if self.stopping.is_set():
                return
            duty.restarts += 1
            pause = FIRST_PAUSE if time.monotonic() - began > LONGEST_PAUSE else min(pause * 2, LONGEST_PAUSE)
            log.warning("%s starts again in %.1f s", duty.name, pause)
            self.stopping.wait(pause * random.uniform(0.8, 1.2))


def every(
    seconds: float, work: Callable[[], object], *, wake: threading.Event | None = None
) -> Callable[[threading.Event], None]:
    """A duty that calls `work` again and again: at once while it returns something true, else after the pause.

    `wake` cuts the pause short.
    """

    def run(stopping: threading.Event) -> None:
        while not stopping.is_set():
            rest()
            if wake:
                wake.clear()  # before looking, so that what comes while we look is not missed
            if not work():
                (wake or stopping).wait(seconds)

    return run


def rest() -> None:
    """A thread is between two turns: its connection goes back to the pool, where others may need it.

    SQLite has no pool. Opening the file anew for every look would be most of what an idle process does.
    """
    if connection.vendor == "sqlite" and not connection.errors_occurred:
        renew()
    else:
        close_old_connections()


def renew() -> None:
    """Give the thread's connections back once a minute; a pool or a proxy may have other uses for them."""
    now = time.monotonic()
    if now - _since.__dict__.setdefault("value", now) >= KEPT:
        _since.value = now
        connections.close_all()


def settle() -> None:
    """What a process has loaded when it begins to work stays: the garbage collector need not go through it again.

    Nobody is served while it does.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 10, 10)
