"""Mail by pipe: takes each mail through the whole path and says what became of it."""

from __future__ import annotations

import json
import mailbox
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from crm.service.models import Ticket
from inbox.models import Channel, RawMessage
from inbox.services.accept import accept
from inbox.services.processing import see_through
from routing.models import RuleRun


class Command(BaseCommand):
    """`receive_mail --channel NAME [FILE | DIR | --mbox F | --maildir D | -]`."""

    requires_system_checks: list[str] = []
    help = "Receive mails from files or standard input; prints one JSON object a line for each."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """See the class."""
        parser.add_argument("--channel", required=True, help="name or address of the channel that it came to")
        parser.add_argument("source", nargs="*", help="files, folders, or - for standard input")
        parser.add_argument("--mbox", action="append", default=[], metavar="F")
        parser.add_argument("--maildir", action="append", default=[], metavar="D")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Raises CommandError for an unknown channel or a source that is not there."""
        name = options["channel"]
        channel = Channel.objects.filter(name=name).first() or Channel.objects.filter(address=name.lower()).first()
        if channel is None:
            raise CommandError(f"There is no channel called {name!r}.")
        for label, content in self._mails(options):
            self.stdout.write(json.dumps(self._receive(channel, label, content), ensure_ascii=False))
            self.stdout.flush()

    def _mails(self, options: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
        sources = options["source"] or ([] if options["mbox"] or options["maildir"] else ["-"])
        for source in sources:
            if source == "-":
                yield "-", sys.stdin.buffer.read()
                continue
            path = Path(source)
            if not path.exists():
                raise CommandError(f"{source} is not there.")
            files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
            for file in files:
                yield str(file), file.read_bytes()
        for source in options["mbox"]:
            yield from self._box(source, mailbox.mbox(source, create=False))
        for source in options["maildir"]:
            yield from self._box(source, mailbox.Maildir(source, create=False))

    @staticmethod
    def _box(source: str, box: mailbox.Mailbox[Any]) -> Iterator[tuple[str, bytes]]:
        try:
            for key in sorted(box.keys(), key=lambda k: (len(str(k)), str(k))):
                yield f"{source}:{key}", box.get_bytes(key)
        except (OSError, mailbox.Error) as fault:
            raise CommandError(f"{source} cannot be read: {fault}") from fault

    @staticmethod
    def _receive(channel: Channel, label: str, content: bytes) -> dict[str, Any]:
        # A worker that was killed over it lets go when its lease ends, and then it is ours.
        raw = see_through(accept(channel, content), seconds=2 * settings.LEASE_SECONDS)
        told: dict[str, Any] = {
            "file": label,
            "raw": raw.pk,
            "ticket": None,
            "message": raw.message_id,
            "outcome": raw.outcome or raw.state,
            "reason": raw.reason or raw.error,
            "linked_ticket": None,
            "queue": None,
            "assignee": None,
            "tags": [],
            "rules": [],
            "auto_answer": raw.answer or None,
        }
        ticket = Ticket.objects.select_related("queue", "assignee").filter(pk=raw.ticket_id or 0).first()
        if ticket is None:
            return told
        link = ticket.links.select_related("other").order_by("-id").first()
        run_matches = [
            match["name"]
            for run in RuleRun.objects.filter(subject=f"ticket:{ticket.pk}", at__gte=raw.received_at).order_by("id")
            for match in run.matched
        ]
        told.update(
            ticket=ticket.number,
            linked_ticket=link.other.number if link else None,
            queue=ticket.queue.name,
            assignee=ticket.assignee.email if ticket.assignee else None,
            tags=sorted(ticket.tags.values_list("name", flat=True)),
            rules=list(dict.fromkeys(run_matches)) if raw.outcome != RawMessage.Outcome.DUPLICATE else [],
        )
        return told
