"""Watched folders: a TIFF or PDF that lies there becomes a fax, once.

A file counts as complete when it was renamed into place or has stopped growing, and when its end is where its own
directory says. One that stays cut off is a fax that broke off: it is taken as it is, and its ticket says so. What is no
fax at all is put aside into `damaged`, with a word why, and the channel says so.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.utils import timezone

from core import fault
from core.models import Lease
from core.running import rest
from core.said import said as _
from core.said import storable
from inbox.channels.fax.envelope import Envelope
from inbox.channels.fax.pages import tiff
from inbox.channels.fax.reading import is_cut_pdf, is_pdf
from inbox.listening.listener import HOLDER
from inbox.models import Channel
from inbox.services import fax_receiving

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
STILL_SECONDS = 2.0
"""So long a file must not have changed before it is taken."""
CUT_SECONDS = 60.0
"""So long a file that ends too early may still be on its way."""
HEALTH_SECONDS = 60.0
ENDINGS = frozenset({".tif", ".tiff", ".pdf"})
_NAMED = re.compile(r"(from|to)=(\+?\d{6,15})", re.IGNORECASE)
_NUMBER = re.compile(r"(?<!\d)(?:\+|00)\d{6,15}(?!\d)")


def numbers_in(name: str) -> tuple[str, str]:
    """Who called and who was called, out of a file's name: `from=+49…`, `to=+49…`, else the numbers with + or 00."""
    named = {which.lower(): number for which, number in _NAMED.findall(name)}
    if named:
        return named.get("from", ""), named.get("to", "")
    found = _NUMBER.findall(name)
    return (found[0] if found else ""), (found[1] if len(found) > 1 else "")


def state_of(content: bytes) -> str:
    """`whole`, `cut`, `empty`, or `foreign` for what is neither TIFF nor PDF."""
    if is_pdf(content):
        return "cut" if is_cut_pdf(content) else "whole"
    try:
        document = tiff.read(content)
    except tiff.TiffUnreadable as why:
        return "foreign" if str(why) == "not-tiff" else str(why)
    return "cut" if document.damaged else "whole"


