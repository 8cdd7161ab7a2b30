"""Mail by pipe: takes each mail through the whole path and says what became of it."""

from __future__ import annotations

import mailbox
import re
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from crm.service.models import Ticket
from inbox import json_lines
from inbox.channels import registry
from inbox.models import Channel, RawMessage
from inbox.services import fax_pages
from inbox.services.accept import accept
from inbox.services.processing import see_through
from routing.models import RuleRun

TRY_AGAIN = 75
"""EX_TEMPFAIL of sysexits.h: any other failure makes a mail server send the mail back."""
Load = Callable[[], bytes]
_HIDDEN = re.compile(rb"^>(>*From )", re.MULTILINE)
"""As a line is written that would begin the next mail of an mbox (RFC 4155)."""


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
        """Raises CommandError for a channel that takes no mail or a source that is not there, before any mail is taken.

        What cannot be read among many is named at the end, after the others were taken. While a mail cannot be kept,
        because of the disk or the database, the command ends with TRY_AGAIN: a mail server then keeps it.
        """
        try:
            self._take(options)
        except (OSError, DatabaseError) as fault:
            raise CommandError(f"Try again later: {fault}", returncode=TRY_AGAIN) from fault

    def _take(self, options: dict[str, Any]) -> None:
        channel = self._channel(options["channel"])
        sources = options["source"] or ([] if options["mbox"] or options["maildir"] else ["-"])
        for source in (*sources, *options["mbox"], *options["maildir"]):
            if source != "-" and not Path(source).exists():
                raise CommandError(f"{source} is not there.")
        unread: list[str] = []
        for label, load in chain(self._files(sources), self._boxes(options, unread)):
            try:
                content = load()
            except (OSError, KeyError) as fault:  # a box raises KeyError for a mail that is gone
                unread.append(f"{label} cannot be read: {fault}")
                continue
            json_lines.write(self.stdout, self._receive(channel, label, content))
            self.stdout.flush()
        if unread:
            raise CommandError("\n".join(unread))

    @staticmethod
    def _channel(name: str) -> Channel:
        channel = Channel.objects.filter(name=name).first() or Channel.objects.filter(address=name.lower()).first()
        if channel is None:
            raise CommandError(f"There is no channel called {name!r}.")
        if not registry.has(channel.kind, "reads_mail"):
            raise CommandError(f"The channel {name!r} takes no mail.")
        return channel

    @staticmethod
    def _files(sources: list[str]) -> Iterator[tuple[str, Load]]:
        for source in sources:
            path = Path(source)
            if source == "-":
                yield "-", sys.stdin.buffer.read
            elif path.is_dir():
                yield from ((str(p), p.read_bytes) for p in sorted(path.rglob("*")) if p.is_file())
            else:
                yield str(path), path.read_bytes

    def _boxes(self, options: dict[str, Any], unread: list[str]) -> Iterator[tuple[str, Load]]:
        kinds: tuple[tuple[str, Callable[..., mailbox.Mailbox[Any]]], ...] = (
            ("mbox", mailbox.mbox),
            ("maildir", mailbox.Maildir),
        )
        for source, kind in ((source, kind) for option, kind in kinds for source in options[option]):
            try:
                with closing(kind(source, create=False)) as box:
                    for key in sorted(box.keys(), key=lambda k: (len(str(k)), str(k))):
                        yield f"{source}:{key}", partial(self._load, box, key)
            except (OSError, mailbox.Error) as fault:
                unread.append(f"{source} cannot be read: {fault}")

    @staticmethod
    def _load(box: mailbox.Mailbox[Any], key: Any) -> bytes:
        content = box.get_bytes(key)
        return _HIDDEN.sub(rb"\1", content) if isinstance(box, mailbox.mbox) else content

    @staticmethod
    def _receive(channel: Channel, label: str, content: bytes) -> dict[str, Any]:
        raw = accept(channel, content)
        fax_pages.read_through(raw)
        # A worker that was killed over it lets go when its lease ends, and then it is ours.
        raw = see_through(raw, seconds=2 * settings.LEASE_SECONDS)
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
