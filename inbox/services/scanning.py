"""Files are shown to a virus scanner, clamd or whatever speaks its protocol, before people may have them (S-23).

Nothing that comes in waits for the scanner: a ticket is there at once, its files are handed out when they are checked.
"""

from __future__ import annotations

import logging
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from crm.service.changes import Change
from inbox.models import Attachment, Verdict
from inbox.services import files

log = logging.getLogger(__name__)

SECONDS = 20.0
"""The scanner may take this long for one answer."""
CHUNK = 64 * 1024


class ScannerDown(Exception):
    """The scanner cannot be reached, or does not answer as one."""


class FileWithheld(Exception):
    """The file is not handed out; the text says why, for people. `for_now`: only until the scanner answers again."""

    def __init__(self, why: str, *, for_now: bool = False) -> None:
        super().__init__(why)
        self.for_now = for_now


def ask(content: BinaryIO) -> tuple[str, str]:
    """The verdict on these bytes, and the name of what was found. Raises ScannerDown."""
    try:
        with _connection() as line:
            with suppress(BrokenPipeError, ConnectionResetError):  # it hangs up on what is too large, and says so
                line.sendall(b"zINSTREAM\0")
                while chunk := content.read(CHUNK):
                    line.sendall(struct.pack("!L", len(chunk)) + chunk)
                line.sendall(struct.pack("!L", 0))
            answer = _answer(line)
    except OSError as why:
        raise ScannerDown(str(why)) from why
    if answer.endswith("OK"):
        return Verdict.CLEAN, ""
    if answer.endswith(" FOUND"):
        return Verdict.VIRUS, answer.removesuffix(" FOUND").partition(": ")[2][:200]
    if "size limit" in answer:
        return Verdict.UNKNOWN, ""
    raise ScannerDown(answer[:200])


@contextmanager
def _connection() -> Iterator[socket.socket]:
    where = settings.SCANNER
    family = socket.AF_UNIX if where.startswith("/") else socket.AF_INET
    host, _colon, port = where.rpartition(":")
    if family is socket.AF_UNIX:
        line = socket.socket(family, socket.SOCK_STREAM)
        line.settimeout(SECONDS)
        try:
            line.connect(where)
        except OSError:
            line.close()
            raise
    else:
        line = socket.create_connection((host, int(port)), timeout=SECONDS)
    with line:
        yield line


def _answer(line: socket.socket) -> str:
    got = b""
    while not got.endswith(b"\0") and len(got) < 4096:
        piece = line.recv(1024)
        if not piece:
            break
        got += piece
    return got.rstrip(b"\0\n ").decode("utf-8", "replace")


def settle(attachment: Attachment) -> Attachment:
    """Have the file checked if it was not yet. Raises ScannerDown, FileNotFoundError."""
    if not settings.SCANNER or attachment.verdict not in ("", Verdict.WAITING):
        return attachment
    with files.open_blob("attachments", attachment.blob) as content:
        verdict, finding = ask(content)
    with transaction.atomic():
        change = Change.lock(attachment.message.ticket_id, merged=True) if verdict == Verdict.VIRUS else None
        fresh = Attachment.objects.filter(pk=attachment.pk, verdict__in=("", Verdict.WAITING))
        changed = fresh.update(verdict=verdict, finding=finding)
        if change and changed:
            log.warning("attachment %s of ticket %s holds %s", attachment.pk, change.ticket.number, finding)
            change.record("virus", new=attachment.name, why=finding)
            change.save()
    attachment.verdict, attachment.finding = verdict, finding
    return attachment


def clear(attachment: Attachment) -> None:
    """Let the file be handed out, or raise FileWithheld. Raises FileNotFoundError."""
    try:
        settle(attachment)
    except ScannerDown as why:
        log.warning("the virus scanner does not answer: %s", why)
        if settings.SCANNER_REQUIRED:
            told = _("The file could not be checked for viruses yet. Try again in a few minutes.")
            raise FileWithheld(told, for_now=True) from why
    if attachment.verdict == Verdict.VIRUS:
        raise FileWithheld(_("The file contains a virus (%(name)s) and is held back.") % {"name": attachment.finding})
    if attachment.verdict == Verdict.UNKNOWN and settings.SCANNER_REQUIRED:
        raise FileWithheld(_("The file is too large to be checked for viruses, so it is held back."))


def scan_waiting(limit: int = 50) -> int:
    """Check up to `limit` files that wait; how many were. While the scanner is away they go on waiting."""
    if not settings.SCANNER:
        return 0
    rows = Attachment.objects.filter(verdict=Verdict.WAITING).select_related("message").order_by("id")
    done = 0
    for attachment in rows[:limit]:
        try:
            settle(attachment)
        except FileNotFoundError:
            Attachment.objects.filter(pk=attachment.pk, verdict=Verdict.WAITING).update(verdict=Verdict.UNKNOWN)
        except ScannerDown as why:
            log.warning("the virus scanner does not answer, %s: files wait", why)
            break
        done += 1
    return done
