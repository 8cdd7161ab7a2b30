"""The doors alone."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from core.running import Crew
from portal import processes


class Command(BaseCommand):
    """`listen`: fetches the mailboxes and opens the mail doors. Of several, one has each mailbox at a time."""

    help = "Fetch mailboxes by IMAP and take mail by SMTP or LMTP where that is switched on."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Ends on SIGINT or SIGTERM."""
        crew = Crew()
        processes.add_listeners(crew)
        processes.run_until_signal(crew)
