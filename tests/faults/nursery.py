"""Starting, killing and awaiting children of the zygote."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings


class Nursery:
    """`start(fault, duties)` gives a pid; `death(pid)` waits for its end."""

    def __init__(self, env: dict[str, str]) -> None:
        self.log = (Path(settings.VAR_DIR) / f"zygote-{time.monotonic_ns()}.log").open("w+b")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.zygote"],
            cwd=settings.BASE_DIR,
            env={**env, "LEASE_SECONDS": "1", "MAIL_TIMEOUT": "5", "GUICHET_DEMO": "", "LOG_LEVEL": "WARNING"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        self._answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self._ends: dict[int, int] = {}
        self._alive: set[int] = set()
        threading.Thread(target=self._listen, daemon=True).start()
        assert self._answers.get(timeout=180) == {"ready": True}

    def _listen(self) -> None:
        for line in self._process.stdout or ():
            said = json.loads(line)
            if "status" in said:
                self._ends[said["pid"]] = said["status"]
            else:
                self._answers.put(said)

    def start(self, *duties: str, fault: str = "", door: str = "") -> int:
        order = {"fault": fault, "duties": duties, "door": door}
        self._process.stdin.write(json.dumps(order) + "\n")  # type: ignore[union-attr]
        self._process.stdin.flush()  # type: ignore[union-attr]
        pid = self._answers.get(timeout=30)["pid"]
        self._alive.add(pid)
        return pid

    def death(self, pid: int, seconds: float = 60) -> int:
        """How it ended: -9 for SIGKILL. Fails when it lives on."""
        end = time.monotonic() + seconds
        while pid not in self._ends:
            assert time.monotonic() < end, f"process {pid} lives on\n{self.tail()}"
            time.sleep(0.01)
        self._alive.discard(pid)
        return self._ends[pid]

    def is_stopped(self, pid: int) -> bool:
        """Whether it was frozen (SIGSTOP)."""
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        self.death(pid)

    def end(self, pid: int) -> None:
        """Ask it to end, as a supervisor does; it must do so within five seconds."""
        os.kill(pid, signal.SIGTERM)
        assert self.death(pid, 6) == 0, self.tail()

    def clear(self) -> None:
        """Kill what a test left behind."""
        for pid in list(self._alive):
            with suppress(ProcessLookupError):  # it has ended, and that is still on its way to us
                os.kill(pid, signal.SIGKILL)
            self.death(pid)

    def tail(self) -> str:
        for pid in self._alive - set(self._ends):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGUSR1)  # tells where each of its threads is
        time.sleep(0.2)
        self.log.seek(0)
        return self.log.read().decode()[-4000:]

    def close(self) -> None:
        self.clear()
        self._process.stdin.close()  # type: ignore[union-attr]
        self._process.wait(60)
        self._process.stdout.close()  # type: ignore[union-attr]
        self.log.close()
