"""`manage.py read_mail`: show how mails are understood, without storing anything."""

from __future__ import annotations

import re
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.html import clean
from inbox import json_lines
from inbox.channels.base import Address, Inbound
from inbox.channels.email.reading.message import read
from inbox.channels.email.understanding.automatic import is_auto_reply

_ENVELOPE = re.compile(rb"^From [^\n]*\d{2}:\d{2}[^\n]*\n", re.MULTILINE)


class Command(BaseCommand):
    """Prints what the reader makes of each mail."""

    help = (
        "Read mails from files, directories or mboxes ('-': standard input) and print one JSON object a line for each. "
        "Nothing is stored."
    )
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where the mails are."""
        parser.add_argument("source", nargs="+", metavar="FILE|DIR|-")
        parser.add_argument("--trusted", default="", help="authserv-id of the server whose findings are believed")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read and print."""
        for source in options["source"]:
            for name, raw in _mails(source):
                json_lines.write(self.stdout, _described(name, raw, options["trusted"]))


def _mails(source: str) -> Iterator[tuple[str, bytes | OSError]]:
    """Name and bytes of each mail; of a file that cannot be read, why."""
    if source == "-":
        yield from _in_mbox("-", sys.stdin.buffer.read())
        return
    path = Path(source)
    if not path.exists():
        raise CommandError(f"{source}: no such file or directory")
    if path.is_file():
        yield from _in_file(path)
        return
    for each in sorted(path.rglob("*")):
        if each.is_file():
            yield from _in_file(each)


def _in_file(path: Path) -> Iterator[tuple[str, bytes | OSError]]:
    try:
        raw = path.read_bytes()
    except OSError as fault:
        yield str(path), fault
    else:
        yield from _in_mbox(str(path), raw)


def _in_mbox(name: str, raw: bytes) -> Iterator[tuple[str, bytes]]:
    """A file that begins with an envelope line may hold many mails (RFC 4155), each after an empty line."""
    starts = [found.start() for found in _ENVELOPE.finditer(raw)] if raw.startswith(b"From ") else []
    starts = [at for at in starts if at == 0 or raw[at - 2 : at] == b"\n\n" or raw[at - 4 : at] == b"\r\n\r\n"]
    if len(starts) < 2:
        yield name, raw
        return
    for number, (start, end) in enumerate(zip(starts, [*starts[1:], len(raw)], strict=True), 1):
        yield f"{name}#{number}", re.sub(rb"^>(>*From )", rb"\1", raw[start:end], flags=re.MULTILINE)


def _described(name: str, raw: bytes | OSError, trusted: str) -> dict[str, Any]:
    try:
        if isinstance(raw, OSError):
            raise raw
        mail = read(raw, trusted)
    except Exception as fault:  # an administrator asks here why a mail fails: the answer must not fail too
        return {**_as_json(name, Inbound(sender=None)), "error": f"{type(fault).__name__}: {fault}"}
    return _as_json(name, mail)


def _as_json(name: str, mail: Inbound) -> dict[str, Any]:
    bounce = mail.report if mail.report and mail.report.kind == "failure" else None
    return {
        "file": name,
        "from": _address(mail.sender) if mail.sender else None,
        "to": [_address(each) for each in mail.to],
        "subject": mail.subject,
        "message_id": mail.message_id,
        "in_reply_to": mail.in_reply_to,
        "references": list(mail.references),
        "date": mail.sent_at.isoformat() if mail.sent_at else None,
        "text": mail.text,
        "html": clean(mail.html) if mail.html else "",
        "reply_text": mail.reply_text,
        "attachments": [{"name": each.name, "type": each.content_type, "size": each.size} for each in mail.files],
        "is_auto_reply": is_auto_reply(mail.automatic),
        "is_bounce": bounce is not None,
        "bounced_addresses": list(bounce.recipients) if bounce else [],
        "language": mail.language,
        "error": "; ".join(mail.errors) or None,
    }


def _address(address: Address) -> dict[str, str]:
    return {"name": address.name, "address": address.address}
