"""The workers alone."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from core.running import Crew
from portal import processes


class Command(BaseCommand):
    """`worker`: reads the journal, sends, does tasks; one of all workers keeps the clock. Run any number of them."""

    help = "Process received messages, send, do tasks and scheduled jobs."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Ends on SIGINT or SIGTERM."""
        crew = Crew()
        processes.add_workers(crew)
        processes.run_until_signal(crew)
