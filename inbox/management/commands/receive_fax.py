"""A fax by pipe: what the hook of a fax machine calls."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from crm.service.models import Ticket
from inbox import json_lines
from inbox.channels.fax.envelope import Envelope
from inbox.models import Channel
from inbox.services import fax_pages
from inbox.services.fax_receiving import NoFaxChannel, receive
from inbox.services.processing import see_through


class Command(BaseCommand):
    """`receive_fax FILE --from N --to N --commid ID [--station S] [--error TEXT] [--channel NAME]`."""

    requires_system_checks: list[str] = []
    help = "Receive one fax (TIFF or PDF); ends with 0 when it is stored, once, however often it is called."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """See the class."""
        parser.add_argument("file", help="the file, or - for standard input")
        parser.add_argument("--from", dest="sender", default="", help="number that called")
        parser.add_argument("--to", dest="called", default="", help="number of ours that was called")
        parser.add_argument("--commid", default="", help="the fax server's number of the call")
        parser.add_argument("--pages", default="", help="accepted and ignored: the file itself is counted")
        parser.add_argument("--station", default="", help="what the other machine calls itself (CSID)")
        parser.add_argument("--error", default="", help="what went wrong while it came, in the server's words")
        parser.add_argument("--channel", default="", help="name of the fax channel, when the number does not say it")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Raises CommandError when it was not stored: then the hook keeps it and calls again."""
        channel = None
        if options["channel"]:
            channel = Channel.objects.filter(kind="fax", name=options["channel"]).first()
            if channel is None:
                raise CommandError(f"There is no fax channel called {options['channel']!r}.")
        source = options["file"]
        try:
            content = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
        except OSError as why:
            raise CommandError(f"{source} cannot be read: {why}") from why
        if len(content) > settings.MAIL_MAX_BYTES:
            raise CommandError(f"{source} is larger than MAIL_MAX_BYTES ({settings.MAIL_MAX_BYTES}).")
        told = Envelope(
            sender=options["sender"],
            called=options["called"],
            station=options["station"],
            commid=options["commid"],
            name=Path(source).name if source != "-" else "fax.tif",
            error=options["error"],
            received_at=timezone.now().isoformat(),
        )
        try:
            raw = receive(content, told, channel)
            fax_pages.read_through(raw)
            raw = see_through(raw, seconds=2 * settings.LEASE_SECONDS)
        except NoFaxChannel:
            raise CommandError(
                f"No fax channel has the number {options['called']!r}; name one with --channel."
            ) from None
        except OSError as why:
            raise CommandError(f"The fax could not be stored: {why}") from why
        ticket = Ticket.objects.filter(pk=raw.ticket_id or 0).first()
        found = {
            "raw": raw.pk,
            "outcome": raw.outcome or raw.state,
            "reason": raw.reason or raw.error,
            "ticket": ticket.number if ticket else None,
        }
        json_lines.write(self.stdout, found)
