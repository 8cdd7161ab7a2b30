"""What the processes of an installation are made of: duties for `core.running.Crew`, and the scheduler's jobs."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.db import close_old_connections
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult

from core import fault, limits
from core.models import Lease
from core.running import Crew, every, rest
from crm.marketing.importing import service as call_lists
from crm.planning import clocks as reminders
from crm.service import clocks
from inbox import search
from inbox.channels.email.understanding import language
from inbox.listening.door import Door
from inbox.listening.fax_folders import FaxFolders
from inbox.listening.listener import HOLDER, Watch
from inbox.models import RawMessage
from inbox.services import (
    calls,
    fax_pages,
    guests,
    handover,
    scanning,
    visitors,
    waiting_chats,
    waiting_tickets,
    wake,
    webhooks,
)
from inbox.services.processing import process_waiting
from inbox.services.sending import SendingLoop
from inbox.services.webhooks import CallingLoop

log = logging.getLogger(__name__)

POLL_SECONDS = 0.5
CALM_SECONDS = 2.0
"""Between looks for work that somebody waits for with a page open."""
SCHEDULER = "scheduler"
STOP_SECONDS = 4.0


@dataclass(slots=True)
class Job:
    """Work that comes again. After any pause it is done once, not once for every turn that was missed."""

    name: str
    seconds: float
    work: Callable[[], object]
    next_at: float = 0.0


def jobs() -> list[Job]:
    """Everything that the clock sets off."""
    return [
        Job("search index", 1, search.index_waiting),
        Job("snoozed tickets", 5, clocks.wake_snoozed),
        Job("virus scanner", 2, scanning.scan_waiting),
        Job("escalation", 10, clocks.escalate),
        Job("reminders", 10, reminders.remind),
        Job("calls whose end nobody told", 60, calls.end_forgotten),
        Job("idle rules", 60, clocks.run_idle_rules),
        Job("customers who wait", 15, clocks.run_waiting_rules),
        Job("old files of call lists", 3600, call_lists.forget_old),
        Job("chats that wait", 2, waiting_chats.keep_line_moving),
        Job("tickets that wait", 10, waiting_tickets.assign),
        Job("chats that are left", 10, handover.mail_what_waits),
        Job("visitors that never came back", 3600, visitors.forget_unused),
        Job("old rate limits", 3600, limits.forget),
        Job("old webhook calls", 3600, webhooks.forget_ended),
        Job("requests that no guest confirmed", 3600, guests.forget_unconfirmed),
    ]


class Scheduler:
    """Does the jobs, in one process of all that run."""

    def __init__(self, work: list[Job] | None = None, holder: str = HOLDER) -> None:
        self._jobs = work if work is not None else jobs()
        self._holder = holder

    def run(self, stopping: threading.Event) -> None:
        """A duty for `core.running.Crew`."""
        taken_at = float("-inf")
        try:
            while not stopping.is_set():
                if time.monotonic() - taken_at > settings.LEASE_SECONDS / 3:
                    if Lease.take(SCHEDULER, self._holder, settings.LEASE_SECONDS) is None:
                        rest()
                        stopping.wait(settings.LEASE_SECONDS / 3)
                        continue
                    taken_at = time.monotonic()
                self.turn()
                rest()
                stopping.wait(POLL_SECONDS)
        finally:
            Lease.give_back(SCHEDULER, self._holder)

    def turn(self) -> None:
        """Do what is due now. One job that falls is told and does not hold up the others."""
        for job in self._jobs:
            now = time.monotonic()  # a changed wall clock sets nothing off twice
            if now < job.next_at:
                continue
            job.next_at = now + job.seconds
            fault.point("scheduler.job")
            try:
                job.work()
            except Exception:
                log.exception("the job “%s” fell", job.name)
                close_old_connections()


def process() -> int:
    """One batch of the journal. Looking takes no write lock; claiming does."""
    if not RawMessage.objects.filter(state=RawMessage.State.STORED).exists():
        return 0
    return process_waiting()


def process_all(stopping: threading.Event) -> None:
    """A duty for the crew. The language model is loaded before the first message comes, not while it waits."""
    language.detect("This takes half a second the first time.")
    every(POLL_SECONDS, process, wake=wake.processing_event)(stopping)


def do_tasks() -> int:
    """Run what waits in the tasks' table; django-tasks' own loop would take SQLite's write lock just to look."""
    if not DBTaskResult.objects.ready().exists():
        return 0
    Worker(
        queue_names=["*"],
        excluded_queue_names=[],
        interval=0,
        batch=True,
        backend_name="default",
        startup_delay=False,
        max_tasks=None,
        worker_id=HOLDER[-60:],
    ).run()
    return 0


def add_workers(crew: Crew) -> None:
    """Processing, sending, the clock, tasks, files of call lists."""
    crew.add("processing", process_all)
    crew.add("sending", SendingLoop.run)
    crew.add("scheduler", Scheduler().run)
    crew.add("webhooks", CallingLoop.run)
    crew.add("tasks", every(POLL_SECONDS, do_tasks))
    crew.add("call list files", every(CALM_SECONDS, call_lists.work_waiting))
    crew.add("fax pages", every(POLL_SECONDS, fax_pages.draw_waiting, wake=wake.pages_event))
    crew.wake_at_end(wake.processing_event, wake.sending_event, wake.pages_event)


def add_listeners(crew: Crew) -> list[Door]:
    """Mailboxes, and the doors that settings open."""
    crew.add("mailboxes", Watch().run)
    crew.add("fax folders", FaxFolders().run)
    doors = []
    for address, lmtp in ((settings.SMTP_DOOR, False), (settings.LMTP_DOOR, True)):
        if address:
            doors.append(Door(address, lmtp=lmtp))
            crew.add("lmtp door" if lmtp else "smtp door", doors[-1].run)
    return doors


def run_until_signal(crew: Crew) -> None:
    """Start the crew, wait for SIGINT or SIGTERM, stop it."""
    asked = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_args: asked.set())
    crew.start()
    while not asked.wait(1):
        pass
    end(crew)


def end(crew: Crew) -> None:
    """Stop the crew and leave. A thread that hangs in the network does not keep the process: its lease ends alone."""
    late = crew.stop(STOP_SECONDS)
    if late:
        log.warning("not waited for: %s", ", ".join(late))
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