@dataclass
class Folder:
    """One watched folder, and what was seen in it at the last look."""

    channel: Channel
    path: Path
    _seen: dict[str, tuple[int, float, float]] = field(default_factory=dict)
    """Size, time of change, and when it was first seen so."""
    _kept: set[tuple[str, int, float]] = field(default_factory=set)
    """Files that were taken and are left where they are."""
    _healthy_at: float = 0.0

    def look(self) -> int:
        """Take what is complete; how many files that was. Raises OSError when the folder cannot be read."""
        present: dict[str, tuple[int, float, float]] = {}
        taken = 0
        now = time.monotonic()
        with os.scandir(self.path) as entries:
            names = sorted(e.name for e in entries if e.is_file(follow_symlinks=False) and _is_ours(e.name))
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                status = (self.path / name).stat()
                key = (status.st_size, status.st_mtime)
                before = self._seen.get(name)
                since = before[2] if before and before[:2] == key else now
                present[name] = (*key, since)
                if now - since >= STILL_SECONDS and (name, *key) not in self._kept:
                    taken += self._take(name, key, now - since)
        self._seen = present
        self._good()
        return taken

    def _take(self, name: str, key: tuple[int, float], still: float) -> int:
        path = self.path / name
        if key[0] > settings.MAIL_MAX_BYTES:
            self._put_aside(path, _("It is larger than %(n)s MB.", n=settings.MAIL_MAX_BYTES // 1024 // 1024))
            return 0
        content = path.read_bytes()
        if len(content) != key[0]:
            return 0  # it goes on growing
        state = state_of(content)
        if state in ("cut", "empty") and still < CUT_SECONDS:
            return 0
        words = {"empty": _("The file is empty."), "foreign": _("The file is neither a TIFF nor a PDF.")}
        if state in words:
            self._put_aside(path, words[state])
            return 0
        sender, called = numbers_in(name)
        changed = datetime.fromtimestamp(key[1], tz=UTC)
        told = Envelope(sender=sender, called=called, name=name[-100:], received_at=changed.isoformat())
        fax_receiving.receive(content, told, self.channel)
        # Committed: from here on a kill costs nothing, the same file is known by its content.
        fault.point("fax.folder_committed")
        if self.channel.settings.get("in_after") == "keep":
            self._kept.add((name, *key))
        else:
            _move(path, "done")
        return 1

    def _put_aside(self, path: Path, why: str) -> None:
        place = _move(path, "damaged")
        place.with_name(place.name + ".txt").write_text(why + "\n", "utf-8")
        log.warning("%s: %s is put aside: %s", self.channel, path, why)
        self.trouble(_("%(file)s: %(why)s It lies in “damaged”.", file=path.name[:100], why=why))
        self._healthy_at = time.monotonic() + 10 * HEALTH_SECONDS  # so that somebody sees it

    def trouble(self, why: str) -> None:
        """Write what is wrong onto the channel."""
        self._healthy_at = 0.0
        Channel.objects.filter(pk=self.channel.pk).update(
            receiving_health=Channel.Health.TROUBLE, receiving_note=storable(why, 300), receiving_at=timezone.now()
        )

    def _good(self) -> None:
        if time.monotonic() < self._healthy_at:
            return
        self._healthy_at = time.monotonic() + HEALTH_SECONDS
        Channel.objects.filter(pk=self.channel.pk).update(
            receiving_health=Channel.Health.GOOD, receiving_note="", receiving_at=timezone.now()
        )


def _is_ours(name: str) -> bool:
    """Not hidden, not a half file of some program, and with an ending of ours."""
    return not name.startswith((".", "~")) and Path(name).suffix.lower() in ENDINGS


def _move(path: Path, where: str) -> Path:
    """Into the folder beside it, under a name that is free there; the new place."""
    folder = path.parent / where
    folder.mkdir(mode=0o700, exist_ok=True)
    place, number = folder / path.name, 1
    while place.exists():
        place, number = folder / f"{path.stem}-{number}{path.suffix}", number + 1
    path.rename(place)
    return place


class FaxFolders:
    """A duty for `core.running.Crew`: every watched folder, each in one process of all that run."""

    def __init__(self, holder: str = HOLDER) -> None:
        self._holder = holder
        self._folders: dict[int, Folder] = {}
        self._held: dict[str, float] = {}
        """Leases of ours, and when each was taken or renewed."""

    def run(self, stopping: threading.Event) -> None:
        """Look again and again until told to stop."""
        try:
            while not stopping.is_set():
                self.turn()
                rest()
                stopping.wait(LOOK_SECONDS)
        finally:
            for name in self._held:
                Lease.give_back(name, self._holder)
            connection.close()

    def turn(self) -> int:
        """One look into each folder whose lease is ours; how many files were taken."""
        wanted = {}
        for channel in Channel.objects.filter(active=True, kind="fax").select_related("queue"):
            if path := channel.settings.get("in_folder"):
                wanted[channel.pk] = channel, Path(path)
        self._folders = {pk: folder for pk, folder in self._folders.items() if pk in wanted}
        taken = 0
        for pk, (channel, path) in wanted.items():
            folder = self._folders.get(pk)
            if folder is None or folder.path != path:
                folder = self._folders[pk] = Folder(channel, path)
            folder.channel = channel
            lease = f"fax-folder:{pk}"
            if not self._has(lease):
                continue
            try:
                taken += folder.look()
            except OSError as why:
                log.warning("%s: %s", channel, why)
                folder.trouble(_("The folder %(folder)s: %(why)s", folder=path, why=why.strerror or why))
        return taken

    def _has(self, lease: str) -> bool:
        """Whether the folder is ours; the lease is renewed now and then, not at every look."""
        if time.monotonic() - self._held.get(lease, float("-inf")) < settings.LEASE_SECONDS / 3:
            return True
        self._held.pop(lease, None)
        if Lease.take(lease, self._holder, settings.LEASE_SECONDS) is None:
            return False
        self._held[lease] = time.monotonic()
        return True
