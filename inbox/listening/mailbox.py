"""Fetching one mailbox: the mails above the cursor, stored and committed before the server is told anything."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from core import fault
from core.models import Lease
from core.said import said as _
from inbox.channels.email.imap import Mailbox
from inbox.models import Channel, MailboxCursor, RawMessage
from inbox.services.accept import Arrival, accept_many

log = logging.getLogger(__name__)

BATCH_MAILS, BATCH_BYTES = 25, 8 * 1024 * 1024
"""One fetch and one transaction hold at most so much, but always one mail: SQLite is locked while files are synced."""
SIZES_AT_ONCE = 1000


class LeaseLost(Exception):
    """Another listener has the mailbox now."""


class Intake:
    """Takes what is new in one opened folder. Every write is fenced with the lease of the mailbox."""

    def __init__(self, channel: Channel, mailbox: Mailbox, lease: str, holder: str, fence: int) -> None:
        self.channel, self.mailbox = channel, mailbox
        self._lease = (lease, holder, fence)
        self.folder: str = channel.settings.get("imap_folder") or "INBOX"
        self.cursor: MailboxCursor

    def open(self) -> None:
        """Select the folder and find the cursor; UIDs that start anew start the cursor anew."""
        selected = self.mailbox.select(self.folder)
        with transaction.atomic():
            self._check_lease()
            cursor, made = MailboxCursor.objects.get_or_create(
                channel=self.channel, folder=self.folder, defaults={"uidvalidity": selected.uidvalidity}
            )
            if made and not self.channel.settings.get("import_existing", True):
                cursor.last_uid = max(0, selected.uidnext - 1)
                cursor.save(update_fields=["last_uid"])
            if cursor.uidvalidity != selected.uidvalidity:
                # The numbers mean other mails now (RFC 9051, 2.3.1.1). All are taken again; what is known already is
                # recognised by its fingerprint.
                log.warning("%s: %s has new UIDs (UIDVALIDITY changed)", self.channel, self.folder)
                cursor.uidvalidity, cursor.last_uid, cursor.changed_at = selected.uidvalidity, 0, timezone.now()
                cursor.save(update_fields=["uidvalidity", "last_uid", "changed_at"])
        self.cursor = cursor

    def take_new(self) -> int:
        """Store everything above the cursor; how many mails that was."""
        new = self.mailbox.after(self.cursor.last_uid)
        for start in range(0, len(new), SIZES_AT_ONCE):
            some = new[start : start + SIZES_AT_ONCE]
            sizes = self.mailbox.sizes(some)
            for batch in _batches([uid for uid in some if uid in sizes], sizes):
                self._take(batch, sizes)
        return len(new)

    def _take(self, uids: Sequence[int], sizes: dict[int, int]) -> None:
        too_large = [uid for uid in uids if sizes[uid] > settings.MAIL_MAX_BYTES]
        wanted = [uid for uid in uids if uid not in too_large]
        contents = self.mailbox.fetch(wanted) if wanted else {}
        if too_large:
            contents |= self.mailbox.fetch(too_large, "BODY.PEEK[HEADER]<0.65536>")
        fault.point("imap.fetched")
        arrivals = [
            Arrival(
                contents[uid],
                folder=self.folder,
                uidvalidity=self.cursor.uidvalidity,
                uid=uid,
                facts={"oversize": sizes[uid]} if uid in too_large else {},
            )
            for uid in uids
            if uid in contents
        ]
        with transaction.atomic():
            self._check_lease()
            rows = accept_many(self.channel, arrivals)
            _park([row for row in rows if "oversize" in row.facts])
            MailboxCursor.objects.filter(pk=self.cursor.pk).update(last_uid=uids[-1], changed_at=timezone.now())
            fault.point("imap.before_commit")
        self.cursor.last_uid = uids[-1]
        fault.point("imap.committed")
        self._after_import([uid for uid in contents if uid not in too_large])

    def _check_lease(self) -> None:
        # In the transaction that writes: a listener that was frozen past its lease writes nothing.
        if not Lease.renew(*self._lease, settings.LEASE_SECONDS):
            raise LeaseLost(self._lease[0])

    def catch_up(self) -> None:
        """Do on the server what a kill after the commit left undone (R-02)."""
        deed = self.channel.settings.get("after_import", "seen")
        if deed == "nothing" or not self.cursor.last_uid:
            return
        left = self.mailbox.up_to(self.cursor.last_uid, *(["UNSEEN"] if deed == "seen" else []))
        for start in range(0, len(left), 500):
            some = left[start : start + 500]
            ours = RawMessage.objects.filter(
                channel=self.channel, folder=self.folder, uidvalidity=self.cursor.uidvalidity, uid__in=some
            ).values_list("uid", "facts")
            self._after_import(sorted(uid for uid, facts in ours if "oversize" not in facts))

    def _after_import(self, uids: Sequence[int]) -> None:
        """Never deletes: the mailbox is what a restored backup is filled up from."""
        deed = self.channel.settings.get("after_import", "seen")
        if not uids or deed == "nothing":
            return
        if deed == "move" and self.mailbox.can_move:
            self.mailbox.move(uids, self.channel.settings["move_to"])
        else:
            self.mailbox.mark_seen(uids)
        fault.point("imap.after_import")


def _park(rows: Sequence[RawMessage]) -> None:
    for row in rows:
        row.state, row.outcome = RawMessage.State.DEAD, RawMessage.Outcome.QUARANTINED
        row.reason = _(
            "The mail is %(size)s MB, more than is accepted. It is still in the mailbox.",
            size=round(row.facts["oversize"] / 1024 / 1024),
        )
        row.done_at = timezone.now()
        row.save(update_fields=["state", "outcome", "reason", "done_at"])


def _batches(uids: Sequence[int], sizes: dict[int, int]) -> Iterator[list[int]]:
    batch: list[int] = []
    weight = 0
    for uid in uids:
        size = min(sizes[uid], settings.MAIL_MAX_BYTES)
        if batch and (len(batch) >= BATCH_MAILS or weight + size > BATCH_BYTES):
            yield batch
            batch, weight = [], 0
        batch.append(uid)
        weight += size
    if batch:
        yield batch
