"""Real processes, quickly: one that has loaded everything forks a child for each order that it reads.

An order is a JSON line `{"fault": "point=kill", "duties": ["listen", "work", "clock"], "door": "host:port"}`; the answer
is `{"pid": N}`. When a child ends, `{"pid": N, "status": S}` follows, S as in `subprocess` (-9: killed).
"""

from __future__ import annotations

import faulthandler
import gc
import json
import os
import select
import signal
import sys
from typing import Any


def main() -> None:
    import django

    django.setup()
    from inbox.channels import registry
    from inbox.channels.email.understanding import language
    from portal import processes
    from tests.processes import wait_for_no_disk

    wait_for_no_disk()
    registry.adapters()
    language.detect("What takes long to load is loaded once, before the first child.")
    gc.freeze()  # what is loaded is shared with the children, and looked through by none of them
    ears, mouth = os.pipe()
    os.set_blocking(mouth, False)
    signal.set_wakeup_fd(mouth)
    signal.signal(signal.SIGCHLD, lambda *_args: None)
    say({"ready": True})
    children: set[int] = set()
    while True:
        ready, _w, _x = select.select([0, ears], [], [])
        if ears in ready:
            os.read(ears, 100)
        while children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                break
            children.discard(pid)
            say({"pid": pid, "status": os.waitstatus_to_exitcode(status)})
        if 0 in ready:
            line = sys.stdin.readline()
            if not line:
                for pid in children:
                    os.kill(pid, signal.SIGKILL)
                return
            order = json.loads(line)
            pid = os.fork()
            if not pid:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                child(processes, order)
            children.add(pid)
            say({"pid": pid})


def say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def child(processes: Any, order: dict[str, Any]) -> None:
    """One process of the product; never returns."""
    devnull = os.open(os.devnull, os.O_RDWR)
    os.dup2(devnull, 0)
    os.dup2(2, 1)
    try:
        from django.conf import settings

        from core import fault
        from core.running import Crew
        from inbox.listening import fax_folders, listener
        from inbox.services import fax_pages, sending

        faulthandler.register(signal.SIGUSR1)
        holder = f"child-{os.getpid()}"
        fault._ARMED, fault._passes = order.get("fault", ""), 0
        settings.SMTP_DOOR = order.get("door", "")
        listener.FIRST_PAUSE, listener.WATCH_SECONDS = 0.1, 0.2
        fax_folders.STILL_SECONDS, fax_folders.LOOK_SECONDS = 0.2, 0.1
        sending.SWEEP_SECONDS = 0.3
        fax_pages.DRAWING_LEASES = 2
        crew = Crew()
        if "listen" in order["duties"]:
            doors = processes.add_listeners(Hush(crew, "mailboxes"))
            del doors
            crew.add("mailboxes", listener.Watch(holder).run)
        if "work" in order["duties"]:
            processes.add_workers(Hush(crew, "scheduler", "tasks"))
        if "clock" in order["duties"]:
            crew.add("scheduler", processes.Scheduler(holder=holder).run)
        processes.run_until_signal(crew)
    finally:
        os._exit(70)


class Hush:
    """The crew without some duties: those that this test starts itself or does not need."""

    def __init__(self, crew: Any, *left_out: str) -> None:
        self.crew, self.left_out = crew, left_out

    def add(self, name: str, run: Any) -> None:
        if name not in self.left_out:
            self.crew.add(name, run)

    def wake_at_end(self, *events: Any) -> None:
        self.crew.wake_at_end(*events)


if __name__ == "__main__":
    main()
    os._exit(0)  # to take apart all that is loaded would take a second, and more on a busy machine
