"""Whether the audit log is whole."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core import audit
from core.models import AuditEntry


class Command(BaseCommand):
    """`verify_audit [--holds SEAL]`: exits with an error when an entry was changed, taken out or put in."""

    help = "Check the chain of the audit log. Keep the seal that it prints: later it proves that the end was not cut."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """See the class."""
        parser.add_argument("--holds", metavar="SEAL", help="a seal printed earlier, which must still be there")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Check, and print how many entries there are and the last seal."""
        wrong = list(audit.broken())
        if wrong:
            raise CommandError(f"The chain is broken at {', '.join(map(str, wrong[:20]))} ({len(wrong)} places).")
        if options["holds"] and not AuditEntry.objects.filter(seal=options["holds"]).exists():
            raise CommandError("No entry has this seal: entries were taken from the end.")
        last = AuditEntry.objects.order_by("-id").first()
        self.stdout.write(f"{AuditEntry.objects.count()} entries, whole." + (f" Last seal {last.seal}" if last else ""))
