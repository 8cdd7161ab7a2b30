"""Many made-up tickets, to see how the desk behaves when it is full."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection

from portal.demo import bulk


class Command(BaseCommand):
    """`make_tickets --count N`: adds N tickets with messages, contacts and search words."""

    help = "Add many made-up tickets for measuring. Not for a database that is in use."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """See the class."""
        parser.add_argument("--count", type=int, default=1000)
        parser.add_argument("--seed", type=int, default=7, help="the same seed gives the same tickets")
        parser.add_argument("--busy", action="store_true", help="half of them unfinished, so that every view is full")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Print how far it is."""
        began = time.monotonic()
        for made in bulk.make(options["count"], seed=options["seed"], shape=bulk.BUSY if options["busy"] else bulk.OLD):
            if made % 20_000 == 0 or made == options["count"]:
                self.stdout.write(f"{made} tickets, {time.monotonic() - began:.0f} s")
                self.stdout.flush()
        with connection.cursor() as cursor:
            # The planner knows nothing of rows that came in bulk until it has looked at them.
            cursor.execute("ANALYZE")
