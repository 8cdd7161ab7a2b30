"""Threads of one process are started again when they fall, and end when asked."""

from __future__ import annotations

import threading
import time
from itertools import pairwise

from core import running
from core.running import Crew, every


def test_a_duty_that_falls_is_started_again(monkeypatch, caplog):
    monkeypatch.setattr(running, "FIRST_PAUSE", 0.01)
    began, enough = [], threading.Event()

    def fall(_stopping):
        began.append(time.monotonic())
        if len(began) == 4:
            enough.set()
        raise ValueError("no")

    crew = Crew()
    crew.add("falling", fall)
    crew.start()
    assert enough.wait(5)
    assert crew.stop(2) == []
    assert crew.restarts()["falling"] >= 3
    assert "falling fell" in caplog.text
    pauses = [b - a for a, b in pairwise(began)]
    assert pauses[2] > pauses[0]


def test_a_duty_that_does_not_end_is_named():
    release = threading.Event()
    crew = Crew()
    crew.add("stubborn", lambda _stopping: release.wait(10) and None)
    crew.add("good", lambda stopping: stopping.wait(10) and None)
    crew.start()
    assert crew.stop(0.2) == ["stubborn"]
    release.set()


def test_work_goes_on_at_once_while_there_is_some_and_a_bell_cuts_the_pause():
    waiting, done, bell = [3], [], threading.Event()

    def work():
        if not waiting[0]:
            return 0
        waiting[0] -= 1
        done.append(time.monotonic())
        return 1

    crew = Crew()
    crew.add("work", every(30, work, wake=bell))
    crew.wake_at_end(bell)
    crew.start()
    until = time.monotonic() + 5
    while len(done) < 3 and time.monotonic() < until:
        time.sleep(0.01)
    assert len(done) == 3
    assert done[2] - done[0] < 1
    waiting[0] = 1
    bell.set()
    until = time.monotonic() + 5
    while len(done) < 4 and time.monotonic() < until:
        time.sleep(0.01)
    assert len(done) == 4
    assert crew.stop(2) == []
