"""The door: bytes to storage, then one row. Nothing is understood here, so nothing can go wrong with the content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from core import fault
from core.composed import Composed
from core.rows import insert
from inbox.channels import registry
from inbox.models import Channel, RawMessage
from inbox.services import channel_health, fax_pages, files, wake


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message as a door has it. Either `uid` (with folder and validity) or `external_id` says which one it is."""

    content: bytes
    folder: str = ""
    uidvalidity: int = 0
    uid: int = 0
    external_id: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    small: bool = False
    """True for a few bytes that come in numbers: they are kept in the row and not in a file of their own."""

    @property
    def key(self) -> tuple[str, int, int] | str | None:
        """What makes it the same arrival when it comes again; None for a door that cannot know."""
        if self.uid:
            return (self.folder, self.uidvalidity, self.uid)
        return self.external_id or None


def accept(
    channel: Channel,
    content: bytes,
    *,
    folder: str = "",
    uidvalidity: int = 0,
    uid: int = 0,
    external_id: str = "",
    facts: dict[str, Any] | None = None,
    held: bool = False,
) -> RawMessage:
    """Keep one message; a repeated call with the same key gives the row that is already there. Raises OSError."""
    arrival = Arrival(content, folder, uidvalidity, uid, external_id, facts or {})
    return accept_many(channel, [arrival], held=held)[0]


def accept_many(channel: Channel, arrivals: Sequence[Arrival], *, held: bool = False) -> list[RawMessage]:
    """Keep several in one transaction; the rows in order of the arrivals. Call it before the source is told anything.

    Inside a caller's transaction the rows are his: a listener checks its lease there. Raises OSError.
    """
    try:
        return _keep(channel, arrivals, held)
    except IntegrityError:
        # Somebody else kept one of them since we looked: now it is found.
        return _keep(channel, arrivals, held)


def sketch(channel: Channel, arrivals: Sequence[Arrival]) -> list[RawMessage]:
    """As `accept_many`, but new rows are not written yet: for a caller who posts them in this very transaction.

    `services.posting` writes them when it is done with them; where that fails he has to `keep` them, and where his
    transaction fails to remove their files. Raises OSError.
    """
    return _rows(channel, arrivals, RawMessage.State.STORED)[0]


def keep(rows: Sequence[RawMessage], token: str) -> None:
    """Write what `sketch` made, as messages that wait; until the lease ends only the holder of `token` works them.

    Raises IntegrityError when somebody else has kept one of them.
    """
    until = timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)
    for row in rows:
        row.attempts, row.lease_token, row.lease_until = 1, token, until
    insert(rows)


def _keep(channel: Channel, arrivals: Sequence[Arrival], held: bool) -> list[RawMessage]:
    found, new = _rows(channel, arrivals, RawMessage.State.HELD if held else RawMessage.State.STORED)
    fault.point("accept.stored")
    try:
        with transaction.atomic():
            insert(new)
            if registry.has(channel.kind, "has_pages"):
                fax_pages.plan(new)
            fault.point("accept.inserted")
    except BaseException:
        files.remove("raw", [row.blob for row in new])
        raise
    fault.point("accept.committed")
    if new:
        transaction.on_commit(lambda: channel_health.heard(channel), robust=True)
    if new and not held:
        wake.processing()
    return found


def _rows(channel: Channel, arrivals: Sequence[Arrival], state: str) -> tuple[list[RawMessage], list[RawMessage]]:
    """The row of each arrival, known or new, and the new ones by themselves; their bytes are on the disk then."""
    rows = _existing(channel, arrivals)
    fresh = {_name(a): a for a in arrivals if _name(a) not in rows}
    large = {name: a for name, a in fresh.items() if not a.small}
    blobs = dict(zip(large, files.store_many("raw", [a.content for a in large.values()]), strict=True))
    new = {name: _row(channel, a, state, blobs.get(name, "")) for name, a in fresh.items()}
    return [rows.get(_name(a)) or new[_name(a)] for a in arrivals], list(new.values())


def _name(arrival: Arrival) -> Any:
    return arrival.key or id(arrival)


def _row(channel: Channel, a: Arrival, state: str, blob: str = "") -> RawMessage:
    return RawMessage(
        channel=channel,
        folder=a.folder,
        uidvalidity=a.uidvalidity,
        uid=a.uid,
        external_id=a.external_id,
        blob=blob,
        body=None if blob else a.content,
        digest=hashlib.sha256(a.content).hexdigest(),
        size=len(a.content),
        facts=a.facts,
        state=state,
    )


_by_external_id = Composed(lambda channel, names: RawMessage.objects.filter(channel_id=channel, external_id__in=names))
_by_uid = Composed(
    lambda channel, folder, validity, uids: RawMessage.objects.filter(
        channel_id=channel, folder=folder, uidvalidity=validity, uid__in=uids
    )
)


def _existing(channel: Channel, arrivals: Iterable[Arrival]) -> dict[Any, RawMessage]:
    by_folder: dict[tuple[str, int], list[int]] = {}
    external = []
    for a in arrivals:
        if a.uid:
            by_folder.setdefault((a.folder, a.uidvalidity), []).append(a.uid)
        elif a.external_id:
            external.append(a.external_id)
    rows = _by_external_id(channel.pk, external) if external else []
    for (folder, validity), uids in by_folder.items():
        rows += _by_uid(channel.pk, folder, validity, uids)
    return {(row.folder, row.uidvalidity, row.uid) if row.uid else row.external_id: row for row in rows}
